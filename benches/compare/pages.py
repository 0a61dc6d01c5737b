"""The paths of the pages to request, found with the API itself."""

import http.client
import json
import random
from collections import Counter

from server import HEADERS, HOST

ALWAYS = (0, 9999999999999)
CONVERSATIONS, MESSAGES, QA = "50 conversations", "100 messages", "100 Q&A"
# The most different pages to request in random order; more would only take memory of the client.
MOST = 50_000
# The pages per query: enough for a similar mix of long and short texts.
PER_QUERY = 8


def conversation_page(page, size=50, kind="ALL", user=None, window=ALWAYS):
    """The path of a page of the conversation list."""
    query = f"conversation_type={kind}&start_time={window[0]}&end_time={window[1]}"
    query += f"&user_id={user}" if user else ""
    return f"/v1/bot/conversation/page?{query}&page={page}&page_size={size}"


def message_page(conversation, page=1, size=100):
    """The path of a page of the messages of one conversation."""
    return f"/v1/messages?conversation_id={conversation}&page={page}&page_size={size}"


def qa_page(page, size=100, feedback="ALL", window=ALWAYS):
    """The path of a page of the Q&A list."""
    query = f"user_feedback={feedback}&start_time={window[0]}&end_time={window[1]}"
    return f"/v1/message/qa/record/page?{query}&page={page}&page_size={size}"


class Api:
    """A client with one connection, which reads the records of a server."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(HOST, server.port, timeout=60)

    def get(self, path):
        self.connection.request("GET", path, headers=HEADERS)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise ValueError(f"{path}: {response.status} {body[:100]!r}")
        return body

    def json(self, path):
        return json.loads(self.get(path))

    def total(self, **filters):
        return self.json(conversation_page(1, 1, **filters))["total"]

    def full_qa_pages(self, size=100, feedback="ALL"):
        """The response has no total, so this finds the last full page by binary search."""
        low, high = 0, 1
        while self.is_full(high, size, feedback):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.is_full(middle, size, feedback) else (low, middle)
        return low

    def is_full(self, page, size, feedback):
        return len(self.json(qa_page(page, size, feedback))["qa"]) == size

    def rows(self, pages):
        """The conversations of some pages of 100."""
        for page in pages:
            yield from self.json(conversation_page(page, 100))["list"]

    def full_message_pages(self, most):
        """The full pages of long conversations (1% of all); at most about `most` pages."""
        pages = shuffled(range(1, -(-self.total() // 100) + 1), MOST)
        found = []
        for row in self.rows(pages):
            for page in range(1, row["message_count"] // 100 + 1):
                found.append(message_page(row["conversation_id"], page))
            if len(found) >= most:
                break
        return found


def shuffled(numbers, most):
    return random.Random(1).sample(numbers, min(len(numbers), most))


def random_pages(server, most_messages=10_000):
    """Kind of page -> paths of different full pages in random order."""
    api = Api(server)
    conversations = range(1, api.total() // 50 + 1)
    qa = range(1, api.full_qa_pages() + 1)
    return {
        CONVERSATIONS: [conversation_page(page) for page in shuffled(conversations, MOST)],
        MESSAGES: api.full_message_pages(most_messages),
        QA: [qa_page(page) for page in shuffled(qa, MOST)],
    }


def mean_size(server, paths, samples=300):
    """The mean body size of these pages, from a sample; the paths must be in random order."""
    api = Api(server)
    sizes = [len(api.get(path)) for path in paths[:samples]]
    return sum(sizes) // len(sizes)


def deep_qa(server):
    """The path of the page in the middle of the Q&A list."""
    return qa_page(max(1, Api(server).full_qa_pages() // 2))


def query_pages(small, large):
    """Query -> (paths at the small server, paths at the large one), all of full pages."""
    apis = Api(small), Api(large)
    users, typed = common_users(apis)

    def same(paths):
        return paths[:PER_QUERY], paths[:PER_QUERY]

    return {
        "first pages": same([conversation_page(n) for n in range(1, PER_QUERY + 1)]),
        "last pages": per_api(apis, last_pages, PER_QUERY),
        "by type": same([conversation_page(n, 50, "API") for n in range(1, 5)]),
        "by user": same([conversation_page(1, 10, user=user) for user in users]),
        "by type and user": same([conversation_page(1, 10, k, user) for user, k in typed]),
        "narrow window": per_api(apis, narrow_windows, PER_QUERY),
        "messages": per_api(apis, ten_messages, PER_QUERY * 4),
        "Q&A by feedback": same([qa_page(n, 50, "GOOD") for n in range(1, 5)]),
        "Q&A, deep": per_api(apis, deep_qa_pages, PER_QUERY),
    }


def per_api(apis, pages, count):
    return tuple(pages(api, count) for api in apis)


def last_pages(api, count):
    last = api.total() // 50
    return [conversation_page(n) for n in range(last - count + 1, last + 1)]


def deep_qa_pages(api, count):
    middle = api.full_qa_pages(50) // 2
    return [qa_page(n, 50) for n in range(middle, middle + count)]


def narrow_windows(api, count):
    """Time windows of exactly the ten conversations of a page, spread over the whole time."""
    pages = api.total() // 10
    windows = []
    for turn in range(count):
        rows = api.json(conversation_page(1 + turn * pages // count, 10))["list"]
        times = [row["recent_chat_time"] for row in rows]
        windows.append((min(times), max(times)))
    return [conversation_page(1, 10, window=window) for window in windows]


def ten_messages(api, count):
    """Conversations of ten messages each."""
    found = []
    for row in api.rows(range(1, api.total() // 100 + 1)):
        if row["message_count"] == 10:
            found.append(message_page(row["conversation_id"], 1, 10))
            if len(found) == count:
                break
    return found


def common_users(apis):
    """Users, and pairs of user and type, with at least ten conversations in both servers."""
    rows = list(apis[0].rows(range(1, apis[0].total() // 100 + 1)))
    users = Counter(row["user_id"] for row in rows)
    both = Counter((row["user_id"], row["conversation_type"]) for row in rows)
    return (
        [u for u, n in users.items() if n >= 10 and apis[1].total(user=u) >= 10],
        [(u, k) for (u, k), n in both.items() if n >= 10 and apis[1].total(user=u, kind=k) >= 10],
    )
