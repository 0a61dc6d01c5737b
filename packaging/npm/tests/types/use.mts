// A project that imports every entry: correct code compiles, wrong code does not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ControlError, type Fault, type Sandbox, Server, VerdictError, connect, start } from "gptbots-mock";
import { gptbotsMock, withSandbox } from "gptbots-mock/node-test";

const fault: Fault = { operation: ["messages", "qa"], code: 50000, every: 3, page: 2 };

async function main(): Promise<void> {
  await using server = await start({ seed: 7, faults: [fault, "qa:delay=200"], hazards: ["qa:short-page"] });
  await using sandbox: Sandbox = server.sandbox("login");
  await sandbox.configure({ rateLimit: { requests: 2, seconds: 60 }, clock: "frozen" });
  await sandbox.failNext({ status: 503 });
  await sandbox.rateLimit(60, 60);
  await sandbox.hazardOn("qa", "arrival");
  await sandbox.advance(60_000);
  const [request] = await sandbox.requests();
  const status: number | null | undefined = request?.status;
  const { findings } = await sandbox.verdict({ mute: ["no-pause"] });
  await sandbox.assertClean().catch((error: unknown) => {
    if (error instanceof VerdictError) error.verdict.findings satisfies typeof findings;
    else if (error instanceof ControlError) error.status satisfies number;
  });
  const other: Server = connect({ url: server.url, apiKey: server.apiKey });
  await other.stop();
  assert.ok(status === undefined);

  // @ts-expect-error: the word is `seed`
  await start({ sede: 7 });
  // @ts-expect-error: there is no such hazard
  await sandbox.hazard("arival");
  // @ts-expect-error: a rate limit has a window
  await sandbox.rateLimit(2);
  // @ts-expect-error: the faults of a sandbox are `faults`
  await sandbox.configure({ fault: "code=50000" });
  // @ts-expect-error: servers are started, not constructed
  new Server();
}

test("typed", withSandbox({ clean: true, faults: [fault] }, async ({ sandbox, t }) => {
  t.diagnostic(sandbox.apiKey satisfies string);
  (await gptbotsMock()).url satisfies string;
}));
test("untyped settings", withSandbox(({ sandbox }) => void sandbox.url));

await main();
