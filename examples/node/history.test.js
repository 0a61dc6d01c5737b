// Tests with node:test. Each test has its own sandbox; `clean` fails a test whose verdict has findings.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withSandbox } from "gptbots-mock/node-test";

import { History } from "./history.js";

const ALWAYS = [0, 9999999999999];
const CHAT = { user_id: "ann", messages: [{ q: "Where is my order?", a: "On its way." }] };

/** The client. Instead of waiting, it advances the clock of the sandbox. */
const historyOf = (sandbox) =>
  new History(sandbox.url, sandbox.apiKey, (ms) => sandbox.advance(ms));

test("two pages of conversations", withSandbox({ clean: true }, async ({ sandbox }) => {
  assert.equal((await historyOf(sandbox).conversations(...ALWAYS)).length, 200);
  assert.equal((await sandbox.requests()).length, 2);
}));

test("messages and questions", withSandbox({ clean: true }, async ({ sandbox }) => {
  const history = historyOf(sandbox);
  const [conversation] = await history.conversations(...ALWAYS);
  const messages = await history.messages(conversation.conversation_id);
  assert.equal(messages.length, conversation.message_count);
  assert.ok((await history.questions(...ALWAYS)).length > 200);
}));

for (const fault of ["code=50000", "status=502,body=html", "break=reset", "body=truncated"]) {
  const faults = [`conversations:page=2,${fault},times=1`];
  test(`page 2 fails once: ${fault}`, withSandbox({ clean: true, faults }, async ({ sandbox }) => {
    assert.equal((await historyOf(sandbox).conversations(...ALWAYS)).length, 200);
  }));
}

const rateLimit = { requests: 1, seconds: 60 };
const limited = { clean: true, rateLimit, clock: "frozen" };
test("the rate limit is waited for", withSandbox(limited, async ({ sandbox }) => {
  assert.equal((await historyOf(sandbox).conversations(...ALWAYS)).length, 200);
  const statuses = (await sandbox.requests()).map((request) => request.status);
  assert.deepEqual(statuses, [200, 429, 200]);
}));

const arrival = { clean: true, hazards: ["arrival"] };
test("a conversation arrives after page 1", withSandbox(arrival, async ({ sandbox }) => {
  // The new row moves the last row of page 1 to page 2.
  assert.equal((await historyOf(sandbox).conversations(...ALWAYS)).length, 199);
}));

const fixture = { agents: [{ name: "mine", conversations: [CHAT] }] };
test("records of our own", withSandbox({ clean: true, fixture }, async ({ sandbox }) => {
  const rows = await historyOf(sandbox).conversations(...ALWAYS);
  assert.deepEqual(rows.map((row) => row.subject), ["Where is my order?"]);
}));

for (const status of ["mapped", "ok"]) {
  // The vendor does not document whether an error has the HTTP status 200.
  const readings = { "error-status": status };
  test(`a wrong key is an error: ${status}`, withSandbox({ clean: true, readings }, async ({ sandbox }) => {
    await assert.rejects(new History(sandbox.url, "wrong").conversations(...ALWAYS), /40127/);
  }));
}
