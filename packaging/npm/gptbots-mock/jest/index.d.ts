import type { Sandbox, Server, StartOptions, TestSettings } from "../index.js";

export type { TestSettings } from "../index.js";

/** A global setup that starts the server with options, unless GPTBOTS_MOCK_URL names one: `module.exports = globalSetup({ seed: 7 })`. */
export declare function globalSetup(options?: StartOptions): () => Promise<void>;

/** The global teardown, which stops the server that a global setup has started. */
export declare function globalTeardown(): Promise<void>;

/** The server of this run: the one of the global setup, or the one that GPTBOTS_MOCK_URL names. */
export declare function gptbotsMock(): Server;

/**
 * The function of a test that has a sandbox of its own. If the test fails, its error lists the requests
 * with their reasons. With `test.each` the values of the row follow.
 *
 * ```js
 * test("retries", withSandbox({ faults: ["status=503,times=1"] }, async ({ sandbox }) => {
 *   await myClient(sandbox.url, sandbox.apiKey).export();
 * }));
 * ```
 */
export declare function withSandbox<Row extends unknown[]>(
  test: SandboxTest<Row>,
): (...row: Row) => Promise<void>;
export declare function withSandbox<Row extends unknown[]>(
  settings: TestSettings,
  test: SandboxTest<Row>,
): (...row: Row) => Promise<void>;

export type SandboxTest<Row extends unknown[]> = (
  context: { sandbox: Sandbox },
  ...row: Row
) => void | Promise<void>;
