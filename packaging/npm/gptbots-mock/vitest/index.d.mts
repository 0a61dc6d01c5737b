import type { TestAPI } from "vitest";

import type { Sandbox, Server, TestSettings } from "../index.js";

export type { TestSettings } from "../index.js";

export interface Fixtures {
  /** The server of this run. */
  gptbotsMock: Server;
  /** A sandbox of this test's own. If the test fails, its error lists the requests with their reasons. */
  sandbox: Sandbox;
  /** The settings of `sandbox`; set by `test.override` or `test.extend`. */
  sandboxSettings: TestSettings;
}

/**
 * Vitest's `test` with the fixtures `sandbox` and `gptbotsMock`.
 *
 * ```js
 * test("retries", async ({ sandbox }) => {
 *   await sandbox.failNext("status=503");
 *   await myClient(sandbox.url, sandbox.apiKey).export();
 * });
 * ```
 */
export declare const test: TestAPI<Fixtures>;

declare module "vitest" {
  export interface ProvidedContext {
    gptbotsMock: { url: string; apiKey: string };
  }
}
