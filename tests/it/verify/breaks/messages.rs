//! The messages of a conversation, and what they share with the other endpoints.

use serde_json::Value;

use super::{V1, V2, add, answered_as, asked_as, json_edited, rows_edited, rows_of};
use crate::support::client::Answer;
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::{Asked, Upstream};

pub(crate) fn rows() -> Vec<Break> {
    [totals(), chains(), both(), pages()].into_iter().flatten().collect()
}

fn is_whole(asked: &Asked) -> bool {
    asked.has(&[("page", "1"), ("page_size", "100")])
}

/// Edits the messages of both versions, oldest first.
fn both_edited(
    edit: impl Fn(&mut Vec<Value>) + Send + Sync + 'static,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    move |asked, upstream| {
        let answer = upstream.ask(asked);
        if !is_whole(asked) || ![V1, V2].contains(&asked.path()) || answer.status != 200 {
            return answer;
        }
        super::edited(answer, |value| {
            let rows = rows_of(value).unwrap();
            if asked.path() == V2 {
                rows.reverse();
            }
            edit(rows);
            if asked.path() == V2 {
                rows.reverse();
            }
        })
    }
}

fn is_answer(row: &Value) -> bool {
    row["message_type"] == "ANSWER" || row["role"] == "assistant"
}

fn totals() -> Vec<Break> {
    vec![
        row(
            "v1's total is one too many",
            &["messages.total", "records.message-count"],
            &["total", "number"],
            json_edited(V1, |_, value| add(value, "total", 1)),
        ),
        row(
            "v2's total is one too many",
            &["messages-v2.total"],
            &["total"],
            json_edited(V2, |_, value| add(value, "total", 1)),
        ),
        row(
            "v1 has no total",
            &["messages.total"],
            &["no total"],
            json_edited(V1, |_, value| {
                value.as_object_mut().unwrap().remove("total");
            }),
        ),
        row(
            "v2 has no total",
            &["messages-v2.total"],
            &["no total"],
            json_edited(V2, |_, value| {
                value.as_object_mut().unwrap().remove("total");
            }),
        ),
        row(
            "one total is a string",
            &["messages.total", "messages-v2.total"],
            &["messages-total"],
            json_edited(V1, |_, value| value["total"] = value["total"].to_string().into()),
        ),
        row(
            "a message is missing",
            &["messages-v2.total", "messages-v2.same", "messages-v2.chain"],
            &["total", "differ from v1", "chain"],
            rows_edited(V2, |asked, rows| {
                if is_whole(asked) {
                    rows.pop();
                }
            }),
        ),
    ]
}

fn chains() -> Vec<Break> {
    let swap = |asked: &Asked, rows: &mut Vec<Value>| {
        if is_whole(asked) {
            rows.swap(3, 4);
        }
    };
    vec![
        row("two messages are swapped", &["messages.order"], &["chain"], rows_edited(V1, swap)),
        row(
            "two messages of v2 are swapped",
            &["messages-v2.order"],
            &["chain"],
            rows_edited(V2, swap),
        ),
        row(
            "a parent is another",
            &["messages.chain", "messages-v2.chain"],
            &["chain"],
            both_edited(|rows| {
                rows[5]["parent_message_id"] = rows[1]["message_id"].clone();
            }),
        ),
        row(
            "the first has a parent",
            &["messages.chain", "messages-v2.chain"],
            &["chain"],
            both_edited(|rows| {
                rows[0]["parent_message_id"] = "somebody".into();
            }),
        ),
        row(
            "a parent of v1 is another",
            &["messages.chain", "messages-v2.same"],
            &["chain", "differ from v1"],
            rows_edited(V1, |asked, rows| {
                if is_whole(asked) {
                    rows[5]["parent_message_id"] = rows[1]["message_id"].clone();
                }
            }),
        ),
        row(
            "a time falls",
            &["messages.time", "messages-v2.time"],
            &["earlier"],
            both_edited(|rows| {
                let place = (3..rows.len() - 1).find(|place| is_answer(&rows[*place])).unwrap();
                rows[place]["create_time"] = 1.into();
            }),
        ),
        row(
            "the newest is newer than the conversation",
            &["records.recent-chat-time"],
            &["time"],
            both_edited(|rows| add(rows.last_mut().unwrap(), "create_time", 1)),
        ),
    ]
}

fn both() -> Vec<Break> {
    let same = ["messages-v2.same"];
    let edit = |how: &str, edit: fn(&mut Value)| {
        row(
            how,
            &same,
            &["differ from v1"],
            rows_edited(V2, move |asked, rows| {
                if is_whole(asked) {
                    edit(&mut rows[3]);
                }
            }),
        )
    };
    vec![
        edit("v2 has another text", |row| {
            row["content"][0]["branch_content"][0]["text"] = "x".into();
        }),
        edit("v2 has another author", |row| {
            row["role"] = if row["role"] == "user" { "assistant" } else { "user" }.into();
        }),
        edit("v2 has another time", |row| add(row, "create_time", 1)),
        row(
            "v2 rates otherwise",
            &["records.ratings"],
            &["rating"],
            rows_edited(V2, |asked, rows| {
                if is_whole(asked) {
                    for row in rows.iter_mut().filter(|row| is_answer(row)) {
                        row["feedback"] =
                            if row["feedback"] == "POSITIVE" { "NEGATIVE" } else { "POSITIVE" }
                                .into();
                    }
                }
            }),
        ),
    ]
}

fn pages() -> Vec<Break> {
    let is_second = |path: &'static str| {
        move |asked: &Asked| asked.path() == path && asked.get("page") == Some("2")
    };
    let is_far = |path: &'static str| {
        move |asked: &Asked| {
            asked.path() == path && asked.has(&[("page", "2"), ("page_size", "100")])
        }
    };
    let first = |asked: &Asked| asked.with("page", "1");
    let past_end =
        ["conversations.past-end", "messages.past-end", "messages-v2.past-end", "qa.past-end"];
    vec![
        row(
            "page 2 of v1 repeats page 1",
            &["records.pages", "messages.past-end"],
            &["rows"],
            asked_as(is_second(V1), first),
        ),
        row(
            "page 2 of v2 repeats page 1",
            &["records.pages", "messages-v2.past-end"],
            &["rows"],
            asked_as(is_second(V2), first),
        ),
        row(
            "a far page of v1 is the first",
            &["messages.past-end"],
            &["a page"],
            asked_as(is_far(V1), first),
        ),
        row(
            "a far page of v2 is the first",
            &["messages-v2.past-end"],
            &["a page"],
            asked_as(is_far(V2), first),
        ),
        row(
            "a far page of one is empty, of the other an error",
            &past_end,
            &["page-past-end"],
            answered_as(is_far(V2), 200, r#"{"total":1,"conversation_content":[]}"#),
        ),
        row(
            "an empty conversation is missing",
            &["messages.empty-conversation"],
            &["40356"],
            |asked, upstream| {
                let answer = upstream.ask(asked);
                if asked.path() == V1 && answer.body.contains(r#""messages":[]"#) {
                    return super::answer(
                        400,
                        r#"{"code":40356,"message":"Conversation does not exist."}"#,
                    );
                }
                answer
            },
        )
        .over(World::Edge),
    ]
}
