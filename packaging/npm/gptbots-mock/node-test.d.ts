import type { TestContext } from "node:test";

import type { Sandbox, Server, TestSettings } from "./index.js";

export type { TestSettings } from "./index.js";

/**
 * The server of this process: the one at GPTBOTS_MOCK_URL, which `gptbots-mock exec -- node --test` sets,
 * or one that the first call starts.
 */
export declare function gptbotsMock(): Promise<Server>;

/**
 * Makes a test function that gets its own sandbox. If the test fails, its error lists the requests, with
 * the reason for each request that got an error.
 *
 * ```js
 * test("retries", withSandbox({ faults: ["status=503,times=1"] }, async ({ sandbox }) => {
 *   await myClient(sandbox.url, sandbox.apiKey).export();
 * }));
 * ```
 */
export declare function withSandbox(test: SandboxTest): (t: TestContext) => Promise<void>;
export declare function withSandbox(
  settings: TestSettings,
  test: SandboxTest,
): (t: TestContext) => Promise<void>;

export type SandboxTest = (context: { sandbox: Sandbox; t: TestContext }) => void | Promise<void>;
