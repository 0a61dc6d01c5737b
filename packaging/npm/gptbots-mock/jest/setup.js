"use strict";

// `globalSetup: "gptbots-mock/jest/setup"` in Jest's config.
module.exports = require("./index.js").globalSetup();
