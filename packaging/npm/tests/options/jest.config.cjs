module.exports = {
  globalSetup: "./jest.setup.cjs",
  globalTeardown: "gptbots-mock/jest/teardown",
  testMatch: ["**/*.jest.cjs"],
  moduleFileExtensions: ["cjs", "js", "json"],
  transform: {},
};
