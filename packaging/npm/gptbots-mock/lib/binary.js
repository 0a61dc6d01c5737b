"use strict";

// Where the binary is: GPTBOTS_MOCK_BIN, or the package of this platform.

const { existsSync } = require("node:fs");
const path = require("node:path");

const PLATFORMS = Object.keys(require("../package.json").optionalDependencies);

/** The path of the binary, or an error that lists where it was looked for. */
function findBinary() {
  const named = process.env.GPTBOTS_MOCK_BIN;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(
      `gptbots-mock: there is no file ${named}, which GPTBOTS_MOCK_BIN names; ` +
        "give it the path of a gptbots-mock binary, or unset it to use the one of the npm package",
    );
  }
  const platform = `${process.platform}-${process.arch}`;
  const name = `@gptbots-mock/${platform}`;
  const file = process.platform === "win32" ? "gptbots-mock.exe" : "gptbots-mock";
  let place;
  try {
    const binary = path.join(path.dirname(require.resolve(`${name}/package.json`)), "bin", file);
    if (existsSync(binary)) return binary;
    place = `${name}: has no ${binary}`;
  } catch {
    place = `${name}: not installed, looked up from ${path.dirname(__dirname)}`;
  }
  const advice = PLATFORMS.includes(name)
    ? `${name} is an optional dependency of gptbots-mock. It is missing after an install with ` +
      "--omit=optional (or --no-optional), and after an install from a lock file that was made on " +
      "another OS without the packages of this one: install again without that flag, or remove " +
      "node_modules and the lock file first. Or set GPTBOTS_MOCK_BIN to the path of a binary."
    : `There is no package for ${platform}, only ${PLATFORMS.join(", ")}. ` +
      "Build the binary (cargo install gptbots-mock) and set GPTBOTS_MOCK_BIN to its path.";
  throw new Error(
    `gptbots-mock: no binary found. Looked for it in\n` +
      `  GPTBOTS_MOCK_BIN: not set\n  ${place}\n${advice}`,
  );
}

module.exports = { findBinary };
