"use strict";

// A test that never ends, with a server at its side. Two such files are run by two workers.

const { writeFileSync } = require("node:fs");

const { withSandbox } = require("gptbots-mock/jest");

const { ask } = require("../jest/client.cjs");

const EVER = 2 ** 31 - 1;

test("hangs", withSandbox(async ({ sandbox }) => {
  await ask(sandbox);
  writeFileSync(process.env.GPTBOTS_TEST_READY, "");
  await new Promise((resolve) => setTimeout(resolve, EVER));
}), EVER);
