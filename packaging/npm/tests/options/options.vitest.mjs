import { expect } from "vitest";

import { test } from "gptbots-mock/vitest";

import { ask } from "../node/client.mjs";

test("the server has the options of the global setup", async ({ gptbotsMock, sandbox }) => {
  expect([await ask(gptbotsMock), await ask(sandbox)]).toEqual([599, 599]);
});
