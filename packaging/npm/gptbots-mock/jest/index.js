"use strict";

const path = require("node:path");

const { connect, start } = require("../lib/server.js");
const { named, runInSandbox, settingsAndTest } = require("../lib/run.js");

/** The name under which Jest's process stores the server between setup and teardown. */
const KEY = Symbol.for("gptbots-mock.jest");

/** A global setup that starts the server of a run, unless GPTBOTS_MOCK_URL is set. */
function globalSetup(options) {
  return async () => {
    if (process.env.GPTBOTS_MOCK_URL) return;
    const server = await start(options);
    globalThis[KEY] = server;
    // Workers inherit these.
    process.env.GPTBOTS_MOCK_URL = server.url;
    process.env.GPTBOTS_MOCK_KEY = server.apiKey;
  };
}

async function globalTeardown() {
  const server = globalThis[KEY];
  if (server === undefined) return;
  delete globalThis[KEY];
  delete process.env.GPTBOTS_MOCK_URL;
  delete process.env.GPTBOTS_MOCK_KEY;
  await server.stop();
}

let server;

/** The server of this run. */
function gptbotsMock() {
  server ??= named(connect);
  if (server === undefined) {
    throw new Error(
      'gptbots-mock: no server is running; add globalSetup: "gptbots-mock/jest/setup" and ' +
        'globalTeardown: "gptbots-mock/jest/teardown" to the Jest config',
    );
  }
  return server;
}

function withSandbox(settings, test) {
  const [ofSandbox, body] = settingsAndTest(settings, test);
  return async (...row) => {
    const { currentTestName, testPath } = globalThis.expect?.getState() ?? {};
    const name = `${path.relative(process.cwd(), testPath ?? "")} ${currentTestName ?? ""}`;
    const run = (sandbox) => body({ sandbox }, ...row);
    await runInSandbox(gptbotsMock(), name, ofSandbox, run);
  };
}

module.exports = { globalSetup, globalTeardown, gptbotsMock, withSandbox };
