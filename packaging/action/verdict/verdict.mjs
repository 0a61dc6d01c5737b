// Gets the verdict of this job's emulator, reports it to GitHub, and stops the emulator.

import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { annotate, print, printEndOfLog, stateFile, variable } from "../github.mjs";

const ANSWER_MS = 30_000;
const STOP_MS = 10_000;
const POLL_MS = 20;

/** GitHub shows at most 10 annotations of each level per step. */
const MOST_ANNOTATIONS = 10;
/** GitHub refuses a summary of more than 1 MiB. */
const LONGEST_SUMMARY = 300_000;

const FORMATS = { ".json": "application/json", ".txt": "text/plain", ".xml": "application/xml" };

/** Reads the inputs. A wrong input is an error, and is never treated as missing. */
function readInputs() {
  const list = (name, separator) =>
    (process.env[name] ?? "").split(separator).map((item) => item.trim()).filter(Boolean);
  const minCoverage = (process.env.INPUT_MIN_COVERAGE ?? "").trim();
  if (minCoverage !== "" && !(/^\d+$/.test(minCoverage) && Number(minCoverage) <= 100)) {
    throw new Error(`min-coverage: "${minCoverage}" is not a whole number from 0 to 100`);
  }
  const reports = list("INPUT_REPORT", /\r?\n/);
  const wrong = reports.find((file) => !(path.extname(file) in FORMATS));
  if (wrong !== undefined) {
    const known = Object.keys(FORMATS).join(", ");
    throw new Error(`report: "${wrong}" must end with one of ${known}`);
  }
  return {
    deny: list("INPUT_DENY", /[,\n]/),
    mute: list("INPUT_MUTE", /[,\n]/),
    minCoverage: minCoverage === "" ? undefined : Number(minCoverage),
    reports,
  };
}

/** The emulator that the start action started. */
class Emulator {
  /** Whether it has responded, which shows that the process id is still the one of the emulator. */
  #isThere = false;

  constructor({ url, pid, log }) {
    Object.assign(this, { url, pid, log });
  }

  async #get(target, accept = "application/json") {
    const headers = { accept };
    const token = process.env.GPTBOTS_MOCK_ADMIN_TOKEN;
    if (token) headers.authorization = `Bearer ${token}`;
    const signal = AbortSignal.timeout(ANSWER_MS);
    try {
      const response = await fetch(`${this.url}/__admin${target}`, { headers, signal });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const why = error.cause?.message || error.message;
      throw new Error(`the emulator at ${this.url} does not respond: ${why}`);
    }
  }

  async check() {
    const { text } = await this.#get("/health");
    this.#isThere = /"healthy"/.test(text);
    if (!this.#isThere) throw new Error(`the server at ${this.url} is not gptbots-mock`);
  }

  /** The verdict without the findings of the muted rules. */
  async verdict(mute, format) {
    const query = mute.length === 0 ? "" : `?mute=${encodeURIComponent(mute.join(","))}`;
    const { status, text } = await this.#get(`/verdict${query}`, format);
    if (status === 200) return text;
    let why = `HTTP ${status}`;
    try {
      why = JSON.parse(text).errors.map((error) => error.title).join("; ");
    } catch {
      // The response is not from the control API, so only the status is known.
    }
    throw new Error(why);
  }

  /** Stops the emulator and waits for its end, which takes up to 5 s if requests are in flight. */
  async stop() {
    if (!this.#isThere) return;
    try {
      process.kill(this.pid, "SIGTERM");
      for (const end = Date.now() + STOP_MS; Date.now() < end; await pause(POLL_MS)) {
        await this.#get("/health");
      }
      process.kill(this.pid, "SIGKILL");
    } catch {
      // The process has ended: the signal or the request failed.
    }
  }
}

/** Escapes a text for Markdown, also for a cell of a table. */
function markdown(text) {
  return text.replace(/[\\`*_{}[\]<>()#!|~&@$:]/g, "\\$&").replace(/\s+/g, " ");
}

function requestLines({ requests, request_lines: lines }) {
  return requests.map((number) => {
    const line = lines.find((line) => line.number === number);
    return `#${number} ${line ? `${line.method} ${line.target}` : "is no longer in the journal"}`;
  });
}

function count(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** The summary in Markdown. */
function summary(headline, findings, isDenied, { percent, met, of, never_met: neverMet }) {
  let text = `### ${markdown(headline)}\n\n`;
  if (findings.length > 0) {
    text += "| finding | times | what the client did | requests |\n| --- | ---: | --- | --- |\n";
  }
  for (const [index, finding] of findings.entries()) {
    if (text.length > LONGEST_SUMMARY) {
      text += `\nThe log of this step lists ${findings.length - index} more findings.\n`;
      break;
    }
    const rule = `${markdown(finding.rule)}${isDenied(finding) ? " (**denied**)" : ""}`;
    const requests = requestLines(finding).map(markdown).join("<br>");
    const where = finding.sandbox === "default" ? "" : `sandbox ${markdown(finding.sandbox)}<br>`;
    const what = `${markdown(finding.what)}<br>${markdown(finding.why)}`;
    text += `| ${rule} | ${finding.times} | ${what} | ${where}${requests} |\n`;
  }
  text += `\nCoverage: ${percent}% of the contract (${met} of ${of}).\n`;
  if (neverMet.length > 0) {
    const items = neverMet.map((item) => `- ${markdown(item)}\n`).join("");
    text += `\n<details><summary>Not covered by any request</summary>\n\n${items}\n</details>\n`;
  }
  return text;
}

async function judge(emulator, { deny, mute, minCoverage, reports }) {
  const verdictOf = async (input, rules) => {
    try {
      return JSON.parse(await emulator.verdict(rules));
    } catch (error) {
      throw new Error(`${input}${error.message}`);
    }
  };
  const { findings, requests, coverage } = await verdictOf(mute.length ? "mute: " : "", mute);
  // The server checks the names of rules, and suggests the right one.
  const denied = new Set(deny);
  const named = deny.filter((rule) => rule !== "all");
  if (named.length > 0) await verdictOf("deny: ", named);
  for (const file of reports) {
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    writeFileSync(file, await emulator.verdict(mute, FORMATS[path.extname(file)]));
  }

  // The server cannot know that no more requests follow, so it does not report this.
  if (requests === 0 && !mute.includes("no-request")) {
    findings.push({
      rule: "no-request",
      sandbox: "default",
      what: "no request came, so nothing was tested",
      why: "Usually the client uses another address: GPTBOTS_MOCK_URL is the right one.",
      requests: [],
      request_lines: [],
      times: 1,
    });
  }
  const isDenied = ({ rule }) => denied.has("all") || denied.has(rule);
  findings.sort((a, b) => isDenied(b) - isDenied(a));
  const isUncovered = minCoverage !== undefined && coverage.percent < minCoverage;
  const problems = [];
  const deniedCount = findings.filter(isDenied).length;
  if (deniedCount > 0) problems.push(`${count(deniedCount, "finding")} denied`);
  if (isUncovered) {
    problems.push(`coverage is ${coverage.percent}%, below min-coverage ${minCoverage}`);
  }
  const found = findings.length === 0 ? "nothing found" : count(findings.length, "finding");
  const headline = [
    `verdict: ${count(requests, "request")}, ${found}, coverage ${coverage.percent}%`,
    ...problems,
  ].join("; ");

  appendFileSync(variable("GITHUB_STEP_SUMMARY"), summary(headline, findings, isDenied, coverage));
  print(await emulator.verdict(mute, "text/plain"));
  for (const level of ["error", "warning"]) {
    const ofLevel = findings.filter((finding) => isDenied(finding) === (level === "error"));
    // One annotation is reserved for the headline.
    for (const finding of ofLevel.slice(0, MOST_ANNOTATIONS - 1)) {
      const times = finding.times > 1 ? ` (${finding.times} times)` : "";
      const text = [`${finding.what}${times}`, finding.why, ...requestLines(finding)].join("\n");
      annotate(level, finding.rule, text);
    }
  }
  if (problems.length > 0) annotate("error", "gptbots-mock", headline);
  else console.log(headline);
  return problems.length === 0;
}

async function main() {
  if (!existsSync(stateFile)) {
    throw new Error("this job has no emulator; run the action that starts one before this action");
  }
  const emulator = new Emulator(JSON.parse(readFileSync(stateFile, "utf8")));
  rmSync(stateFile);
  try {
    await emulator.check();
  } catch (error) {
    printEndOfLog(emulator.log);
    throw error;
  }
  try {
    return await judge(emulator, readInputs());
  } finally {
    await emulator.stop();
  }
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  const headline = `no verdict: ${error.message}`;
  annotate("error", "gptbots-mock", headline);
  appendFileSync(variable("GITHUB_STEP_SUMMARY"), `### ${markdown(headline)}\n`);
  process.exitCode = 1;
}
