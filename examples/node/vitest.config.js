import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { globalSetup: ["gptbots-mock/vitest/setup"], include: ["*.vitest.js"] },
});
