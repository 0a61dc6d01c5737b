"""A small exporter of the conversation history. It fetches all pages of a list."""

import time

import httpx

PAGE_SIZE = 100
PAUSES = [0.5, 1, 2, 4]  # seconds
RETRIED = [40008, 50000]  # too many requests, internal error


class ApiError(Exception):
    """The API refused a request, or all attempts to send it failed."""


class History:
    def __init__(self, url, key, sleep=time.sleep):
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"})
        self._sleep = sleep

    def conversations(self, start, end):
        """All conversations of a time window, in milliseconds since 1970."""
        query = {"conversation_type": "ALL", "start_time": start, "end_time": end}
        return self._all("/v1/bot/conversation/page", query, "list", "conversation_id")

    def messages(self, conversation):
        """All messages of a conversation."""
        return self._all("/v1/messages", {"conversation_id": conversation}, "messages", "message_id")

    def questions(self, start, end):
        """All questions of a time window, with their answers."""
        query = {"user_feedback": "ALL", "start_time": start, "end_time": end}
        return self._all("/v1/message/qa/record/page", query, "qa", "id")

    def _all(self, path, query, key, id):
        """The rows of all pages. A row that the next page repeats is included once."""
        rows, page, is_last = {}, 0, False
        while not is_last:
            page += 1
            answer = self._page(path, {**query, "page": page, "page_size": PAGE_SIZE})
            rows.update((row[id], row) for row in answer[key])
            # The list of questions has no total. Its last page is the one that is not full.
            is_full = len(answer[key]) == PAGE_SIZE
            is_last = page * PAGE_SIZE >= answer["total"] if "total" in answer else not is_full
        return list(rows.values())

    def _page(self, path, query):
        """One page. Temporary errors are retried after a pause; other errors are not."""
        for pause in [*PAUSES, None]:
            retry_after = 0
            try:
                answer = self._http.get(path, params=query)
                body = answer.json()
                if "code" not in body:
                    return body
                problem = ApiError(f"{path}: {answer.text}")
                if answer.status_code < 500 and body["code"] not in RETRIED:
                    raise problem
                retry_after = float(answer.headers.get("retry-after", 0))
            except (httpx.TransportError, ValueError) as error:
                # There was no response, or it is not JSON, such as the HTML page of a gateway.
                problem = ApiError(f"{path}: {error!r}")
            if pause is None:
                raise problem
            self._sleep(max(pause, retry_after))
