import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";

import { gptbotsMock, withSandbox } from "gptbots-mock/node-test";

import { MESSAGES, ask } from "./client.mjs";

describe("20 tests at once", { concurrency: true }, () => {
  for (let index = 0; index < 20; index++) {
    const faults = [`status=${500 + index},times=1`];
    test(`number ${index}`, withSandbox({ faults }, async ({ sandbox, t }) => {
      assert.equal(t.name, `number ${index}`);
      assert.deepEqual([await ask(sandbox), await ask(sandbox)], [500 + index, 200]);
      assert.equal((await sandbox.requests()).length, 2);
    }));
  }
});

describe("two tests of one name at once", { concurrency: true }, () => {
  const ids = [];
  const { promise: areBoth, resolve } = withResolvers();
  for (let count = 0; count < 2; count++) {
    test("twice", withSandbox(async ({ sandbox }) => {
      if (ids.push(sandbox.id) === 2) resolve();
      await areBoth;
      const [first, second] = [...ids].sort();
      assert.equal(second, `${first}-2`);
    }));
  }
});

test("a sandbox is named by its test", withSandbox(({ sandbox }) => {
  assert.match(sandbox.id, /^[\w-]*a-sandbox-is-named-by-its-test-[0-9a-f]{8}$/);
}));

test("there is one server for all tests", async () => {
  assert.equal((await gptbotsMock()).url, (await gptbotsMock()).url);
});

test("withSandbox without a test is an error", () => {
  assert.throws(
    () => withSandbox({ seed: 7 }),
    /withSandbox needs a test function: withSandbox\(test\) or withSandbox\(settings, test\)/,
  );
});

function withResolvers() {
  let resolve;
  return { promise: new Promise((settle) => (resolve = settle)), resolve };
}

const NODE_TEST = [process.execPath, "--test", "--test-reporter=tap"];

/** Runs `node --test` on a file; returns the output. */
function runFile(t, text, command = NODE_TEST) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gptbots-mock-file-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  // Node searches for packages from the folder of the file.
  fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
  const file = path.join(folder, "inner.test.mjs");
  fs.writeFileSync(file, `import assert from "node:assert/strict";
    import { test } from "node:test";
    import { gptbotsMock, withSandbox } from "gptbots-mock/node-test";
    import { ask, MESSAGES } from ${JSON.stringify(path.resolve("node/client.mjs"))};
    ${text}`);
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  return spawnSync(command[0], [...command.slice(1), file], { encoding: "utf8", env });
}

test("a test that fails lists its requests with their reasons", (t) => {
  const { status, stdout } = runFile(t, `
    test("inner", withSandbox(async ({ sandbox }) => {
      await ask(sandbox, MESSAGES + "&sort=asc");
      await ask(sandbox, "/v1/messages?page=0");
      assert.equal(1, 2);
    }));`);
  assert.equal(status, 1);
  assert.match(stdout, /gptbots-mock: 2 requests in sandbox /);
  assert.match(stdout, /#1 GET \/s\/.*&sort=asc -> 200\s+unknown-parameter: \/v1\/messages has no `sort`/);
  assert.match(stdout, /#2 GET \/s\/.*page=0 -> 400 \(40000\): /);
});

test("clean fails a test whose requests have findings, and none that sent nothing", (t) => {
  const { status, stdout } = runFile(t, `
    const clean = true;
    test("unused", withSandbox({ clean }, () => {}));
    test("right", withSandbox({ clean }, async ({ sandbox }) => void (await ask(sandbox))));
    test("wrong", withSandbox({ clean }, async ({ sandbox }) => void (await ask(sandbox, MESSAGES + "&x=1"))));`);
  assert.equal(status, 1);
  assert.match(stdout, /# pass 2/);
  assert.match(stdout, /expected requests that do nothing wrong, got:[^]*has no `x`/);
});

test("under exec the tests use its server", (t) => {
  const exec = ["node_modules/.bin/gptbots-mock", "exec", "--deny", "all", "--", ...NODE_TEST];
  const { status, stderr } = runFile(t, `
    test("inner", withSandbox(async ({ sandbox }) => {
      assert.equal((await gptbotsMock()).url, process.env.GPTBOTS_MOCK_URL);
      await ask(sandbox);
      await ask(sandbox, MESSAGES + "&sort=asc");
    }));`, exec);
  assert.equal(status, 5);
  assert.match(stderr, /has no `sort`/);
});
