"use strict";

const { gptbotsMock, withSandbox } = require("gptbots-mock/jest");

const { ask } = require("./client.cjs");

describe("20 tests at once", () => {
  for (let index = 0; index < 20; index++) {
    const faults = [`status=${500 + index},times=1`];
    test.concurrent(`number ${index}`, withSandbox({ faults }, async ({ sandbox }) => {
      expect([await ask(sandbox), await ask(sandbox)]).toEqual([500 + index, 200]);
      expect(await sandbox.requests()).toHaveLength(2);
    }));
  }
});

test("a sandbox is named by its test", withSandbox(({ sandbox }) => {
  expect(sandbox.id).toMatch(/^[\w-]*-cjs-a-sandbox-is-named-by-its-test-[0-9a-f]{8}$/);
}));

test("the server is the one of the run", withSandbox(({ sandbox }) => {
  expect(sandbox.url.startsWith(`${gptbotsMock().url}/s/`)).toBe(true);
}));

test.each([[1, "one"], [2, "two"]])("a row of each: %i", withSandbox(async ({ sandbox }, number, word) => {
  expect(sandbox.id).toContain(`each-${number}`);
  expect(typeof word).toBe("string");
}));

test("a sandbox can be asked under fake timers", withSandbox(async ({ sandbox }) => {
  jest.useFakeTimers();
  try {
    await sandbox.advance(1_000);
    expect(await sandbox.requests()).toEqual([]);
  } finally {
    jest.useRealTimers();
  }
}));

test("another file has the same server", () => {
  expect(process.env.GPTBOTS_MOCK_URL).toBe(gptbotsMock().url);
});
