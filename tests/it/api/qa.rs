//! `GET /v1/message/qa/record/page`: which question and answer make a pair, window, rating, order
//! and pages. Tests the statements of the endpoint (`qa.*`).

use gptbots_mock::Server;
use serde_json::Value;

use crate::support::client::{ALWAYS, Answer, get, walk};
use crate::support::fixture::{
    HARD_JSON, HARD_TEXT, KEY, agent, answer, build, question, serve, silent, talk, with,
};

const PATH: &str = "/v1/message/qa/record/page";

#[track_caller]
fn ask(server: &Server, query: &str) -> Answer {
    get(server, KEY, &format!("{PATH}?{query}"))
}

/// The ids that a query finds, on one page of 100, in order.
#[track_caller]
fn ids(server: &Server, query: &str) -> Vec<String> {
    ask(server, &format!("{query}&page=1&page_size=100")).column("qa", "id")
}

/// The ids of every pair of these conversations.
#[track_caller]
fn pairs(conversations: &[Value]) -> Vec<String> {
    let query = "user_feedback=ALL&start_time=-9999&end_time=9999999999999";
    ids(&serve(conversations), query)
}

/// A conversation of one pair: question `q<id>` at a time, answer `a<id>` a millisecond later.
fn pair(id: &str, time: i64) -> Value {
    rated(id, time, "NONE")
}

fn rated(id: &str, time: i64, feedback: &str) -> Value {
    let question = with(question(&format!("q{id}"), time), "qa_id", id);
    let answer = with(answer(&format!("a{id}"), time + 1), "feedback", feedback);
    talk(&format!("c{id}"), &[question, answer])
}

#[test]
fn a_question_and_the_answer_right_after_it_are_a_pair() {
    let messages = [question("q1", 1), answer("a1", 2), question("q2", 3), answer("a2", 4)];
    assert_eq!(pairs(&[talk("c", &messages)]), ["q1", "q2"]);
}

#[test]
fn a_welcome_is_no_part_of_a_pair() {
    let messages = [answer("hi", 1), question("q", 2), answer("a", 3)];
    assert_eq!(pairs(&[talk("c", &messages)]), ["q"]);
    assert_eq!(pairs(&[talk("c", &[answer("hi", 1)])]), [""; 0]);
}

#[test]
fn a_second_answer_makes_no_second_pair() {
    let messages = [question("q", 1), answer("a", 2), answer("more", 3)];
    let server = serve(&[talk("c", &messages)]);
    let answer = ask(&server, &format!("user_feedback=ALL&{ALWAYS}&page=1&page_size=10"));
    assert_eq!(answer.column("qa", "aid"), ["a"]);
}

#[test]
fn of_two_questions_in_a_row_the_answered_one_makes_a_pair() {
    let messages = [question("first", 1), question("second", 2), answer("a", 3)];
    assert_eq!(pairs(&[talk("c", &messages)]), ["second"]);
}

#[test]
fn an_unanswered_question_is_no_pair() {
    let messages = [question("q", 1), answer("a", 2), question("last", 3)];
    assert_eq!(pairs(&[talk("c", &messages)]), ["q"]);
}

/// The question of one conversation and the answer of the next are no pair.
#[test]
fn a_pair_never_spans_conversations() {
    let conversations = [talk("c", &[question("q", 1)]), talk("d", &[answer("a", 2)])];
    assert_eq!(pairs(&conversations), [""; 0]);
}

#[test]
fn an_empty_conversation_has_no_pairs() {
    assert_eq!(pairs(&[silent("c", "u", "API", 1)]), [""; 0]);
}

#[test]
fn a_row_is_written_key_by_key() {
    let mut talk = talk("c", &[question("q", 1999), with(answer("a", 3000), "feedback", "BAD")]);
    talk["conversation_type"] = "WEB".into();
    assert_eq!(
        ask(&serve(&[talk]), &format!("user_feedback=ALL&{ALWAYS}&page=1&page_size=10")).ok().body,
        concat!(
            r#"{"qa":[{"id":"q","q_time":1,"q":"text of q","a":"text of a","#,
            r#""user_feedback":"BAD","convo_id":"c","convo_type":"WEB","aid":"a","user_id":"u"}]}"#
        )
    );
}

#[test]
fn a_pair_may_have_an_id_of_its_own() {
    assert_eq!(pairs(&[pair("own", 1)]), ["own"]);
}

/// Whole seconds, the last that had begun.
#[test]
fn q_time_is_rounded_down() {
    for (time, second) in [(0, "0"), (999, "0"), (1000, "1"), (1999, "1"), (-1, "-1")] {
        let query = "user_feedback=ALL&start_time=-9&end_time=9999&page=1&page_size=10";
        let answer = ask(&serve(&[pair("1", time)]), query);
        assert_eq!(answer.column("qa", "q_time"), [second], "{time}");
    }
}

#[test]
fn the_oldest_question_comes_first() {
    assert_eq!(pairs(&[pair("b", 2000), pair("c", 3000), pair("a", 1000)]), ["a", "b", "c"]);
}

#[test]
fn within_a_second_the_millisecond_decides() {
    assert_eq!(pairs(&[pair("a", 1002), pair("b", 1000), pair("c", 1001)]), ["b", "c", "a"]);
}

#[test]
fn at_the_same_time_ids_ascend() {
    let found = pairs(&[pair("m", 5), pair("z", 5), pair("0", 5), pair("old", 4), pair("a", 5)]);
    assert_eq!(found, ["old", "0", "a", "m", "z"]);
}

#[test]
fn within_one_conversation_too_ids_settle_a_tie() {
    let asked = |message: &str, id: &str| with(question(message, 5), "qa_id", id);
    let messages = [asked("q1", "z"), answer("a1", 5), asked("q2", "a"), answer("a2", 5)];
    assert_eq!(pairs(&[talk("c", &messages)]), ["a", "z"]);
}

#[track_caller]
fn in_window(start: i64, end: i64) -> Vec<String> {
    let server = serve(&[pair("neg", -1), pair("zero", 0), pair("a", 1000), pair("b", 2000)]);
    ids(&server, &format!("user_feedback=ALL&start_time={start}&end_time={end}"))
}

#[test]
fn the_window_includes_its_start() {
    assert_eq!(in_window(2000, 2999), ["b"]);
    assert_eq!(in_window(2001, 2999), [""; 0]);
}

#[test]
fn the_window_includes_its_end() {
    assert_eq!(in_window(999, 1000), ["a"]);
    assert_eq!(in_window(998, 999), [""; 0]);
}

#[test]
fn a_window_may_be_one_instant() {
    assert_eq!(in_window(1000, 1000), ["a"]);
}

#[test]
fn a_window_may_not_end_before_it_starts() {
    let query = "user_feedback=ALL&start_time=2&end_time=1&page=1&page_size=10";
    ask(&serve(&[]), query).refused(400, 40000, "Invalid parameter", "start_time");
}

#[test]
fn time_zero_and_times_before_it_are_times() {
    assert_eq!(in_window(-1, 0), ["neg", "zero"]);
    assert_eq!(in_window(i64::MIN, i64::MAX), ["neg", "zero", "a", "b"]);
}

/// The window bounds the question, not the answer, and knows milliseconds.
#[test]
fn the_window_bounds_the_question() {
    let messages = [question("q", 1500), answer("a", 5000)];
    let server = serve(&[talk("c", &messages)]);
    assert_eq!(ids(&server, "user_feedback=ALL&start_time=1500&end_time=1500"), ["q"]);
    assert_eq!(ids(&server, "user_feedback=ALL&start_time=1501&end_time=5000"), [""; 0]);
    assert_eq!(ids(&server, "user_feedback=ALL&start_time=1000&end_time=1499"), [""; 0]);
}

#[track_caller]
fn rated_so(feedback: &str) -> Vec<String> {
    let ratings = [("n", "NONE"), ("g", "GOOD"), ("b", "BAD"), ("h", "GOOD")];
    let conversations: Vec<Value> =
        (1..).zip(ratings).map(|(time, (id, feedback))| rated(id, time, feedback)).collect();
    ids(&serve(&conversations), &format!("user_feedback={feedback}&{ALWAYS}"))
}

#[test]
fn a_rating_finds_the_pairs_that_were_rated_so() {
    assert_eq!(rated_so("GOOD"), ["g", "h"]);
    assert_eq!(rated_so("BAD"), ["b"]);
}

#[test]
fn none_finds_the_pairs_that_were_not_rated() {
    assert_eq!(rated_so("NONE"), ["n"]);
}

#[test]
fn all_is_no_filter() {
    assert_eq!(rated_so("ALL"), ["n", "g", "b", "h"]);
}

#[test]
fn rating_and_window_must_both_match() {
    let server = serve(&[rated("a", 1, "GOOD"), rated("b", 2, "GOOD"), rated("c", 2, "BAD")]);
    assert_eq!(ids(&server, "user_feedback=GOOD&start_time=2&end_time=9"), ["b"]);
}

/// 25 pairs, five at each time.
fn twenty_five() -> Server {
    serve(&(0..25).map(|n| pair(&format!("{n:02}"), n / 5)).collect::<Vec<_>>())
}

#[test]
fn a_page_past_the_end_is_empty() {
    for (page, rows) in [(1, 10), (2, 10), (3, 5), (4, 0), (i64::MAX, 0)] {
        let query = format!("user_feedback=ALL&{ALWAYS}&page={page}&page_size=10");
        assert_eq!(ask(&twenty_five(), &query).rows("qa").len(), rows, "{page}");
    }
}

/// 2^60 pages of 16 rows are 2^64 rows: in 64 bits, none.
#[test]
fn a_huge_page_does_not_wrap_around_to_the_first() {
    let query = format!("user_feedback=ALL&{ALWAYS}&page=1152921504606846977&page_size=16");
    assert_eq!(ask(&twenty_five(), &query).ok().body, r#"{"qa":[]}"#);
}

#[test]
fn there_is_no_total() {
    let query = format!("user_feedback=ALL&{ALWAYS}&page=4&page_size=10");
    assert_eq!(ask(&twenty_five(), &query).ok().body, r#"{"qa":[]}"#);
}

#[test]
fn the_pages_hold_every_pair_once() {
    let server = twenty_five();
    let all = ask(&server, &format!("user_feedback=ALL&{ALWAYS}&page=1&page_size=100")).rows("qa");
    for page_size in [10, 12, 24, 25, 26] {
        let query = format!("{PATH}?user_feedback=ALL&{ALWAYS}");
        assert_eq!(walk(&server, KEY, &query, "qa", page_size), all, "{page_size}");
    }
}

#[test]
fn another_agents_pairs_are_not_listed() {
    let agents = [agent("other", &[pair("theirs", 1)]), agent(KEY, &[pair("mine", 1)])];
    let server = build(&agents).start().unwrap();
    assert_eq!(ids(&server, &format!("user_feedback=ALL&{ALWAYS}")), ["mine"]);
}

#[test]
fn texts_are_escaped_no_more_than_json_requires() {
    let question = with(question("q", 1), "text", HARD_TEXT);
    let answer = with(answer("a", 2), "text", HARD_TEXT);
    let server = serve(&[talk("c", &[question, answer])]);
    let answer = ask(&server, &format!("user_feedback=ALL&{ALWAYS}&page=1&page_size=10"));
    assert!(answer.ok().body.contains(&format!(r#""q":"{HARD_JSON}","a":"{HARD_JSON}","#)));
}
