// Tests with Vitest. Each test has its own sandbox; `clean` fails a test whose verdict has findings.

import { expect } from "vitest";

import { test as sandboxTest } from "gptbots-mock/vitest";

import { History } from "./history.js";

const ALWAYS = [0, 9999999999999];
const CHAT = { user_id: "ann", messages: [{ q: "Where is my order?", a: "On its way." }] };

const test = sandboxTest.extend({
  sandboxSettings: { clean: true },
  /** The client. Instead of waiting, it advances the clock of the sandbox. */
  history: ({ sandbox }, use) =>
    use(new History(sandbox.url, sandbox.apiKey, (ms) => sandbox.advance(ms))),
});

test("two pages of conversations", async ({ sandbox, history }) => {
  expect(await history.conversations(...ALWAYS)).toHaveLength(200);
  expect(await sandbox.requests()).toHaveLength(2);
});

test("messages and questions", async ({ history }) => {
  const [conversation] = await history.conversations(...ALWAYS);
  const messages = await history.messages(conversation.conversation_id);
  expect(messages).toHaveLength(conversation.message_count);
  expect((await history.questions(...ALWAYS)).length).toBeGreaterThan(200);
});

test.for(["code=50000", "status=502,body=html", "break=reset", "body=truncated"])(
  "page 2 fails once: %s",
  async (fault, { sandbox, history }) => {
    await sandbox.fault(`conversations:page=2,${fault},times=1`);
    expect(await history.conversations(...ALWAYS)).toHaveLength(200);
  },
);

test("the rate limit is waited for", async ({ sandbox, history }) => {
  await sandbox.rateLimit(1, 60);
  await sandbox.freeze();
  expect(await history.conversations(...ALWAYS)).toHaveLength(200);
  const statuses = (await sandbox.requests()).map((request) => request.status);
  expect(statuses).toEqual([200, 429, 200]);
});

test("a conversation arrives after page 1", async ({ sandbox, history }) => {
  await sandbox.hazard("arrival");
  // The new row moves the last row of page 1 to page 2.
  expect(await history.conversations(...ALWAYS)).toHaveLength(199);
});

test("records of our own", async ({ sandbox }) => {
  await sandbox.fixture({ agents: [{ name: "mine", conversations: [CHAT] }] });
  const rows = await new History(sandbox.url, sandbox.apiKey).conversations(...ALWAYS);
  expect(rows.map((row) => row.subject)).toEqual(["Where is my order?"]);
});

test.for(["mapped", "ok"])("a wrong key is an error: %s", async (status, { sandbox }) => {
  // The vendor does not document whether an error has the HTTP status 200.
  await sandbox.readings({ "error-status": status });
  const history = new History(sandbox.url, "wrong");
  await expect(history.conversations(...ALWAYS)).rejects.toThrow("40127");
});
