//! Each value of each reading, as a client sees it. Tests the statements that a reading changes.

use gptbots_mock::contract::{
    AnonymousId, ErrorStatus, FeedbackAbsent, ListTotal, MessagesOrder, MessagesTotal, QaOrder,
    QaTime, QaTotal, Reading, V2MessagesOrder, Wording,
};
use gptbots_mock::{Server, ServerBuilder};
use serde_json::Value;

use crate::support::client::{ALWAYS, Answer, get, request, walk};
use crate::support::fixture::{KEY, agent, answer, build, question, silent, talk, with};

const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=9999";
const V1: &str = "/v1/messages?conversation_id=c";
const V2: &str = "/v2/messages?conversation_id=c";
const QA: &str = "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=9999";

/// Conversation `c` of two pairs through the API, and a silent, older one, `d`, through LINE.
fn records() -> ServerBuilder {
    let asked = |id: &str, time| question(&format!("q{id}"), time);
    let messages = [
        asked("1", 1001),
        with(answer("a1", 1500), "feedback", "GOOD"),
        asked("2", 2999),
        answer("a2", 3000),
    ];
    build(&[agent(KEY, &[talk("c", &messages), silent("d", "v", "LINE", 500)])])
}

/// Asks for a page of the records under a reading.
#[track_caller]
fn ask(reading: impl Reading, target: &str, page: &str, page_size: &str) -> Answer {
    let server = records().reading(reading).start().unwrap();
    get(&server, KEY, &format!("{target}&page={page}&page_size={page_size}"))
}

#[track_caller]
fn begins(answer: &Answer, begin: &str) {
    assert!(answer.ok().body.starts_with(begin), "{answer:?}");
}

#[track_caller]
fn ends(answer: &Answer, end: &str) {
    assert!(answer.ok().body.ends_with(end), "{answer:?}");
}

/// The five codes of the pages, each from a server with built-in records.
#[track_caller]
fn five_refusals(status: ErrorStatus) -> Vec<(u16, String)> {
    let server = Server::builder().reading(status).start().unwrap();
    [
        ("app-demo", "/v1/messages"),
        ("your_apikey", "/v1/messages?conversation_id=xxxxxx&page=99&page_size=100"),
        ("wrong", "/v2/messages"),
        ("app-demo", "/v1/messages?conversation_id=xxxxxx&page=1&page_size=1"),
        ("app-deleted", "/v1/message/qa/record/page"),
    ]
    .map(|(key, target)| get(&server, key, target))
    .map(|answer| (answer.status, answer.body))
    .to_vec()
}

#[test]
fn error_status_mapped_answers_400_and_401() {
    let statuses: Vec<_> = five_refusals(ErrorStatus::Mapped).into_iter().map(|r| r.0).collect();
    assert_eq!(statuses, [400, 400, 401, 400, 400]);
}

#[test]
fn error_status_ok_answers_200_with_the_same_bodies() {
    let (ok, mapped) = (five_refusals(ErrorStatus::Ok), five_refusals(ErrorStatus::Mapped));
    for ((status, body), (_, mapped)) in ok.into_iter().zip(mapped) {
        assert_eq!((status, body), (200, mapped));
    }
}

#[test]
fn error_status_ok_still_gives_the_reason() {
    let server = Server::builder().reading(ErrorStatus::Ok).start().unwrap();
    let answer = get(&server, "app-demo", "/v1/messages");
    answer.refused(200, 40000, "Invalid parameter.", "conversation_id is missing");
}

#[test]
fn error_status_ok_keeps_404_and_405() {
    let server = Server::builder().reading(ErrorStatus::Ok).start().unwrap();
    get(&server, "app-demo", "/").refused(404, 404, "Not found", "");
    let answer = request(&server, "POST", "/v1/messages", &[]);
    answer.refused(405, 405, "Method not allowed", "");
}

#[test]
fn messages_total_is_a_number_or_a_string() {
    begins(&ask(MessagesTotal::Number, V1, "1", "1"), r#"{"total":4,"messages":[{"#);
    begins(&ask(MessagesTotal::String, V1, "1", "1"), r#"{"total":"4","messages":[{"#);
    begins(&ask(MessagesTotal::Number, V2, "1", "1"), r#"{"total":4,"conversation_content":[{"#);
    begins(&ask(MessagesTotal::String, V2, "1", "1"), r#"{"total":"4","conversation_content":[{"#);
}

#[test]
fn messages_total_leaves_the_list_alone() {
    ends(&ask(MessagesTotal::String, LIST, "1", "1"), r#"],"total":2}"#);
}

/// Asserts that two values of a reading give the exact reverse of one another, over all pages.
#[track_caller]
fn reversed(one: impl Reading, other: impl Reading, query: &str, rows: &str) {
    let walk = |reading: Box<dyn FnOnce(ServerBuilder) -> ServerBuilder>| {
        let server = reading(Server::builder()).start().unwrap();
        let query = query.replace("FIRST", &first_conversation(&server));
        walk(&server, "app-demo", &query, rows, 11)
    };
    let one: Vec<Value> = walk(Box::new(|builder| builder.reading(one)));
    let mut other: Vec<Value> = walk(Box::new(|builder| builder.reading(other)));
    assert!(one.len() > 11 && one != other, "{}", one.len());
    other.reverse();
    assert_eq!(one, other);
}

/// The id of a conversation that fills more than one page of 11.
fn first_conversation(server: &Server) -> String {
    let query =
        format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}&page=1&page_size=100");
    let rows = get(server, "app-demo", &query).rows("list");
    let longest = rows.iter().max_by_key(|row| row["message_count"].as_u64()).unwrap();
    longest["conversation_id"].as_str().unwrap().to_owned()
}

#[test]
fn messages_order_reverses_v1() {
    let query = "/v1/messages?conversation_id=FIRST";
    reversed(MessagesOrder::OldestFirst, MessagesOrder::NewestFirst, query, "messages");
    let newest = ask(MessagesOrder::NewestFirst, V1, "1", "100");
    assert_eq!(newest.column("messages", "message_id"), ["a2", "q2", "a1", "q1"]);
}

#[test]
fn messages_order_leaves_v2_alone() {
    let v2 = ask(MessagesOrder::NewestFirst, V2, "1", "100");
    assert_eq!(v2.column("conversation_content", "message_id"), ["a2", "q2", "a1", "q1"]);
}

#[test]
fn v2_messages_order_reverses_v2() {
    let (query, rows) = ("/v2/messages?conversation_id=FIRST", "conversation_content");
    reversed(V2MessagesOrder::NewestFirst, V2MessagesOrder::OldestFirst, query, rows);
    let oldest = ask(V2MessagesOrder::OldestFirst, V2, "1", "100");
    assert_eq!(oldest.column(rows, "message_id"), ["q1", "a1", "q2", "a2"]);
}

#[test]
fn v2_messages_order_leaves_v1_alone() {
    let v1 = ask(V2MessagesOrder::OldestFirst, V1, "1", "100");
    assert_eq!(v1.column("messages", "message_id"), ["q1", "a1", "q2", "a2"]);
}

#[test]
fn qa_order_reverses_the_qa_list() {
    let query = format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}");
    reversed(QaOrder::OldestFirst, QaOrder::NewestFirst, &query, "qa");
    let newest = ask(QaOrder::NewestFirst, QA, "1", "10");
    assert_eq!(newest.column("qa", "id"), ["q2", "q1"]);
}

#[test]
fn qa_time_is_in_seconds_or_milliseconds() {
    let times = |reading| ask(reading, QA, "1", "10").column("qa", "q_time");
    assert_eq!(times(QaTime::Seconds), ["1", "2"]);
    assert_eq!(times(QaTime::Milliseconds), ["1001", "2999"]);
}

#[test]
fn qa_time_leaves_the_window_in_milliseconds() {
    let window = QA.replace("start_time=0", "start_time=1002");
    for reading in [QaTime::Seconds, QaTime::Milliseconds] {
        assert_eq!(ask(reading, &window, "1", "10").column("qa", "id"), ["q2"]);
    }
}

#[test]
fn qa_total_is_absent_or_the_last_key() {
    ends(&ask(QaTotal::Absent, QA, "1", "10"), r#""user_id":"u"}]}"#);
    ends(&ask(QaTotal::Present, QA, "1", "10"), r#""user_id":"u"}],"total":2}"#);
}

#[test]
fn qa_total_counts_all_matches() {
    assert_eq!(ask(QaTotal::Present, QA, "9", "10").ok().body, r#"{"qa":[],"total":2}"#);
    let good = QA.replace("=ALL", "=GOOD");
    ends(&ask(QaTotal::Present, &good, "1", "10"), r#"],"total":1}"#);
}

#[test]
fn feedback_absent_is_refused_or_all() {
    for query in [QA.replace("user_feedback=ALL&", ""), QA.replace("=ALL", "=")] {
        let reject = ask(FeedbackAbsent::Reject, &query, "1", "10");
        reject.refused(400, 40000, "Invalid parameter", "user_feedback is missing");
        let all = ask(FeedbackAbsent::All, &query, "1", "10");
        assert_eq!(all.column("qa", "id"), ["q1", "q2"]);
    }
}

#[test]
fn feedback_absent_all_still_refuses_other_words() {
    let answer = ask(FeedbackAbsent::All, &QA.replace("=ALL", "=all"), "1", "10");
    answer.refused(400, 40000, "Invalid parameter", "user_feedback");
}

#[test]
fn wording_names_the_agent_or_the_bot() {
    let agent = Server::builder().reading(Wording::Agent).start().unwrap();
    let bot = Server::builder().reading(Wording::Bot).start().unwrap();
    for (path, of_agent, of_bot) in [
        ("/v1/bot/conversation/page", "Agent deleted", "Bot deleted"),
        ("/v1/messages", "Agent deleted", "Bot deleted"),
        ("/v2/messages", "Agent has been deleted", "Bot has been deleted"),
        ("/v1/message/qa/record/page", "Agent deleted", "Bot deleted"),
    ] {
        get(&agent, "app-deleted", path).refused(400, 20059, of_agent, "");
        get(&bot, "app-deleted", path).refused(400, 20059, of_bot, "");
    }
}

#[test]
fn list_total_counts_all_matches_or_the_page() {
    for (page, page_size, rows) in [("1", "100", 2), ("1", "1", 1), ("2", "1", 1), ("3", "1", 0)] {
        ends(&ask(ListTotal::All, LIST, page, page_size), r#"],"total":2}"#);
        let of_page = format!(r#"],"total":{rows}}}"#);
        ends(&ask(ListTotal::Page, LIST, page, page_size), &of_page);
    }
}

#[test]
fn anonymous_id_is_absent_or_the_ninth_key() {
    ends(&ask(AnonymousId::Absent, LIST, "1", "1"), r#""bot_id":"b"}],"total":2}"#);
    // Null for type API.
    let api = ask(AnonymousId::Present, LIST, "1", "1");
    ends(&api, r#""bot_id":"b","anonymous_id":null}],"total":2}"#);
    let line = ask(AnonymousId::Present, LIST, "2", "1");
    ends(&line, r#""bot_id":"b","anonymous_id":"v"}],"total":2}"#);
}
