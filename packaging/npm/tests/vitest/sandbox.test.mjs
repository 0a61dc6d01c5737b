import { afterEach, describe, expect, vi } from "vitest";

import { test } from "gptbots-mock/vitest";

import { ask } from "../node/client.mjs";

describe.concurrent("20 tests at once", () => {
  for (let index = 0; index < 20; index++) {
    test(`number ${index}`, async ({ sandbox, expect }) => {
      await sandbox.failNext(`status=${500 + index}`);
      expect([await ask(sandbox), await ask(sandbox)]).toEqual([500 + index, 200]);
      expect(await sandbox.requests()).toHaveLength(2);
    });
  }
});

test("a sandbox is named by its test", ({ sandbox }) => {
  expect(sandbox.id).toMatch(/^[\w-]*-test-mjs-a-sandbox-is-named-by-its-test-[0-9a-f]{8}$/);
});

test("the server is the one of the run", ({ gptbotsMock, sandbox }) => {
  expect(sandbox.url.startsWith(`${gptbotsMock.url}/s/`)).toBe(true);
});

describe("with settings", () => {
  test.override({ sandboxSettings: { faults: ["status=503,times=1"] } });

  test("a sandbox has them", async ({ sandbox }) => {
    expect([await ask(sandbox), await ask(sandbox)]).toEqual([503, 200]);
  });
});

const repeated = [];
test("a test that is repeated has a new sandbox each time", { repeats: 2 }, async ({ sandbox }) => {
  await ask(sandbox);
  repeated.push([sandbox.id, (await sandbox.requests()).length]);
  expect(repeated.at(-1)).toEqual([repeated[0][0], 1]);
});

describe("with fake timers and another fetch", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("a sandbox can be asked", async ({ sandbox }) => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", () => Promise.reject(new Error("a stub")));
    await sandbox.advance(1_000);
    expect(await sandbox.requests()).toEqual([]);
  });
});

describe("in a hook", () => {
  let url;
  test.beforeAll(({ gptbotsMock }) => void (url = gptbotsMock.url));

  test("the server is there", ({ gptbotsMock }) => {
    expect(url).toBe(gptbotsMock.url);
  });
});
