"use strict";

// `globalTeardown: "gptbots-mock/jest/teardown"` in Jest's config.
module.exports = require("./index.js").globalTeardown;
