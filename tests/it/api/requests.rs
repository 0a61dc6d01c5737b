//! Methods, paths and bodies of requests, and which of several mistakes is answered first. Tests
//! `everywhere.order-of-checks`, `everywhere.head`, and the statements on paths, methods and
//! bodies.

use gptbots_mock::contract::PagePastEnd;
use gptbots_mock::{Server, ServerBuilder};

use crate::support::client::{Answer, get, head, raw, request};

const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&start_time=0\
                    &end_time=9999999999999&page=1&page_size=2";
const PATHS: [&str; 4] =
    ["/v1/bot/conversation/page", "/v1/messages", "/v2/messages", "/v1/message/qa/record/page"];

fn server() -> Server {
    Server::builder().conversations(5).start().unwrap()
}

#[track_caller]
fn ask(key: &str, target: &str) -> Answer {
    get(&server(), key, target)
}

#[test]
fn a_wrong_path_is_reported_before_a_wrong_method() {
    assert_eq!(request(&server(), "POST", "/v1/nothing", &[]).status, 404);
}

#[test]
fn a_wrong_method_is_reported_before_a_missing_key() {
    assert_eq!(request(&server(), "POST", "/v1/messages", &[]).status, 405);
}

/// An unknown key belongs to no agent, but a known key that is sent twice does.
#[test]
fn a_wrong_key_is_reported_before_a_deleted_agent() {
    let key = ("Authorization", "Bearer app-deleted");
    let answer = request(&server(), "GET", LIST, &[key, key]);
    answer.refused(401, 40127, "Authentication failed.", "two");
}

#[test]
fn a_deleted_agent_is_reported_before_wrong_parameters() {
    ask("app-deleted", "/v1/messages").refused(400, 20059, "Agent deleted", "deleted");
}

/// Asserts that wrong parameters are reported in this order: when the first ones are right, the next one is
/// reported.
#[track_caller]
fn reported_in_order(path: &str, pairs: &[(&str, &str, &str)]) {
    let server = server();
    for right in 0..pairs.len() {
        let pair = |(at, (name, good, bad)): (usize, &(&str, &str, &str))| {
            format!("{name}={}", if at < right { good } else { bad })
        };
        // Sent in the opposite order, which must not matter.
        let query: Vec<_> = pairs.iter().enumerate().rev().map(pair).collect();
        let answer = get(&server, "app-demo", &format!("{path}?{}", query.join("&")));
        assert_eq!(answer.json()["code"], 40000, "{answer:?}");
        let reason = answer.header("x-mock-reason").unwrap();
        assert_eq!(reason.split(' ').next(), Some(pairs[right].0), "{reason}");
    }
}

#[test]
fn wrong_list_parameters_are_reported_in_table_order() {
    reported_in_order(
        "/v1/bot/conversation/page",
        &[
            ("conversation_type", "ALL", "x"),
            ("user_id", "1", "%ff"),
            ("start_time", "2", "x"),
            ("end_time", "1", "x"),
            ("page", "1", "0"),
            ("page_size", "1", "0"),
        ],
    );
}

#[test]
fn wrong_messages_parameters_are_reported_in_table_order() {
    let pairs = [("conversation_id", "x", "%ff"), ("page", "9", "0"), ("page_size", "1", "101")];
    reported_in_order("/v1/messages", &pairs);
    reported_in_order("/v2/messages", &pairs);
}

#[test]
fn wrong_qa_parameters_are_reported_in_table_order() {
    reported_in_order(
        "/v1/message/qa/record/page",
        &[
            ("user_feedback", "ALL", "x"),
            ("start_time", "2", "x"),
            ("end_time", "1", "x"),
            ("page", "1", "0"),
            ("page_size", "10", "9"),
        ],
    );
}

#[test]
fn a_window_that_ends_before_it_starts_is_reported_before_the_page() {
    let server = Server::builder().conversations(5).reading(PagePastEnd::Error).start().unwrap();
    let target = LIST.replace("page=1", "page=99");
    get(&server, "app-demo", &target).refused(400, 40005, "Page number exceeds total.", "page");
    let target = target.replace("start_time=0", "start_time=9999999999999999");
    get(&server, "app-demo", &target).refused(400, 40000, "Invalid parameter", "start_time");
}

#[test]
fn wrong_parameters_are_reported_before_a_missing_conversation() {
    let answer = ask("app-demo", "/v1/messages?conversation_id=none&page=1&page_size=0");
    answer.refused(400, 40000, "Invalid parameter.", "page_size");
}

#[test]
fn a_missing_conversation_is_reported_before_the_page() {
    let answer = ask("app-demo", "/v1/messages?conversation_id=none&page=99&page_size=1");
    answer.refused(400, 40356, "Conversation does not exist.", "none");
}

/// Asserts that `HEAD` gets the head of `GET`, and no body.
#[track_caller]
fn head_is_like_get(server: ServerBuilder, target: &str) {
    let server = server.start().unwrap();
    let key = [("Authorization", "Bearer app-demo")];
    let (head, get) =
        (request(&server, "HEAD", target, &key), request(&server, "GET", target, &key));
    let headers = |answer: &Answer| {
        let kept = |(name, _): &&(String, String)| name != "date";
        let mut headers: Vec<_> = answer.headers.iter().filter(kept).cloned().collect();
        headers.sort();
        headers
    };
    assert_eq!((head.status, headers(&head)), (get.status, headers(&get)), "{target}");
    assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()), "{target}");
    assert_eq!(head.body, "");
}

#[test]
fn head_gets_the_head_of_an_answer() {
    head_is_like_get(Server::builder(), LIST);
}

#[test]
fn head_gets_the_head_of_a_refusal() {
    for path in PATHS {
        head_is_like_get(Server::builder(), path);
    }
}

#[test]
fn head_gets_the_head_of_a_404() {
    head_is_like_get(Server::builder(), "/v1/nothing");
}

#[test]
fn head_gets_the_head_of_an_answer_to_a_browser() {
    head_is_like_get(Server::builder().cors(), LIST);
}

#[test]
fn every_other_method_is_405() {
    let server = server();
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "INVENTED",
        "get",
    ] {
        for path in PATHS {
            let answer = request(&server, method, path, &[("Authorization", "Bearer app-demo")]);
            answer.refused(405, 405, "Method not allowed", method);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
}

#[test]
fn every_other_path_is_404() {
    let server = server();
    for target in [
        "/",
        "/v1",
        "/v1/messages/",
        "/v1/Messages",
        "/V1/messages",
        "//v1/messages",
        "/v1//messages",
        "/v1/mess%61ges",
        "/v1%2Fmessages",
        "/v1/./messages",
        "/v1/messages/x",
        "/v1/messages;x",
        "/v3/messages",
        "/?page=1",
        "/__administrator",
        "/s",
        "/s/x",
        "/s/x/v1/message",
        "/%ff",
    ] {
        let answer = get(&server, "app-demo", target);
        answer.refused(404, 404, "Not found", "no endpoint at");
    }
}

#[test]
fn a_404_names_the_nearest_path() {
    let answer = ask("app-demo", "/v1/message");
    answer.refused(404, 404, "Not found", "the nearest is /v1/messages");
}

#[test]
fn the_server_as_a_whole_is_no_endpoint() {
    request(&server(), "OPTIONS", "*", &[]).refused(404, 404, "Not found", "*");
}

/// As proxies are asked.
#[test]
fn an_absolute_target_is_answered() {
    let server = server();
    let target = format!("{}{LIST}", server.url());
    let elsewhere = format!("http://altatech.ai{LIST}");
    let body = get(&server, "app-demo", LIST).body;
    assert_eq!(get(&server, "app-demo", &target).ok().body, body);
    assert_eq!(get(&server, "app-demo", &elsewhere).ok().body, body);
}

/// The pages' heading "Request Body" is a slip: a body is never read.
#[test]
fn a_body_is_ignored() {
    let server = server();
    let body = r#"{"conversation_type":"SPACE","page":99}"#;
    let length = body.len();
    let more = format!(
        "Connection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    );
    let bytes = head("GET", LIST, "app-demo", &more) + body;
    let answer = raw(server.address(), bytes.as_bytes());
    assert_eq!(answer.ok().body, get(&server, "app-demo", LIST).body);
}

#[test]
fn parameters_in_a_body_count_for_nothing() {
    let more = "Connection: close\r\nContent-Length: 43\r\n";
    let body = "conversation_id=xxxxxx&page=1&page_size=100";
    let bytes = head("GET", "/v1/messages", "your_apikey", more) + body;
    let answer = raw(server().address(), bytes.as_bytes());
    answer.refused(400, 40000, "Invalid parameter.", "conversation_id is missing");
}

/// On one connection, a body is skipped, and neither an answer nor a refusal ends it.
#[test]
fn a_body_is_not_taken_for_the_next_request() {
    let refused =
        "GET /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\nGET / HTTP/1.1";
    let last = "GET /__admin/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = raw(server().address(), format!("{refused}{last}").as_bytes());
    assert_eq!(answers.status, 401);
    assert_eq!(answers.body.matches("HTTP/1.1 200 OK").count(), 1, "{answers:?}");
}

#[test]
fn any_content_type_and_none_is_fine() {
    let server = server();
    let key = ("Authorization", "Bearer app-demo");
    request(&server, "GET", LIST, &[key]).ok();
    for media_type in ["application/json", "text/plain", "nonsense", ""] {
        request(&server, "GET", LIST, &[key, ("Content-Type", media_type)]).ok();
    }
}

/// What the parser refuses never reaches the contract.
#[test]
fn malformed_http_gets_an_empty_400() {
    let answer = raw(server().address(), b"what is this\r\n\r\n");
    assert_eq!((answer.status, &*answer.body), (400, ""));
}
