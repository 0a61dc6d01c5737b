// A test with a server that never ends.

import { writeFileSync } from "node:fs";

import { test } from "gptbots-mock/vitest";

import { ask } from "../node/client.mjs";

test("hangs", { timeout: 0 }, async ({ sandbox }) => {
  await ask(sandbox);
  writeFileSync(process.env.GPTBOTS_TEST_READY, "");
  await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1));
});
