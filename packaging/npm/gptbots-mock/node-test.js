"use strict";

const path = require("node:path");

const { connect, start } = require("./lib/server.js");
const { named, runInSandbox, settingsAndTest } = require("./lib/run.js");

let server;

// If `node --test` is killed, the processes of its test files keep running, each with a server. So each
// process ends when its parent is gone.
if (process.env.NODE_TEST_CONTEXT?.startsWith("child")) {
  const runner = process.ppid;
  setInterval(() => process.ppid === runner || process.exit(1), 250).unref();
}

/** The server of this process. The first call starts it, and it ends with the process. */
function gptbotsMock() {
  server ??= Promise.resolve(named(connect) ?? start());
  return server;
}

function withSandbox(settings, test) {
  const [ofSandbox, body] = settingsAndTest(settings, test);
  return async (t) => {
    // Before 20.16, Node does not report the file of a test, but runs each file in its own process.
    const file = path.relative(process.cwd(), t.filePath ?? process.argv[1] ?? "");
    const name = `${file} ${t.fullName ?? t.name}`;
    await runInSandbox(await gptbotsMock(), name, ofSandbox, (sandbox) => body({ sandbox, t }));
  };
}

module.exports = { gptbotsMock, withSandbox };
