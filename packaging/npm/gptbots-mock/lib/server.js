"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { findBinary } = require("./binary.js");
const { Control } = require("./control.js");
const sandboxes = require("./sandbox.js");

/** The timeout for the start. A program that is not gptbots-mock may never print anything. */
const START_TIMEOUT_MS = 60_000;

class Server {
  #control;
  #child;

  constructor(url, apiKey, adminToken, child) {
    this.url = url;
    this.apiKey = apiKey;
    this.#control = new Control(url, adminToken);
    this.#child = child;
  }

  sandbox(id) {
    return new sandboxes.Sandbox(this.#control, this.url, this.apiKey, id);
  }

  async requests() {
    return (await sandboxes.readJournal(this.#control, "")).requests;
  }

  async droppedRequests() {
    return (await sandboxes.readJournal(this.#control, "?limit=0")).dropped;
  }

  verdict({ mute } = {}) {
    return this.#control.json("GET", `/verdict${sandboxes.muteQuery(mute)}`);
  }

  async assertClean({ mute } = {}) {
    await this.#assertClean(mute, false);
  }

  async assertCleanOrUnused({ mute } = {}) {
    await this.#assertClean(mute, true);
  }

  async #assertClean(mute, mayBeUnused) {
    const path = `/verdict${sandboxes.muteQuery(mute)}`;
    const verdict = await this.#control.json("GET", path);
    await sandboxes.assertClean(this.#control, verdict, path, mayBeUnused);
  }

  async stop() {
    this.#control.close();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // The server stores nothing, so it can be killed.
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    child.kill("SIGKILL");
    await ended;
  }
}

Server.prototype[sandboxes.asyncDispose] = Server.prototype.stop;

/** Starts the emulator on a free port of 127.0.0.1. */
async function start(options = {}) {
  const binary = findBinary();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gptbots-mock-"));
  let child, server;
  try {
    const { args, apiKey } = makeArguments(options, folder);
    child = spawn(binary, args, { stdio: "pipe", env: environment(), windowsHide: true });
    const url = await waitForUrl(child, binary);
    server = new Server(url, apiKey, options.adminToken, child);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  // The emulator ends when the pipe on its stdin closes, at the latest when this process ends. It does not
  // keep this process alive.
  child.stdin.on("error", () => {});
  if (options.logFormat === undefined) child.stderr.resume();
  else child.stderr.on("data", (text) => process.stderr.write(text));
  child.stdout.resume();
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
  return server;
}

/** A server that was started by something else, such as `gptbots-mock exec`. */
function connect({ url, apiKey = "app-demo", adminToken }) {
  if (!/^http:\/\/[^/]+\/?$/.test(url ?? "")) {
    throw new TypeError(
      `connect needs the url of a running gptbots-mock, such as http://127.0.0.1:8484, got ${url}`,
    );
  }
  return new Server(url.replace(/\/$/, ""), apiKey, adminToken, undefined);
}

/** The arguments of `serve`, with the options in a config file, and a key of the first agent. */
function makeArguments(options, folder) {
  const { fixture, fixtureFiles, apiKeys, readings, faults, hazards, rateLimit, ...rest } = options;
  const config = { host: "127.0.0.1", port: 0, "log-format": "off" };
  for (const [name, value] of Object.entries(rest)) {
    config[name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)] = value;
  }
  Object.assign(config, { "api-key": apiKeys, reading: readings, fault: faults, hazard: hazards });
  if (rateLimit !== undefined) config["rate-limit"] = `${rateLimit.requests}/${rateLimit.seconds}`;

  let files = fixtureFiles?.map((file) => path.resolve(file));
  if (fixture !== undefined) {
    files = [path.join(folder, "fixture.json"), ...(files ?? [])];
    fs.writeFileSync(files[0], JSON.stringify(fixture));
  }
  config.fixtures = files;
  const file = path.join(folder, "options.json");
  fs.writeFileSync(file, JSON.stringify(config));
  const args = ["serve", "--until-stdin-closes", "--config", file];
  return { args, apiKey: files === undefined ? "app-demo" : keyOfFiles(files) };
}

/** A key of the first agent in fixture files. The emulator reads the files in the same order. */
function keyOfFiles(files) {
  const agents = [];
  for (const file of files.flatMap(filesOf)) {
    try {
      agents.push(...JSON.parse(fs.readFileSync(file, "utf8").replace(/^\uFEFF/, "")).agents);
    } catch {
      // The emulator will report the mistake, with line and column.
    }
  }
  return sandboxes.keyOfAgents(agents);
}

function filesOf(file) {
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) return [file];
  const names = fs.readdirSync(file).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => path.join(file, name));
}

/** The environment without the emulator's variables, so that only the options affect the server. */
function environment() {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith("GPTBOTS_MOCK_")));
}

function waitForUrl(child, binary) {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    const finish = (error, url) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.stdout.removeAllListeners("data");
      child.stderr.removeAllListeners("data");
      if (error === undefined) {
        if (/\bwarning: /.test(stderr)) process.stderr.write(stderr);
        resolve(url);
      } else {
        child.on("error", () => {});
        child.kill("SIGKILL");
        reject(new Error(`gptbots-mock: ${error}${stderr && `\n${stderr.trimEnd()}`}`));
      }
    };
    const timer = setTimeout(
      () => finish(`${binary} did not print its address within 60 s`),
      START_TIMEOUT_MS,
    );
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      if (!stdout.includes("\n")) return;
      const url = /^listening on (http:\/\/\S+)\r?\n/.exec(stdout)?.[1];
      const line = JSON.stringify(stdout.split("\n")[0]);
      if (url === undefined) finish(`${binary} printed ${line} instead of its address`);
      else finish(undefined, url);
    });
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", (error) => finish(`cannot run ${binary}: ${error.message}`));
    child.on("close", (code, signal) => {
      finish(`${binary} ended ${code === null ? `by ${signal}` : `with exit code ${code}`} during the start`);
    });
  });
}

module.exports = { Server, connect, start };
