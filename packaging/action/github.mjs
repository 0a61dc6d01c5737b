// How a step talks to GitHub: commands on its standard output, and files that variables name.

import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import path from "node:path";

/** What `start.mjs` tells `verdict.mjs`: the url, the process and the log of the job's emulator. */
export const stateFile = path.join(variable("RUNNER_TEMP"), "gptbots-mock", "state.json");

export function variable(name) {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`the variable ${name} is not set; this script is for a step of GitHub Actions`);
}

const escapeData = (text) =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const escapeProperty = (text) => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** An annotation of the run. `level` is error, warning or notice. */
export function annotate(level, title, text) {
  console.log(`::${level} title=${escapeProperty(title)}::${escapeData(text)}`);
}

/** Prints text of other programs. Commands in it have no effect. */
export function print(text) {
  const token = randomUUID();
  console.log(`::stop-commands::${token}\n${text.trimEnd()}\n::${token}::`);
}

/** Appends to a file of GitHub's that holds names with their values: GITHUB_ENV or GITHUB_OUTPUT. */
export function set(file, values) {
  for (const [name, value] of Object.entries(values)) {
    // No value can have this line, so none can end early and set other names.
    const end = randomUUID();
    appendFileSync(variable(file), `${name}<<${end}\n${value}\n${end}\n`);
  }
}

/** The end of a log, which may be long. */
export function printEndOfLog(file) {
  console.log(`The end of ${file}:`);
  print(readFileSync(file, "utf8").trimEnd().split("\n").slice(-50).join("\n"));
}
