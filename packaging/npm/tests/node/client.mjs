// A minimal client of the vendor's API, which sends one request.

const MESSAGES = "/v1/messages?conversation_id=xxxxxx&page=1&page_size=10";
const QA = "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10";

/** The status of one request; `your_apikey` is the agent of the vendor's examples. */
async function ask(target, path = MESSAGES, key = target.apiKey.replace("app-demo", "your_apikey")) {
  const response = await fetch(target.url + path, { headers: { authorization: `Bearer ${key}` } });
  await response.text();
  return response.status;
}

export { MESSAGES, QA, ask };
