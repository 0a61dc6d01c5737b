import mock = require("gptbots-mock");
import jestHelper = require("gptbots-mock/jest");
import setup = require("gptbots-mock/jest/setup");
import teardown = require("gptbots-mock/jest/teardown");
import nodeHelper = require("gptbots-mock/node-test");

export async function main(): Promise<string> {
  await setup();
  await teardown();
  await jestHelper.globalSetup({ seed: 7 })();
  const server: mock.Server = jestHelper.gptbotsMock();
  return server.apiKey + (await nodeHelper.gptbotsMock()).url;
}

export const row: (number: number, word: string) => Promise<void> = jestHelper.withSandbox(
  { seed: 7 },
  async ({ sandbox }, number: number, word: string) => {
    await sandbox.advance(number + word.length);
  },
);

// @ts-expect-error: withSandbox takes a test
jestHelper.withSandbox({ seed: 7 });
