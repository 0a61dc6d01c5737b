//! The request schemas of the control API's `OpenAPI` document accept and refuse the same bodies as
//! the server.

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::control::openapi::{Document, reached};
use crate::support::control::control;

/// The operation that a body is sent to.
#[derive(Clone, Copy, Debug)]
enum To {
    Sandbox,
    Clock,
    Fault,
    Pattern,
    Near,
    Asked,
}

use To::{Asked, Clock, Fault, Near, Pattern, Sandbox};

impl To {
    fn request(self) -> (&'static str, &'static str) {
        match self {
            Sandbox => ("PUT", "/sandboxes/a"),
            Clock => ("POST", "/sandboxes/a/clock"),
            Fault => ("POST", "/sandboxes/a/faults"),
            Pattern => ("POST", "/requests/count"),
            Near => ("POST", "/near-misses/request-pattern"),
            Asked => ("POST", "/near-misses/request"),
        }
    }

    fn schema(self, document: &Document) -> Value {
        let (method, path) = self.request();
        let body = &document.operation(method, path)["requestBody"];
        assert_eq!(body["required"], true);
        body["content"]["application/json"]["schema"].clone()
    }

    /// Whether a server accepts a body.
    fn takes(self, server: &Server, body: &str) -> bool {
        control(server.address(), "POST", "/reset", "").ok();
        let (method, path) = self.request();
        let answer = control(server.address(), method, path, body);
        assert!([200, 400].contains(&answer.status), "{answer:?}");
        answer.status == 200
    }
}

/// Bodies that schema and server accept.
const RIGHT: &[(To, &str)] = &[
    (Sandbox, "{}"),
    (Sandbox, r#"{"seed": 0, "conversations": 0, "faults": [], "hazards": [], "readings": {}}"#),
    (Sandbox, r#"{"seed": 18446744073709551615, "conversations": 3}"#),
    (Sandbox, r#"{"readings": {"qa-time": "milliseconds", "wording": "bot"}}"#),
    (Sandbox, r#"{"faults": ["messages:code=50000,every=3", {"delay": 5}]}"#),
    (Sandbox, r#"{"rate_limit": {"requests": 1, "seconds": 1}}"#),
    (Sandbox, r#"{"rate_limit": {"requests": 1000000, "seconds": 86400}}"#),
    (Sandbox, r#"{"rate_limit": "60/60"}"#),
    (Sandbox, r#"{"rate_limit": null}"#),
    (Sandbox, r#"{"hazards": ["arrival", "qa:short-page", "messages-v2:exact-multiple"]}"#),
    (Sandbox, r#"{"clock": "real"}"#),
    (Sandbox, r#"{"clock": {"mode": "frozen"}}"#),
    (Sandbox, r#"{"fixtures": {"agents": [{"name": "x"}]}}"#),
    (
        Sandbox,
        r#"{"fixtures": {"agents": [{"name": "x", "keys": ["k"], "conversations": [
            {"start": "2025-10-20T09:00:00Z", "gap": 5, "messages": [{"q": "Hi", "a": "Hello"}]}
        ]}]}}"#,
    ),
    (Clock, "{}"),
    (Clock, r#"{"advance_ms": 0}"#),
    (Clock, r#"{"advance_ms": 3153600000000, "mode": "frozen"}"#),
    (Clock, r#"{"mode": "real"}"#),
    (Fault, r#""status=503""#),
    (Fault, r#"{"operation": "qa", "code": 50000}"#),
    (Fault, r#"{"operation": ["qa", "messages"], "status": 200, "body": "html", "id": "a_B-9"}"#),
    (Fault, r#"{"status": 599, "body": "json", "times": 1, "after": 0, "every": 1}"#),
    (Fault, r#"{"status": 503, "retry_after": 86400}"#),
    (Fault, r#"{"code": 50000, "retry_after": 0, "delay": 1}"#),
    (Fault, r#"{"body": "garbage", "probability": 1}"#),
    (Fault, r#"{"body": "truncated", "probability": 0.001, "drip": 1}"#),
    (Fault, r#"{"drip": 4294967295}"#),
    (Fault, r#"{"delay": 600000, "break": "reset", "body": "json"}"#),
    (Fault, r#"{"delay": "100..900"}"#),
    (Fault, r#"{"delay": "lognormal:200:0.5"}"#),
    (Fault, r#"{"delay": 1, "times": 18446744073709551615}"#),
    (Fault, r#"{"break": "no-answer"}"#),
    (Fault, r#"{"faults": ["status=503", {"operation": "qa", "code": 50000}]}"#),
    (Pattern, "{}"),
    (Pattern, r#"{"method": "GET", "url": "/v1/messages?page=1"}"#),
    (Pattern, r#"{"method": "ANY", "urlPath": "/v1/messages", "url": null, "headers": null}"#),
    (Pattern, r#"{"urlPattern": "/v1/.*", "method": null}"#),
    (Pattern, r#"{"urlPathPattern": "/v[12]/messages"}"#),
    (
        Pattern,
        r#"{"queryParameters": {
            "a": {"equalTo": "1"}, "b": {"equalTo": "x", "caseInsensitive": true},
            "c": {"contains": ""}, "d": {"matches": ".*"}, "e": {"doesNotMatch": "x+"}
        }}"#,
    ),
    (Pattern, r#"{"headers": {"x": {"absent": true}, "Y": {"absent": "(absent)"}}}"#),
    (Pattern, r#"{"urlPathTemplate": "/v1/{x}", "pathParameters": {"x": {"equalTo": "y"}}}"#),
    (Pattern, r#"{"scheme": "http", "host": {"anything": "x"}, "port": 80}"#),
    (Pattern, r#"{"clientIp": {"not": {"equalTo": "::1"}}, "cookies": {"a": {"contains": "b"}}}"#),
    (
        Pattern,
        r#"{"headers": {"x": {"and": [{"doesNotContain": "a"}, {"or": [{"equalTo": ""}]}]}}}"#,
    ),
    (Pattern, r#"{"headers": {"x": {"hasExactly": [{"equalTo": "1"}]}}}"#),
    (Pattern, r#"{"queryParameters": {"x": {"includes": [{"equalTo": "1"}]}}}"#),
    (Near, "{}"),
    (Near, r#"{"urlPath": "/v1/messages", "headers": {"x": {"equalTo": "1"}}}"#),
    (Asked, r#"{"method": "GET", "url": "/v1/message", "mock": {"number": 1}}"#),
];

/// Bodies that schema and server refuse.
const WRONG: &[(To, &str)] = &[
    (Sandbox, "[]"),
    (Sandbox, "null"),
    (Sandbox, r#"{"sed": 1}"#),
    (Sandbox, r#"{"rate-limit": null}"#),
    (Sandbox, r#"{"seed": -1}"#),
    (Sandbox, r#"{"seed": 1.5}"#),
    (Sandbox, r#"{"seed": "1"}"#),
    (Sandbox, r#"{"seed": null}"#),
    (Sandbox, r#"{"conversations": 10000001}"#),
    (Sandbox, r#"{"conversations": 1, "fixtures": {"agents": [{"name": "x"}]}}"#),
    (Sandbox, r#"{"fixtures": {"agents": []}}"#),
    (Sandbox, r#"{"fixtures": {"agents": [{"nam": "x"}]}}"#),
    (Sandbox, r#"{"fixtures": {"agents": [{"name": "x", "conversations": [{"gap": -1}]}]}}"#),
    (Sandbox, r#"{"readings": {"qa-tme": "seconds"}}"#),
    (Sandbox, r#"{"readings": {"qa-time": "hours"}}"#),
    (Sandbox, r#"{"readings": []}"#),
    (Sandbox, r#"{"faults": "status=503"}"#),
    (Sandbox, r#"{"faults": [{"every": 3}]}"#),
    (Sandbox, r#"{"rate_limit": {"requests": 1}}"#),
    (Sandbox, r#"{"rate_limit": {"requests": 0, "seconds": 1}}"#),
    (Sandbox, r#"{"rate_limit": {"requests": 1, "seconds": 86401}}"#),
    (Sandbox, r#"{"rate_limit": {"requests": 1, "seconds": 1, "burst": 1}}"#),
    (Sandbox, r#"{"rate_limit": "60"}"#),
    (Sandbox, r#"{"rate_limit": 60}"#),
    (Sandbox, r#"{"hazards": "arrival"}"#),
    (Sandbox, r#"{"hazards": ["arival"]}"#),
    (Sandbox, r#"{"hazards": ["qaa:arrival"]}"#),
    (Sandbox, r#"{"clock": "frozn"}"#),
    (Sandbox, r#"{"clock": true}"#),
    (Sandbox, r#"{"clock": {"mode": "x"}}"#),
    (Sandbox, r#"{"clock": {"advance_ms": 1}}"#),
    (Clock, "[]"),
    (Clock, r#"{"advance": 1}"#),
    (Clock, r#"{"advance_ms": -1}"#),
    (Clock, r#"{"advance_ms": 3153600000001}"#),
    (Clock, r#"{"mode": "stopped"}"#),
    (Fault, "[]"),
    (Fault, "{}"),
    (Fault, r#"{"body": "json"}"#),
    (Fault, r#"{"every": 3}"#),
    (Fault, r#"{"faults": []}"#),
    (Fault, r#"{"faults": "status=503"}"#),
    (Fault, r#"{"faults": [{"every": 3}]}"#),
    (Fault, r#"{"faults": ["status=503"], "status": 503}"#),
    (Fault, r#"{"statu": 503}"#),
    (Fault, r#"{"code": 50001}"#),
    (Fault, r#"{"code": 50000, "status": 500}"#),
    (Fault, r#"{"status": 199}"#),
    (Fault, r#"{"status": 600}"#),
    (Fault, r#"{"body": "html"}"#),
    (Fault, r#"{"body": "xml", "status": 500}"#),
    (Fault, r#"{"code": 50000, "body": "html"}"#),
    (Fault, r#"{"break": "reset", "status": 500}"#),
    (Fault, r#"{"break": "reset", "code": 50000}"#),
    (Fault, r#"{"break": "reset", "body": "empty"}"#),
    (Fault, r#"{"break": "reset", "drip": 1}"#),
    (Fault, r#"{"break": "rest"}"#),
    (Fault, r#"{"delay": 600001}"#),
    (Fault, r#"{"delay": -1}"#),
    (Fault, r#"{"delay": "2s"}"#),
    (Fault, r#"{"status": 503, "retry_after": 86401}"#),
    (Fault, r#"{"status": 503, "retry_after": -1}"#),
    (Fault, r#"{"delay": 1, "retry_after": 1}"#),
    (Fault, r#"{"retry_after": 1}"#),
    (Fault, r#"{"drip": 0}"#),
    (Fault, r#"{"drip": 4294967296}"#),
    (Fault, r#"{"delay": 1, "times": 0}"#),
    (Fault, r#"{"delay": 1, "every": 0}"#),
    (Fault, r#"{"delay": 1, "after": -1}"#),
    (Fault, r#"{"delay": 1, "after": 20000000000000000000}"#),
    (Fault, r#"{"delay": 1, "every": 20000000000000000000}"#),
    (Fault, r#"{"delay": 1, "times": 20000000000000000000}"#),
    (Fault, r#"{"delay": "lognormal:200:9..9"}"#),
    (Fault, r#"{"delay": "lognormal:200:."}"#),
    (Fault, r#"{"delay": 1, "probability": 0}"#),
    (Fault, r#"{"delay": 1, "probability": 1.1}"#),
    (Fault, r#"{"delay": 1, "id": "a.b"}"#),
    (Fault, r#"{"delay": 1, "id": "prefer"}"#),
    (Fault, r#"{"delay": 1, "operation": "mesages"}"#),
    (Fault, r#"{"delay": 1, "operation": []}"#),
    (Fault, r#"{"delay": 1, "operation": ["qa", "qa"]}"#),
    (Pattern, "[]"),
    (Pattern, r#"{"urls": "/"}"#),
    (Pattern, r#"{"method": "get"}"#),
    (Pattern, r#"{"method": 1}"#),
    (Pattern, r#"{"url": "/", "urlPath": "/"}"#),
    (Pattern, r#"{"urlPattern": "/", "urlPathPattern": "/"}"#),
    (Pattern, r#"{"urlPath": "/v1/messages?page=1"}"#),
    (Pattern, r#"{"headers": {"x": "1"}}"#),
    (Pattern, r#"{"headers": {"x": {}}}"#),
    (Pattern, r#"{"headers": {"x": {"absent": false}}}"#),
    (Pattern, r#"{"headers": {"x": {"equalTo": 1}}}"#),
    (Pattern, r#"{"headers": {"x": {"equalTo": "1", "contains": "1"}}}"#),
    (Pattern, r#"{"headers": {"x": {"contains": "1", "caseInsensitive": true}}}"#),
    (Pattern, r#"{"headers": {"x": {"equals": "1"}}}"#),
    (Pattern, r#"{"headers": {"x": {"and": []}}}"#),
    (Pattern, r#"{"headers": {"x": {"not": [{"equalTo": "1"}]}}}"#),
    (Pattern, r#"{"cookies": {"x": {"includes": [{"equalTo": "1"}]}}}"#),
    (Pattern, r#"{"urlPathTemplate": "/v1?x"}"#),
    (Pattern, r#"{"urlPathTemplate": "/v1", "url": "/v1"}"#),
    (Pattern, r#"{"host": "x"}"#),
    (Pattern, r#"{"port": 1.5}"#),
    (Pattern, r#"{"bodyPatterns": []}"#),
    (Near, r#"{"urls": "/"}"#),
    (Asked, "{}"),
    (Asked, r#"{"method": 1, "url": "/"}"#),
];

/// Bodies that only the server refuses, because a schema cannot express it.
const ONLY_THE_SERVER_SEES: &[(To, &str)] = &[
    (Sandbox, r#"{"seed": 1, "seed": 2}"#),
    (Sandbox, r#"{"seed": 1.0}"#),
    (Sandbox, r#"{"rate_limit": "0/60"}"#),
    (Sandbox, r#"{"faults": ["every=3"]}"#),
    (Sandbox, r#"{"faults": ["delay=1,id=x", {"delay": 1, "id": "x"}]}"#),
    (Fault, r#"{"operation": "qa", "code": 40356}"#),
    (Fault, r#"{"delay": "900..100"}"#),
    (Fault, r#"{"delay": "600001"}"#),
    (Fault, r#"{"delay": "lognormal:200:5.1"}"#),
    (Pattern, r#"{"urlPattern": "["}"#),
    (Pattern, r#"{"urlPathTemplate": "/v1", "pathParameters": {"x": {"equalTo": "y"}}}"#),
];

/// Bodies that only the server accepts: numbers of a fault that are written as strings, as in its line.
const TAKEN_ALL_THE_SAME: &[(To, &str)] =
    &[(Fault, r#"{"code": "50000"}"#), (Fault, r#"{"drip": "5", "every": "2"}"#)];

/// Asserts for each body whether the schema and the server accept it.
fn each(bodies: &[(To, &str)], by_schema: bool, by_server: bool) {
    let (document, server) = (Document::new(), Server::start().unwrap());
    for (to, body) in bodies {
        let validator = document.validator(&to.schema(&document));
        let taken = validator.is_valid(&serde_json::from_str(body).unwrap());
        assert_eq!((taken, to.takes(&server, body)), (by_schema, by_server), "{to:?}: {body}");
    }
}

#[test]
fn bodies_that_the_document_allows_are_taken() {
    each(RIGHT, true, true);
}

#[test]
fn bodies_that_the_document_forbids_are_refused() {
    each(WRONG, false, false);
}

#[test]
fn bodies_beyond_the_schema_are_refused_by_the_server() {
    each(ONLY_THE_SERVER_SEES, true, false);
}

#[test]
fn undocumented_bodies_are_accepted() {
    each(TAKEN_ALL_THE_SAME, false, true);
}

/// The largest allowed values, and one more.
#[test]
fn lists_names_and_expressions_have_their_bounds_on_both_sides() {
    let faults = |many: usize| json!({ "faults": vec![json!({ "delay": 1 }); many] });
    let names = |many: usize| {
        let names = (0..many).map(|number| (format!("x{number}"), json!({ "equalTo": "" })));
        json!({ "headers": Value::Object(names.collect()) })
    };
    let expression = |long: usize| json!({ "urlPattern": "a".repeat(long) });
    for (to, right, wrong) in [
        (Sandbox, faults(1000), faults(1001)),
        (Pattern, names(100), names(101)),
        (Pattern, expression(1000), expression(1001)),
    ] {
        each(&[(to, &right.to_string())], true, true);
        each(&[(to, &wrong.to_string())], false, false);
    }
    // A schema counts characters, the server bytes, as the description says.
    let two_bytes_each = |many: usize| json!({ "urlPattern": "é".repeat(many) }).to_string();
    each(&[(Pattern, &two_bytes_each(500))], true, true);
    each(&[(Pattern, &two_bytes_each(501))], true, false);
}

#[test]
fn examples_are_taken() {
    let document = Document::new();
    for to in [Sandbox, Clock, Fault, Pattern] {
        let (method, path) = to.request();
        let body = &document.operation(method, path)["requestBody"];
        let examples = body["content"]["application/json"]["examples"].as_object().unwrap();
        assert!(examples.len() > 1, "{to:?}");
        for example in examples.values() {
            each(&[(to, &example["value"].to_string())], true, true);
        }
    }
}

/// Each schema of a body was checked with at least one value.
#[test]
fn every_schema_of_a_body_matters() {
    let document = Document::new();
    for name in reached(&document, "requestBody") {
        let mut broken = Document(document.0.clone());
        broken.0["components"]["schemas"][&name] = false.into();
        let refused = RIGHT.iter().any(|(to, body)| {
            let validator = broken.validator(&to.schema(&broken));
            !validator.is_valid(&serde_json::from_str(body).unwrap())
        });
        assert!(refused, "no body has a {name}");
    }
}

/// A parameter's value in a query, as its schema sees it.
fn read(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str().unwrap() {
        "integer" => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        "boolean" => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        "array" => text.split(',').collect(),
        _ => text.into(),
    }
}

#[test]
fn parameters_are_taken_and_refused_as_the_document_says() {
    let server = Server::start().unwrap();
    let document = Document::new();
    let long = "x".repeat(65);
    for (method, template, name, right, wrong) in [
        // Makes those that are asked for behind it.
        ("PUT", "/sandboxes/", "id", &["a", "A.b_c-9"][..], &["a~b", &long][..]),
        ("GET", "/requests?limit=", "limit", &["0", "7"], &["-1", "x", "1.5", ""]),
        ("GET", "/requests?since=", "since", &["2026-10-20T09:00:00Z"], &["now", "2026-10-20"]),
        ("GET", "/requests?unmatched=", "unmatched", &["true", "false"], &["1", ""]),
        ("GET", "/requests?sandbox=", "sandbox", &["a", "A.b_c-9"], &["a~b", "", &long]),
        ("GET", "/verdict?mute=", "mute", &["no-pause", "no-pause,past-the-end"], &["x", ""]),
    ] {
        let path = if name == "id" { "/sandboxes/a" } else { template };
        let parameters = document.operation(method, path)["parameters"].clone();
        let found = parameters.as_array().unwrap().iter().find(|of| of["name"] == name);
        let schema = found.unwrap_or_else(|| panic!("no {name}"))["schema"].clone();
        let validator = document.validator(&schema);
        for (values, expected) in [(right, true), (wrong, false)] {
            for value in values {
                let answer = control(server.address(), method, &format!("{template}{value}"), "{}");
                let taken = validator.is_valid(&read(&schema, value));
                assert_eq!((taken, answer.status == 200), (expected, expected), "{name}={value}");
            }
        }
    }
}

/// The schemas for editors and for generators agree where both describe the same.
#[test]
fn the_schema_of_settings_says_the_same() {
    let settings: Value =
        serde_json::from_str(include_str!("../../../docs/config.schema.json")).unwrap();
    let document = Document::new();
    let schemas = &document.0["components"]["schemas"];
    let sandbox = &schemas["Settings"]["properties"];
    let fault = &schemas["Fault"];
    assert_eq!(&settings["properties"]["fault"]["items"], fault, "{fault:#}");
    let hazard = &settings["properties"]["hazard"]["items"];
    assert_eq!(sandbox["hazards"]["items"]["$ref"], "#/components/schemas/Hazard");
    assert_eq!(hazard, &schemas["Hazard"], "{:#}", schemas["Hazard"]);
}
