"""A small client of the conversation-history API that does it right."""

import time

import httpx

PAGE_SIZE = 50
PAUSES = [0.05, 0.1, 0.2, 0.4]


class Refused(Exception):
    """The API will not answer this, however often it is asked."""


class History:
    def __init__(self, base_url, key, sleep=time.sleep):
        self._http = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=10
        )
        self._sleep = sleep

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.close()

    def conversations(self, start, end, kind="ALL"):
        """Every conversation of a window: the answers tell how many there are."""
        query = {"conversation_type": kind, "start_time": start, "end_time": end}
        yield from self._by_total("/v1/bot/conversation/page", query, "list")

    def messages(self, conversation):
        """Every message of a conversation, oldest first."""
        yield from self._by_total("/v1/messages", {"conversation_id": conversation}, "messages")

    def questions(self, start, end, feedback="ALL"):
        """Every question of a window. No total is told, so a short page is the last."""
        query = {"user_feedback": feedback, "start_time": start, "end_time": end}
        page, rows = 1, [None] * PAGE_SIZE
        while len(rows) == PAGE_SIZE:
            rows = self._get("/v1/message/qa/record/page", query, page)["qa"]
            yield from rows
            page += 1

    def _by_total(self, path, query, key):
        page, last = 1, 1
        while page <= last:
            answer = self._get(path, query, page)
            yield from answer[key]
            last = -(-answer["total"] // PAGE_SIZE)
            page += 1

    def _get(self, path, query, page):
        """One page. What may pass is tried again after growing pauses; nothing else is."""
        query = {**query, "page": page, "page_size": PAGE_SIZE}
        for pause in [*PAUSES, None]:
            try:
                answer = self._http.get(path, params=query)
                if answer.status_code == 200:
                    return answer.json()
                if answer.status_code != 429 and answer.status_code < 500:
                    raise Refused(answer.text)
                wait = answer.headers.get("retry-after")
            except (httpx.TransportError, ValueError):
                wait = None
            if pause is None:
                raise Refused(f"no answer to {path}")
            self._sleep(max(pause, float(wait or 0)))
