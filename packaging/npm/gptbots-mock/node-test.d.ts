import type { TestContext } from "node:test";

import type { Sandbox, Server, TestSettings } from "./index.js";

export type { TestSettings } from "./index.js";

/** The server of this process: the one that GPTBOTS_MOCK_URL names (`gptbots-mock exec -- node --test`), or one that starts at the first call. */
export declare function gptbotsMock(): Promise<Server>;

/**
 * The function of a test that has a sandbox of its own. If the test fails, its error lists the requests
 * with their reasons.
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
