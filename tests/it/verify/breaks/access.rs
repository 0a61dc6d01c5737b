//! Paths, methods and keys, and the order in which they are checked.

use super::{LIST, V1, answered_as, asked_as};
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::Asked;

const UNKNOWN: &str = r#"{"code":40127,"message":"Authentication failed."}"#;

pub(crate) fn rows() -> Vec<Break> {
    let tables = [order_of_checks(), paths(), keys()];
    tables.into_iter().flatten().map(|row| row.over(World::Small)).collect()
}

fn has_no_key(asked: &Asked) -> bool {
    asked.authorization().is_empty()
}

fn order_of_checks() -> Vec<Break> {
    let order = ["everywhere.order-of-checks"];
    let key = |asked: &Asked| asked.authorization().join("");
    vec![
        row("parameters before the key", &order, &["40000"], |asked, upstream| {
            if asked.query().is_empty() && has_no_key(asked) {
                return upstream.ask(&asked.as_key("Bearer app-demo"));
            }
            upstream.ask(asked)
        }),
        row(
            "parameters before the deleted agent",
            &order,
            &["40000"],
            asked_as(
                move |asked| key(asked).contains("deleted"),
                |asked| asked.as_key("Bearer app-demo"),
            ),
        ),
        row(
            "the conversation before the parameters",
            &order,
            &["40356"],
            asked_as(
                |asked| {
                    asked
                        .has(&[("conversation_id", "ffffffffffffffffffffffff"), ("page_size", "x")])
                },
                |asked| asked.with("page_size", "1"),
            ),
        ),
        row(
            "the page before the conversation",
            &order,
            &["40005"],
            answered_as(
                |asked| {
                    let both =
                        [("conversation_id", "ffffffffffffffffffffffff"), ("page", "1000000")];
                    asked.path() == V1 && asked.has(&both)
                },
                400,
                r#"{"code":40005,"message":"Page number exceeds total."}"#,
            ),
        ),
        row(
            "the key before the path",
            &order,
            &["40127"],
            answered_as(
                |asked| asked.path() == "/v1/no/such/path" && has_no_key(asked),
                401,
                UNKNOWN,
            ),
        ),
    ]
}

fn paths() -> Vec<Break> {
    let path = ["everywhere.unknown-path"];
    let methods = ["everywhere.other-methods"];
    let head = ["everywhere.head"];
    let is_head = |asked: &Asked| asked.method == "HEAD";
    vec![
        row(
            "a trailing slash is served",
            &path,
            &["`list`"],
            asked_as(
                |asked| asked.path().ends_with("/page/"),
                |asked| asked.to(&asked.target.replace("/page/", "/page")),
            ),
        ),
        row(
            "another case is served",
            &path,
            &["a page", "object", "{"],
            asked_as(
                |asked| asked.path() == LIST.to_uppercase(),
                |asked| asked.to(&asked.target.replace(&LIST.to_uppercase(), LIST)),
            ),
        ),
        row(
            "an unknown path is fine",
            &path,
            &["an object", "{}", "200"],
            answered_as(
                |asked| asked.path() == "/v1/no/such/path" && !has_no_key(asked),
                200,
                "{}",
            ),
        ),
        row(
            "OPTIONS is 200",
            &methods,
            &["200"],
            answered_as(|asked| asked.method == "OPTIONS", 200, ""),
        ),
        row("OPTIONS names no methods", &methods, &["Allow"], |asked, upstream| {
            let mut answer = upstream.ask(asked);
            answer.headers.retain(|(name, _)| name != "allow");
            answer
        }),
        row("HEAD has another length", &head, &["Content-Length"], move |asked, upstream| {
            let mut answer = upstream.ask(asked);
            for (name, value) in &mut answer.headers {
                if is_head(asked) && name == "content-length" {
                    value.push('0');
                }
            }
            answer
        }),
        row("HEAD has another type", &head, &["Content-Type"], move |asked, upstream| {
            let mut answer = upstream.ask(asked);
            answer.headers.retain(|(name, _)| !is_head(asked) || name != "content-type");
            answer
        }),
        row("HEAD is refused", &head, &["405"], answered_as(is_head, 405, "")),
    ]
}

fn keys() -> Vec<Break> {
    let starts = |asked: &Asked, with: &str| {
        asked.authorization().first().is_some_and(|value| value.starts_with(with))
    };
    let key = |key: &'static str| move |asked: &Asked| asked.as_key(key);
    let is = |value: &'static str| move |asked: &Asked| asked.authorization() == [value];
    vec![
        row(
            "no key is needed",
            &["everywhere.authentication"],
            &["a page"],
            asked_as(
                |asked| has_no_key(asked) && asked.path() == LIST && !asked.query().is_empty(),
                key("Bearer app-demo"),
            ),
        ),
        row(
            "without a key nothing is found",
            &[
                "everywhere.authentication",
                "conversations.40127",
                "messages.40127",
                "messages-v2.40127",
                "qa.40127",
            ],
            &["404"],
            answered_as(
                |asked| has_no_key(asked) && !asked.path().ends_with("/such/path"),
                404,
                r#"{"code":404,"message":"Not found"}"#,
            ),
        ),
        row(
            "bearer in lower case is refused",
            &["everywhere.scheme"],
            &["40127"],
            answered_as(move |asked| starts(asked, "bearer"), 401, UNKNOWN),
        ),
        row(
            "several spaces are refused",
            &["everywhere.scheme"],
            &["40127"],
            answered_as(
                |asked| asked.authorization().iter().any(|value| value.contains("  ")),
                401,
                UNKNOWN,
            ),
        ),
        row(
            "a key in another case is known",
            &["everywhere.key"],
            &["a page"],
            asked_as(is("Bearer APP-DEMO"), key("Bearer app-demo")),
        ),
        row(
            "a key begins with another",
            &["everywhere.key"],
            &["a page"],
            asked_as(is("Bearer app-demox"), key("Bearer app-demo")),
        ),
        row(
            "the first of two headers counts",
            &["everywhere.two-headers"],
            &["a page"],
            asked_as(|asked| asked.authorization().len() == 2, key("Bearer app-demo")),
        ),
        row(
            "any scheme is fine",
            &["everywhere.other-scheme"],
            &["a page"],
            asked_as(is("Basic app-demo"), key("Bearer app-demo")),
        ),
        row(
            "an empty key is known",
            &["everywhere.empty-key"],
            &["a page"],
            asked_as(is("Bearer"), key("Bearer app-demo")),
        ),
    ]
}
