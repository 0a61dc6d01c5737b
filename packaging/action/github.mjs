// Sends results of a step to GitHub: commands on standard output, and files whose paths are in variables.

import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import path from "node:path";

/** `start.mjs` writes this file for `verdict.mjs`: the url, the process id and the log of the emulator. */
export const stateFile = path.join(variable("RUNNER_TEMP"), "gptbots-mock", "state.json");

export function variable(name) {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`the variable ${name} is not set; this script needs a step of GitHub Actions`);
}

const escapeData = (text) =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const escapeProperty = (text) => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** Adds an annotation to the run. `level` is error, warning or notice. */
export function annotate(level, title, text) {
  console.log(`::${level} title=${escapeProperty(title)}::${escapeData(text)}`);
}

/** Prints the text of another program, with GitHub's commands disabled. */
export function print(text) {
  const token = randomUUID();
  console.log(`::stop-commands::${token}\n${text.trimEnd()}\n::${token}::`);
}

/** Appends names and values to a file of GitHub: GITHUB_ENV or GITHUB_OUTPUT. */
export function set(file, values) {
  for (const [name, value] of Object.entries(values)) {
    // A random end line, so that no value can contain it and set other names.
    const end = randomUUID();
    appendFileSync(variable(file), `${name}<<${end}\n${value}\n${end}\n`);
  }
}

/** Prints the last lines of a log. */
export function printEndOfLog(file) {
  console.log(`Last lines of ${file}:`);
  print(readFileSync(file, "utf8").trimEnd().split("\n").slice(-50).join("\n"));
}
