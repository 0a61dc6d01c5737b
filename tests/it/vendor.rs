//! The vendor's pages: literals typed from them, never from the tables in `src/contract`.

use gptbots_mock::Server;

use crate::client::{get, request};

/// Get Conversation List, 2025-10-20: its example, without the `user_id` that neither row has.
#[test]
fn the_list_example_holds_the_pages_two_rows() {
    let server = Server::start().unwrap();
    let answer = get(
        &server,
        "your_apikey",
        "/v1/bot/conversation/page?page=1&conversation_type=API&start_time=1691942400000\
         &end_time=1699868066999&page_size=50",
    );
    assert_eq!(
        answer.ok().body,
        concat!(
            r#"{"list":[{"conversation_id":"AaACmo05Yrqb6bOSTbsg","user_id":"3","#,
            r#""recent_chat_time":1694572952383,"subject":"2+3=?","conversation_type":"API","#,
            r#""message_count":2,"cost_credit":0.01,"bot_id":"64b902a84f1ff25d1c60c10b"},"#,
            r#"{"conversation_id":"64ec1508c9c1ed5605e6ff28","user_id":"33","#,
            r#""recent_chat_time":1693194862160,"subject":"Hello!","conversation_type":"API","#,
            r#""message_count":20,"cost_credit":0.59,"bot_id":"64b902a84f1ff25d1c60c10b"}],"#,
            r#""total":2}"#
        )
    );
}

/// As printed on the page, header for header.
#[test]
fn the_list_example_as_printed_finds_no_row() {
    let server = Server::start().unwrap();
    let answer = request(
        &server,
        "GET",
        "/v1/bot/conversation/page?page=1&conversation_type=API&start_time=1691942400000\
         &end_time=1699868066999&page_size=50&user_id=1234567890",
        &[("Authorization", "Bearer your_apikey"), ("Content-Type", "application/json")],
    );
    assert_eq!(answer.ok().body, r#"{"list":[],"total":0}"#);
}
