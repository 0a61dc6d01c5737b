import main from "./node-test.js";

export const { gptbotsMock, withSandbox } = main;
