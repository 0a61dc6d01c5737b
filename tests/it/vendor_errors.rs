//! The pages' tables of errors, and what is assumed where a page has none: literals, byte for byte.

use gptbots_mock::Server;

use crate::client::{get, request};

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
    list_40000: "your_apikey" "/v1/bot/conversation/page" =>
        400 r#"{"code":40000,"message":"Invalid parameter"}"#;
    list_40127: "wrong" "/v1/bot/conversation/page" =>
        401 r#"{"code":40127,"message":"Authentication failed."}"#;
    list_20059: "app-deleted" "/v1/bot/conversation/page" =>
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

    v2_messages_40000: "app-demo" "/v2/messages" =>
        400 r#"{"code":40000,"message":"Invalid parameters"}"#;
    v2_messages_40005: "your_apikey" "/v2/messages?conversation_id=xxxxxx&page=2&page_size=100" =>
        400 r#"{"code":40005,"message":"Pagination parameter exceeds actual count"}"#;
    v2_messages_40127: "app-dem" "/v2/messages" =>
        401 r#"{"code":40127,"message":"Developer authentication failed"}"#;
    v2_messages_40356: "app-demo" "/v2/messages?conversation_id=xxxxxx&page=1&page_size=100" =>
        400 r#"{"code":40356,"message":"Conversation does not exist"}"#;
    v2_messages_20059: "app-deleted" "/v2/messages" =>
        400 r#"{"code":20059,"message":"Agent has been deleted"}"#;

    qa_40000: "YOUR_API_KEY" "/v1/message/qa/record/page" =>
        400 r#"{"code":40000,"message":"Invalid parameter"}"#;
    qa_40127: "app-demo2" "/v1/message/qa/record/page" =>
        401 r#"{"code":40127,"message":"Authentication failed."}"#;
    qa_20059: "app-deleted" "/v1/message/qa/record/page" =>
        400 r#"{"code":20059,"message":"Agent deleted"}"#;

    an_unknown_path_is_404: "your_apikey" "/v1/conversation" =>
        404 r#"{"code":404,"message":"Not found"}"#;
}

#[test]
fn another_method_is_405_and_told_which_are_allowed() {
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
                  1 to 100 is for conversation list, v1 messages, v2 messages";
    assert_eq!(answer.header("x-mock-reason"), Some(reason));
}
