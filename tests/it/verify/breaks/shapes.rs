//! The rows: which keys, in which order, of which type.

use gptbots_mock::contract::{self, JsonType};
use serde_json::{Value, json};

use super::{ENDPOINTS, LIST, QA, V1, V2, rows_edited, write};
use crate::verify::differs::{Break, row};
use crate::verify::proxy::Asked;

pub(crate) fn rows() -> Vec<Break> {
    let mut all = Vec::new();
    for ((id, path, _), endpoint) in ENDPOINTS.into_iter().zip(contract::ENDPOINTS) {
        assert_eq!(endpoint.path, path);
        for key in endpoint.answer.keys {
            if key.name != "anonymous_id" {
                all.push(of_another_type(id, path, key.name, key.json_type));
            }
        }
        let keys = format!("{id}.keys");
        all.push(row(
            format!("{id}: a key more"),
            &[&keys],
            &["`more`"],
            rows_edited(path, |_, rows| {
                for row in rows {
                    row["more"] = 1.into();
                }
            }),
        ));
        all.push(row(
            format!("{id}: the keys the other way round"),
            &[&keys],
            &["order"],
            move |asked, upstream| {
                let mut came = upstream.ask(asked);
                if asked.path() == path && came.status == 200 && asked.method == "GET" {
                    let value = came.json();
                    let order = std::mem::take(&mut came.body);
                    write(&value, &order, Some(2), &mut came.body);
                }
                came
            },
        ));
    }
    all.extend(values());
    all
}

/// Whether an answer is read for its rows' shape, and for few of their values: the last page of the
/// list, page 2 of the others.
fn is_for_shape(asked: &Asked) -> bool {
    let size = if asked.path() == LIST { "100" } else { "1" };
    let is_second = asked.get("page") == Some("2");
    is_second && asked.get("page_size").is_some_and(|it| it.starts_with(size))
}

/// A value of another type.
fn of_another_type(id: &str, path: &'static str, name: &'static str, json_type: JsonType) -> Break {
    let statement = format!("{id}.row.{name}");
    let (value, word): (Value, &'static [&'static str]) = match json_type {
        JsonType::String | JsonType::List => (json!(7), &["an integer", "page 2", "other rows"]),
        _ => (json!("7"), &["a string"]),
    };
    // The check of pages uses these ids.
    let names_rows = matches!((path, name), (V1 | V2, "message_id") | (QA, "id"));
    let breaks = if names_rows { vec![&*statement, "records.pages"] } else { vec![&*statement] };
    row(
        format!("{statement} is of another type"),
        &breaks,
        word,
        rows_edited(path, move |asked, rows| {
            if let Some(last) = rows.last_mut().filter(|_| is_for_shape(asked)) {
                last[name] = value.clone();
            }
        }),
    )
}

fn values() -> Vec<Break> {
    let word = |path: &'static str, statement: &str, name: &'static str| {
        row(
            format!("{statement} is another word"),
            &[statement],
            &["word"],
            rows_edited(path, move |asked, rows| {
                if let Some(last) = rows.last_mut().filter(|_| is_for_shape(asked)) {
                    last[name] = "Elsewhere".into();
                }
            }),
        )
    };
    let lacks = |path: &'static str, id: &str, name: &'static str| {
        let breaks = [format!("{id}.keys"), format!("{id}.row.{name}")];
        let breaks = breaks.each_ref().map(String::as_str);
        row(
            format!("{id}: no {name}"),
            &breaks,
            &["a row has no", "absent"],
            rows_edited(path, move |_, rows| {
                for row in rows {
                    row.as_object_mut().unwrap().remove(name);
                }
            }),
        )
    };
    vec![
        lacks(LIST, "conversations", "subject"),
        lacks(QA, "qa", "aid"),
        word(LIST, "conversations.row.conversation_type", "conversation_type"),
        word(V1, "messages.row.message_type", "message_type"),
        word(V2, "messages-v2.row.feedback", "feedback"),
        word(QA, "qa.row.convo_type", "convo_type"),
        row(
            "a text is called otherwise",
            &["messages-v2.row.content"],
            &["`type`", "list"],
            rows_edited(V2, |_, rows| {
                for row in rows {
                    row["content"][0]["branch_content"][0]["type"] = "html".into();
                }
            }),
        ),
        row(
            "some have an anonymous_id",
            &["conversations.row.anonymous_id"],
            &["some rows"],
            rows_edited(LIST, |_, rows| {
                if let Some(last) = rows.iter_mut().skip(1).last() {
                    last["anonymous_id"] = "x".into();
                }
            }),
        ),
        row(
            "the API has an anonymous_id",
            &["conversations.row.anonymous_id"],
            &["type API"],
            rows_edited(LIST, |_, rows| {
                for row in rows {
                    row["anonymous_id"] = "x".into();
                }
            }),
        ),
    ]
}
