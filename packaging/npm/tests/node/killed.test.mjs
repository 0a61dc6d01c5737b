// If a test runner is killed, its server and its child processes end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** The processes that have inherited our variable, as pid and program. */
function processesOf(mark) {
  return fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      // A zombie process has no environment.
      if (!fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark)) return [];
      return [{ pid, program: path.basename(fs.readlinkSync(`/proc/${pid}/exe`)) }];
    } catch {
      return [];
    }
  });
}

/** Waits until a condition is true, for at most 30 s. */
async function until(what, isTrue) {
  const begin = Date.now();
  while (!isTrue()) {
    assert.ok(Date.now() - begin < 30_000, `30 s have passed, and still not: ${what}`);
    await sleep(10);
  }
  return Date.now() - begin;
}

/** These leave worker processes, which never end, because their test does not. The server ends anyway. */
const WITH_WORKERS = ["vitest with forks", "jest with workers"];

const RUNNERS = {
  "a script": ["node", "hang/node.mjs"],
  "node --test": ["node", "--test", "hang/node.mjs"],
  "vitest with forks": vitest("forks"),
  "vitest with threads": vitest("threads"),
  "jest in one process": jest("--runInBand"),
  "jest with workers": jest("--maxWorkers=2"),
};

function vitest(pool) {
  const config = ["--root", "hang", "--config", "../vitest/vitest.config.mjs"];
  return ["node", "node_modules/vitest/vitest.mjs", "run", ...config, "--pool", pool];
}

function jest(mode) {
  const config = ["--rootDir", "hang", "-c", "jest/jest.config.cjs"];
  return ["node", "node_modules/jest/bin/jest.js", ...config, "--testMatch", "**/*.test.cjs", mode];
}

for (const [name, [command, ...args]] of Object.entries(RUNNERS)) {
  test(`${name} that is killed leaves nothing`, { skip: process.platform !== "linux" }, async (t) => {
    const mark = `GPTBOTS_TEST_MARK=${randomUUID()}`;
    const ready = path.join(os.tmpdir(), randomUUID());
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    Object.assign(env, { GPTBOTS_TEST_MARK: mark.split("=")[1], GPTBOTS_TEST_READY: ready });
    t.after(() => {
      for (const { pid } of processesOf(mark)) process.kill(Number(pid), "SIGKILL");
      fs.rmSync(ready, { force: true });
    });
    const runner = spawn(command, args, { stdio: "ignore", env });
    await until("the tests run", () => fs.existsSync(ready));
    assert.equal(processesOf(mark).filter(({ program }) => program === "gptbots-mock").length, 1);

    const exit = once(runner, "exit");
    runner.kill("SIGKILL");
    await exit;
    const isLeft = ({ program }) => program === "gptbots-mock" || !WITH_WORKERS.includes(name);
    const ms = await until("all have ended", () => !processesOf(mark).some(isLeft));
    t.diagnostic(`all had ended ${ms} ms after ${name} was killed`);
  });
}
