//! Each parameter of each endpoint.

use super::{ENDPOINTS, LIST, QA, V1, answered_as, asked_as};
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::Asked;

const ERROR: &str = r#"{"code":404,"message":"Not found"}"#;

pub(crate) fn rows() -> Vec<Break> {
    let (times, paged) = (["start_time", "end_time"], ["page", "page_size"]);
    let list = [&["conversation_type"][..], &times, &paged].concat();
    let messages = [&["conversation_id"][..], &paged].concat();
    let names = [list, messages.clone(), messages, [&times[..], &paged].concat()];
    let mut all = Vec::new();
    for ((id, path, _), names) in ENDPOINTS.into_iter().zip(names) {
        all.extend(names.into_iter().map(|name| needless(id, path, name)));
        let page = format!("{id}.page");
        all.push(row(
            format!("{id}: page 0 is page 1"),
            &[&page],
            &["a page"],
            asked_as(
                move |asked| asked.path() == path && asked.get("page") == Some("0"),
                |asked| asked.with("page", "1"),
            ),
        ));
        let size = format!("{id}.page_size");
        all.push(row(
            format!("{id}: page_size 101 breaks it"),
            &[&size],
            &["404"],
            answered_as(
                move |asked| asked.path() == path && asked.get("page_size") == Some("101"),
                404,
                ERROR,
            ),
        ));
    }
    all.extend(values());
    all.into_iter().map(|row| row.over(World::Small)).collect()
}

/// A parameter that is required may be left out.
fn needless(id: &str, path: &'static str, name: &'static str) -> Break {
    let statement = format!("{id}.{name}");
    let value = match name {
        "conversation_type" => "ALL",
        "start_time" => "0",
        "end_time" => "9999999999999",
        "page" => "1",
        "page_size" => "10",
        _ => "ffffffffffffffffffffffff",
    };
    row(
        format!("{statement} may be absent"),
        &[&statement],
        &["a page", "40356"],
        asked_as(
            move |asked| {
                asked.path() == path
                    && !asked.query().is_empty()
                    && !asked.authorization().is_empty()
                    && asked.query().split('&').all(|pair| pair.split('=').next() != Some(name))
            },
            move |asked| asked.with(name, value),
        ),
    )
}

fn values() -> Vec<Break> {
    let is_lower = |name: &'static str| {
        move |asked: &Asked| {
            let value = asked.get(name).unwrap_or_default();
            value.chars().any(|char| char.is_ascii_lowercase()) && !value.contains("%4c")
        }
    };
    let upper = |name: &'static str| {
        move |asked: &Asked| asked.with(name, &asked.get(name).unwrap().to_uppercase())
    };
    let has = |path: &'static str, name: &'static str, value: &'static str| {
        move |asked: &Asked| asked.path() == path && asked.get(name) == Some(value)
    };
    vec![
        row(
            "a channel in lower case is one",
            &["conversations.conversation_type"],
            &["a page"],
            asked_as(is_lower("conversation_type"), upper("conversation_type")),
        ),
        row(
            "a rating in lower case is one",
            &["qa.user_feedback"],
            &["a page"],
            asked_as(is_lower("user_feedback"), upper("user_feedback")),
        ),
        row(
            "no rating breaks it",
            &["qa.user_feedback"],
            &["404"],
            answered_as(
                |asked| {
                    asked.path() == QA
                        && !asked.query().is_empty()
                        && asked.get("user_feedback").is_none()
                },
                404,
                ERROR,
            ),
        ),
        row(
            "page_size 0 has no rows",
            &["conversations.page_size"],
            &["0 rows"],
            answered_as(has(LIST, "page_size", "0"), 200, r#"{"list":[],"total":200}"#),
        ),
        row(
            "page_size 9 breaks it",
            &["qa.page_size"],
            &["404"],
            answered_as(has(QA, "page_size", "9"), 404, ERROR),
        ),
        row(
            "one endpoint clamps page_size",
            &[
                "conversations.page_size",
                "messages.page_size",
                "messages-v2.page_size",
                "qa.page_size",
            ],
            &["contradict each other on page-size"],
            asked_as(has(V1, "page_size", "101"), |asked| asked.with("page_size", "100")),
        ),
        row(
            "a conversation that nobody has is empty",
            &["messages.conversation_id", "messages.40356"],
            &["0 rows"],
            answered_as(
                |asked| {
                    let nobody = ("conversation_id", "ffffffffffffffffffffffff");
                    asked.path() == V1 && asked.has(&[nobody, ("page", "1"), ("page_size", "1")])
                },
                200,
                r#"{"total":0,"messages":[]}"#,
            ),
        ),
        row(
            "v2 says otherwise of one that nobody has",
            &["messages-v2.conversation_id", "messages-v2.40356"],
            &["40000"],
            answered_as(
                |asked| {
                    let nobody = ("conversation_id", "ffffffffffffffffffffffff");
                    asked.path() == super::V2
                        && asked.has(&[nobody, ("page", "1"), ("page_size", "1")])
                },
                400,
                r#"{"code":40000,"message":"Invalid parameters"}"#,
            ),
        ),
    ]
}
