import { gptbotsMock, withSandbox } from "gptbots-mock/jest";

test("the helper can be imported", withSandbox(({ sandbox }) => {
  expect(sandbox.url.startsWith(gptbotsMock().url)).toBe(true);
}));
