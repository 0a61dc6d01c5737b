module.exports = require("gptbots-mock/jest").globalSetup({ faults: ["status=599"] });
