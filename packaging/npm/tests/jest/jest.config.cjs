module.exports = {
  globalSetup: "gptbots-mock/jest/setup",
  globalTeardown: "gptbots-mock/jest/teardown",
  testMatch: ["**/*.test.cjs", "**/*.test.mjs"],
  moduleFileExtensions: ["cjs", "mjs", "js", "json"],
  transform: {},
};
