// The examples of the README and of the skill for coding agents work.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { start } from "gptbots-mock";

const PACKAGE = path.resolve("node_modules/gptbots-mock");
const README = fs.readFileSync(`${PACKAGE}/README.md`, "utf8");
const SKILL = fs.readFileSync(`${PACKAGE}/skills/gptbots-mock/SKILL.md`, "utf8");

const [VITEST, JEST, ANYTHING, AGENT] = [...(README + SKILL).matchAll(/```js\n([^]*?)```/g)].map(
  ([, text]) => text,
);

// It requests all pages, and repeats a request that failed.
const CLIENT = `
async function exportConversations(url, key) {
  const query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page_size=50";
  const rows = [];
  for (let page = 1, total = 1; rows.length < total; ) {
    const response = await fetch(\`\${url}/v1/bot/conversation/page?\${query}&page=\${page}\`, {
      headers: { authorization: \`Bearer \${key}\` },
    });
    const body = await response.json();
    if (response.ok) {
      rows.push(...body.list);
      total = body.total;
      page += 1;
    } else {
      // The verdict finds retries without a pause.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return rows;
}
`;

/** Runs a command in a folder that has an example and its client, and returns what it prints. */
function run(t, type, files, command) {
  // Node searches for packages from this folder upwards.
  const folder = fs.mkdtempSync("readme-");
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const exported = type === "module" ? "export" : "module.exports =";
  files["my-client.js"] = `${CLIENT}${exported} { exportConversations };\n`;
  files["package.json"] = JSON.stringify({ type });
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(`${folder}/${name}`, text);
  const { NODE_TEST_CONTEXT, FORCE_COLOR, ...env } = process.env;
  const [program, ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...env, NO_COLOR: "1" },
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

const bin = (name) => path.resolve("node_modules/.bin", name);
const nodeTest = [process.execPath, "--test", "--test-reporter=tap"];

test("the example for Vitest", (t) => {
  const config = `export default { test: { globalSetup: ["gptbots-mock/vitest/setup"] } };`;
  const files = { "export.test.js": VITEST, "vitest.config.js": config };
  assert.match(run(t, "module", files, [bin("vitest"), "run"]), /Tests +1 passed/);
});

test("the example for Jest", (t) => {
  const config = `module.exports = {
    globalSetup: "gptbots-mock/jest/setup",
    globalTeardown: "gptbots-mock/jest/teardown",
  };`;
  const files = { "export.test.js": JEST, "jest.config.js": config };
  assert.match(run(t, "commonjs", files, [bin("jest")]), /Tests: +1 passed/);
});

test("the example for Jest is one for node:test", (t) => {
  const text = JEST.replace("gptbots-mock/jest", "gptbots-mock/node-test");
  const files = { "export.test.js": `const { test } = require("node:test");\n${text}` };
  assert.match(run(t, "commonjs", files, nodeTest), /# pass 1/);
});

test("the example for anything else", (t) => {
  run(t, "module", { "example.js": ANYTHING }, [process.execPath, "example.js"]);
});

test("the example of the skill", (t) => {
  assert.match(run(t, "module", { "export.test.js": AGENT }, nodeTest), /# pass 1/);
});

test("the words are those of the package", async () => {
  const server = await start();
  for (const [name, value] of Object.entries({ server, sandbox: server.sandbox("words") })) {
    const line = README.match(new RegExp(`^- \`${name}\`: ([^]*?)\n- `, "m"))[1];
    const words = [...line.matchAll(/`(\w+)/g)].map(([, word]) => word);
    const members = [...Object.keys(value), ...Object.getOwnPropertyNames(Object.getPrototypeOf(value))];
    assert.deepEqual(words.sort(), members.filter((member) => member !== "constructor").sort());
  }
  await server.stop();
});
