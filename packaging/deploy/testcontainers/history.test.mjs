// npm install --save-dev testcontainers; node --test
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GenericContainer, Wait } from "testcontainers";

const token = "control-api";
let mock, url;

before(async () => {
  mock = await new GenericContainer("gptbots-mock:0.1.0")
    .withEnvironment({ GPTBOTS_MOCK_ADMIN_TOKEN: token })
    .withExposedPorts(8484)
    .withWaitStrategy(Wait.forHttp("/__admin/health", 8484))
    .start();
  url = `http://${mock.getHost()}:${mock.getMappedPort(8484)}`;
});

after(() => mock?.stop());

async function ask(path, key) {
  const response = await fetch(url + path, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(response.status, 200);
  return response.json();
}

test("first page", async () => {
  const query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10";
  // The part of the key after ~ is the id of this test's sandbox.
  const page = await ask(`/v1/bot/conversation/page?${query}`, "app-demo~first-page");
  assert.deepEqual([page.list.length, page.total], [10, 200]);
  const sandbox = await ask("/__admin/sandboxes/first-page", token);
  assert.equal(sandbox.id, "first-page");
});
