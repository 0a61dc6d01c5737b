"use strict";

// Calls of the control API. They use node:http, because tests often replace `fetch` and timers.

const http = require("node:http");

/** The control API refused a request. */
class ControlError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.name = "ControlError";
    this.status = status;
  }
}

class Control {
  #url;
  #headers;
  #agent = new http.Agent({ keepAlive: true });

  constructor(url, adminToken) {
    this.#url = url;
    this.#headers = adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` };
  }

  /** Sends a request; returns the JSON of the response. */
  async json(method, path, body) {
    return JSON.parse((await this.call(method, path, body)).text);
  }

  /** Sends a request; returns the text and headers of the response. Throws an error if it is refused. */
  async call(method, path, body, accept = "application/json") {
    const target = `${this.#url}/__admin${path}`;
    const headers = { ...this.#headers, accept };
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (text !== undefined) headers["content-length"] = Buffer.byteLength(text);
    let answer;
    try {
      answer = await this.#send(target, { method, headers, agent: this.#agent }, text);
    } catch (error) {
      const why = `gptbots-mock at ${this.#url} does not respond (${error.message || error.code})`;
      throw new Error(`${why}; was it stopped?`, { cause: error });
    }
    if (answer.status < 400) return answer;
    throw new ControlError(`gptbots-mock: ${method} ${path}: ${reasonOf(answer)}`, answer.status);
  }

  /** Closes the idle connections, which would keep the port of the server in use. */
  close() {
    this.#agent.destroy();
  }

  #send(target, options, text) {
    return new Promise((resolve, reject) => {
      const request = http.request(target, options, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status, headers } = response;
          resolve({ status, headers, text: Buffer.concat(chunks).toString() });
        });
      });
      request.on("error", (error) => {
        // The server may close an idle connection just when we use it again.
        if (request.reusedSocket && error.code === "ECONNRESET") {
          resolve(this.#send(target, options, text));
        } else {
          reject(error);
        }
      });
      request.end(text);
    });
  }
}

function reasonOf({ status, text }) {
  try {
    const { errors } = JSON.parse(text);
    return errors.map((error) => error.detail ?? error.title).join("\n");
  } catch {
    return `${status} ${text.slice(0, 500)}`;
  }
}

module.exports = { Control, ControlError };
