import main from "./index.js";

export const { ControlError, Sandbox, Server, connect, start } = main;
