import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const PACKAGE = path.resolve("node_modules/gptbots-mock");
const SHIM = path.join(PACKAGE, "bin/gptbots-mock.js");
const PLATFORM = `@gptbots-mock/${process.platform}-${process.arch}`;

/** A copy of the package without the packages of the platforms. */
function packageAlone(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gptbots-mock-alone-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const copy = path.join(folder, "node_modules/gptbots-mock");
  fs.cpSync(PACKAGE, copy, { recursive: true });
  return copy;
}

function runNode(script) {
  return spawnSync(process.execPath, ["--eval", script], { encoding: "utf8" });
}

/** Starts `serve` with the shim, and waits for its address. */
async function serveByShim(t) {
  const child = spawn(process.execPath, [SHIM, "serve", "--port", "0", "--until-stdin-closes"]);
  t.after(() => child.kill("SIGKILL"));
  child.stderr.resume();
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, url: line.trim().replace("listening on ", ""), exit: once(child, "exit") };
}

test("a package of the platform that is missing is told with what to do", (t) => {
  const alone = packageAlone(t);
  const { stderr } = runNode(`require(${JSON.stringify(alone)}).start().catch((e) => console.error(e.message))`);
  assert.match(stderr, /GPTBOTS_MOCK_BIN: not set/);
  assert.ok(stderr.includes(`${PLATFORM}: not installed; searched from ${alone}`), stderr);
  assert.match(stderr, /--omit=optional/);
  assert.match(stderr, /A lock file that was written on another OS/);
  assert.match(stderr, /set GPTBOTS_MOCK_BIN to the path of a binary/);
});

test("a platform that has no package is told", (t) => {
  const alone = packageAlone(t);
  const { stderr } = runNode(`
    Object.defineProperty(process, "arch", { value: "riscv64" });
    require(${JSON.stringify(alone)}).start().catch((e) => console.error(e.message))`);
  assert.match(stderr, /There is no package for \w+-riscv64, only .*@gptbots-mock\/linux-x64/);
  assert.match(stderr, /cargo install gptbots-mock/);
});

test("the command without a binary ends with 127", (t) => {
  const shim = path.join(packageAlone(t), "bin/gptbots-mock.js");
  const { status, stderr } = spawnSync(process.execPath, [shim, "--version"], { encoding: "utf8" });
  assert.equal(status, 127);
  assert.match(stderr, /^gptbots-mock: no binary found/);
});

test("GPTBOTS_MOCK_BIN comes before the package", (t) => {
  const shim = path.join(packageAlone(t), "bin/gptbots-mock.js");
  const env = { ...process.env, GPTBOTS_MOCK_BIN: process.execPath };
  const { stdout } = spawnSync(process.execPath, [shim, "--version"], { encoding: "utf8", env });
  assert.equal(stdout, `${process.version}\n`);
});

test("the command passes arguments, streams and the exit code", () => {
  const run = (...args) => spawnSync(process.execPath, [SHIM, ...args], { encoding: "utf8" });
  const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, "package.json"), "utf8"));
  assert.deepEqual(
    [run("--version").status, run("--version").stdout],
    [0, `gptbots-mock ${version}\n`],
  );
  const wrong = run("serve", "--sede", "7");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--seed/);
  assert.equal(run("exec", "--", "sh", "-c", "exit 7").status, 7);
});

for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  test(`the command passes ${signal} on, and ends as the server does`, async (t) => {
    const { child, url, exit } = await serveByShim(t);
    assert.equal((await fetch(`${url}/__admin/health`)).status, 200);
    child.kill(signal);
    assert.deepEqual(await exit, [0, null]);
    await assert.rejects(fetch(`${url}/__admin/health`), /fetch failed/);
  });
}

test("the command ends by the signal that ended the binary", () => {
  const script = "kill -TERM $$; sleep 60";
  const args = [SHIM, "exec", "--", "sh", "-c", script];
  assert.equal(spawnSync(process.execPath, args).signal, "SIGTERM");
});

test("`bin` of npm finds the command", () => {
  const { status } = spawnSync("node_modules/.bin/gptbots-mock", ["--version"]);
  assert.equal(status, 0);
});
