"use strict";

const path = require("node:path");

const { connect, start } = require("./lib/server.js");
const { named, runInSandbox, settingsAndTest } = require("./lib/run.js");

let server;

// A `node --test` that is killed leaves the processes of its files running, and each has a server.
if (process.env.NODE_TEST_CONTEXT?.startsWith("child")) {
  const runner = process.ppid;
  setInterval(() => process.ppid === runner || process.exit(1), 250).unref();
}

/** The server of this process, which starts at the first call and ends with the process. */
function gptbotsMock() {
  server ??= Promise.resolve(named(connect) ?? start());
  return server;
}

function withSandbox(settings, test) {
  const [ofSandbox, body] = settingsAndTest(settings, test);
  return async (t) => {
    // Node before 20.16 does not say which file a test is in; each file is a process of its own.
    const file = path.relative(process.cwd(), t.filePath ?? process.argv[1] ?? "");
    const name = `${file} ${t.fullName ?? t.name}`;
    await runInSandbox(await gptbotsMock(), name, ofSandbox, (sandbox) => body({ sandbox, t }));
  };
}

module.exports = { gptbotsMock, withSandbox };
