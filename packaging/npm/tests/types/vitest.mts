import { expect } from "vitest";

import { type TestSettings, test } from "gptbots-mock/vitest";
import setup, { globalSetup } from "gptbots-mock/vitest/setup";

const sandboxSettings: TestSettings = { faults: ["status=503"], clean: true };

test.override({ sandboxSettings });
test.extend({ sandboxSettings })("typed", async ({ gptbotsMock, sandbox }) => {
  expect(await gptbotsMock.requests()).toEqual(await sandbox.requests());
  // @ts-expect-error: there is no such method
  await sandbox.failsNext("status=503");
});

export default globalSetup({ seed: 7 }) satisfies typeof setup;
