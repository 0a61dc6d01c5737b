//! Literals typed from the vendor's pages, never from the tables in `src/contract`: the examples,
//! the keys of the rows, the channels. Tests the statements on keys (`*.row.*`), on channels
//! (`channel.*`) and on the examples.

use std::collections::HashSet;

use gptbots_mock::Server;

use crate::support::client::{Answer, get, request};

/// The list page's example, without the `user_id` that neither row has.
const LIST: &str = "/v1/bot/conversation/page?page=1&conversation_type=API\
                    &start_time=1691942400000&end_time=1699868066999&page_size=50";

/// The Q&A page's example, its window moved to the page's two rows.
const QA: &str = "/v1/message/qa/record/page?page=1&page_size=10\
                  &start_time=1699891200000&end_time=1699891214999&user_feedback=ALL";

/// The messages page's example.
const MESSAGES: &str = "/v1/messages?conversation_id=xxxxxx&user_id=123456&page=1&page_size=100";

#[track_caller]
fn ask(key: &str, target: &str) -> Answer {
    get(&Server::start().unwrap(), key, target)
}

#[test]
fn the_list_example_holds_the_pages_two_rows() {
    assert_eq!(
        ask("your_apikey", LIST).ok().body,
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

#[test]
fn both_placeholder_keys_stand_for_the_same_agent() {
    assert_eq!(ask("YOUR_API_KEY", LIST).ok().body, ask("your_apikey", LIST).body);
}

#[test]
fn the_messages_example_begins_with_the_pages_three_messages() {
    let answer = ask("your_apikey", MESSAGES);
    let begins = concat!(
        r#"{"total":100,"messages":["#,
        r#"{"message_id":"645dd86906931c4a9e0ffb1f","parent_message_id":"","#,
        r#""message_type":"ANSWER","#,
        r#""text":"Hello, I'm a customer service agent, please ask me anything.","#,
        r#""create_time":1683871849906},"#,
        r#"{"message_id":"745dd86906931c4a9e0ffb1f","#,
        r#""parent_message_id":"645dd86906931c4a9e0ffb1f","message_type":"QUESTION","#,
        r#""text":"What are the features of JPush?","create_time":1683871849906},"#,
        r#"{"message_id":"845dd86906931c4a9e0ffb1f","#,
        r#""parent_message_id":"745dd86906931c4a9e0ffb1f","message_type":"ANSWER","#,
        r#""text":"JPush is a powerful platform...","create_time":1683871849906},"#,
    );
    assert_eq!(&answer.ok().body[..begins.len()], begins);
}

#[test]
fn the_messages_example_holds_100_messages() {
    assert_eq!(ask("your_apikey", MESSAGES).rows("messages").len(), 100);
}

#[test]
fn the_conversation_of_20_messages_has_20() {
    let target = "/v1/messages?conversation_id=64ec1508c9c1ed5605e6ff28&page=1&page_size=100";
    assert_eq!(ask("your_apikey", target).rows("messages").len(), 20);
}

/// Newest first, so the page's first message is alone on the last of 34 pages.
#[test]
fn the_v2_messages_example_ends_with_the_pages_first_message() {
    let target = "/v2/messages?conversation_id=xxxxxx&user_id=123456&page=34&page_size=3";
    assert_eq!(
        ask("your_apikey", target).ok().body,
        concat!(
            r#"{"total":100,"conversation_content":["#,
            r#"{"message_id":"645dd86906931c4a9e0ffb1f","parent_message_id":"","#,
            r#""create_time":1683871849906,"feedback":"","role":"assistant","#,
            r#""content":[{"branch_content":[{"type":"text","#,
            r#""text":"Hello, I'm a customer service agent, please ask me anything."}]}]}]}"#,
        )
    );
}

/// As printed on the page, header for header.
#[test]
fn the_qa_example_as_printed_is_answered() {
    let server = Server::start().unwrap();
    let answer = request(
        &server,
        "GET",
        "/v1/message/qa/record/page?page=1&page_size=10&start_time=1732982400000\
         &end_time=1735660799999&user_feedback=ALL",
        &[("Authorization", "Bearer YOUR_API_KEY"), ("Content-Type", "application/json")],
    );
    assert_eq!(answer.ok().body, r#"{"qa":[]}"#);
}

/// Ids and texts, `xxxxxx` on the page, are the fixture's own.
#[test]
fn the_qa_example_holds_the_pages_two_rows() {
    assert_eq!(
        ask("YOUR_API_KEY", QA).ok().body,
        concat!(
            r#"{"qa":[{"id":"655249c006931c4a9e0ffc0a","q_time":1699891200,"#,
            r#""q":"Do you ship to islands?","a":"Yes, to every island with a post office.","#,
            r#""user_feedback":"GOOD","convo_id":"655249c006931c4a9e0ffc01","#,
            r#""convo_type":"API","aid":"655249c006931c4a9e0ffc03","user_id":"user-a"},"#,
            r#"{"id":"655249ce06931c4a9e0ffd0a","q_time":1699891214,"#,
            r#""q":"Can I pay by invoice?","a":"I am sorry, I don't know.","#,
            r#""user_feedback":"BAD","convo_id":"655249c006931c4a9e0ffd01","#,
            r#""convo_type":"API","aid":"655249ce06931c4a9e0ffd03","user_id":"user-b"}]}"#,
        )
    );
}

#[test]
fn what_the_qa_example_hides_is_distinct() {
    let answer = ask("YOUR_API_KEY", QA);
    for name in ["id", "q", "a", "convo_id", "aid", "user_id"] {
        let values: HashSet<String> = answer.column("qa", name).into_iter().collect();
        assert_eq!(values.len(), 2, "{name}");
    }
}

/// Asserts that each word is accepted, or that each is refused, as a `conversation_type`.
#[track_caller]
fn each_channel_is(status: u16, words: &[&str]) {
    let server = Server::start().unwrap();
    for word in words {
        let target = format!(
            "/v1/bot/conversation/page?conversation_type={word}\
             &start_time=0&end_time=1&page=1&page_size=1"
        );
        assert_eq!(get(&server, "app-demo", &target).status, status, "{word}");
    }
}

#[test]
fn the_channels_of_the_pages_are_accepted() {
    each_channel_is(200, &["ALL", "SPACE", "API", "EMBED", "SHARE", "WHATSAPP_META", "DINGTALK"]);
    each_channel_is(200, &["WHATSAPP_ENGAGELAB", "DISCORD", "SLACK", "ZAPIER"]);
}

#[test]
fn the_channels_of_newer_pages_are_accepted() {
    each_channel_is(200, &["C", "CHAT", "C_WORKFLOW", "C_APPS", "WIDGET", "AI_SEARCH", "WXKF"]);
    each_channel_is(200, &["TELEGRAM", "LIVECHAT", "LINE", "INSTAGRAM", "FACEBOOK", "SO_BOT"]);
    each_channel_is(200, &["ZOHO_SALES_IQ", "INTERCOM"]);
}

#[test]
fn the_channels_of_the_vendors_software_are_accepted() {
    each_channel_is(200, &["WEB", "APP", "WORKFLOW_CHAT"]);
}

/// The page swaps key and value of three: "Discord: DISCORD".
#[test]
fn other_channels_are_refused() {
    each_channel_is(400, &["Discord", "Slack", "Zapier", "discord", "api", "Api", "all", "FOO"]);
    each_channel_is(400, &["", "API%20", "%20API", "API,SPACE", "NONE", "GOOD", "*", "0"]);
}

#[test]
fn the_ratings_of_the_page_are_accepted_and_no_others() {
    let server = Server::start().unwrap();
    let status = |word: &str| {
        let target = QA.replace("=ALL", &format!("={word}"));
        get(&server, "YOUR_API_KEY", &target).status
    };
    assert_eq!(["ALL", "NONE", "GOOD", "BAD"].map(status), [200; 4]);
    assert_eq!(["", "all", "Good", "POSITIVE", "NEGATIVE", "API"].map(status), [400; 6]);
}

/// A query of the list that is right, with a few of its parameters replaced.
fn list_with(parameters: &str) -> u16 {
    let names: Vec<_> = parameters.split('&').filter_map(|pair| pair.split('=').next()).collect();
    let right = ["conversation_type=ALL", "start_time=0", "end_time=1", "page=1", "page_size=1"];
    let kept = right.into_iter().filter(|pair| !names.iter().any(|name| pair.starts_with(name)));
    let query: Vec<_> = kept.chain([parameters]).collect();
    ask("your_apikey", &format!("/v1/bot/conversation/page?{}", query.join("&"))).status
}

#[test]
fn an_empty_parameter_is_as_if_absent() {
    assert_eq!(list_with("user_id="), 200);
    for required in ["conversation_type=", "start_time=", "end_time="] {
        assert_eq!(list_with(required), 400, "{required}");
    }
    assert_eq!(list_with("page=&page_size=1"), 400);
    assert_eq!(list_with("page=1&page_size="), 400);
}

#[test]
fn integers_are_digits_with_an_optional_minus() {
    for good in ["007", "-7", "-9223372036854775808", "0", "-0"] {
        assert_eq!(list_with(&format!("start_time={good}&end_time=8")), 200, "{good}");
    }
    for bad in
        ["%2B7", "7.0", "7e0", "+7", "7+", "0x7", "--7", "-", "9223372036854775808", "%D9%A7"]
    {
        assert_eq!(list_with(&format!("start_time={bad}&end_time=8")), 400, "{bad}");
    }
}
