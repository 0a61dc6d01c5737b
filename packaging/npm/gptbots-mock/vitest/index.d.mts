import type { TestAPI } from "vitest";

import type { Sandbox, Server, TestSettings } from "../index.js";

export type { TestSettings } from "../index.js";

export interface Fixtures {
  /** The server of this run. */
  gptbotsMock: Server;
  /** The test's own sandbox. The error of a failed test lists the requests, with the reason for each error. */
  sandbox: Sandbox;
  /** The settings of `sandbox`. Set them with `test.override` or `test.extend`. */
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
