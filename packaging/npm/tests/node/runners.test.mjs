// Vitest and Jest with the package, and their output for a failed test.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, test } from "node:test";

import setup from "gptbots-mock/jest/setup";
import teardown from "gptbots-mock/jest/teardown";

const { NODE_TEST_CONTEXT, FORCE_COLOR, ...ENV } = process.env;

/** Runs a test runner; returns its exit code and its output. */
function run(command, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, {
    encoding: "utf8",
    env: { ...ENV, NO_COLOR: "1", ...env },
  });
  return { status, text: stdout + stderr };
}

const vitest = (root, args = [], env) =>
  run("vitest", ["run", "--root", root, "--config", "../vitest/vitest.config.mjs", ...args], env);
const jest = (root, args = [], env) =>
  run("jest", ["--rootDir", root, "-c", "jest/jest.config.cjs", ...args], {
    NODE_OPTIONS: "--experimental-vm-modules",
    ...env,
  });

/** Asserts that the output lists the requests of the test `assertion`. */
function assertShowsRequests(text) {
  assert.match(text, /gptbots-mock: 2 requests in sandbox \S+-assertion-[0-9a-f]{8}\n/);
  assert.match(text, /#1 GET \/s\/.*&sort=asc -> 200\n\s+unknown-parameter: \/v1\/messages has no `sort`\n/);
  assert.match(text, /#2 GET \/s\/.*\?page=0 -> 400 \(40000\): conversation_id is missing/);
}

describe("Vitest", () => {
  for (const pool of ["forks", "threads", "vmThreads"]) {
    test(`its tests pass with pool ${pool}`, () => {
      const { status, text } = vitest("vitest", ["--pool", pool]);
      assert.equal(status, 0, text);
      assert.match(text, /Tests +26 passed/);
    });
  }

  test("a test that fails lists its requests with their reasons", () => {
    const { status, text } = vitest("vitest-fails");
    assert.equal(status, 1);
    assert.match(text, /Tests +3 failed \| 1 passed/);
    assertShowsRequests(text);
    assert.match(text, /VerdictError: expected requests that do nothing wrong, got:[^]* has no `x`/);
    assert.match(text, /TypeError: a sandbox has no setting "fault" \(one of seed, .*, faults, /);
  });

  test("without the global setup it is told how to add it", () => {
    const { status, text } = run("vitest", ["run", "--root", "vitest-fails", "-t", "assertion"]);
    assert.equal(status, 1);
    assert.match(text, /no server is running; add globalSetup: \["gptbots-mock\/vitest\/setup"\]/);
  });

  test("a global setup of one's own gives the server options", () => {
    const { status, text } = run("vitest", ["run", "--root", "options"]);
    assert.equal(status, 0, text);
    assert.match(text, /Tests +1 passed/);
  });

  test("under exec its tests use that server", () => {
    const vitestBin = path.resolve("node_modules/.bin/vitest");
    const args = ["exec", "--deny", "unknown-parameter", "--", vitestBin, "run", "--root", "vitest"];
    const { status, text } = run("gptbots-mock", args);
    assert.equal(status, 0, text);
    assert.match(text, /verdict: \d\d requests/);
  });
});

describe("Jest", () => {
  test("its tests pass in one process", () => {
    const { status, text } = jest("jest", ["--runInBand"]);
    assert.equal(status, 0, text);
    assert.match(text, /Tests: +27 passed/);
  });

  test("its tests pass in workers", () => {
    const { status, text } = jest("jest", ["--maxWorkers", "2"]);
    assert.equal(status, 0, text);
    assert.match(text, /Tests: +27 passed/);
    assert.doesNotMatch(text, /did not exit|open handle|failed to exit/);
  });

  test("a test that fails lists its requests with their reasons", () => {
    const { status, text } = jest("jest-fails");
    assert.equal(status, 1);
    assert.match(text, /Tests: +4 failed, 1 passed/);
    assertShowsRequests(text);
    assert.match(text, /TypeError: of the test\n\n +gptbots-mock: 1 request in sandbox/);
    assert.match(text, /VerdictError: expected requests that do nothing wrong, got:[^]* has no `sort`/);
    assert.match(text, /TypeError: a sandbox has no setting "fault" \(one of seed, .*, faults, /);
  });

  test("its teardown stops the server of its setup, though Jest lives on", async () => {
    await setup();
    const url = process.env.GPTBOTS_MOCK_URL;
    assert.equal((await fetch(`${url}/__admin/health`)).status, 200);
    await teardown();
    await assert.rejects(fetch(`${url}/__admin/health`), /fetch failed/);
    assert.equal(process.env.GPTBOTS_MOCK_URL, undefined);
  });

  test("without the global setup it is told how to add it", () => {
    const args = ["--config", "{}", "--rootDir", "jest-fails", "--testMatch", "**/*.test.cjs"];
    const { status, text } = run("jest", args);
    assert.equal(status, 1);
    assert.match(text, /no server is running; add globalSetup: "gptbots-mock\/jest\/setup"/);
  });

  test("a global setup of one's own gives the server options", () => {
    const { status, text } = run("jest", ["--rootDir", "options", "-c", "options/jest.config.cjs"]);
    assert.equal(status, 0, text);
    assert.match(text, /Tests: +1 passed/);
  });

  test("under exec its tests use that server", () => {
    const jestBin = path.resolve("node_modules/.bin/jest");
    const args = ["exec", "--deny", "unknown-parameter", "--", jestBin, "--rootDir", "jest"];
    const { status, text } = run("gptbots-mock", [...args, "-c", "jest/jest.config.cjs"], {
      NODE_OPTIONS: "--experimental-vm-modules",
    });
    assert.equal(status, 0, text);
    assert.match(text, /verdict: \d\d requests/);
  });
});
