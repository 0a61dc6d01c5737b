import { inject, test as vitestTest } from "vitest";

import main from "../index.js";
import run from "../lib/run.js";

export const test = vitestTest.extend({
  gptbotsMock: [
    // Vitest reads the names of the fixtures that this one needs from the pattern: none.
    async ({}, use) => {
      const provided = inject("gptbotsMock");
      if (provided === undefined) {
        throw new Error(
          'gptbots-mock: no server is running; add globalSetup: ["gptbots-mock/vitest/setup"] to `test` in the Vitest config',
        );
      }
      await use(main.connect(provided));
    },
    { scope: "file" },
  ],
  sandboxSettings: {},
  sandbox: async ({ gptbotsMock, sandboxSettings, task }, use) => {
    const name = `${task.file.projectName ?? ""} ${task.file.name} ${task.fullTestName ?? task.name}`;
    const opened = await run.open(gptbotsMock, name, sandboxSettings);
    try {
      await use(opened.sandbox);
      await finish(opened, task.result);
    } finally {
      await run.close(opened);
    }
  },
});

/** When the fixtures of a test end, Vitest has already stored the error of the test. */
async function finish({ sandbox, clean }, result) {
  if (result?.state === "fail") {
    run.addToMessage(result.errors.at(-1), await run.describe(sandbox));
  } else if (clean) {
    try {
      await sandbox.assertCleanOrUnused();
    } catch (error) {
      run.addToMessage(error, await run.describe(sandbox));
      throw error;
    }
  }
}
