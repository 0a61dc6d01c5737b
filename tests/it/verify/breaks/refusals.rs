//! The words and the status of each code.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{ENDPOINTS, LIST, QA, answer, answered_as};
use crate::support::client::Answer;
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::{Asked, Upstream};

/// The codes that each endpoint shows, in the order of [`ENDPOINTS`].
const CODES: [&[u32]; 4] = [
    &[40000, 40127, 20059],
    &[40000, 40005, 40127, 40356, 20059],
    &[40000, 40005, 40127, 40356, 20059],
    &[40000, 40127, 20059],
];

/// Edits refusals of a code.
fn refused(
    is: impl Fn(&Asked) -> bool + Send + Sync + 'static,
    code: u32,
    edit: impl Fn(&mut Answer) + Send + Sync + 'static,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    move |asked, upstream| {
        let mut answer = upstream.ask(asked);
        if is(asked) && answer.body.starts_with(&format!("{{\"code\":{code},")) {
            edit(&mut answer);
        }
        answer
    }
}

pub(crate) fn rows() -> Vec<Break> {
    let mut all = Vec::new();
    for ((id, path, _), codes) in ENDPOINTS.into_iter().zip(CODES) {
        for code in codes {
            let statement = format!("{id}.{code}");
            all.push(row(
                format!("{statement} reads otherwise"),
                &[&statement],
                &["an undocumented message"],
                refused(
                    move |asked| asked.path() == path,
                    *code,
                    |answer| {
                        answer.body = answer.body.replace("\"message\":\"", "\"message\":\"Alas, ");
                    },
                ),
            ));
        }
        let statement = format!("{id}.20059");
        all.push(row(
            format!("{id}: a deleted agent's key is unknown"),
            &[&statement],
            &["40127"],
            {
                move |asked: &Asked, upstream: Upstream| {
                    if asked.path() == path && asked.authorization().join("").contains("deleted") {
                        return upstream.ask(&asked.as_key("Bearer nobody"));
                    }
                    upstream.ask(asked)
                }
            },
        ));
    }
    for code in [404, 405] {
        let statement = format!("everywhere.{code}");
        all.push(row(
            format!("{code} reads otherwise"),
            &[&statement],
            &["an undocumented message"],
            refused(
                |_| true,
                code,
                |answer| {
                    answer.body = answer.body.replace("\"message\":\"", "\"message\":\"Alas, ");
                },
            ),
        ));
        all.push(row(
            format!("{code} is another status"),
            &["everywhere.error-status"],
            &["HTTP 403"],
            refused(|_| true, code, |answer| answer.status = 403),
        ));
    }
    all.extend(statuses());
    let small = all.into_iter().map(|row| row.over(World::Small));
    small.chain(strict()).chain(rare()).collect()
}

/// What only a reading brings to the lists.
fn strict() -> impl Iterator<Item = Break> {
    [("conversations", LIST), ("qa", QA)].into_iter().map(|(id, path)| {
        let alas = refused(
            move |asked| asked.path() == path,
            40005,
            |came| *came = answer(400, r#"{"code":40005,"message":"Alas"}"#),
        );
        let statement = format!("{id}.40005");
        let row = row(
            format!("{statement} reads otherwise"),
            &[&statement],
            &["an undocumented message"],
            alas,
        );
        row.over(World::Strict)
    })
}

/// What a server answers when it has had enough, or fails: once, to one request.
fn rare() -> [Break; 2] {
    let is = |asked: &Asked| asked.get("conversation_type") == Some("ZAPIER");
    let first = AtomicBool::new(true);
    let limited = move |asked: &Asked, upstream: Upstream| {
        if !is(asked) || !first.swap(false, Ordering::Relaxed) {
            return upstream.ask(asked);
        }
        let mut limited = answer(429, r#"{"code":40008,"message":"Alas"}"#);
        limited.headers.push(("retry-after".to_owned(), "0".to_owned()));
        limited
    };
    let failed = answered_as(is, 500, r#"{"code":50000,"message":"Alas"}"#);
    [
        row("40008 reads otherwise", &["everywhere.40008"], &["an undocumented message"], limited),
        row("50000 reads otherwise", &["everywhere.50000"], &["an undocumented message"], failed),
    ]
    .map(|row| row.over(World::Small))
}

fn statuses() -> Vec<Break> {
    let status = ["everywhere.error-status"];
    let deleted = ["conversations.20059", "messages.20059", "messages-v2.20059", "qa.20059"];
    vec![
        row(
            "40000 is 422",
            &status,
            &["HTTP 422"],
            refused(|_| true, 40000, |answer| answer.status = 422),
        ),
        row(
            "40127 is 403",
            &status,
            &["HTTP 403"],
            refused(|_| true, 40127, |answer| answer.status = 403),
        ),
        row(
            "some refusals are 200",
            &status,
            &["contradict each other"],
            refused(|_| true, 40356, |answer| answer.status = 200),
        ),
        row(
            "some say Bot, some Agent",
            &deleted,
            &["contradict each other on wording"],
            refused(
                |asked| asked.path().contains("v2"),
                20059,
                |came| *came = answer(400, r#"{"code":20059,"message":"Bot has been deleted"}"#),
            ),
        ),
    ]
}
