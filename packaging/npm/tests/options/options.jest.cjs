"use strict";

const { gptbotsMock, withSandbox } = require("gptbots-mock/jest");

const { ask } = require("../jest/client.cjs");

test("the server has the options of the global setup", withSandbox(async ({ sandbox }) => {
  expect([await ask(gptbotsMock()), await ask(sandbox)]).toEqual([599, 599]);
}));
