//! `GET /v1/bot/conversation/page`: filters, window, order, pages and total. Tests the statements
//! of the endpoint (`conversations.*`), and those on encoding and windows that every endpoint
//! shares.

use gptbots_mock::Server;
use serde_json::Value;

use crate::support::client::{ALWAYS, Answer, get, walk};
use crate::support::fixture::{
    HARD_JSON, HARD_TEXT, KEY, agent, answer, build, question, serve, silent, talk, with,
};

const PATH: &str = "/v1/bot/conversation/page";

#[track_caller]
fn ask(server: &Server, query: &str) -> Answer {
    get(server, KEY, &format!("{PATH}?{query}"))
}

/// The ids that a query finds, on one page of 100, in order.
#[track_caller]
fn ids(server: &Server, query: &str) -> Vec<String> {
    ask(server, &format!("{query}&page=1&page_size=100")).column("list", "conversation_id")
}

/// Conversations of user `u` through the API, at these times.
fn at(times: &[(&str, i64)]) -> Server {
    let conversations: Vec<Value> =
        times.iter().map(|(id, time)| silent(id, "u", "API", *time)).collect();
    serve(&conversations)
}

#[track_caller]
fn in_window(start: i64, end: i64) -> Vec<String> {
    let server = at(&[("neg", -1), ("zero", 0), ("a", 1000), ("b", 2000), ("c", 3000)]);
    ids(&server, &format!("conversation_type=ALL&start_time={start}&end_time={end}"))
}

#[test]
fn the_newest_comes_first() {
    let server = at(&[("b", 2000), ("c", 3000), ("a", 1000)]);
    assert_eq!(ids(&server, &format!("conversation_type=ALL&{ALWAYS}")), ["c", "b", "a"]);
}

#[test]
fn at_the_same_time_ids_ascend() {
    let server = at(&[("m", 5), ("z", 5), ("0", 5), ("a", 5), ("new", 6), ("aa", 5)]);
    let found = ids(&server, &format!("conversation_type=ALL&{ALWAYS}"));
    assert_eq!(found, ["new", "0", "a", "aa", "m", "z"]);
}

#[test]
fn at_the_same_time_ids_ascend_on_every_page_size_and_filter() {
    let server = at(&[("e", 5), ("d", 5), ("c", 5), ("b", 5), ("a", 5)]);
    for filter in
        ["conversation_type=ALL", "conversation_type=API", "conversation_type=ALL&user_id=u"]
    {
        for page_size in 1..=6 {
            let query = format!("{PATH}?{filter}&{ALWAYS}");
            let rows = walk(&server, KEY, &query, "list", page_size);
            let found: Vec<_> =
                rows.iter().map(|row| row["conversation_id"].as_str().unwrap()).collect();
            assert_eq!(found, ["a", "b", "c", "d", "e"], "{filter} by {page_size}");
        }
    }
}

#[test]
fn the_window_includes_its_start() {
    assert_eq!(in_window(2000, 2999), ["b"]);
    assert_eq!(in_window(2001, 2999), [""; 0]);
}

#[test]
fn the_window_includes_its_end() {
    assert_eq!(in_window(1001, 2000), ["b"]);
    assert_eq!(in_window(1001, 1999), [""; 0]);
}

#[test]
fn a_window_may_be_one_instant() {
    assert_eq!(in_window(2000, 2000), ["b"]);
}

#[test]
fn a_window_may_not_end_before_it_starts() {
    let server = at(&[]);
    let query = "conversation_type=ALL&start_time=2&end_time=1&page=1&page_size=1";
    ask(&server, query).refused(400, 40000, "Invalid parameter", "start_time");
}

#[test]
fn time_zero_and_times_before_it_are_times() {
    assert_eq!(in_window(-1, 0), ["zero", "neg"]);
    assert_eq!(in_window(0, 0), ["zero"]);
    assert_eq!(in_window(-5, -1), ["neg"]);
}

#[test]
fn the_widest_window_holds_everything() {
    assert_eq!(in_window(i64::MIN, i64::MAX), ["c", "b", "a", "zero", "neg"]);
}

/// Bounds are compared with the time of the newest message, not with those of earlier ones.
#[test]
fn the_window_bounds_the_newest_message() {
    let server = serve(&[talk("c", &[question("q", 1000), answer("a", 2000)])]);
    assert_eq!(ids(&server, "conversation_type=ALL&start_time=0&end_time=1999"), [""; 0]);
    assert_eq!(ids(&server, "conversation_type=ALL&start_time=2000&end_time=2000"), ["c"]);
}

/// One conversation of each user, named as the user.
#[track_caller]
fn of_user(users: &[&str], encoded: &str) -> Vec<String> {
    let conversations: Vec<Value> = users.iter().map(|user| silent(user, user, "API", 1)).collect();
    ids(&serve(&conversations), &format!("conversation_type=ALL&user_id={encoded}&{ALWAYS}"))
}

#[test]
fn a_user_is_matched_exactly() {
    let users = ["u", "U", "u1", "1u", "u ", " u"];
    assert_eq!(of_user(&users, "u"), ["u"]);
    assert_eq!(of_user(&users, "U"), ["U"]);
    assert_eq!(of_user(&users, "u%20"), ["u "]);
    assert_eq!(of_user(&users, "1"), [""; 0]);
}

#[test]
fn all_is_a_user_like_any_other() {
    assert_eq!(of_user(&["u", "ALL"], "ALL"), ["ALL"]);
}

#[test]
fn a_plus_is_a_space_and_an_encoded_plus_is_a_plus() {
    let users = ["a b", "a+b"];
    assert_eq!(of_user(&users, "a+b"), ["a b"]);
    assert_eq!(of_user(&users, "a%2Bb"), ["a+b"]);
    assert_eq!(of_user(&users, "a%2bb"), ["a+b"]);
}

#[test]
fn a_percent_sign_without_two_hex_digits_is_itself() {
    let users = ["100%", "%zz", "%4"];
    assert_eq!(of_user(&users, "100%"), ["100%"]);
    assert_eq!(of_user(&users, "100%25"), ["100%"]);
    assert_eq!(of_user(&users, "%zz"), ["%zz"]);
    assert_eq!(of_user(&users, "%4"), ["%4"]);
}

#[test]
fn a_value_may_hold_an_equals_sign() {
    assert_eq!(of_user(&["a=b", "a"], "a=b"), ["a=b"]);
}

#[test]
fn a_user_may_be_in_any_script() {
    assert_eq!(of_user(&["用户", "u"], "%E7%94%A8%E6%88%B7"), ["用户"]);
}

#[test]
fn an_unknown_user_has_no_conversations() {
    let server = at(&[("a", 1)]);
    let query = format!("conversation_type=ALL&user_id=nobody&{ALWAYS}&page=1&page_size=1");
    assert_eq!(ask(&server, &query).ok().body, r#"{"list":[],"total":0}"#);
}

/// Each named by its type and its user.
fn of_types() -> Server {
    serve(&[
        silent("space-u", "u", "SPACE", 5),
        silent("api-u", "u", "API", 4),
        silent("space-v", "v", "SPACE", 3),
        silent("app-u", "u", "APP", 2),
        silent("old-space-u", "u", "SPACE", 1),
    ])
}

#[test]
fn all_is_no_filter() {
    let all = ["space-u", "api-u", "space-v", "app-u", "old-space-u"];
    assert_eq!(ids(&of_types(), &format!("conversation_type=ALL&{ALWAYS}")), all);
}

#[test]
fn space_matches_space_only() {
    let found = ids(&of_types(), &format!("conversation_type=SPACE&{ALWAYS}"));
    assert_eq!(found, ["space-u", "space-v", "old-space-u"]);
}

#[test]
fn a_type_without_conversations_finds_none() {
    assert_eq!(ids(&of_types(), &format!("conversation_type=SLACK&{ALWAYS}")), [""; 0]);
}

#[test]
fn type_and_user_must_both_match() {
    let found = ids(&of_types(), &format!("conversation_type=SPACE&user_id=u&{ALWAYS}"));
    assert_eq!(found, ["space-u", "old-space-u"]);
    assert_eq!(ids(&of_types(), &format!("conversation_type=API&user_id=v&{ALWAYS}")), [""; 0]);
}

#[test]
fn type_user_and_window_must_all_match() {
    let query = "conversation_type=SPACE&user_id=u&start_time=2&end_time=9";
    assert_eq!(ids(&of_types(), query), ["space-u"]);
}

#[test]
fn total_counts_all_pages() {
    let server = at(&[("a", 1), ("b", 2), ("c", 3)]);
    for (page, rows) in [(1, 2), (2, 1), (3, 0), (4, 0)] {
        let query = format!("conversation_type=ALL&{ALWAYS}&page={page}&page_size=2");
        let answer = ask(&server, &query);
        assert_eq!((answer.rows("list").len(), answer.json()["total"].as_u64()), (rows, Some(3)));
    }
}

#[test]
fn total_counts_matches_only() {
    let query = format!("conversation_type=SPACE&user_id=u&{ALWAYS}&page=1&page_size=1");
    assert_eq!(ask(&of_types(), &query).json()["total"], 2);
}

#[test]
fn the_last_page_there_can_be_is_empty() {
    let server = at(&[("a", 1), ("b", 2)]);
    for size in [1, 2, 100] {
        let query = format!("conversation_type=ALL&{ALWAYS}&page={}&page_size={size}", i64::MAX);
        assert_eq!(ask(&server, &query).ok().body, r#"{"list":[],"total":2}"#);
    }
}

/// 2^62 pages of 4 rows are 2^64 rows: in 64 bits, none.
#[test]
fn a_huge_page_does_not_wrap_around_to_the_first() {
    let query = format!("conversation_type=ALL&{ALWAYS}&page=4611686018427387905&page_size=4");
    assert_eq!(ask(&at(&[("a", 1)]), &query).ok().body, r#"{"list":[],"total":1}"#);
}

#[test]
fn another_agents_conversations_are_not_listed() {
    let mine = agent(KEY, &[silent("mine", "u", "API", 1)]);
    let theirs = agent("other", &[silent("theirs", "u", "API", 1)]);
    let server = build(&[mine, theirs]).start().unwrap();
    assert_eq!(ids(&server, &format!("conversation_type=ALL&user_id=u&{ALWAYS}")), ["mine"]);
}

/// The only row of a server with this conversation, as text.
#[track_caller]
fn row(conversation: Value) -> String {
    let query = "conversation_type=ALL&start_time=-99&end_time=9999&page=1&page_size=1";
    let answer = ask(&serve(&[conversation]), query);
    let body = answer.ok().body.strip_prefix(r#"{"list":["#);
    body.and_then(|body| body.strip_suffix(r#"],"total":1}"#)).unwrap().to_owned()
}

#[test]
fn a_conversation_is_summed_up_from_its_messages() {
    let messages = [answer("hi", 1000), question("q", 1500), answer("a", 2000)];
    assert_eq!(
        row(talk("c", &messages)),
        concat!(
            r#"{"conversation_id":"c","user_id":"u","recent_chat_time":2000,"#,
            r#""subject":"text of q","conversation_type":"API","message_count":3,"#,
            r#""cost_credit":0.03,"bot_id":"b"}"#
        )
    );
}

#[test]
fn a_conversation_without_messages_has_its_own_time_and_no_subject() {
    assert_eq!(
        row(silent("c", "u", "LINE", -7)),
        concat!(
            r#"{"conversation_id":"c","user_id":"u","recent_chat_time":-7,"#,
            r#""subject":"","conversation_type":"LINE","message_count":0,"#,
            r#""cost_credit":0.0,"bot_id":"b"}"#
        )
    );
}

#[test]
fn without_a_question_the_subject_is_empty() {
    assert!(row(talk("c", &[answer("hi", 1)])).contains(r#""subject":"","#));
}

#[test]
fn a_cost_always_has_a_decimal_point() {
    for (cost, text) in [(2.0, "2.0"), (0.01, "0.01"), (0.0, "0.0"), (1.5, "1.5"), (10.0, "10.0")] {
        let row = row(with(silent("c", "u", "API", 1), "cost_credit", cost));
        assert!(row.contains(&format!(r#""cost_credit":{text},"#)), "{row}");
    }
}

#[test]
fn texts_are_escaped_no_more_than_json_requires() {
    let conversation = silent("c", "u", "API", 1);
    let row = row(with(with(conversation, "subject", HARD_TEXT), "user_id", HARD_TEXT));
    assert!(row.contains(&format!(r#""user_id":"{HARD_JSON}","#)), "{row}");
    assert!(row.contains(&format!(r#""subject":"{HARD_JSON}","#)), "{row}");
}
