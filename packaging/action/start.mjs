// Starts the program in the background, and tells the job where it listens: start.mjs PROGRAM

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { annotate, printEndOfLog, set, stateFile } from "./github.mjs";

/** Large fixtures take seconds. Our test waits for a shorter time. */
const TIMEOUT_MS = Number(process.env.START_TIMEOUT_MS ?? 60_000);
const POLL_MS = 20;

async function main(program) {
  if (existsSync(stateFile)) {
    const { url } = JSON.parse(readFileSync(stateFile, "utf8"));
    throw new Error(`this job has an emulator already, at ${url}; the verdict action stops it`);
  }
  const args = process.env.INPUT_ARGS.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  const twoInOne = args.find((arg) => /^--[a-z-]+\s/.test(arg));
  if (twoInOne !== undefined) {
    const right = twoInOne.replace(/\s+/, "=");
    throw new Error(`args: "${twoInOne}" is one line, and so one argument; write it as ${right}`);
  }

  mkdirSync(path.dirname(stateFile), { recursive: true });
  const folder = mkdtempSync(path.join(path.dirname(stateFile), "run-"));
  const portFile = path.join(folder, "port");
  const log = path.join(folder, "log.txt");
  const output = openSync(log, "w");
  let ended;
  // It outlives this step. The runner ends it with the job, or the verdict action does so before.
  const child = spawn(program, ["serve", "--port=0", `--port-file=${portFile}`, ...args], {
    detached: true,
    stdio: ["ignore", output, output],
    windowsHide: true,
  });
  child.on("error", (error) => (ended = `${program} cannot be run: ${error.message}`));
  child.on("exit", (code, signal) => {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    ended ??= `${program} ended ${how} at its start`;
  });
  try {
    const port = await waitForPort(portFile, () => ended);
    const url = `http://127.0.0.1:${port}`;
    // It answers this when it has written all that it says at its start.
    const health = await fetch(`${url}/__admin/health`, { signal: AbortSignal.timeout(10_000) });
    const { version } = await health.json();
    const key = keyIn(readFileSync(log, "utf8"));

    writeFileSync(stateFile, JSON.stringify({ url, pid: child.pid, log }));
    set("GITHUB_OUTPUT", { url, port, "api-key": key });
    // The names that `gptbots-mock exec` uses.
    set("GITHUB_ENV", { GPTBOTS_MOCK_URL: url, GPTBOTS_BASE_URL: url, GPTBOTS_MOCK_KEY: key });
    console.log(`gptbots-mock ${version} listens on ${url}; its log is ${log}`);
    if (key === "") {
      const advice = "set GPTBOTS_MOCK_KEY for the steps that need it";
      annotate("notice", "gptbots-mock", `The keys of these fixtures are secret, so ${advice}.`);
    }
    child.unref();
  } catch (error) {
    child.kill("SIGKILL");
    printEndOfLog(log);
    throw error;
  }
}

async function waitForPort(file, ended) {
  for (const end = Date.now() + TIMEOUT_MS; ; await pause(POLL_MS)) {
    // The file appears whole.
    if (existsSync(file)) return Number(readFileSync(file, "utf8"));
    if (ended() !== undefined) throw new Error(`${ended()}; its log says why`);
    if (Date.now() > end) {
      throw new Error(`no port was written to ${file} within ${TIMEOUT_MS / 1000} s`);
    }
  }
}

/** The key in the command that the program suggests. Keys that a fixture sets are secret to it. */
function keyIn(log) {
  return /^try: curl -H 'Authorization: Bearer ([^<'\s]+)'/m.exec(log)?.[1] ?? "";
}

try {
  await main(process.argv[2]);
} catch (error) {
  annotate("error", "gptbots-mock", error.message);
  process.exitCode = 1;
}
