"use strict";

// Each of these tests fails; node/runners.test.mjs checks the output of Jest.

const { withSandbox } = require("gptbots-mock/jest");

const { ask } = require("../jest/client.cjs");

const MISSPELT = "/v1/messages?conversation_id=xxxxxx&page=1&page_size=10&sort=asc";

test("assertion", withSandbox(async ({ sandbox }) => {
  await ask(sandbox, MISSPELT);
  await ask(sandbox, "/v1/messages?page=0");
  expect(1).toBe(2);
}));

test("error", withSandbox(async ({ sandbox }) => {
  await ask(sandbox);
  throw new TypeError("of the test");
}));

test("findings", withSandbox({ clean: true }, async ({ sandbox }) => void (await ask(sandbox, MISSPELT))));

test("unused", withSandbox({ clean: true }, () => {}));

test("settings", withSandbox({ fault: "code=50000" }, () => {}));
