import main from "./index.js";

export const { ControlError, Sandbox, Server, VerdictError, connect, start } = main;
