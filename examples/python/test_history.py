"""Each test has its own sandbox, `gptbots_mock`; `clean` fails a test whose verdict has findings."""

import pytest

from history import ApiError, History

ALWAYS = (0, 9999999999999)
CHAT = {"user_id": "ann", "messages": [{"q": "Where is my order?", "a": "On its way."}]}

pytestmark = pytest.mark.gptbots_mock(clean=True)


@pytest.fixture
def history(gptbots_mock):
    """The client. Instead of waiting, it advances the clock of the sandbox."""
    return History(gptbots_mock.url, gptbots_mock.api_key, sleep=gptbots_mock.advance)


def test_two_pages_of_conversations(history, gptbots_mock):
    assert len(history.conversations(*ALWAYS)) == 200
    assert len(gptbots_mock.requests()) == 2


def test_messages_and_questions(history):
    conversation = history.conversations(*ALWAYS)[0]
    messages = history.messages(conversation["conversation_id"])
    assert len(messages) == conversation["message_count"]
    assert len(history.questions(*ALWAYS)) > 200


@pytest.mark.parametrize(
    "fault", ["code=50000", "status=502,body=html", "break=reset", "body=truncated"]
)
def test_page_2_fails_once(history, gptbots_mock, fault):
    gptbots_mock.fault(f"conversations:page=2,{fault},times=1")
    assert len(history.conversations(*ALWAYS)) == 200


@pytest.mark.gptbots_mock(rate_limit=(1, 60), clock="frozen")
def test_the_rate_limit_is_waited_for(history, gptbots_mock):
    assert len(history.conversations(*ALWAYS)) == 200
    assert [request.status for request in gptbots_mock.requests()] == [200, 429, 200]


@pytest.mark.gptbots_mock(hazard="arrival")
def test_a_conversation_arrives_after_page_1(history):
    # The new row moves the last row of page 1 to page 2.
    assert len(history.conversations(*ALWAYS)) == 199


@pytest.mark.gptbots_mock(fixture={"agents": [{"name": "mine", "conversations": [CHAT]}]})
def test_records_of_our_own(history):
    assert [row["subject"] for row in history.conversations(*ALWAYS)] == ["Where is my order?"]


@pytest.mark.parametrize("status", ["mapped", "ok"])
def test_a_wrong_key_is_an_error(gptbots_mock, status):
    # The vendor does not document whether an error has the HTTP status 200.
    gptbots_mock.readings({"error-status": status})
    with pytest.raises(ApiError, match="40127"):
        History(gptbots_mock.url, "wrong").conversations(*ALWAYS)
