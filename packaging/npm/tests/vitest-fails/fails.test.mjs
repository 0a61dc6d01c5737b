// Each of these tests fails; node/runners.test.mjs checks the output of Vitest.

import { describe, expect } from "vitest";

import { test } from "gptbots-mock/vitest";

import { MESSAGES, ask } from "../node/client.mjs";

test("assertion", async ({ sandbox }) => {
  await ask(sandbox, `${MESSAGES}&sort=asc`);
  await ask(sandbox, "/v1/messages?page=0");
  expect(1).toBe(2);
});

describe("clean", () => {
  test.override({ sandboxSettings: { clean: true } });

  test("findings", async ({ sandbox }) => {
    await ask(sandbox, `${MESSAGES}&x=1`);
  });

  test("unused", ({ sandbox }) => void sandbox);
});

describe("wrong", () => {
  test.override({ sandboxSettings: { fault: "code=50000" } });

  test("settings", ({ sandbox }) => void sandbox);
});
