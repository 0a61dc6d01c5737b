import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { ControlError, Sandbox, Server, VerdictError, connect, start } from "gptbots-mock";

import { MESSAGES, QA, ask } from "./client.mjs";

const MISSPELT = `${MESSAGES}&sort=asc`;
const FIXTURE = { agents: [{ name: "mine", conversations: [{ messages: [{ q: "2+3=?", a: "5" }] }] }] };
const LIST =
  "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10";

function tempFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gptbots-mock-test-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/** Sets variables during a test. The tests of this process run one after the other. */
function setEnvironment(t, variables) {
  for (const [name, value] of Object.entries(variables)) {
    const old = process.env[name];
    process.env[name] = value;
    t.after(() => (old === undefined ? delete process.env[name] : (process.env[name] = old)));
  }
}

describe("a server", () => {
  test("listens on a free port of loopback, and its port is free after stop", async () => {
    const server = await start();
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(server.apiKey, "app-demo");
    assert.equal(await ask(server), 200);
    await server.stop();
    await server.stop();
    await assert.rejects(ask(server), /fetch failed/);
    await assert.rejects(server.requests(), /does not respond .*; was it stopped\?/);
  });

  test("takes its options", async (t) => {
    const server = await start({
      seed: 7,
      conversations: 3,
      apiKeys: ["app-more"],
      readings: { "qa-total": "present" },
      faults: [{ operation: "messages", code: 50000, times: 1 }],
      rateLimit: { requests: 4, seconds: 60 },
      hazards: ["qa:short-page"],
    });
    t.after(() => server.stop());
    const response = await fetch(server.url + LIST, {
      headers: { authorization: "Bearer app-more" },
    });
    assert.equal((await response.json()).total, 3);
    assert.equal(await ask(server), 500);
    for (let request = 0; request < 4; request++) assert.equal(await ask(server), 200);
    assert.equal(await ask(server), 429);
  });

  test("serves a fixture under the key of its first agent", async (t) => {
    const server = await start({ fixture: FIXTURE });
    t.after(() => server.stop());
    assert.equal(server.apiKey, "app-mine");
    assert.equal(await ask(server, LIST), 200);
    assert.equal(await ask(server.sandbox("a"), LIST), 200);
  });

  test("serves fixture files and folders", async (t) => {
    const folder = tempFolder(t);
    const agents = [{ name: "gone", deleted: true }, { name: "there", keys: ["app-k"] }];
    fs.writeFileSync(path.join(folder, "b.json"), JSON.stringify(FIXTURE));
    fs.writeFileSync(path.join(folder, "a.json"), JSON.stringify({ agents }));
    const server = await start({ fixtureFiles: [folder] });
    t.after(() => server.stop());
    assert.equal(server.apiKey, "app-k");
    assert.equal(await ask(server, LIST), 200);
  });

  test("does not take the emulator's variables", async (t) => {
    setEnvironment(t, { GPTBOTS_MOCK_FAULT: "code=50000", GPTBOTS_MOCK_NO_ADMIN: "true" });
    const server = await start();
    t.after(() => server.stop());
    assert.equal(await ask(server), 200);
    assert.equal((await server.requests()).length, 1);
  });

  test("an option that it does not know is an error with the server's advice", async () => {
    await assert.rejects(start({ sede: 7 }), /exit code 3 .*unknown key "sede".*did you mean "seed"/s);
    await assert.rejects(start({ faults: ["code=1"] }), /no code "1"/);
  });

  test("leaves no temporary files", async (t) => {
    const folder = tempFolder(t);
    setEnvironment(t, { TMPDIR: folder });
    await (await start({ fixture: FIXTURE })).stop();
    await assert.rejects(start({ seed: "x" }));
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  test("the control API of a server with a token is asked with it", async (t) => {
    const server = await start({ adminToken: "secret-token" });
    t.after(() => server.stop());
    await ask(server);
    assert.equal((await server.requests()).length, 1);
    const { url } = server;
    await assert.rejects(connect({ url }).requests(), ControlError);
    assert.equal((await connect({ url, adminToken: "secret-token" }).requests()).length, 1);
  });

  test("connect takes over a server that runs", async (t) => {
    const server = await start();
    t.after(() => server.stop());
    const same = connect({ url: `${server.url}/` });
    assert.equal(await ask(same.sandbox("a")), 200);
    assert.equal((await server.sandbox("a").requests()).length, 1);
    await same.stop();
    assert.equal(await ask(server), 200);
    assert.throws(() => connect({}), /connect needs the url of a running gptbots-mock/);
  });

  test("a binary that is missing, is none, or does not start is told", async (t) => {
    const folder = tempFolder(t);
    const script = (name, text) => {
      fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      return path.join(folder, name);
    };
    for (const [binary, why] of [
      ["/nowhere", /GPTBOTS_MOCK_BIN is \/nowhere, but there is no such file/],
      [folder, /cannot run .*EACCES/],
      [script("silent", "exit 0"), /silent ended with exit code 0 during the start/],
      [script("broken", "echo no memory >&2; exit 1"), /broken ended with exit code 1 during the start\nno memory$/],
      [script("killed", "kill -9 $$"), /killed ended by SIGKILL during the start/],
      [script("other", "echo hello; exec cat"), /other printed "hello" instead of its address/],
    ]) {
      process.env.GPTBOTS_MOCK_BIN = binary;
      t.after(() => delete process.env.GPTBOTS_MOCK_BIN);
      await assert.rejects(start(), why);
    }
  });
});

describe("a sandbox", () => {
  let server;
  let number = 0;
  const sandbox = () => server.sandbox(`sandbox-${++number}`);
  before(async () => (server = await start()));
  after(() => server.stop());

  test("has an id, a url and a key", async () => {
    const login = server.sandbox("login");
    assert.equal(login.id, "login");
    assert.equal(login.url, `${server.url}/s/login`);
    assert.equal(login.apiKey, "app-demo~login");
    assert.throws(() => server.sandbox("a b"), /id of a sandbox must be 1 to 64 of .*, got "a b"/);
  });

  test("lists its requests in the order in which they came", async () => {
    const box = sandbox();
    assert.deepEqual(await box.requests(), []);
    await ask(box, MISSPELT);
    await ask({ url: server.url, apiKey: box.apiKey }, "/v1/messages");
    const [first, second] = await box.requests();
    assert.equal(first.target, `/s/${box.id}${MISSPELT}`);
    assert.equal(first.path, "/v1/messages");
    assert.deepEqual(first.query.at(-1), ["sort", "asc"]);
    assert.deepEqual(
      [first.method, first.operation, first.status, first.code, first.reason, first.sandbox],
      ["GET", "messages", 200, null, "", box.id],
    );
    assert.ok(first.at instanceof Date && first.number < second.number && first.durationMs >= 0);
    assert.equal(first.violations[0].rule, "unknown-parameter");
    assert.deepEqual([second.status, second.code], [400, 40000]);
    assert.match(second.reason, /conversation_id/);
    assert.equal(await box.droppedRequests(), 0);
    assert.ok((await server.requests()).length >= 2);
  });

  test("faults strike as they say, and failNext comes once", async () => {
    const box = sandbox();
    await box.fault("messages:status=503,times=1");
    assert.deepEqual([await ask(box), await ask(box)], [503, 200]);
    await box.failNext({ code: 50000, operation: "qa" });
    assert.deepEqual([await ask(box), await ask(box, QA), await ask(box, QA)], [200, 500, 200]);
    await assert.rejects(box.failNext("code=50000,every=3"), /its fault must not have `every`; use fault\(\)/);
    await assert.rejects(box.failNext({ code: 50000, times: 2 }), /its fault must not have `times`/);
  });

  test("a fault that is wrong is told with its place", async () => {
    const wrong = sandbox().fault("code=50000,evry=3");
    await assert.rejects(wrong, (error) => {
      assert.ok(error instanceof ControlError && error.status === 400);
      assert.match(error.message, /POST \/sandboxes\/.*did you mean "?every/s);
      assert.match(error.stack, /server\.test\.mjs/);
      return true;
    });
  });

  test("takes settings by the names of this package, and lists them where one is unknown", async () => {
    const box = sandbox();
    await box.configure({ seed: 7, demoUser: "ann", rateLimit: { requests: 1, seconds: 60 }, clock: "frozen" });
    assert.deepEqual([await ask(box, `${LIST}&user_id=ann`), await ask(box, LIST)], [200, 429]);
    await assert.rejects(
      box.configure({ cleam: true }),
      /^TypeError: a sandbox has no setting "cleam" \(one of seed, .*demoUser, .*rateLimit, hazards, clock\)$/,
    );
  });

  test("its rate limit goes by a clock that the test moves", async () => {
    const box = sandbox();
    await box.rateLimit(1, 60);
    await box.freeze();
    assert.deepEqual([await ask(box), await ask(box)], [200, 429]);
    await box.advance(60_000);
    assert.equal(await ask(box), 200);
  });

  test("settings add up, whatever their order", async () => {
    const box = sandbox();
    await box.fault("qa:status=503,times=1");
    await box.freeze();
    await box.hazard("arrival");
    await box.hazardOn("qa", "short-page");
    await box.readings({ "qa-total": "present" });
    await box.readings({ "qa-time": "milliseconds" });
    await box.rateLimit(1, 60);
    const control = `${server.url}/__admin/sandboxes/${box.id}/clock`;
    const clock = await fetch(control, { method: "POST", body: '{"advance_ms": 0}' });
    assert.equal((await clock.json()).mode, "frozen");
    assert.equal(await ask(box, QA), 503);
    const response = await fetch(box.url + QA, {
      headers: { authorization: `Bearer ${box.apiKey}` },
    });
    const page = await response.json();
    assert.equal(page.qa.length, 9);
    assert.ok(page.total > 9 && page.qa[0].q_time > 1e12);
    assert.equal(await ask(box, QA, box.apiKey), 429);
  });

  test("serves a fixture of its own", async () => {
    const box = sandbox();
    await box.fixture(FIXTURE);
    assert.equal(box.apiKey, `app-mine~${box.id}`);
    assert.equal(await ask(box, LIST), 200);
    await box.reset();
    assert.equal(box.apiKey, `app-demo~${box.id}`);
    assert.equal(await ask(box, LIST), 200);
  });

  test("a setting that would forget its requests is refused", async () => {
    const box = sandbox();
    await ask(box);
    await assert.rejects(
      box.hazard("arrival"),
      /would delete 1 request of sandbox .*: set it before the first request, or after reset\(\)/,
    );
    assert.equal((await box.requests()).length, 1);
    await box.reset();
    await box.hazard("arrival");
    assert.deepEqual(await box.requests(), []);
  });

  test("reset makes it anew with the settings of configure", async () => {
    const box = sandbox();
    await box.configure({ faults: ["messages:status=503,times=1"] });
    await box.fault("qa:status=502");
    await box.rateLimit(1, 60);
    await box.reset();
    assert.deepEqual([await ask(box), await ask(box), await ask(box, QA)], [503, 200, 200]);
  });

  test("its verdict has its findings", async () => {
    const box = sandbox();
    await ask(box, MISSPELT);
    const verdict = await box.verdict();
    assert.deepEqual([verdict.clean, verdict.requests], [false, 1]);
    assert.equal(verdict.findings[0].rule, "unknown-parameter");
    await assert.rejects(box.assertClean(), (error) => {
      assert.ok(error instanceof VerdictError && error.verdict.findings.length === 1);
      assert.match(error.message, /has no `sort`/);
      assert.doesNotMatch(error.message, /not covered/);
      return true;
    });
    await box.assertClean({ mute: ["unknown-parameter"] });
    await assert.rejects(server.assertCleanOrUnused(), /has no `sort`/);
  });

  test("one that had no request is not clean, unless that is allowed", async () => {
    const box = sandbox();
    assert.equal((await box.verdict()).requests, 0);
    await assert.rejects(box.assertClean(), /got none: does the client send its requests to `url`\?/);
    await box.assertCleanOrUnused();
  });

  test("one that has ended has no verdict", async () => {
    const box = sandbox();
    await ask(box);
    await box.end();
    await assert.rejects(box.verdict(), /has ended/);
    await assert.rejects(box.requests(), /has ended/);
  });

  test("Symbol.asyncDispose ends it, and stops a server", async () => {
    const box = sandbox();
    await ask(box);
    await box[Symbol.asyncDispose]();
    await assert.rejects(box.requests(), /has ended/);
    const another = await start();
    await another[Symbol.asyncDispose]();
    await assert.rejects(ask(another), /fetch failed/);
  });

  test("20 at once do not see each other", async () => {
    const boxes = Array.from({ length: 20 }, sandbox);
    const statuses = await Promise.all(
      boxes.map(async (box, index) => {
        await box.failNext(`status=${500 + index}`);
        return [await ask(box), await ask(box), (await box.requests()).length];
      }),
    );
    assert.deepEqual(statuses, boxes.map((_, index) => [500 + index, 200, 2]));
  });
});

test("the types name what there is", () => {
  const types = fs.readFileSync("node_modules/gptbots-mock/index.d.ts", "utf8");
  for (const [name, value] of Object.entries({ Sandbox, Server })) {
    const body = new RegExp(`class ${name} \\{([^]*?)\n\\}`).exec(types)[1];
    const typed = [...body.matchAll(/^  (?:readonly )?(\w+)[(:]/gm)].map((match) => match[1]);
    const fields = { Sandbox: ["id", "url"], Server: ["url", "apiKey"] }[name];
    const there = [...Object.getOwnPropertyNames(value.prototype), ...fields];
    assert.deepEqual(typed.sort(), there.filter((member) => member !== "constructor").sort());
  }
});

test("a script that forgets to stop the server ends all the same", () => {
  const script = `
    import { start } from "gptbots-mock";
    const server = await start();
    await server.sandbox("a").configure({});
    console.log(server.url);
  `;
  const args = ["--input-type=module", "--eval", script];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 });
  assert.equal(status, 0);
  assert.match(stdout, /^http:/);
});
