// Runs under `gptbots-mock exec -- node --test`, in this folder.

import assert from "node:assert/strict";
import { test } from "node:test";

import { History, Refused } from "./history.js";

const { GPTBOTS_MOCK_URL: url, GPTBOTS_MOCK_KEY: key } = process.env;
const ALWAYS = [0, 9999999999999];

// A world of a test's own: its name stands behind the key.
async function sandbox(name, settings = {}) {
  const control = `${url}/__admin/sandboxes/${name}`;
  const put = (target, method, body) =>
    fetch(target, { method, body: JSON.stringify(body) }).then(async (answer) => {
      assert.ok(answer.ok, await answer.text());
    });
  await put(control, "PUT", settings);
  return {
    key: `${key}~${name}`,
    advance: (ms) => put(`${control}/clock`, "POST", { advance_ms: ms }),
  };
}

async function all(rows) {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
}

test("every conversation comes once", async () => {
  const world = await sandbox("once");
  const rows = await all(new History(url, world.key).conversations(...ALWAYS));
  assert.equal(new Set(rows.map((row) => row.conversation_id)).size, 200);
});

test("questions are filtered", async () => {
  const world = await sandbox("filtered");
  const rows = await all(new History(url, world.key).questions(...ALWAYS, "BAD"));
  assert.ok(rows.length > 0 && rows.every((row) => row.user_feedback === "BAD"));
});

for (const fault of ["code=50000", "status=502,body=html", "break=reset", "body=truncated"]) {
  test(`the third page fails once: ${fault}`, async () => {
    const name = `fails-${fault.replaceAll(/[^a-z0-9]/g, "-")}`;
    const world = await sandbox(name, { faults: [`conversations:${fault},after=2,times=1`] });
    const rows = await all(new History(url, world.key).conversations(...ALWAYS));
    assert.equal(rows.length, 200);
  });
}

test("the rate limit is waited for on a clock that we move", async () => {
  const settings = { rate_limit: { requests: 2, seconds: 60 }, clock: "frozen" };
  const world = await sandbox("patient", settings);
  const waited = [];
  const sleep = async (ms) => {
    waited.push(ms);
    await world.advance(ms);
  };
  const rows = await all(new History(url, world.key, sleep).conversations(...ALWAYS));
  assert.equal(rows.length, 200);
  assert.deepEqual(waited, [60000]);
});

test("a refusal is not tried again", async () => {
  const world = await sandbox("refused");
  await assert.rejects(all(new History(url, world.key).conversations(5, 1)), Refused);
});
