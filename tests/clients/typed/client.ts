// Asks every operation by the types that openapi-typescript wrote: node client.js URL
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './history.js';

const baseUrl = process.argv[2];
const as = (key: string) =>
  createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const documented = as('your_apikey');

const conversations = {
  conversation_type: 'API',
  start_time: 1691942400000,
  end_time: 1699868066999,
  page: 1,
  page_size: 50,
} as const;
const messages = { conversation_id: 'xxxxxx', page: 1, page_size: 3 };
const qa = {
  user_feedback: 'ALL',
  start_time: 1699891200000,
  end_time: 1699891214999,
  page: 1,
  page_size: 10,
} as const;

/** The keys of a schema that may be absent. */
type Optional<T> = keyof { [K in keyof T as {} extends Pick<T, K> ? K : never]: K };
type Schemas = components['schemas'];
type Rest = Exclude<keyof Schemas, 'ConversationsRow' | 'QaAnswer' | 'RateLimited' | 'Internal' | 'MethodNotAllowed'>;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

// What a reading adds may be absent, and nothing else.
true satisfies Same<Optional<Schemas['ConversationsRow']>, 'anonymous_id'>;
true satisfies Same<Optional<Schemas['QaAnswer']>, 'total'>;
true satisfies Same<{ [N in Rest]: Optional<Schemas[N]> }[Rest], never>;

let checked = 0;

/** What an answer holds, once it is there. */
function answered<T>(result: { data?: T; response: Response }): T {
  assert.equal(result.response.status, 200);
  checked += 1;
  return result.data!;
}

/** The code of a refusal: one of those that the document names for the operation. */
function refused<C extends number>(
  result: { error?: { code: C; message: string }; response: Response },
  status: number,
): C {
  assert.equal(result.response.status, status);
  assert.ok(result.error?.message);
  checked += 1;
  return result.error.code;
}

async function answers() {
  const list = answered(await documented.GET('/v1/bot/conversation/page', { params: { query: conversations } }));
  const subjects: string[] = list.list.map((row) => row.subject);
  assert.deepEqual([list.total, subjects], [2, ['2+3=?', 'Hello!']]);

  const v1 = answered(await documented.GET('/v1/messages', { params: { query: messages } }));
  const types: ('QUESTION' | 'ANSWER')[] = v1.messages.map((row) => row.message_type);
  assert.deepEqual([v1.total, types], [100, ['ANSWER', 'QUESTION', 'ANSWER']]);

  const v2 = answered(await documented.GET('/v2/messages', { params: { query: messages } }));
  const [newest]: components['schemas']['MessagesV2Row'][] = v2.conversation_content;
  const text: string = newest.content[0].branch_content[0].text;
  assert.deepEqual([v2.total, newest.role, text.length > 0], [100, 'user', true]);

  const pairs = answered(await documented.GET('/v1/message/qa/record/page', { params: { query: qa } }));
  assert.deepEqual(pairs.qa.map((row) => [row.q_time, row.user_feedback]), [
    [1699891200, 'GOOD'],
    [1699891214, 'BAD'],
  ]);
  // No reading brings one by default.
  const total: number | undefined = pairs.total;
  assert.equal(total, undefined);
}

async function refusals() {
  const list = (key: string, page_size: number) =>
    as(key).GET('/v1/bot/conversation/page', { params: { query: { ...conversations, page_size } } });
  const v1 = (key: string, conversation_id: string, page: number) =>
    as(key).GET('/v1/messages', { params: { query: { ...messages, conversation_id, page } } });
  const v2 = (key: string, conversation_id: string, page: number) =>
    as(key).GET('/v2/messages', { params: { query: { ...messages, conversation_id, page } } });
  const pairs = (key: string, page_size: number) =>
    as(key).GET('/v1/message/qa/record/page', { params: { query: { ...qa, page_size } } });

  assert.equal(refused(await list('your_apikey', 101), 400), 40000);
  assert.equal(refused(await v1('your_apikey', 'nobody', 1), 400), 40356);
  assert.equal(refused(await v2('your_apikey', 'xxxxxx', 35), 400), 40005);
  assert.equal(refused(await pairs('your_apikey', 9), 400), 40000);
  assert.equal(refused(await list('app-deleted', 50), 400), 20059);
  assert.equal(refused(await list('nobody', 50), 401), 40127);
  assert.equal(refused(await v1('nobody', 'xxxxxx', 1), 401), 40127);
  assert.equal(refused(await v2('nobody', 'xxxxxx', 1), 401), 40127);
  assert.equal(refused(await pairs('nobody', 10), 401), 40127);

  // @ts-expect-error the list knows no conversation that it could miss
  assert.ok(refused(await list('your_apikey', 0), 400) !== 40356);
}

/** What does not compile. It is never called. */
export async function mistakes() {
  // @ts-expect-error the path is /v1/messages
  await documented.GET('/v1/message', { params: { query: messages } });
  // @ts-expect-error there is nothing but GET
  await documented.POST('/v1/messages', { params: { query: messages } });
  // @ts-expect-error page_size is missing
  await documented.GET('/v1/messages', { params: { query: { conversation_id: 'x', page: 1 } } });
  // @ts-expect-error the parameter is page_size
  await documented.GET('/v1/messages', { params: { query: { conversation_id: 'x', page: 1, pageSize: 3 } } });
  // @ts-expect-error a page is a number
  await documented.GET('/v1/messages', { params: { query: { ...messages, page: '1' } } });
  // @ts-expect-error the word is in upper case
  await documented.GET('/v1/message/qa/record/page', { params: { query: { ...qa, user_feedback: 'good' } } });
  const { data } = await documented.GET('/v1/messages', { params: { query: messages } });
  // @ts-expect-error a message of v1 has a message_type
  return data?.messages[0].role;
}

await answers();
await refusals();
console.log(`openapi-fetch: ${checked} answers of 4 operations have their types`);
