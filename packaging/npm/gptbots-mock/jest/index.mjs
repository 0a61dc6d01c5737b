import main from "./index.js";

export const { globalSetup, globalTeardown, gptbotsMock, withSandbox } = main;
