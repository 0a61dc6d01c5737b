// A small client of the conversation-history API that does it right.

const PAGE_SIZE = 50;
const PAUSES = [50, 100, 200, 400];

export class Refused extends Error {}

export class History {
  constructor(url, key, sleep = (ms) => new Promise((done) => setTimeout(done, ms))) {
    Object.assign(this, { url, key, sleep });
  }

  // Every conversation of a window: the answers tell how many there are.
  async *conversations(start, end, kind = "ALL") {
    const query = { conversation_type: kind, start_time: start, end_time: end };
    for (let page = 1, last = 1; page <= last; page++) {
      const answer = await this.#get("/v1/bot/conversation/page", query, page);
      yield* answer.list;
      last = Math.ceil(answer.total / PAGE_SIZE);
    }
  }

  // Every question of a window. No total is told, so a short page is the last.
  async *questions(start, end, feedback = "ALL") {
    const query = { user_feedback: feedback, start_time: start, end_time: end };
    for (let page = 1, length = PAGE_SIZE; length === PAGE_SIZE; page++) {
      const { qa } = await this.#get("/v1/message/qa/record/page", query, page);
      yield* qa;
      length = qa.length;
    }
  }

  // One page. What may pass is tried again after growing pauses; nothing else is.
  async #get(path, query, page) {
    const parameters = new URLSearchParams({ ...query, page, page_size: PAGE_SIZE });
    for (const pause of [...PAUSES, null]) {
      let wait = 0;
      try {
        const answer = await fetch(`${this.url}${path}?${parameters}`, {
          headers: { authorization: `Bearer ${this.key}` },
        });
        const text = await answer.text();
        if (answer.ok) return JSON.parse(text);
        if (answer.status !== 429 && answer.status < 500) throw new Refused(text);
        wait = Number(answer.headers.get("retry-after") ?? 0) * 1000;
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      if (pause === null) throw new Refused(`no answer to ${path}`);
      await this.sleep(Math.max(pause, wait));
    }
  }
}
