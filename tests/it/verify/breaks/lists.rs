//! The conversation list, and what it shares with the other endpoints.

use gptbots_mock::contract::CONVERSATION_TYPES;
use serde_json::Value;

use super::{LIST, QA, add, answered_as, asked_as, json_edited, rows_edited, rows_of};
use crate::support::client::{Answer, fetch};
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::{Asked, Upstream};

const REFUSED: &str = r#"{"code":40000,"message":"Invalid parameter"}"#;

use crate::support::client::NEWEST;

/// Page 1 of everything.
fn is_first(asked: &Asked) -> bool {
    let pairs = [("conversation_type", "ALL"), ("start_time", "0"), ("page", "1")];
    let is_all = asked.has(&pairs) && asked.has(&[("page_size", "100")]);
    is_all && asked.get("user_id").is_none()
}

pub(crate) fn rows() -> Vec<Break> {
    [totals(), orders(), values(), filters(), channels()].into_iter().flatten().collect()
}

fn totals() -> Vec<Break> {
    let total = ["conversations.total"];
    let past_end = ["conversations.past-end"];
    let is_far = |asked: &Asked| asked.get("page") == Some("1000000");
    vec![
        row(
            "the total is one too many",
            &total,
            &["total"],
            json_edited(LIST, |_, value| {
                add(value, "total", 1);
            }),
        ),
        row(
            "the total is one too many, on one page",
            &total,
            &["total"],
            json_edited(LIST, |_, value| {
                add(value, "total", 1);
            }),
        )
        .over(World::EdgeSecond),
        row(
            "the total of one row is another",
            &total,
            &["total"],
            json_edited(LIST, |asked, value| {
                if asked.get("page_size") == Some("1") && asked.get("page") == Some("1") {
                    value["total"] = 7.into();
                }
            }),
        ),
        row(
            "the total is a string",
            &total,
            &["not a number"],
            json_edited(LIST, |_, value| {
                value["total"] = value["total"].to_string().into();
            }),
        ),
        row(
            "there is no total",
            &total,
            &["no total"],
            json_edited(LIST, |_, value| {
                value.as_object_mut().unwrap().remove("total");
            }),
        ),
        row(
            "a far page has another total",
            &past_end,
            &["total"],
            json_edited(LIST, move |asked, value| {
                if is_far(asked) {
                    value["total"] = 0.into();
                }
            }),
        ),
        row(
            "a far page is the first",
            &past_end,
            &["100 rows"],
            asked_as(
                move |asked| asked.path() == LIST && is_far(asked),
                |asked| asked.with("page", "1"),
            ),
        ),
        row(
            "a far page is wrong",
            &past_end,
            &["40000"],
            answered_as(move |asked| asked.path() == LIST && is_far(asked), 400, REFUSED),
        ),
        row(
            "page 2 repeats page 1",
            &["records.pages"],
            &["page 2"],
            asked_as(
                |asked| asked.path() == LIST && asked.has(&[("page", "2"), ("page_size", "1")]),
                |asked| asked.with("page", "1"),
            ),
        ),
        row(
            "the size of a page is ignored",
            &["conversations.page_size"],
            &["100 rows"],
            asked_as(
                |asked| {
                    asked.path() == LIST
                        && asked.query().ends_with("&page=1&page_size=1")
                        && asked.get("start_time") == Some("0")
                        && asked.authorization() == ["Bearer app-demo"]
                        && asked.get("end_time").is_some_and(|end| end.len() == 13)
                        && asked.query().contains("conversation_type=ALL&start_time=0")
                        && asked.method == "GET"
                        && asked.headers.iter().all(|(name, _)| name != "content-type")
                },
                |asked| asked.with("page_size", "100"),
            ),
        ),
    ]
}

fn orders() -> Vec<Break> {
    let order = ["conversations.order"];
    vec![
        row(
            "two rows are swapped",
            &order,
            &["later"],
            rows_edited(LIST, |asked, rows| {
                if is_first(asked) {
                    rows.swap(98, 99);
                }
            }),
        ),
        row(
            "a time rises",
            &order,
            &["later"],
            rows_edited(LIST, |asked, rows| {
                if is_first(asked) {
                    add(&mut rows[99], "recent_chat_time", 10_000_000_000);
                }
            }),
        ),
        ties(),
        row(
            "a conversation counts another number of messages",
            &["records.message-count"],
            &["number"],
            rows_edited(LIST, |_, rows| {
                for row in rows {
                    add(row, "message_count", 1);
                }
            }),
        ),
    ]
}

/// Two conversations of the same time are swapped in every response.
fn ties() -> Break {
    let target = NEWEST.replace("page_size=1", "page_size=100");
    let rows = fetch(World::Edge.upstream().0, "app-edge", &target).rows("list");
    let mut pairs = rows.windows(2);
    let tied = |two: &&[Value]| two[0]["recent_chat_time"] == two[1]["recent_chat_time"];
    let ids = pairs.rfind(tied).unwrap().iter().map(|row| row["conversation_id"].clone());
    let ids: Vec<Value> = ids.collect();
    let edit = move |_: &Asked, rows: &mut Vec<Value>| {
        let place = |id: &Value| rows.iter().position(|row| row["conversation_id"] == *id);
        if let (Some(one), Some(other)) = (place(&ids[0]), place(&ids[1])) {
            rows.swap(one, other);
        }
    };
    row("ties stand another way", &["conversations.ties"], &["ids"], rows_edited(LIST, edit))
        .over(World::Edge)
}

/// Sets a value of every row.
fn set(
    path: &'static str,
    name: &'static str,
    value: Value,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    rows_edited(path, move |_, rows| {
        for row in rows {
            row[name] = value.clone();
        }
    })
}

fn values() -> Vec<Break> {
    vec![
        row(
            "a cost is a whole number",
            &["conversations.decimal-point"],
            &["an integer"],
            set(LIST, "cost_credit", 7.into()),
        ),
        row(
            "a subject is another text",
            &["records.subject"],
            &["a different text"],
            set(LIST, "subject", "?!".into()),
        ),
        row(
            "a user of a pair is another",
            &["records.agreement"],
            &["user_id"],
            set(QA, "user_id", "?!".into()),
        ),
        row(
            "an agent is another",
            &["conversations.row.bot_id"],
            &["different values"],
            rows_edited(LIST, |_, rows| {
                if let Some(last) = rows.last_mut() {
                    last["bot_id"] = "somebody".into();
                }
            }),
        ),
    ]
}

fn filters() -> Vec<Break> {
    let is_window = |asked: &Asked| {
        asked.path() == LIST && asked.get("start_time").is_some_and(|start| start.len() == 13)
    };
    let other = shown_channels().into_iter().find(|name| of_channel(name).len() == 1).unwrap();
    let other = other.replace('_', "%5F");
    let of_user = |asked: &Asked| {
        let user = asked.get("user_id").unwrap_or_default();
        asked.path() == LIST && !["", "%zz", "%ff"].contains(&user)
    };
    vec![
        row(
            "start_time is ignored",
            &["conversations.start_time"],
            &["before"],
            asked_as(is_window, |asked| asked.with("start_time", "0")),
        ),
        row(
            "end_time is ignored",
            &["conversations.end_time"],
            &["after"],
            asked_as(is_window, |asked| asked.with("end_time", "9999999999999")),
        ),
        row(
            "user_id is ignored",
            &["conversations.user_id", "everywhere.encoding"],
            &["do not match the filter"],
            asked_as(of_user, |asked| asked.without("user_id")),
        ),
        row(
            "some user's rows are for nobody, too",
            &["conversations.user_id"],
            &["other users"],
            asked_as(
                |asked| asked.get("user_id").is_some_and(|user| user.starts_with("nobody")),
                |asked| asked.without("user_id"),
            ),
        ),
        row(
            "a user's row is missing",
            &["conversations.user_id"],
            &["instead of", "other rows"],
            rows_edited(LIST, move |asked, rows| {
                if of_user(asked) && !asked.query().contains("%41%4C%4C") {
                    rows.drain(..1.min(rows.len()));
                }
            }),
        ),
        row(
            "a user's row is missing where all is encoded",
            &["everywhere.encoding"],
            &["instead of"],
            rows_edited(LIST, move |asked, rows| {
                if of_user(asked) && asked.query().contains("%41%4C%4C") {
                    rows.pop();
                }
            }),
        ),
        row(
            "a channel loses a row",
            &["records.all"],
            &["instead of", "other rows"],
            json_edited(LIST, move |asked, value| {
                // A channel that nothing else speaks of.
                if let Some(rows) =
                    rows_of(value).filter(|_| asked.has(&[("conversation_type", &other)]))
                {
                    rows.remove(0);
                }
            }),
        ),
        row(
            "SPACE is every channel",
            &["conversations.space", "channel.SPACE"],
            &["other channels"],
            asked_as(
                |asked| asked.has(&[("conversation_type", "SPACE")]),
                |asked| asked.with("conversation_type", "ALL"),
            ),
        ),
        all_channels(),
    ]
}

/// A statement of a channel, and the others that speak of it.
fn of_channel(name: &str) -> Vec<String> {
    let mut all = vec![format!("channel.{name}")];
    if name == first_channel() {
        all.push("conversations.conversation_type".to_owned());
    }
    if name == "SPACE" {
        all.push("conversations.space".to_owned());
    }
    all
}

/// That of the newest conversation.
fn first_channel() -> String {
    shown_channels().remove(0)
}

fn shown_channels() -> Vec<String> {
    let target = NEWEST.replace("page_size=1", "page_size=100");
    let answer = fetch(World::Demo.upstream().0, "app-demo", &target);
    answer.column("list", "conversation_type")
}

fn all_channels() -> Break {
    let names = CONVERSATION_TYPES.iter().map(|(channel, ..)| channel.name());
    let all: Vec<String> = names.flat_map(of_channel).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    row(
        "the channel is ignored",
        &all,
        &["other channels"],
        asked_as(
            |asked| {
                let channel = asked.get("conversation_type").unwrap_or_default();
                asked.path() == LIST
                    && !channel.is_empty()
                    && !channel.starts_with("%41")
                    && channel.to_uppercase() == channel
            },
            |asked| asked.with("conversation_type", "ALL"),
        ),
    )
}

/// Each channel alone, in a world without rows, so that no other statement is affected except for `SPACE`.
fn channels() -> Vec<Break> {
    let one = |name: &'static str| {
        let own = format!("channel.{name}");
        let more = (name == "SPACE").then_some("conversations.space");
        let breaks: Vec<&str> = more.into_iter().chain([&*own]).collect();
        let written = name.replace('_', "%5F");
        let is = move |asked: &Asked| asked.has(&[("conversation_type", &written)]);
        row(format!("{name} is unknown"), &breaks, &["40000"], answered_as(is, 400, REFUSED))
            .over(World::EdgeEmpty)
    };
    CONVERSATION_TYPES.iter().map(|(channel, ..)| one(channel.name())).collect()
}
