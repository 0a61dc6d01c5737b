// A test with a server that never ends.

import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { withSandbox } from "gptbots-mock/node-test";

import { ask } from "../node/client.mjs";

test("hangs", withSandbox(async ({ sandbox }) => {
  await ask(sandbox);
  writeFileSync(process.env.GPTBOTS_TEST_READY, "");
  await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
}));
