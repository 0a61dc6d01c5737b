#!/usr/bin/env node
"use strict";

// Runs the binary with the same arguments, streams, signals and exit code.

const { spawn } = require("node:child_process");
const { isatty } = require("node:tty");

const { findBinary } = require("../lib/binary.js");

const PASSED_ON = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
/** A terminal sends these to every process of its foreground group, so the binary gets them directly. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT"];

function main() {
  let binary;
  try {
    binary = findBinary();
  } catch (error) {
    fail(error.message);
  }
  const child = spawn(binary, process.argv.slice(2), { stdio: "inherit", windowsHide: true });
  // Not `process.stdin.isTTY`: it would make the binary's reads from stdin fail with EAGAIN.
  const atTerminal = [0, 1, 2].some((fd) => isatty(fd));
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      if (!(atTerminal && OF_TERMINAL.includes(signal))) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`gptbots-mock: cannot run ${binary}: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    // End by the same signal as the binary, so that a shell sees the same result.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(127);
}

main();
