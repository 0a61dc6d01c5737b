import type { Sandbox, Server, StartOptions, TestSettings } from "../index.js";

export type { TestSettings } from "../index.js";

/**
 * A global setup that starts a server with options, unless GPTBOTS_MOCK_URL is set:
 * `module.exports = globalSetup({ seed: 7 })`.
 */
export declare function globalSetup(options?: StartOptions): () => Promise<void>;

/** The global teardown, which stops the server that the global setup started. */
export declare function globalTeardown(): Promise<void>;

/** The server of this run: the one of the global setup, or the one at GPTBOTS_MOCK_URL. */
export declare function gptbotsMock(): Server;

/**
 * Makes a test function that gets its own sandbox. If the test fails, its error lists the requests, with
 * the reason for each request that got an error. With `test.each`, the values of the row are further
 * arguments.
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
