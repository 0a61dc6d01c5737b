import main from "../index.js";
import run from "../lib/run.js";

/** A global setup that starts the server of a run, unless GPTBOTS_MOCK_URL is set. */
export function globalSetup(options) {
  return async ({ provide }) => {
    const server = run.named(main.connect) ?? (await main.start(options));
    provide("gptbotsMock", { url: server.url, apiKey: server.apiKey });
    return () => server.stop();
  };
}

// `globalSetup: ["gptbots-mock/vitest/setup"]` in Vitest's config calls this.
export default globalSetup();
