// Starts the program in the background, and sets its URL for the later steps: start.mjs PROGRAM

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { annotate, printEndOfLog, set, stateFile } from "./github.mjs";

/** The timeout for the start. Large fixtures take seconds. The test of the action sets a shorter timeout. */
const TIMEOUT_MS = Number(process.env.START_TIMEOUT_MS ?? 60_000);
const POLL_MS = 20;

async function main(program) {
  if (existsSync(stateFile)) {
    const { url } = JSON.parse(readFileSync(stateFile, "utf8"));
    throw new Error(`this job already has an emulator at ${url}; run the verdict action first, which stops it`);
  }
  const args = process.env.INPUT_ARGS.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  const twoInOne = args.find((arg) => /^--[a-z-]+\s/.test(arg));
  if (twoInOne !== undefined) {
    const right = twoInOne.replace(/\s+/, "=");
    throw new Error(`args: each line is one argument; write "${twoInOne}" as ${right}`);
  }

  mkdirSync(path.dirname(stateFile), { recursive: true });
  const folder = mkdtempSync(path.join(path.dirname(stateFile), "run-"));
  const portFile = path.join(folder, "port");
  const log = path.join(folder, "log.txt");
  const output = openSync(log, "w");
  let ended;
  // The process continues after this step. The verdict action stops it, otherwise the runner at the end of the job.
  const child = spawn(program, ["serve", "--port=0", `--port-file=${portFile}`, ...args], {
    detached: true,
    stdio: ["ignore", output, output],
    windowsHide: true,
  });
  child.on("error", (error) => (ended = `cannot run ${program}: ${error.message}`));
  child.on("exit", (code, signal) => {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    ended ??= `${program} ended ${how} during the start`;
  });
  try {
    const port = await waitForPort(portFile, () => ended);
    const url = `http://127.0.0.1:${port}`;
    // When the program responds to this request, its start-up messages are in the log.
    const health = await fetch(`${url}/__admin/health`, { signal: AbortSignal.timeout(10_000) });
    const { version } = await health.json();
    const key = keyIn(readFileSync(log, "utf8"));

    writeFileSync(stateFile, JSON.stringify({ url, pid: child.pid, log }));
    set("GITHUB_OUTPUT", { url, port, "api-key": key });
    // The names that `gptbots-mock exec` uses.
    set("GITHUB_ENV", { GPTBOTS_MOCK_URL: url, GPTBOTS_BASE_URL: url, GPTBOTS_MOCK_KEY: key });
    console.log(`gptbots-mock ${version} listens on ${url}; the log is ${log}`);
    if (key === "") {
      const advice = "Set GPTBOTS_MOCK_KEY in the steps that need a key.";
      annotate("notice", "gptbots-mock", `The program does not print the keys of fixtures. ${advice}`);
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
    // The file is never incomplete, because the program renames it into place.
    if (existsSync(file)) return Number(readFileSync(file, "utf8"));
    if (ended() !== undefined) throw new Error(`${ended()}; the log says why`);
    if (Date.now() > end) {
      throw new Error(`the program did not write its port to ${file} within ${TIMEOUT_MS / 1000} s`);
    }
  }
}

/** The key in the command that the program suggests. It never prints keys that a fixture sets. */
function keyIn(log) {
  return /^try: curl -H 'Authorization: Bearer ([^<'\s]+)'/m.exec(log)?.[1] ?? "";
}

try {
  await main(process.argv[2]);
} catch (error) {
  annotate("error", "gptbots-mock", error.message);
  process.exitCode = 1;
}
