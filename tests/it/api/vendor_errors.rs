//! The pages' tables of errors, byte for byte, and what is assumed where a page has none. Tests the
//! statements on codes (`everywhere.404`, `messages.40005`).

use std::time::Duration;

use gptbots_mock::contract::Code;
use gptbots_mock::{Fault, Server};

use crate::support::client::{get, request};
use crate::support::wire::Wire;

/// Each row: `name: key target => status body`.
macro_rules! refusals {
    ($($name:ident: $key:literal $target:literal => $status:literal $body:literal;)*) => {$(
        #[test]
        fn $name() {
            let answer = get(&Server::start().unwrap(), $key, $target);
            assert_eq!((answer.status, &*answer.body), ($status, $body));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert!(answer.header("x-mock-reason").is_some_and(|reason| !reason.is_empty()));
        }
    )*};
}

refusals! {
    conversations_40000: "your_apikey" "/v1/bot/conversation/page" =>
        400 r#"{"code":40000,"message":"Invalid parameter"}"#;
    conversations_40127: "wrong" "/v1/bot/conversation/page" =>
        401 r#"{"code":40127,"message":"Authentication failed."}"#;
    conversations_20059: "app-deleted" "/v1/bot/conversation/page" =>
        400 r#"{"code":20059,"message":"Agent deleted"}"#;

    messages_40000: "YOUR_API_KEY" "/v1/messages" =>
        400 r#"{"code":40000,"message":"Invalid parameter."}"#;
    messages_40005: "your_apikey" "/v1/messages?conversation_id=xxxxxx&page=2&page_size=100" =>
        400 r#"{"code":40005,"message":"Page number exceeds total."}"#;
    messages_40127: "YOUR_APIKEY" "/v1/messages" =>
        401 r#"{"code":40127,"message":"Authentication failed."}"#;
    messages_40356: "app-demo" "/v1/messages?conversation_id=xxxxxx&page=1&page_size=100" =>
        400 r#"{"code":40356,"message":"Conversation does not exist."}"#;
    messages_20059: "app-deleted" "/v1/messages" =>
        400 r#"{"code":20059,"message":"Agent deleted"}"#;

    messages_v2_40000: "app-demo" "/v2/messages" =>
        400 r#"{"code":40000,"message":"Invalid parameters"}"#;
    messages_v2_40005: "your_apikey" "/v2/messages?conversation_id=xxxxxx&page=2&page_size=100" =>
        400 r#"{"code":40005,"message":"Pagination parameter exceeds actual count"}"#;
    messages_v2_40127: "app-dem" "/v2/messages" =>
        401 r#"{"code":40127,"message":"Developer authentication failed"}"#;
    messages_v2_40356: "app-demo" "/v2/messages?conversation_id=xxxxxx&page=1&page_size=100" =>
        400 r#"{"code":40356,"message":"Conversation does not exist"}"#;
    messages_v2_20059: "app-deleted" "/v2/messages" =>
        400 r#"{"code":20059,"message":"Agent has been deleted"}"#;

    qa_40000: "YOUR_API_KEY" "/v1/message/qa/record/page" =>
        400 r#"{"code":40000,"message":"Invalid parameter"}"#;
    qa_40127: "app-demo2" "/v1/message/qa/record/page" =>
        401 r#"{"code":40127,"message":"Authentication failed."}"#;
    qa_20059: "app-deleted" "/v1/message/qa/record/page" =>
        400 r#"{"code":20059,"message":"Agent deleted"}"#;

    everywhere_404: "your_apikey" "/v1/conversation" =>
        404 r#"{"code":404,"message":"Not found"}"#;
}

#[test]
fn everywhere_405() {
    let server = Server::start().unwrap();
    for path in
        ["/v1/bot/conversation/page", "/v1/messages", "/v2/messages", "/v1/message/qa/record/page"]
    {
        let answer = request(&server, "POST", path, &[("Authorization", "Bearer app-demo")]);
        answer.refused(405, 405, "Method not allowed", "POST");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{path}");
    }
}

/// The reason, word for word, as the contract shows it.
#[test]
fn the_reason_says_what_was_wrong_and_what_would_be_right() {
    let answer = get(
        &Server::start().unwrap(),
        "app-demo",
        "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=1&page=1&page_size=5",
    );
    let reason = "page_size must be 10 to 100, got 5; \
                  1 to 100 is accepted by conversation list, v1 messages, v2 messages";
    assert_eq!(answer.header("x-mock-reason"), Some(reason));
}

#[test]
fn everywhere_40008() {
    let server = Server::builder().rate_limit(1, Duration::from_secs(60)).start().unwrap();
    let ask = || get(&server, "app-demo", "/v1/messages?conversation_id=x&page=1&page_size=1");
    assert_eq!(ask().status, 400);
    let message = "Agent RPM request limit exceeded. \
                   Please contact the service provider to increase the limit.";
    let answer = ask();
    answer.refused(429, 40008, message, "1 request per 60 s");
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn everywhere_50000() {
    let server = Server::builder().fault(Fault::code(Code::Internal)).start().unwrap();
    let answer = get(&server, "app-demo", "/v1/messages");
    answer.refused(500, 50000, "Internal system error", "fault");
}

#[test]
fn everywhere_400() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send("GET /v1/messages HTTP/1.1\r\n\r\n");
    wire.answer().refused(400, 400, "Bad request", "a request needs a Host header");
}

#[test]
fn everywhere_501() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send("GET /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br, chunked\r\n\r\n");
    let reason = "Transfer-Encoding must be chunked, got \"br, chunked\"";
    wire.answer().refused(501, 501, "Not implemented", reason);
}
