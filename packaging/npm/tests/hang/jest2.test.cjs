"use strict";

// A test with a server that never ends. Two workers run two such files.

const { writeFileSync } = require("node:fs");

const { withSandbox } = require("gptbots-mock/jest");

const { ask } = require("../jest/client.cjs");

const EVER = 2 ** 31 - 1;

test("hangs", withSandbox(async ({ sandbox }) => {
  await ask(sandbox);
  writeFileSync(process.env.GPTBOTS_TEST_READY, "");
  await new Promise((resolve) => setTimeout(resolve, EVER));
}), EVER);
