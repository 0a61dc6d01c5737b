//! `GET /v1/messages` and `GET /v2/messages`: the messages of one conversation, their order, pages
//! and keys. Tests the statements of both endpoints (`messages.*`, `messages-v2.*`).

use gptbots_mock::Server;
use serde_json::Value;

use crate::support::client::{Answer, get, walk};
use crate::support::fixture::{
    HARD_JSON, HARD_TEXT, KEY, agent, answer, build, question, serve, silent, talk, with,
};

/// A version: its path, the key of its rows, and its words for 40005 and 40356.
struct Version {
    path: &'static str,
    rows: &'static str,
    past_end: &'static str,
    missing: &'static str,
}

const V1: Version = Version {
    path: "/v1/messages",
    rows: "messages",
    past_end: "Page number exceeds total.",
    missing: "Conversation does not exist.",
};

const V2: Version = Version {
    path: "/v2/messages",
    rows: "conversation_content",
    past_end: "Pagination parameter exceeds actual count",
    missing: "Conversation does not exist",
};

impl Version {
    #[track_caller]
    fn ask(&self, server: &Server, id: &str, page: i64, page_size: i64) -> Answer {
        let query = format!("conversation_id={id}&page={page}&page_size={page_size}");
        get(server, KEY, &format!("{}?{query}", self.path))
    }

    /// One value of each message of a page of conversation `c`.
    #[track_caller]
    fn column(&self, server: &Server, page: i64, page_size: i64, name: &str) -> Vec<String> {
        self.ask(server, "c", page, page_size).column(self.rows, name)
    }

    #[track_caller]
    fn is_past_the_end(&self, server: &Server, page: i64, page_size: i64) {
        let answer = self.ask(server, "c", page, page_size);
        answer.refused(400, 40005, self.past_end, &format!("page {page} does not exist"));
    }
}

/// Conversation `c`, of four messages, the first a welcome, three of them at the same time.
fn four() -> Server {
    serve(&[talk(
        "c",
        &[
            answer("m9", 1000),
            question("m5", 2000),
            with(answer("m7", 2000), "feedback", "GOOD"),
            question("m1", 2000),
        ],
    )])
}

#[test]
fn v1_follows_the_chain_even_within_one_millisecond() {
    assert_eq!(V1.column(&four(), 1, 100, "message_id"), ["m9", "m5", "m7", "m1"]);
}

#[test]
fn v2_is_the_exact_reverse_of_the_chain() {
    assert_eq!(V2.column(&four(), 1, 100, "message_id"), ["m1", "m7", "m5", "m9"]);
}

#[test]
fn each_parent_is_the_message_before() {
    assert_eq!(V1.column(&four(), 1, 100, "parent_message_id"), ["", "m9", "m5", "m7"]);
    assert_eq!(V2.column(&four(), 1, 100, "parent_message_id"), ["m7", "m5", "m9", ""]);
}

/// The parent of a page's first message is on the page before.
#[test]
fn the_chain_goes_on_from_page_to_page() {
    assert_eq!(V1.column(&four(), 2, 2, "parent_message_id"), ["m5", "m7"]);
    assert_eq!(V2.column(&four(), 1, 2, "parent_message_id"), ["m7", "m5"]);
}

#[test]
fn the_welcome_message_comes_first() {
    let types = V1.column(&four(), 1, 100, "message_type");
    assert_eq!(types, ["ANSWER", "QUESTION", "ANSWER", "QUESTION"]);
}

#[test]
fn questions_are_the_users_and_answers_the_assistants() {
    let roles = V2.column(&four(), 1, 100, "role");
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
}

#[test]
fn a_v1_message_is_written_key_by_key() {
    assert_eq!(
        V1.ask(&four(), "c", 2, 1).ok().body,
        concat!(
            r#"{"total":4,"messages":[{"message_id":"m5","parent_message_id":"m9","#,
            r#""message_type":"QUESTION","text":"text of m5","create_time":2000}]}"#
        )
    );
}

#[test]
fn a_v2_message_is_written_key_by_key() {
    assert_eq!(
        V2.ask(&four(), "c", 2, 1).ok().body,
        concat!(
            r#"{"total":4,"conversation_content":[{"message_id":"m7","parent_message_id":"m5","#,
            r#""create_time":2000,"feedback":"POSITIVE","role":"assistant","#,
            r#""content":[{"branch_content":[{"type":"text","text":"text of m7"}]}]}]}"#
        )
    );
}

#[test]
fn v2_shows_how_an_answer_was_rated() {
    let server = serve(&[talk(
        "c",
        &[
            question("q", 1),
            with(answer("good", 2), "feedback", "GOOD"),
            with(answer("bad", 3), "feedback", "BAD"),
            with(answer("none", 4), "feedback", "NONE"),
            answer("absent", 5),
        ],
    )]);
    let feedback = V2.column(&server, 1, 100, "feedback");
    assert_eq!(feedback, ["", "", "NEGATIVE", "POSITIVE", ""]);
}

#[test]
fn total_counts_the_whole_conversation() {
    for version in [V1, V2] {
        for page in 1..=4 {
            assert_eq!(version.ask(&four(), "c", page, 1).ok().json()["total"], 4);
        }
    }
}

#[test]
fn a_page_may_be_longer_than_the_conversation() {
    for version in [V1, V2] {
        assert_eq!(version.ask(&four(), "c", 1, 100).rows(version.rows).len(), 4);
    }
}

#[test]
fn the_last_page_may_be_short() {
    assert_eq!(V1.column(&four(), 2, 3, "message_id"), ["m1"]);
    assert_eq!(V2.column(&four(), 2, 3, "message_id"), ["m9"]);
}

#[test]
fn a_page_past_the_end_is_refused() {
    for version in [V1, V2] {
        version.is_past_the_end(&four(), 3, 3);
        version.is_past_the_end(&four(), 2, 100);
    }
}

/// Four messages fill two pages of two; there is no third.
#[test]
fn after_a_last_page_that_is_full_comes_none() {
    for version in [V1, V2] {
        assert_eq!(version.ask(&four(), "c", 2, 2).rows(version.rows).len(), 2);
        version.is_past_the_end(&four(), 3, 2);
    }
}

#[test]
fn the_last_page_there_can_be_is_refused() {
    for version in [V1, V2] {
        for page_size in [1, 2, 100] {
            version.is_past_the_end(&four(), i64::MAX, page_size);
        }
    }
}

#[test]
fn page_1_of_an_empty_conversation_is_empty() {
    let server = serve(&[silent("c", "u", "API", 1)]);
    assert_eq!(V1.ask(&server, "c", 1, 1).ok().body, r#"{"total":0,"messages":[]}"#);
    assert_eq!(V2.ask(&server, "c", 1, 1).ok().body, r#"{"total":0,"conversation_content":[]}"#);
}

#[test]
fn page_2_of_an_empty_conversation_is_refused() {
    let server = serve(&[silent("c", "u", "API", 1)]);
    for version in [V1, V2] {
        version.is_past_the_end(&server, 2, 100);
    }
}

#[test]
fn the_pages_hold_every_message_once() {
    let messages: Vec<Value> = (0..25).map(|n| question(&format!("m{n}"), n / 4)).collect();
    let server = serve(&[talk("c", &messages)]);
    for version in [V1, V2] {
        let query = format!("{}?conversation_id=c", version.path);
        let all = version.ask(&server, "c", 1, 100).rows(version.rows);
        for page_size in [1, 2, 5, 7, 24, 25, 26] {
            assert_eq!(walk(&server, KEY, &query, version.rows, page_size), all, "{page_size}");
        }
    }
}

#[test]
fn a_conversation_that_nobody_has_is_missing() {
    for version in [V1, V2] {
        version.ask(&four(), "none", 1, 1).refused(400, 40356, version.missing, "none");
    }
}

#[test]
fn a_conversation_id_is_compared_exactly() {
    for version in [V1, V2] {
        for id in ["C", "c%20", "%20c", "cc"] {
            version.ask(&four(), id, 1, 1).refused(400, 40356, version.missing, "");
        }
    }
}

#[test]
fn another_agents_conversation_is_missing() {
    let theirs = agent("other", &[talk("theirs", &[question("q", 1)])]);
    let server = build(&[agent(KEY, &[]), theirs]).start().unwrap();
    for version in [V1, V2] {
        version.ask(&server, "theirs", 1, 1).refused(400, 40356, version.missing, "theirs");
    }
}

#[test]
fn two_agents_may_each_have_a_conversation_of_the_same_id() {
    let theirs = agent("other", &[talk("c", &[question("theirs", 1)])]);
    let server = build(&[theirs, agent(KEY, &[talk("c", &[question("mine", 1)])])]);
    let server = server.start().unwrap();
    for version in [V1, V2] {
        assert_eq!(version.column(&server, 1, 1, "message_id"), ["mine"]);
    }
}

/// The examples of both pages carry one.
#[test]
fn a_user_id_is_ignored() {
    for version in [V1, V2] {
        let plain = version.ask(&four(), "c", 1, 100);
        let with_user = version.ask(&four(), "c&user_id=somebody-else", 1, 100);
        assert_eq!(with_user.ok().body, plain.body);
    }
}

#[test]
fn times_before_1970_are_written_as_they_are() {
    let server = serve(&[talk("c", &[question("q", -5), answer("a", 0)])]);
    assert_eq!(V1.column(&server, 1, 2, "create_time"), ["-5", "0"]);
    assert_eq!(V2.column(&server, 1, 2, "create_time"), ["0", "-5"]);
}

#[test]
fn texts_are_escaped_no_more_than_json_requires() {
    let server = serve(&[talk("c", &[with(question("q", 1), "text", HARD_TEXT)])]);
    for version in [V1, V2] {
        let answer = version.ask(&server, "c", 1, 1);
        assert!(answer.ok().body.contains(&format!(r#""text":"{HARD_JSON}""#)), "{answer:?}");
    }
}
