//! The readings that change the paging of every endpoint: `page-size` and `page-past-end`. Tests
//! the statements on pages past the end.

use gptbots_mock::Server;
use gptbots_mock::contract::{PagePastEnd, PageSize, Reading};
use serde_json::Value;

use crate::support::client::{Answer, get};
use crate::support::fixture::{KEY, agent, answer, build, question, talk};

const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=9999";
const V1: &str = "/v1/messages?conversation_id=c10";
const V2: &str = "/v2/messages?conversation_id=c10";
const QA: &str = "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=9999";

/// 120 conversations, `c0` to `c119`, each of one pair; `c10` of 120 messages.
fn server(reading: impl Reading) -> Server {
    let conversation = |n: i64| {
        let messages: Vec<Value> = match n {
            10 => (0..120).map(|m| question(&format!("m{m}"), 1)).collect(),
            n => vec![question(&format!("q{n}"), n), answer(&format!("a{n}"), n)],
        };
        talk(&format!("c{n}"), &messages)
    };
    let conversations: Vec<Value> = (0..120).map(conversation).collect();
    build(&[agent(KEY, &conversations)]).reading(reading).start().unwrap()
}

#[track_caller]
fn ask(server: &Server, target: &str, page: &str, page_size: &str) -> Answer {
    get(server, KEY, &format!("{target}&page={page}&page_size={page_size}"))
}

/// The least and the most rows of a page, with the key of the rows.
const BOUNDS: [(&str, &str, usize, usize); 4] = [
    (LIST, "list", 1, 100),
    (V1, "messages", 1, 100),
    (V2, "conversation_content", 1, 100),
    (QA, "qa", 10, 100),
];

#[test]
fn page_size_reject_refuses_values_outside() {
    let server = server(PageSize::Reject);
    for (target, _, least, most) in BOUNDS {
        for size in [least - 1, most + 1] {
            assert_eq!(ask(&server, target, "1", &size.to_string()).status, 400, "{target} {size}");
        }
    }
}

#[test]
fn page_size_clamp_takes_less_as_the_least() {
    let server = server(PageSize::Clamp);
    for (target, rows, least, _) in BOUNDS {
        for size in ["0", "-1", "-9223372036854775808"] {
            assert_eq!(ask(&server, target, "1", size).rows(rows).len(), least, "{target} {size}");
        }
    }
}

#[test]
fn page_size_clamp_takes_more_as_the_most() {
    let server = server(PageSize::Clamp);
    for (target, rows, _, most) in BOUNDS {
        for size in ["101", "1000", "9223372036854775807"] {
            assert_eq!(ask(&server, target, "1", size).rows(rows).len(), most, "{target} {size}");
        }
    }
}

/// The pages are those of the size that was taken, not of the one that was sent.
#[test]
fn page_size_clamp_moves_later_pages_too() {
    let server = server(PageSize::Clamp);
    for (target, rows, ..) in BOUNDS {
        let clamped = ask(&server, target, "2", "1000");
        assert_eq!(clamped.ok().body, ask(&server, target, "2", "100").body, "{target}");
        assert!(!clamped.rows(rows).is_empty());
    }
}

#[test]
fn page_size_clamp_keeps_values_inside() {
    let server = server(PageSize::Clamp);
    for (target, rows, ..) in BOUNDS {
        assert_eq!(ask(&server, target, "1", "17").rows(rows).len(), 17, "{target}");
    }
}

#[test]
fn page_size_clamp_still_refuses_non_integers() {
    let server = server(PageSize::Clamp);
    for (target, ..) in BOUNDS {
        for size in ["", "x", "10.0", "%2B10", "+10", "1e2", "9223372036854775808"] {
            let answer = ask(&server, target, "1", size);
            assert_eq!(answer.json()["code"], 40000, "{target} {size}");
        }
    }
}

#[test]
fn page_size_clamp_still_refuses_page_0() {
    let server = server(PageSize::Clamp);
    for (target, ..) in BOUNDS {
        assert_eq!(ask(&server, target, "0", "10").json()["code"], 40000, "{target}");
    }
}

#[test]
fn page_past_end_documented_refuses_messages_only() {
    let server = server(PagePastEnd::Documented);
    assert_eq!(ask(&server, LIST, "99", "10").ok().body, r#"{"list":[],"total":120}"#);
    ask(&server, V1, "99", "10").refused(400, 40005, "Page number exceeds total.", "page");
    let v2 = ask(&server, V2, "99", "10");
    v2.refused(400, 40005, "Pagination parameter exceeds actual count", "page");
    assert_eq!(ask(&server, QA, "99", "10").ok().body, r#"{"qa":[]}"#);
}

#[test]
fn page_past_end_empty_answers_no_rows() {
    let server = server(PagePastEnd::Empty);
    let body = |target| ask(&server, target, "99", "10").ok().body.clone();
    assert_eq!(body(LIST), r#"{"list":[],"total":120}"#);
    assert_eq!(body(V1), r#"{"total":120,"messages":[]}"#);
    assert_eq!(body(V2), r#"{"total":120,"conversation_content":[]}"#);
    assert_eq!(body(QA), r#"{"qa":[]}"#);
}

#[test]
fn page_past_end_error_refuses_everywhere() {
    let server = server(PagePastEnd::Error);
    let reason = "page 99 does not exist; there are 12 pages (";
    for target in [LIST, V1, QA] {
        let answer = ask(&server, target, "99", "10");
        answer.refused(400, 40005, "Page number exceeds total.", reason);
    }
    let v2 = ask(&server, V2, "99", "10");
    v2.refused(400, 40005, "Pagination parameter exceeds actual count", reason);
}

#[test]
fn page_past_end_error_serves_the_last_page() {
    let server = server(PagePastEnd::Error);
    for (target, rows, ..) in BOUNDS {
        assert_eq!(
            ask(&server, target, "2", "100").rows(rows).len(),
            20 - usize::from(rows == "qa")
        );
    }
}

#[test]
fn page_past_end_error_serves_page_1_of_nothing() {
    let server = server(PagePastEnd::Error);
    for (target, rows) in [(LIST, "list"), (QA, "qa")] {
        let nothing = target.replace("start_time=0", "start_time=9000");
        assert!(ask(&server, &nothing, "1", "10").rows(rows).is_empty());
        assert_eq!(ask(&server, &nothing, "2", "10").json()["code"], 40005);
    }
}
