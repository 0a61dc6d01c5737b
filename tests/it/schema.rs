//! The schema of fixtures, which editors read, held against the loader.

use std::collections::BTreeSet;

use gptbots_mock::contract::{CONVERSATION_TYPES, Feedback};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::checker::{check, gptbots_mock};
use crate::client::get;
use crate::fixture::build;

const SCHEMA: &str = include_str!("../../fixtures/schema.json");
const DOCUMENTED: &str = include_str!("../../fixtures/documented.json");
const EDGE: &str = include_str!("../../fixtures/edge.json");

/// The objects of a fixture, by the path to their schema.
const OBJECTS: [(&str, Wrap); 4] = [
    ("", Value::clone),
    ("/$defs/agent", |agent| json!({"agents": [agent]})),
    ("/$defs/conversation", in_conversation),
    ("/$defs/entry", |entry| in_conversation(&json!({"messages": [entry]}))),
];

/// Makes a fixture of an object.
type Wrap = fn(&Value) -> Value;

/// A fixture of one conversation, of the agent that the schema's examples name.
fn in_conversation(conversation: &Value) -> Value {
    let bot_id = "64b902a84f1ff25d1c60c10b";
    json!({"agents": [{"name": "n", "bot_id": bot_id, "conversations": [conversation]}]})
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn properties(schema: &Value, object: &str) -> Map<String, Value> {
    schema.pointer(object).unwrap()["properties"].as_object().unwrap().clone()
}

/// Whether the schema takes a text.
fn takes(validator: &Validator, text: &str) -> bool {
    validator.is_valid(&serde_json::from_str(text).unwrap())
}

/// An agent of this text, which begins behind its name.
fn agent(rest: &str) -> String {
    format!(r#"{{"agents": [{{"name": "n"{rest}}}]}}"#)
}

fn conversation(text: &str) -> String {
    agent(&format!(r#", "conversations": [{text}]"#))
}

fn entry(text: &str) -> String {
    conversation(&format!(r#"{{"messages": [{text}]}}"#))
}

fn start(text: &str) -> String {
    conversation(&format!(r#"{{"start": {text}}}"#))
}

#[test]
fn the_schema_is_a_schema() {
    jsonschema::draft202012::meta::validate(&schema()).unwrap();
}

#[test]
fn the_fixtures_of_the_repository_pass_both() {
    let validator = validator();
    for text in [DOCUMENTED, EDGE] {
        let errors = validator.iter_errors(&serde_json::from_str(text).unwrap()).count();
        assert_eq!((errors, check(text)), (0, Vec::new()));
    }
    let root = env!("CARGO_MANIFEST_DIR").as_ref();
    let folder = gptbots_mock(root, ["check", "fixtures"]);
    assert!(folder.status.success(), "{folder:?}");
}

#[test]
fn what_is_right_passes_both() {
    let validator = validator();
    let right = [
        r#"{"$schema": "", "agents": [{"name": "a"}]}"#.to_owned(),
        agent(""),
        agent(r#", "keys": [], "deleted": true, "conversations": []"#),
        agent(r#", "keys": ["!", "}", "a,b", "\"\\"]"#),
        r#"{"agents": [{"name": "名", "keys": ["k"]}]}"#.to_owned(),
        agent(r#", "bot_id": " ""#),
        conversation("{}, {}"),
        conversation(r#"{"subject": "", "cost_credit": 0, "gap": 0, "message_count": 0}"#),
        conversation(r#"{"cost_credit": 1e300, "gap": 31622400}"#),
        conversation(r#"{"start": -1, "recent_chat_time": 0, "messages": []}"#),
        conversation(r#"{"anonymous_id": null}"#),
        start("9223372036854775807"),
        start("-9223372036854775808"),
        start(r#""2025-10-20T09:00Z""#),
        start(r#""2025-10-20 09:00:00.123456789+05:30""#),
        start(r#""2025-10-20t09:00:00,5z""#),
        start(r#""2016-12-31T23:59:60Z""#),
        start(r#""0000-01-01T00:00:00-00:00""#),
        start(r#""9999-12-30T22:00:00Z""#),
        entry(r#"{"q": ""}"#),
        entry(r#"{"a": ""}"#),
        entry(r#"{"q": "q", "a": "a", "feedback": "BAD", "create_time": 1, "gap": 0}"#),
        entry(r#"{"a": "a", "feedback": "NONE"}"#),
        entry(r#"{"message_type": "QUESTION", "text": "", "feedback": "NONE", "qa_id": "1"}"#),
        entry(r#"{"message_type": "ANSWER", "text": "", "feedback": "GOOD", "message_id": "1"}"#),
        entry(r#"{"text": "t", "message_type": "ANSWER", "parent_message_id": "", "gap": 0.001}"#),
    ];
    for text in &right {
        assert!(takes(&validator, text), "the schema refuses {text}");
        assert_eq!(check(text), [""; 0], "{text}");
    }
}

/// One sample for each rule that a schema can see, with what the loader says of it.
#[test]
fn what_is_wrong_fails_both() {
    let validator = validator();
    let wrong = [
        ("[]".to_owned(), "expected a fixture"),
        ("{}".to_owned(), "\"agents\" is missing"),
        (r#"{"agents": {}}"#.to_owned(), "expected the agents"),
        (r#"{"agents": []}"#.to_owned(), "there is no agent"),
        (r#"{"agents": [{"name": "a"}], "$schema": 1}"#.to_owned(), "expected a string"),
        (r#"{"agents": [{"name": "a"}], "version": 1}"#.to_owned(), "unknown key"),
        (r#"{"agents": [1]}"#.to_owned(), "expected an agent"),
        (r#"{"agents": [{}]}"#.to_owned(), "\"name\" of this agent is missing"),
        (r#"{"agents": [{"name": null}]}"#.to_owned(), "expected a string"),
        (r#"{"agents": [{"name": "", "keys": ["k"]}]}"#.to_owned(), "must not be empty"),
        (r#"{"agents": [{"name": "a b"}]}"#.to_owned(), "no API key can be derived"),
        (agent(r#", "nmae": """#), "did you mean"),
        (agent(r#", "bot_id": """#), "must not be empty"),
        (agent(r#", "bot_id": 1"#), "expected a string"),
        (agent(r#", "keys": "k""#), "expected the API keys"),
        (agent(r#", "keys": [1]"#), "expected a string"),
        (agent(r#", "keys": [""]"#), "must not be empty"),
        (agent(r#", "keys": ["a b"]"#), "visible ASCII"),
        (agent(r#", "keys": ["k", "k"]"#), "stands for an agent already"),
        (agent(r#", "deleted": "true""#), "expected true or false"),
        (agent(r#", "conversations": {}"#), "expected the conversations"),
        (conversation("null"), "expected a conversation"),
        (conversation(r#"{"total": 1}"#), "unknown key"),
        (conversation(r#"{"conversation_id": ""}"#), "must not be empty"),
        (conversation(r#"{"conversation_id": 7}"#), "expected a string"),
        (conversation(r#"{"user_id": ""}"#), "must not be empty"),
        (conversation(r#"{"user_id": 7}"#), "expected a string"),
        (conversation(r#"{"anonymous_id": ""}"#), "must not be empty"),
        (conversation(r#"{"anonymous_id": 7}"#), "expected a string"),
        (conversation(r#"{"user_id": null}"#), "expected a string"),
        (conversation(r#"{"conversation_type": "ALL"}"#), "it is a filter"),
        (conversation(r#"{"conversation_type": "api"}"#), "did you mean"),
        (conversation(r#"{"conversation_type": 1}"#), "expected a string"),
        (conversation(r#"{"subject": null}"#), "expected a string"),
        (conversation(r#"{"cost_credit": -0.01}"#), "a number of credits, from 0"),
        (conversation(r#"{"cost_credit": "1"}"#), "a number of credits"),
        (conversation(r#"{"bot_id": ""}"#), "must not be empty"),
        (conversation(r#"{"message_count": -1}"#), "there are 0"),
        (conversation(r#"{"message_count": "2"}"#), "expected a whole number"),
        (conversation(r#"{"message_count": 0.5}"#), "expected a whole number"),
        (conversation(r#"{"recent_chat_time": true}"#), "expected milliseconds or a time"),
        (start("1.5"), "expected milliseconds or a time"),
        (start("9223372036854775808"), "expected milliseconds or a time"),
        (start("-9223372036854780000"), "expected milliseconds or a time"),
        (start("[]"), "expected milliseconds or a time"),
        (start(r#""""#), "not an instant"),
        (start(r#""yesterday""#), "not an instant"),
        (start(r#""1760950800000""#), "not an instant"),
        (start(r#""2025-10-20""#), "not an instant"),
        (start(r#""2025-10-20T09:00:00""#), "not an instant"),
        (start(r#""2025-13-20T09:00:00Z""#), "not an instant"),
        (start(r#""2025-10-32T09:00:00Z""#), "not an instant"),
        (start(r#""2025-10-20T24:00:00Z""#), "not an instant"),
        (start(r#""2025-10-20T09:00:00.1234567891Z""#), "not an instant"),
        (conversation(r#"{"gap": -1}"#), "0 to 31622400 seconds"),
        (conversation(r#"{"gap": 31622401}"#), "0 to 31622400 seconds"),
        (conversation(r#"{"gap": "1m"}"#), "expected gap"),
        (conversation(r#"{"messages": {}}"#), "expected the messages"),
        (entry(r#""Hi""#), "expected a message"),
        (entry("{}"), "a message needs"),
        (entry(r#"{"feedback": "GOOD"}"#), "a message needs"),
        (entry(r#"{"text": "t"}"#), "a message needs"),
        (entry(r#"{"message_type": "ANSWER"}"#), "a message needs"),
        (entry(r#"{"q": "q", "answer": "a"}"#), "unknown key"),
        (entry(r#"{"q": null}"#), "expected a string"),
        (entry(r#"{"q": "q", "text": "t"}"#), "does not go with"),
        (entry(r#"{"a": "a", "message_type": "ANSWER"}"#), "does not go with"),
        (entry(r#"{"q": "q", "message_id": "1"}"#), "does not go with"),
        (entry(r#"{"q": "q", "parent_message_id": ""}"#), "does not go with"),
        (entry(r#"{"q": "q", "a": "a", "qa_id": "1"}"#), "does not go with"),
        (entry(r#"{"q": "q", "feedback": "NONE"}"#), "needs an answer"),
        (entry(r#"{"q": "q", "gap": -0.001}"#), "0 to 31622400 seconds"),
        (entry(r#"{"q": "q", "create_time": "noon"}"#), "not an instant"),
        (entry(r#"{"message_type": "question", "text": "t"}"#), "did you mean"),
        (entry(r#"{"message_type": "ANSWER", "text": 1}"#), "expected a string"),
        (entry(r#"{"message_type": "ANSWER", "text": "t", "feedback": "ALL"}"#), "it is a filter"),
        (entry(r#"{"a": "a", "feedback": "POSITIVE"}"#), "did you mean"),
        (entry(r#"{"message_type": "QUESTION", "text": "t", "feedback": "GOOD"}"#), "on an ANSWER"),
        (entry(r#"{"message_type": "ANSWER", "text": "t", "qa_id": "1"}"#), "on a QUESTION"),
        (entry(r#"{"message_type": "ANSWER", "text": "t", "message_id": ""}"#), "not be empty"),
        (entry(r#"{"message_type": "QUESTION", "text": "t", "qa_id": ""}"#), "not be empty"),
        (
            entry(r#"{"message_type": "ANSWER", "text": "t", "parent_message_id": 1}"#),
            "expected a string",
        ),
    ];
    for (text, why) in &wrong {
        assert!(!takes(&validator, text), "the schema takes {text}");
        let told = check(text);
        assert!(told.iter().any(|told| told.contains(why)), "{text}: {told:?}");
    }
}

/// A schema sees neither what lies in two places nor how a number is written. Descriptions say so.
#[test]
fn what_only_the_loader_sees() {
    let validator = validator();
    let message = r#"{"message_type": "QUESTION", "text": "t", "message_id": "m"}"#;
    let row = r#"{"message_type": "QUESTION", "text": "t", "qa_id": "1"}, {"a": "a"}"#;
    let wrong = [
        (r#"{"agents": [{"name": "a"}], "agents": [{"name": "b"}]}"#.to_owned(), "stands twice"),
        (r#"{"agents": [{"name": "n"}, {"name": "n", "keys": []}]}"#.to_owned(), "is named"),
        (
            r#"{"agents": [{"name": "n"}, {"name": "m", "keys": ["app-n"]}]}"#.to_owned(),
            "stands for an agent already",
        ),
        (conversation(r#"{"conversation_id": "c"}, {"conversation_id": "c"}"#), "stands twice"),
        (entry(&format!("{message}, {message}")), "stands twice"),
        (entry(&format!("{row}, {row}")), "stands twice"),
        (agent(r#", "bot_id": "b", "conversations": [{"bot_id": "other"}]"#), "not the agent's"),
        (conversation(r#"{"message_count": 2, "messages": [{"q": "q"}]}"#), "there are 1"),
        (conversation(r#"{"message_count": 0.0}"#), "whole number"),
        (
            conversation(r#"{"recent_chat_time": 1, "messages": [{"q": "q", "create_time": 5}]}"#),
            "newest message",
        ),
        (conversation(r#"{"recent_chat_time": 1, "start": 2}"#), "before start"),
        (conversation(r#"{"start": 2, "messages": [{"q": "q", "create_time": 1}]}"#), "is before"),
        (entry(r#"{"q": "q", "create_time": 2}, {"a": "a", "create_time": 1}"#), "is before"),
        (
            entry(r#"{"message_type": "ANSWER", "text": "t", "parent_message_id": "m"}"#),
            "not the message before",
        ),
        (start(r#""2025-02-30T09:00:00Z""#), "not an instant"),
        (start(r#""9999-12-31T23:59:59Z""#), "not an instant"),
        (start("1e3"), "got 1e3"),
    ];
    for (text, why) in &wrong {
        assert!(takes(&validator, text), "the schema refuses {text}: move it");
        let told = check(text);
        assert!(told.iter().any(|told| told.contains(why)), "{text}: {told:?}");
    }
}

#[test]
fn the_enums_are_those_of_the_contract() {
    let schema = schema();
    let words = |pointer: &str| -> Vec<String> {
        serde_json::from_value(schema.pointer(pointer).unwrap().clone()).unwrap()
    };
    let types: Vec<_> = CONVERSATION_TYPES.iter().map(|(value, ..)| value.name()).collect();
    assert_eq!(words("/$defs/conversation/properties/conversation_type/enum"), types);
    let ratings = Feedback::ALL.map(Feedback::name);
    assert_eq!(words("/$defs/entry/properties/feedback/enum"), ratings);
}

/// The loader lists the keys that it knows to whoever writes another.
#[test]
fn the_keys_are_those_of_the_loader() {
    let schema = schema();
    for (object, wrap) in OBJECTS {
        let told = check(&wrap(&json!({"zzzzzzzzzzzz": 1})).to_string());
        let listed = told.iter().find_map(|told| told.split_once("; one of ")).unwrap().1;
        let loader: BTreeSet<_> = listed.split(", ").collect();
        let properties = properties(&schema, object);
        assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), loader);
    }
}

#[test]
fn every_key_has_a_title_a_description_and_examples_that_pass_both() {
    let (schema, validator) = (schema(), validator());
    for (object, wrap) in OBJECTS {
        for (key, about) in properties(&schema, object) {
            for word in ["title", "description"] {
                assert!(about[word].as_str().is_some_and(|text| !text.is_empty()), "{key}");
            }
            let examples = about["examples"].as_array().unwrap_or_else(|| panic!("{key}")).iter();
            for example in examples.chain(about.get("default")) {
                let mut sample = match (object, key.as_str()) {
                    ("", _) => json!({"agents": [{"name": "a"}]}),
                    ("/$defs/agent", _) => json!({"name": "n"}),
                    ("/$defs/entry", "q" | "a" | "create_time" | "gap" | "feedback") => {
                        json!({"q": "q", "a": "a"})
                    }
                    ("/$defs/entry", _) => json!({"message_type": "QUESTION", "text": "t"}),
                    _ => json!({}),
                };
                sample[&key] = example.clone();
                let text = wrap(&sample).to_string();
                assert!(takes(&validator, &text), "the schema refuses {text}");
                assert_eq!(check(&text), [""; 0], "{text}");
            }
        }
    }
}

#[test]
fn a_default_is_what_is_derived_when_left_out() {
    let schema = schema();
    let sample = |defaults: bool| {
        let mut entry = json!({"q": "q", "a": "a"});
        let mut conversation = json!({"messages": [entry, entry]});
        let mut agent = json!({"name": "n", "conversations": [conversation, {}]});
        if defaults {
            let default =
                |object: &str, key: &str| properties(&schema, object)[key]["default"].clone();
            entry["feedback"] = default("/$defs/entry", "feedback");
            conversation["messages"] = json!([entry, entry]);
            for key in ["conversation_type", "gap"] {
                conversation[key] = default("/$defs/conversation", key);
            }
            let messages = default("/$defs/conversation", "messages");
            agent["conversations"] = json!([conversation, {"messages": messages}]);
            agent["deleted"] = default("/$defs/agent", "deleted");
        }
        let server = build(&[agent]).start().unwrap();
        let window = "start_time=0&end_time=9999999999999&page=1&page_size=10";
        let list = format!("/v1/bot/conversation/page?conversation_type=ALL&{window}");
        let qa = format!("/v1/message/qa/record/page?user_feedback=ALL&{window}");
        [list, qa].map(|query| get(&server, "app-n", &query).ok().body.clone())
    };
    assert_eq!(sample(true), sample(false));
}
