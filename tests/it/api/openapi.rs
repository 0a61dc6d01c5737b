//! The `OpenAPI` document of the emulated API: it contains what the vendor's pages say, and a
//! server answers its examples.

use gptbots_mock::Server;
use gptbots_mock::contract::ENDPOINTS;
use serde_json::{Value, json};

use crate::support::client::get;

fn document() -> Value {
    serde_json::from_str(gptbots_mock::openapi()).unwrap()
}

/// The only operation of a path.
#[track_caller]
fn operation(path: &str) -> Value {
    let methods = document()["paths"][path].as_object().unwrap().clone();
    assert_eq!(methods.keys().collect::<Vec<_>>(), ["get"]);
    methods["get"].clone()
}

/// The value of an operation's answer.
fn example(operation: &Value) -> Value {
    operation["responses"]["200"]["content"]["application/json"]["examples"]["page"]["value"]
        .clone()
}

/// The value of each parameter in the example of the vendor's page.
fn asked(operation: &Value) -> Vec<(String, Value)> {
    let params = operation["parameters"].as_array().unwrap();
    params.iter().map(|param| (name(param), param["example"].clone())).collect()
}

fn name(param: &Value) -> String {
    param["name"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_asked<const N: usize>(path: &str, page: [(&str, Value); N]) {
    let page = page.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(asked(&operation(path)), page);
}

#[test]
fn the_parameters_hold_what_the_pages_examples_ask() {
    assert_asked(
        "/v1/bot/conversation/page",
        [
            ("conversation_type", json!("API")),
            ("user_id", json!("1234567890")),
            ("start_time", json!(1_691_942_400_000_u64)),
            ("end_time", json!(1_699_868_066_999_u64)),
            ("page", json!(1)),
            ("page_size", json!(50)),
        ],
    );
    for path in ["/v1/messages", "/v2/messages"] {
        let page =
            [("conversation_id", json!("xxxxxx")), ("page", json!(1)), ("page_size", json!(100))];
        assert_asked(path, page);
    }
    assert_asked(
        "/v1/message/qa/record/page",
        [
            ("user_feedback", json!("ALL")),
            ("start_time", json!(1_732_982_400_000_u64)),
            ("end_time", json!(1_735_660_799_999_u64)),
            ("page", json!(1)),
            ("page_size", json!(10)),
        ],
    );
}

#[test]
fn the_list_answers_as_its_page_shows() {
    let page = json!({
        "list": [
            {
                "conversation_id": "AaACmo05Yrqb6bOSTbsg", "user_id": "3",
                "recent_chat_time": 1_694_572_952_383_u64, "subject": "2+3=?",
                "conversation_type": "API", "message_count": 2, "cost_credit": 0.01,
                "bot_id": "64b902a84f1ff25d1c60c10b"
            },
            {
                "conversation_id": "64ec1508c9c1ed5605e6ff28", "user_id": "33",
                "recent_chat_time": 1_693_194_862_160_u64, "subject": "Hello!",
                "conversation_type": "API", "message_count": 20, "cost_credit": 0.59,
                "bot_id": "64b902a84f1ff25d1c60c10b"
            }
        ],
        "total": 2
    });
    assert_eq!(example(&operation("/v1/bot/conversation/page")), page);
}

#[test]
fn the_messages_answer_as_their_page_shows() {
    let page = json!({
        "total": 100,
        "messages": [
            {
                "message_id": "645dd86906931c4a9e0ffb1f", "parent_message_id": "",
                "message_type": "ANSWER",
                "text": "Hello, I'm a customer service agent, please ask me anything.",
                "create_time": 1_683_871_849_906_u64
            },
            {
                "message_id": "745dd86906931c4a9e0ffb1f",
                "parent_message_id": "645dd86906931c4a9e0ffb1f", "message_type": "QUESTION",
                "text": "What are the features of JPush?", "create_time": 1_683_871_849_906_u64
            },
            {
                "message_id": "845dd86906931c4a9e0ffb1f",
                "parent_message_id": "745dd86906931c4a9e0ffb1f", "message_type": "ANSWER",
                "text": "JPush is a powerful platform...", "create_time": 1_683_871_849_906_u64
            }
        ]
    });
    assert_eq!(example(&operation("/v1/messages")), page);
}

/// Whatever the page prints as `xxxxxx` is the emulator's own.
#[test]
fn the_qa_list_answers_as_its_page_shows() {
    let mut shown = example(&operation("/v1/message/qa/record/page"));
    for row in shown["qa"].as_array_mut().unwrap() {
        for hidden in ["id", "q", "a", "convo_id", "aid", "user_id"] {
            row[hidden] = json!("xxxxxx");
        }
    }
    let row = |q_time: u64, user_feedback: &str| {
        json!({
            "id": "xxxxxx", "q_time": q_time, "q": "xxxxxx", "a": "xxxxxx",
            "user_feedback": user_feedback, "convo_id": "xxxxxx", "convo_type": "API",
            "aid": "xxxxxx", "user_id": "xxxxxx"
        })
    };
    assert_eq!(shown, json!({"qa": [row(1_699_891_200, "GOOD"), row(1_699_891_214, "BAD")]}));
}

#[test]
fn every_example_is_what_a_server_answers() {
    let server = Server::start().unwrap();
    for endpoint in ENDPOINTS {
        let target = format!("{}?{}", endpoint.path, endpoint.example.shown_by);
        let answer = get(&server, "your_apikey", &target);
        let answered: Value = serde_json::from_str(&answer.ok().body).unwrap();
        assert_eq!(example(&operation(endpoint.path)), answered, "{target}");
    }
}

#[test]
fn the_servers_are_the_vendors_hosts() {
    let document = document();
    let servers = document["servers"].as_array().unwrap();
    let urls: Vec<_> = servers.iter().map(|server| server["url"].as_str().unwrap()).collect();
    let hosts =
        ["https://api-{region}.gptbots.ai", "https://api.gptbots.ai", "https://altatech.ai"];
    assert_eq!(urls, hosts);
    assert_eq!(servers[0]["variables"]["region"]["enum"], json!(["sg", "jp", "th"]));
}

/// Those of the page's table, and what every endpoint answers.
#[test]
fn every_refusal_has_its_codes() {
    let document = document();
    let codes = |path: &str| {
        let operation = operation(path);
        let responses = operation["responses"].as_object().unwrap().clone();
        let of = |(status, response): (String, Value)| {
            let response = match response["$ref"].as_str() {
                Some(there) => document.pointer(&there[1..]).unwrap().clone(),
                None => response,
            };
            let examples = &response["content"]["application/json"]["examples"];
            let codes = examples.as_object().unwrap().keys().cloned();
            (status, codes.collect::<Vec<_>>().join(" "))
        };
        responses.into_iter().filter(|(status, _)| status != "200").map(of).collect::<Vec<_>>()
    };
    let expected = |own: &str| {
        [("400", own), ("401", "40127"), ("405", "405"), ("429", "40008"), ("500", "50000")]
            .map(|(status, codes)| (status.to_owned(), codes.to_owned()))
    };
    for path in ["/v1/bot/conversation/page", "/v1/message/qa/record/page"] {
        assert_eq!(codes(path), expected("20059 40000"), "{path}");
    }
    for path in ["/v1/messages", "/v2/messages"] {
        assert_eq!(codes(path), expected("20059 40000 40005 40356"), "{path}");
    }
}

#[test]
fn an_operation_names_the_readings_that_concern_it() {
    let of = |path: &str| operation(path)["x-readings"].clone();
    let v1 = ["error-status", "messages-total", "messages-order", "page-size", "page-past-end"];
    assert_eq!(of("/v1/messages"), json!([v1.as_slice(), &["wording"]].concat()));
    for path in ["/v1/bot/conversation/page", "/v2/messages", "/v1/message/qa/record/page"] {
        for name in of(path).as_array().unwrap() {
            let name = name.as_str().unwrap();
            assert!(document()["x-readings"][name]["values"].is_object(), "{path}: {name}");
        }
    }
}

/// So that a person can read it: `serde_json` by itself would sort.
#[test]
fn keys_stand_in_the_order_of_the_wire() {
    assert_order(
        gptbots_mock::openapi(),
        &[
            &["\n  \"openapi\"", "\n  \"info\"", "\n  \"paths\"", "\n  \"components\""],
            &["/v1/bot/conversation/page\"", "/v1/messages\"", "/v2/messages\"", "/v1/message/qa"],
            &["\"QaRow\"", "\"q_time\": {", "\"q\": {", "\"a\": {"],
        ],
    );
    assert_order(
        gptbots_mock::admin_openapi(),
        &[
            &["\n  \"openapi\"", "\n  \"info\"", "\n  \"paths\"", "\n  \"components\""],
            &["__admin/health\"", "__admin/sandboxes\"", "__admin/requests\"", "__admin/reset\""],
            &["__admin/sandboxes/{id}\"", "\"get\"", "\"put\"", "\"delete\"", "{id}/reset\""],
            &["\"Finding\": {", "\"rule\": {", "\"sandbox\": {", "\"times\": {", "\"Coverage\""],
        ],
    );
}

/// Asserts that each key is found after the previous one.
#[track_caller]
fn assert_order(text: &str, all: &[&[&str]]) {
    for keys in all {
        let mut rest = text;
        for key in *keys {
            rest = rest.split_once(key).unwrap_or_else(|| panic!("no {key} in {keys:?}")).1;
        }
    }
}

/// A parser would take the last and say nothing.
#[test]
fn no_object_has_a_duplicate_key() {
    for text in [gptbots_mock::openapi(), gptbots_mock::admin_openapi()] {
        let read: Value = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string_pretty(&read).unwrap();
        assert_eq!(text.lines().count(), again.lines().count());
    }
}

/// A number by itself could be seconds as well.
#[test]
fn every_time_says_that_it_is_in_milliseconds() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let keys = [("ConversationsRow", "recent_chat_time"), ("MessagesRow", "create_time")];
    let keys = keys.iter().chain(&[("MessagesV2Row", "create_time")]);
    let mut told: Vec<Value> =
        keys.map(|(row, key)| schemas[row]["properties"][key]["description"].clone()).collect();
    for path in ["/v1/bot/conversation/page", "/v1/message/qa/record/page"] {
        let params = operation(path)["parameters"].as_array().unwrap().clone();
        let times = params.iter().filter(|param| name(param).ends_with("_time"));
        told.extend(times.map(|param| param["description"].clone()));
    }
    assert_eq!(told.len(), 7);
    for about in told {
        assert!(about.as_str().unwrap().contains("milliseconds since 1970-01-01 UTC"), "{about}");
    }
}

/// Each channel by the page that has it, and not by the parameter's.
#[test]
fn channels_of_no_page_are_not_called_documented() {
    let channels = operation("/v1/bot/conversation/page")["parameters"][0]["description"].clone();
    let last = "; WEB, APP, WORKFLOW_CHAT (seen: the vendor's own software).";
    assert!(channels.as_str().unwrap().ends_with(last), "{channels}");
}

#[test]
fn error_description_says_what_its_schema_cannot() {
    let said = |path: &str, status: &str| {
        operation(path)["responses"][status]["description"].as_str().unwrap().to_owned()
    };
    for path in ["/v1/bot/conversation/page", "/v1/message/qa/record/page"] {
        assert!(said(path, "400").contains("40005"), "{path}");
    }
    for path in ["/v1/messages", "/v2/messages"] {
        assert!(!said(path, "400").contains("40005"), "{path}");
        for status in ["400", "401"] {
            let assumed =
                "The HTTP status is assumed: no vendor doc says it (reading error-status).";
            assert!(said(path, status).ends_with(assumed), "{path} {status}");
        }
    }
}

#[test]
fn description_begins_with_what_holds_for_every_endpoint() {
    let about = document()["info"]["description"].as_str().unwrap().to_owned();
    for line in [
        "- Window reversed: start_time > end_time is 40000 (assumed: no vendor doc says it).",
        "- Given twice: a known parameter that is given twice is 40000 (assumed: no vendor doc says it).",
        "- Empty value: a known parameter with an empty value is treated as absent (assumed: no vendor doc \
         says it).",
    ] {
        assert!(about.lines().any(|one| one == line), "no {line} in {about}");
    }
}
