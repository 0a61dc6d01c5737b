//! The rules for queries and bodies that all endpoints have in common.

use super::{LIST, QA, V1, V2, answer, answered_as, asked_as, json_edited};
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::Asked;

const MISSING: &str = r#"{"code":40000,"message":"Invalid parameter"}"#;

pub(crate) fn rows() -> Vec<Break> {
    let tables = [queries(), windows(), bodies()];
    tables.into_iter().flatten().map(|row| row.over(World::Small)).collect()
}

fn queries() -> Vec<Break> {
    let holds = |text: &'static str| move |asked: &Asked| asked.query().contains(text);
    let refused = |how, breaks: &[&str], text| {
        row(how, breaks, &["40000"], answered_as(holds(text), 400, MISSING))
    };
    let served = |how, breaks: &[&str], from: &'static str, to: &'static str| {
        let other = move |asked: &Asked| asked.to(&asked.target.replace(from, to));
        row(how, breaks, &["a page"], asked_as(holds(from), other))
    };
    vec![
        row("the query is not read", &["everywhere.parameters"], &["40000"], |asked, upstream| {
            upstream.ask(&asked.to(asked.path()))
        }),
        refused("an unknown parameter is refused", &["everywhere.unknown-parameter"], "sort="),
        served_none("an unknown parameter filters", &["everywhere.unknown-parameter"], "sort="),
        refused(
            "a bot_id is refused",
            &["everywhere.unknown-parameter", "everywhere.agent"],
            "bot_id=",
        ),
        served_none(
            "a bot_id filters",
            &["everywhere.unknown-parameter", "everywhere.agent"],
            "bot_id=",
        ),
        refused("letters may not be encoded", &["everywhere.encoding"], "%41%4C%4C"),
        row(
            "a plus is a plus",
            &["everywhere.plus"],
            &["0 rows"],
            asked_as(
                |asked| asked.query().contains('+'),
                |asked| asked.to(&asked.target.replace('+', "%2B")),
            ),
        ),
        refused("a broken percent is refused", &["everywhere.broken-percent"], "%zz"),
        row(
            "a broken percent is no filter",
            &["everywhere.broken-percent"],
            &["other users"],
            asked_as(holds("%zz"), |asked| asked.without("user_id")),
        ),
        row(
            "a type of content is refused",
            &["everywhere.content-type"],
            &["415"],
            answered_as(
                |asked| asked.headers.iter().any(|(name, _)| name == "content-type"),
                415,
                "",
            ),
        ),
        served(
            "the first of two counts",
            &["everywhere.given-twice"],
            "&page=1&page_size=1&page=1",
            "&page=1&page_size=1",
        ),
        row(
            "an empty value is a value",
            &["everywhere.empty-value"],
            &["other rows"],
            asked_as(
                |asked| asked.get("user_id") == Some(""),
                |asked| asked.with("user_id", "nobody"),
            ),
        ),
        refused_end("an empty value is refused", &["everywhere.empty-value"], "user_id="),
        served("an empty page is the first", &["everywhere.empty-value"], "page=&", "page=1&"),
        refused("leading zeros are refused", &["everywhere.integer"], "page=001"),
        served("a decimal is an integer", &["everywhere.integer"], "page=1.0", "page=1"),
        served("a plus is a sign", &["everywhere.integer"], "page=%2B1", "page=1"),
        served(
            "a large integer is fine",
            &["everywhere.integer"],
            "page=9223372036854775808",
            "page=9",
        ),
        served("what is not UTF-8 is fine", &["everywhere.text"], "%ff", "x"),
        refused("a negative time is refused", &["everywhere.times"], "start_time=-1"),
        served_none("a negative time is one to come", &["everywhere.times"], "start_time=-1"),
    ]
}

fn served_none(how: &str, breaks: &[&str], text: &'static str) -> Break {
    let is = move |asked: &Asked| asked.query().contains(text);
    row(how, breaks, &["other rows"], answered_as(is, 200, r#"{"list":[],"total":0}"#))
}

fn refused_end(how: &str, breaks: &[&str], text: &'static str) -> Break {
    let is = move |asked: &Asked| asked.query().ends_with(text);
    row(how, breaks, &["40000"], answered_as(is, 400, MISSING))
}

/// The end of a window, if it does not begin with everything and is not before its start.
fn end(asked: &Asked) -> Option<i64> {
    let [start, end]: [i64; 2] =
        [asked.get("start_time")?.parse().ok()?, asked.get("end_time")?.parse().ok()?];
    (start > 0 && end >= start).then_some(end)
}

fn windows() -> Vec<Break> {
    let less = |asked: &Asked| asked.with("end_time", &(end(asked).unwrap() - 1).to_string());
    vec![
        row(
            "the list's end is exclusive",
            &["everywhere.window"],
            &["40000"],
            asked_as(|asked| asked.path() == LIST && end(asked).is_some(), less),
        ),
        row(
            "the Q&A list's end is exclusive",
            &["everywhere.window"],
            &["missing"],
            asked_as(|asked| asked.path() == QA && end(asked).is_some(), less),
        ),
        row(
            "a window of an instant is empty",
            &["everywhere.window"],
            &["no row"],
            answered_as(
                |asked| asked.path() == LIST && end(asked).is_some(),
                200,
                r#"{"list":[],"total":0}"#,
            ),
        ),
        row(
            "a reversed window is turned",
            &["everywhere.window-reversed"],
            &["a page"],
            asked_as(
                |asked| asked.has(&[("start_time", "2"), ("end_time", "1")]),
                |asked| asked.with("start_time", "0"),
            ),
        ),
    ]
}

fn bodies() -> Vec<Break> {
    let success = ["everywhere.success"];
    let status = ["everywhere.success-status"];
    let failure = ["everywhere.failure"];
    let compact = ["everywhere.compact"];
    let refusal = |body: &'static str| {
        move |asked: &Asked, upstream: crate::verify::proxy::Upstream| {
            let came = upstream.ask(asked);
            let is = came.body == r#"{"code":40000,"message":"Invalid parameter."}"#;
            if is { answer(400, body) } else { came }
        }
    };
    let page_text = |from: &'static str, to: &'static str| {
        move |asked: &Asked, upstream: crate::verify::proxy::Upstream| {
            let mut came = upstream.ask(asked);
            if asked.path() == V2 && came.status == 200 {
                came.body = came.body.replacen(from, to, 1);
            }
            came
        }
    };
    vec![
        row(
            "a page says that it is text",
            &status,
            &["but not as application/json"],
            |asked, upstream| {
                let mut came = upstream.ask(asked);
                if asked.path() == QA {
                    came.headers.retain(|(name, _)| came.status != 200 || name != "content-type");
                }
                came
            },
        ),
        row("a page is 201", &status, &["201"], |asked, upstream| {
            let mut came = upstream.ask(asked);
            came.status = if asked.path() == V1 && came.status == 200 { 201 } else { came.status };
            came
        }),
        row(
            "an envelope is around the rows",
            &success,
            &["`code`"],
            json_edited(V1, |_, value| {
                value["code"] = 0.into();
            }),
        ),
        row("white space after a colon", &compact, &["white space"], page_text("\":", "\": ")),
        row(
            "a needless escape",
            &compact,
            &["white space"],
            page_text(":\"text\"", ":\"te\\u0078t\""),
        ),
        row(
            "white space in a refusal",
            &compact,
            &["`code`"],
            refusal(r#"{"code": 40000, "message": "Invalid parameter."}"#),
        ),
        row(
            "a refusal has a third key",
            &failure,
            &["a key of 4 characters"],
            refusal(r#"{"code":40000,"message":"Invalid parameter.","more":1}"#),
        ),
        row(
            "a refusal's keys in another order",
            &["everywhere.failure-order"],
            &["`code`"],
            refusal(r#"{"message":"Invalid parameter.","code":40000}"#),
        ),
        row("a refusal says that it is text", &failure, &["`code`"], |asked, upstream| {
            let mut came = upstream.ask(asked);
            if asked.path() == QA && came.status == 400 {
                came.headers.retain(|(name, _)| name != "content-type");
            }
            came
        }),
    ]
}
