"use strict";

const { ControlError } = require("./lib/control.js");
const { Sandbox, VerdictError } = require("./lib/sandbox.js");
const { Server, connect, start } = require("./lib/server.js");

module.exports = { ControlError, Sandbox, Server, VerdictError, connect, start };
