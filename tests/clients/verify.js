// Verifies requests with the WireMock client from npm: node verify.js MODULES URL
const assert = require('node:assert');
const path = require('node:path');

const [modules, url] = process.argv.slice(2);
const { WireMockRestClient } = require(path.join(modules, 'wiremock-rest-client'));

const QUERY = '/v1/messages?conversation_id=xxxxxx&page=1&page_size=100';

const ask = async (path, key = 'your_apikey') =>
  (await fetch(url + path, { headers: { Authorization: `Bearer ${key}` } })).status;

async function main() {
  const { requests } = new WireMockRestClient(`${url}/`, { logLevel: 'silent' });
  await requests.resetAllRequests();
  assert.deepEqual([await ask(QUERY), await ask(`/s/js${QUERY}`), await ask('/v1/nothing')], [200, 200, 404]);

  const count = async (pattern) => (await requests.getCount(pattern)).count;
  assert.equal(await count({}), 3);
  assert.equal(await count({ method: 'GET', url: QUERY }), 2);
  assert.equal(await count({ urlPath: '/v1/messages' }), 2);
  assert.equal(await count({ urlPattern: '/s/js/.*' }), 1);
  assert.equal(await count({ urlPathPattern: '/v1/n.*' }), 1);
  assert.equal(await count({ headers: { Authorization: { contains: 'your_apikey' } } }), 3);
  assert.equal(await count({ queryParameters: { page: { matches: '\\d' }, sort: { absent: true } } }), 2);

  const all = await requests.getAllRequests();
  assert.deepEqual(all.requests.map((event) => event.wasMatched), [false, true, true]);
  assert.equal(all.meta.total, 3);
  const [newest] = all.requests;
  assert.equal(newest.request.headers.authorization, 'Bearer ****ikey');
  assert.deepEqual(await requests.getRequest(newest.id), newest);
  const found = await requests.findRequests({ urlPath: '/v1/messages' });
  assert.deepEqual(found.requests.map((request) => request.url), [QUERY, `/s/js${QUERY}`]);
  const unmatched = await requests.getUnmatchedRequests();
  assert.deepEqual(unmatched.requests.map((request) => request.url), ['/v1/nothing']);

  const removed = await requests.removeRequests({ urlPath: '/v1/messages' });
  assert.equal(removed.serveEvents.length, 2);
  await requests.deleteRequest(newest.id);
  assert.equal((await requests.getAllRequests()).meta.total, 0);
  await ask(QUERY);
  await requests.deleteAllRequests();
  assert.equal(await count({}), 0);
  console.log('npm: the client verifies requests');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
