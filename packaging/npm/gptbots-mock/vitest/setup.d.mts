import type { TestProject } from "vitest/node";

import type { StartOptions } from "../index.js";

type GlobalSetup = (project: TestProject) => Promise<() => Promise<void>>;

/**
 * A global setup that starts a server with options, unless GPTBOTS_MOCK_URL is set:
 * `export default globalSetup({ seed: 7 })`.
 */
export declare function globalSetup(options?: StartOptions): GlobalSetup;

/** The global setup without options: `globalSetup: ["gptbots-mock/vitest/setup"]`. */
declare const setup: GlobalSetup;
export default setup;
