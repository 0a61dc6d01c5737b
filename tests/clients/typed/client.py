"""Asks every operation by the package that openapi-python-client wrote: python client.py URL"""

import json
import sys

import attrs
from history import AuthenticatedClient, models
from history.api.conversations import get_conversations
from history.api.messages import get_messages, get_messages_v2
from history.api.qa import get_qa
from history.models import GetConversationsConversationType as Channel
from history.models import GetQaUserFeedback as Rating

url = sys.argv[1]
documented = AuthenticatedClient(base_url=url, token="your_apikey")
stranger = AuthenticatedClient(base_url=url, token="nobody")
deleted = AuthenticatedClient(base_url=url, token="app-deleted")

conversations = dict(
    conversation_type=Channel.API,
    start_time=1691942400000,
    end_time=1699868066999,
    page=1,
    page_size=50,
)
messages = dict(conversation_id="xxxxxx", page=1, page_size=3)
qa = dict(
    user_feedback=Rating.ALL, start_time=1699891200000, end_time=1699891214999, page=1, page_size=10
)

checked = 0


def ask(operation, client, expected, status, parameters):
    """The answer, once it is of the class that the document promises for the status."""
    global checked
    response = operation.sync_detailed(client=client, **parameters)
    assert response.status_code == status, response
    assert type(response.parsed) is expected, response
    # Nothing was lost on the way through the types.
    assert response.parsed.to_dict() == json.loads(response.content), response
    checked += 1
    return response.parsed


# What a reading adds may be absent, and nothing else.
rows = "ConversationsRow MessagesRow MessagesV2Row QaRow".split()
answers = "ConversationsAnswer MessagesAnswer MessagesV2Answer QaAnswer".split()
refusals = "GetMessagesResponse400 GetQaResponse401 RateLimited Internal".split()
optional = {
    f"{name}.{field.name}"
    for name in rows + answers + refusals
    for field in attrs.fields(getattr(models, name))
    if field.init and field.default is not attrs.NOTHING
}
assert optional == {"ConversationsRow.anonymous_id", "QaAnswer.total"}, optional

# What is answered.
found = ask(get_conversations, documented, models.ConversationsAnswer, 200, conversations)
assert found.total == 2
assert [row.subject for row in found.list_] == ["2+3=?", "Hello!"]
assert found.list_[0].conversation_type is models.ConversationsRowConversationType.API
assert (found.list_[1].message_count, found.list_[1].cost_credit) == (20, 0.59)

found = ask(get_messages, documented, models.MessagesAnswer, 200, messages)
assert found.total == 100
assert [row.message_type for row in found.messages] == ["ANSWER", "QUESTION", "ANSWER"]
assert found.messages[1].parent_message_id == found.messages[0].message_id

found = ask(get_messages_v2, documented, models.MessagesV2Answer, 200, messages)
assert found.total == 100
assert found.conversation_content[0].role is models.MessagesV2RowRole.USER
assert found.conversation_content[0].content[0].branch_content[0].type_ == "text"

found = ask(get_qa, documented, models.QaAnswer, 200, qa)
assert [row.q_time for row in found.qa] == [1699891200, 1699891214]
assert [row.user_feedback for row in found.qa] == ["GOOD", "BAD"]

# How it is refused.
operations = [
    (get_conversations, "GetConversations", conversations, {"page_size": 101}),
    (get_messages, "GetMessages", messages, {"page": 0}),
    (get_messages_v2, "GetMessagesV2", messages, {"page_size": 0}),
    (get_qa, "GetQa", qa, {"page_size": 9}),
]
for operation, name, parameters, wrong in operations:
    invalid, unknown = (getattr(models, f"{name}Response{status}") for status in (400, 401))
    assert ask(operation, documented, invalid, 400, parameters | wrong).code == 40000
    assert ask(operation, deleted, invalid, 400, parameters).code == 20059
    assert ask(operation, stranger, unknown, 401, parameters).code == 40127

missing = messages | {"conversation_id": "nobody"}
refused = ask(get_messages, documented, models.GetMessagesResponse400, 400, missing)
assert refused.code is models.GetMessagesResponse400Code.VALUE_40356
refused = ask(
    get_messages_v2, documented, models.GetMessagesV2Response400, 400, messages | {"page": 35}
)
assert refused.code is models.GetMessagesV2Response400Code.VALUE_40005

# What a fault answers is in the document, too.
for code, status, expected in [(40008, 429, models.RateLimited), (50000, 500, models.Internal)]:
    failing = AuthenticatedClient(
        base_url=url, token="your_apikey", headers={"Prefer": f"code={code}"}
    )
    assert ask(get_qa, failing, expected, status, qa).code == code

print(f"openapi-python-client: {checked} answers of 4 operations have their types")
