"use strict";

// Finds the binary: GPTBOTS_MOCK_BIN, or the one in the package for this platform.

const { existsSync } = require("node:fs");
const path = require("node:path");

const PLATFORMS = Object.keys(require("../package.json").optionalDependencies);

/** Returns the path of the binary. Throws an error that lists the places that were searched. */
function findBinary() {
  const named = process.env.GPTBOTS_MOCK_BIN;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(
      `gptbots-mock: GPTBOTS_MOCK_BIN is ${named}, but there is no such file; ` +
        "set it to the path of a gptbots-mock binary, or unset it to use the binary of the npm package",
    );
  }
  const platform = `${process.platform}-${process.arch}`;
  const name = `@gptbots-mock/${platform}`;
  const file = process.platform === "win32" ? "gptbots-mock.exe" : "gptbots-mock";
  let place;
  try {
    const binary = path.join(path.dirname(require.resolve(`${name}/package.json`)), "bin", file);
    if (existsSync(binary)) return binary;
    place = `${name}: installed, but without ${binary}`;
  } catch {
    place = `${name}: not installed; searched from ${path.dirname(__dirname)}`;
  }
  const advice = PLATFORMS.includes(name)
    ? `${name} is an optional dependency of gptbots-mock. An install with --omit=optional (or ` +
      "--no-optional) leaves it out: install again without that flag. A lock file that was written on " +
      "another OS may also leave it out: remove node_modules and the lock file, and install again. " +
      "Or set GPTBOTS_MOCK_BIN to the path of a binary."
    : `There is no package for ${platform}, only ${PLATFORMS.join(", ")}. ` +
      "Build the binary (cargo install gptbots-mock) and set GPTBOTS_MOCK_BIN to its path.";
  throw new Error(
    `gptbots-mock: no binary found. Searched in\n` +
      `  GPTBOTS_MOCK_BIN: not set\n  ${place}\n${advice}`,
  );
}

module.exports = { findBinary };
