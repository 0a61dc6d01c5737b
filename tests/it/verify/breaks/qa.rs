//! The Q&A list, and what it shares with the other endpoints.

use super::{QA, add, asked_as, json_edited, rows_edited};
use crate::verify::differs::{Break, World, row};
use crate::verify::proxy::Asked;

/// Page 1 of everything.
fn is_first(asked: &Asked) -> bool {
    let pairs =
        [("user_feedback", "ALL"), ("start_time", "0"), ("page", "1"), ("page_size", "100")];
    asked.path() == QA && asked.has(&pairs)
}

/// A window of a conversation's questions.
fn is_window(asked: &Asked) -> bool {
    asked.path() == QA && asked.get("start_time").is_some_and(|start| start != "0")
}

fn time(asked: &Asked, name: &str) -> i64 {
    asked.get(name).unwrap().parse().unwrap()
}

pub(crate) fn rows() -> Vec<Break> {
    [whole(), windows()].into_iter().flatten().collect()
}

fn whole() -> Vec<Break> {
    let total = ["qa.total"];
    let far = |asked: &Asked| asked.path() == QA && asked.get("page") == Some("1000000");
    vec![
        row(
            "a total is a string",
            &total,
            &["total"],
            json_edited(QA, |_, value| value["total"] = "many".into()),
        ),
        row(
            "a total counts less than the page",
            &total,
            &["total"],
            json_edited(QA, |_, value| value["total"] = 1.into()),
        ),
        row(
            "a time falls",
            &["qa.order"],
            &["by time"],
            rows_edited(QA, |asked, rows| {
                if is_first(asked) {
                    add(&mut rows[50], "q_time", -10_000_000);
                }
            }),
        ),
        row(
            "a time is in milliseconds",
            &["qa.order", "qa.row.q_time"],
            &["by time", "in seconds"],
            rows_edited(QA, |asked, rows| {
                if is_first(asked) {
                    let seconds = rows[50]["q_time"].as_i64().unwrap();
                    rows[50]["q_time"] = (seconds * 1000).into();
                }
            }),
        ),
        row(
            "ties stand another way",
            &["qa.ties"],
            &["ids"],
            rows_edited(QA, |_, rows| {
                // No three have the same time.
                for one in 1..rows.len() {
                    if rows[one]["q_time"] == rows[one - 1]["q_time"] {
                        rows.swap(one, one - 1);
                    }
                }
            }),
        )
        .over(World::Small),
        row(
            "a far page is the first",
            &["qa.past-end"],
            &["a page"],
            asked_as(far, |asked| asked.with("page", "1")),
        ),
        row(
            "page 2 repeats page 1",
            &["records.pages"],
            &["page 2"],
            asked_as(
                |asked| asked.path() == QA && asked.has(&[("page", "2"), ("page_size", "10")]),
                |asked| asked.with("page", "1"),
            ),
        ),
        row(
            "a rating loses a row",
            &["qa.user_feedback", "records.all"],
            &["instead of", "other rows"],
            rows_edited(QA, |asked, rows| {
                if asked.has(&[("user_feedback", "BAD"), ("page_size", "100")]) {
                    rows.remove(0);
                }
            }),
        ),
        row(
            "a rating is ignored",
            &["qa.user_feedback", "records.all"],
            &["do not match the filter"],
            asked_as(
                |asked| asked.path() == QA && asked.get("user_feedback") == Some("GOOD"),
                |asked| asked.with("user_feedback", "ALL"),
            ),
        ),
    ]
}

fn windows() -> Vec<Break> {
    let pairs = ["records.pairs"];
    let seconds = |asked: &Asked| {
        let (start, end) = (time(asked, "start_time"), time(asked, "end_time"));
        let start = start.div_euclid(1000) * 1000;
        let end = end.div_euclid(1000) * 1000 + 999;
        asked.with("start_time", &start.to_string()).with("end_time", &end.to_string())
    };
    vec![
        row(
            "start_time is ignored",
            &["qa.start_time"],
            &["before"],
            asked_as(is_window, |asked| asked.with("start_time", "0")),
        ),
        row(
            "end_time is ignored",
            &["qa.end_time"],
            &["after"],
            asked_as(is_window, |asked| asked.with("end_time", "9999999999999")),
        ),
        row(
            "the window is one of seconds",
            &["qa.milliseconds"],
            &["before"],
            asked_as(is_window, seconds),
        ),
        row(
            "a question is another",
            &pairs,
            &["pairs"],
            rows_edited(QA, |_, rows| {
                for row in rows {
                    row["q"] = "what?".into();
                }
            }),
        ),
        row(
            "an answer is another",
            &pairs,
            &["pairs"],
            rows_edited(QA, |_, rows| {
                for row in rows {
                    row["a"] = "that!".into();
                }
            }),
        ),
        row(
            "a pair stands twice",
            &["records.pairs", "qa.row.id"],
            &["pairs", "two rows"],
            rows_edited(QA, |asked, rows| {
                if is_window(asked) {
                    rows.push(rows[0].clone());
                }
            }),
        ),
        row(
            "a pair is missing",
            &pairs,
            &["pairs"],
            rows_edited(QA, |asked, rows| {
                if is_window(asked) && time(asked, "start_time") % 1000 != 1 {
                    rows.retain(|row| row["user_feedback"] == "nothing");
                }
            }),
        )
        .over(World::EdgeSecond),
    ]
}
