"use strict";

// Runs a test in its own sandbox, and describes the requests of a failed test.

const { createHash } = require("node:crypto");

/** The ids of the sandboxes in use by tests of this process. */
const used = new Set();

/**
 * The id of a test's sandbox. It is the same in each run, because random faults depend on it. If two tests
 * of the same name run at the same time, the second id ends with a number.
 */
function sandboxId(name) {
  const words = name.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const id = `${words.slice(-40)}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? id : `${id}-${number}`;
    if (!used.has(candidate)) return candidate;
  }
}

/** Opens a sandbox for a test. */
async function open(server, name, { clean = false, ...settings } = {}) {
  const sandbox = server.sandbox(sandboxId(name));
  used.add(sandbox.id);
  try {
    await sandbox.configure(settings);
  } catch (error) {
    used.delete(sandbox.id);
    throw error;
  }
  return { sandbox, clean };
}

/** Ends the sandbox of a test. */
async function close({ sandbox }) {
  try {
    await sandbox.end();
  } finally {
    used.delete(sandbox.id);
  }
}

/** Runs a test in its own sandbox. If it fails, its requests are added to the message of the error. */
async function runInSandbox(server, name, settings, test) {
  const opened = await open(server, name, settings);
  try {
    await test(opened.sandbox);
    if (opened.clean) await opened.sandbox.assertCleanOrUnused();
  } catch (error) {
    addToMessage(error, await describe(opened.sandbox));
    await close(opened).catch(() => {});
    throw error;
  }
  await close(opened);
}

/** The requests of a sandbox with the reasons of errors, as text. */
async function describe(sandbox) {
  try {
    const requests = await sandbox.requests();
    const count = requests.length === 1 ? "1 request" : `${requests.length} requests`;
    return [`gptbots-mock: ${count} in sandbox ${sandbox.id}`, ...requests.map(line)].join("\n");
  } catch (error) {
    return `gptbots-mock: cannot list the requests of this test: ${error.message}`;
  }
}

function line({ number, method, target, status, code, reason, violations }) {
  const answer = [status ?? "no response", code === null ? "" : `(${code})`].filter(Boolean).join(" ");
  const why = reason === "" ? "" : `: ${reason}`;
  const broke = violations.map(({ rule, what }) => `\n     ${rule}: ${what}`).join("");
  return `  #${number} ${method} ${target} -> ${answer}${why}${broke}`;
}

function addToMessage(error, text) {
  if (typeof error?.message !== "string") return;
  try {
    error.message += `\n\n${text}`;
  } catch {
    // The error is frozen, so its message cannot be changed.
  }
}

/** The server at GPTBOTS_MOCK_URL, which `gptbots-mock exec` sets; undefined if it is not set. */
function named(connect) {
  const { GPTBOTS_MOCK_URL: url, GPTBOTS_MOCK_KEY: apiKey } = process.env;
  return url ? connect({ url, apiKey: apiKey || undefined }) : undefined;
}

/** The arguments of `withSandbox`: settings, which are optional, and the test. */
function settingsAndTest(settings, test) {
  const [ofSandbox, body] = typeof settings === "function" ? [{}, settings] : [settings, test];
  if (typeof body !== "function") {
    throw new TypeError(
      "withSandbox needs a test function: withSandbox(test) or withSandbox(settings, test)",
    );
  }
  return [ofSandbox, body];
}

module.exports = { addToMessage, close, describe, named, open, runInSandbox, settingsAndTest };
