// A small exporter of the conversation history. It fetches all pages of a list.

const PAGE_SIZE = 100;
const PAUSES = [500, 1000, 2000, 4000]; // milliseconds
const RETRIED = [40008, 50000]; // too many requests, internal error

/** The API refused a request, or all attempts to send it failed. */
export class ApiError extends Error {}

export class History {
  constructor(url, key, sleep = (ms) => new Promise((done) => setTimeout(done, ms))) {
    Object.assign(this, { url, key, sleep });
  }

  /** All conversations of a time window, in milliseconds since 1970. */
  conversations(start, end) {
    const query = { conversation_type: "ALL", start_time: start, end_time: end };
    return this.#all("/v1/bot/conversation/page", query, "list", "conversation_id");
  }

  /** All messages of a conversation. */
  messages(conversation) {
    return this.#all("/v1/messages", { conversation_id: conversation }, "messages", "message_id");
  }

  /** All questions of a time window, with their answers. */
  questions(start, end) {
    const query = { user_feedback: "ALL", start_time: start, end_time: end };
    return this.#all("/v1/message/qa/record/page", query, "qa", "id");
  }

  /** The rows of all pages. A row that the next page repeats is included once. */
  async #all(path, query, key, id) {
    const rows = new Map();
    for (let page = 1, isLast = false; !isLast; page++) {
      const answer = await this.#page(path, { ...query, page, page_size: PAGE_SIZE });
      for (const row of answer[key]) rows.set(row[id], row);
      // The list of questions has no total. Its last page is the one that is not full.
      const isFull = answer[key].length === PAGE_SIZE;
      isLast = "total" in answer ? page * PAGE_SIZE >= answer.total : !isFull;
    }
    return [...rows.values()];
  }

  /** One page. Temporary errors are retried after a pause; other errors are not. */
  async #page(path, query) {
    const url = `${this.url}${path}?${new URLSearchParams(query)}`;
    const headers = { authorization: `Bearer ${this.key}` };
    for (const pause of [...PAUSES, null]) {
      let problem;
      let retryAfter = 0;
      try {
        const answer = await fetch(url, { headers });
        const text = await answer.text();
        const body = JSON.parse(text);
        if (!("code" in body)) return body;
        problem = new ApiError(`${path}: ${text}`);
        if (answer.status < 500 && !RETRIED.includes(body.code)) throw problem;
        retryAfter = Number(answer.headers.get("retry-after") ?? 0) * 1000;
      } catch (error) {
        if (error instanceof ApiError) throw error;
        // There was no response, or it is not JSON, such as the HTML page of a gateway.
        problem = new ApiError(`${path}: ${error}`, { cause: error });
      }
      if (pause === null) throw problem;
      await this.sleep(Math.max(pause, retryAfter));
    }
  }
}
