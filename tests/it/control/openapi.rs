//! The `OpenAPI` document of the control API: the tests make every operation respond with each status that the
//! document lists, and check that there is no other.

use std::collections::BTreeSet;
use std::time::Duration;

use gptbots_mock::{Limits, Server};
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::control::events::Listener;
use crate::support::client::{Answer, NEWEST, call, get, raw, request};
use crate::support::control::control;
use crate::support::process::{Process, command, run};
use crate::support::wire::Wire;

/// The document.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    pub(crate) fn new() -> Self {
        Self(serde_json::from_str(gptbots_mock::admin_openapi()).unwrap())
    }

    /// Every operation: its method, its path below `/__admin`, and its description.
    fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let all = paths.flat_map(|(path, item)| {
            let path = path.strip_prefix("/__admin").unwrap();
            let of = item.as_object().unwrap().iter();
            of.map(move |(method, operation)| (method.to_uppercase(), path.to_owned(), operation))
        });
        all.collect()
    }

    /// The operation that a request calls.
    #[track_caller]
    pub(crate) fn operation(&self, method: &str, path: &str) -> &Value {
        let path = path.split('?').next().unwrap();
        let parts: Vec<_> = path.split('/').collect();
        let fits = |template: &str| {
            let template: Vec<_> = template.split('/').collect();
            let same = |(one, other): (&&str, &&str)| one == other || one.starts_with('{');
            template.len() == parts.len() && template.iter().zip(&parts).all(same)
        };
        let mut found: Vec<_> = self.operations();
        found.retain(|(of, template, _)| of == method && fits(template));
        // A literal path has priority over a path with parameters.
        found.sort_by_key(|(_, template, _)| template.contains("{request}"));
        found.first().unwrap_or_else(|| panic!("no {method} {path}")).2
    }

    /// A schema of the document.
    pub(crate) fn validator(&self, schema: &Value) -> Validator {
        // References point to the components of the whole document.
        let whole = json!({ "allOf": [schema], "components": self.0["components"] });
        let options = jsonschema::options().with_draft(Draft::Draft202012);
        options.should_validate_formats(true).build(&whole).unwrap()
    }

    fn response(&self, operation: &Value, status: u16) -> Value {
        let response = &operation["responses"][status.to_string()];
        match response["$ref"].as_str() {
            Some(to) => self.0.pointer(to.trim_start_matches('#')).unwrap().clone(),
            None => response.clone(),
        }
    }
}

/// The path of an operation, with a value for each parameter.
fn filled(path: &str) -> String {
    path.replace("{id}", "a").replace("{request}", "00000000-0000-4000-8000-000000000003")
}

/// The responses, checked against the document.
struct Seen {
    document: Document,
    /// Operations with the statuses of their responses.
    met: BTreeSet<(String, u16)>,
    /// Schemas with the values that were checked.
    instances: Vec<(Value, Value)>,
}

impl Seen {
    fn new() -> Self {
        Self { document: Document::new(), met: BTreeSet::new(), instances: Vec::new() }
    }

    /// Asserts that the document describes a response of an operation.
    #[track_caller]
    fn take(&mut self, method: &str, path: &str, answer: &Answer) {
        let operation = self.document.operation(method, path);
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let response = self.document.response(operation, answer.status);
        assert!(response.is_object(), "{id} does not document this: {answer:?}");
        for (header, _) in response["headers"].as_object().into_iter().flatten() {
            assert!(answer.header(&header.to_lowercase()).is_some(), "{header}: {answer:?}");
        }
        let media_type = answer.header("content-type").unwrap();
        let content = &response["content"][media_type];
        assert!(content.is_object(), "{id} does not document {media_type}");
        let told = if media_type == "application/json" {
            answer.json()
        } else {
            answer.body.clone().into()
        };
        self.holds(&content["schema"].clone(), told);
        self.met.insert((id, answer.status));
    }

    #[track_caller]
    fn holds(&mut self, schema: &Value, told: Value) {
        let validator = self.document.validator(schema);
        let errors: Vec<_> = validator
            .iter_errors(&told)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{told:#}");
        self.instances.push((schema.clone(), told));
    }

    /// Every operation as a request to it.
    fn each(&self) -> Vec<(String, String)> {
        let all = self.document.operations().into_iter();
        all.map(|(method, path, _)| (method, filled(&path))).collect()
    }
}

/// Requests to the vendor's endpoints that make responses interesting: a finding, a violation, a repeated header, a
/// repeated parameter, a request without an endpoint.
fn something_happens(server: &Server) {
    let headers = [("Authorization", "Bearer app-demo~a"), ("x", "1"), ("x", "2")];
    for _ in 0..3 {
        request(server, "GET", &format!("{NEWEST}&sort=1&sort=2"), &headers);
    }
    get(server, "app-demo~a", "/v1/messages?page=0");
    get(server, "app-demo~a", "/nowhere");
}

/// Requests that are answered 200, in this order.
const RIGHT: &[(&str, &str, &str)] = &[
    ("GET", "/health", ""),
    ("GET", "/version", ""),
    ("GET", "/openapi.json", ""),
    ("GET", "/admin-openapi.json", ""),
    ("GET", "/sandboxes", ""),
    ("GET", "/sandboxes/a", ""),
    ("GET", "/sandboxes/a/verdict", ""),
    ("GET", "/verdict?mute=no-pause,past-the-end", ""),
    ("GET", "/requests", ""),
    ("GET", "/requests?limit=1&since=2020-01-01T00:00:00Z&sandbox=a", ""),
    ("POST", "/requests/find", "{}"),
    ("POST", "/requests/count", "{}"),
    ("GET", "/requests?unmatched=true", ""),
    ("GET", "/requests/unmatched", ""),
    ("GET", "/requests/unmatched/near-misses", ""),
    (
        "POST",
        "/near-misses/request-pattern",
        r#"{"headers": {"x": {"not": {"matches": "a"}}}, "host": {"not": {"equalTo": "x"}}}"#,
    ),
    ("POST", "/near-misses/request", r#"{"method": "GET", "url": "/v1/message"}"#),
    ("GET", "/requests/00000000-0000-4000-8000-000000000003", ""),
    ("DELETE", "/requests/00000000-0000-4000-8000-000000000003", ""),
    ("POST", "/requests/remove", r#"{"urlPath": "/v1/messages"}"#),
    ("POST", "/requests/reset?sandbox=a", ""),
    ("DELETE", "/requests", ""),
    (
        "PUT",
        "/sandboxes/a",
        r#"{"fixtures": {"agents": [{"name": "x", "keys": ["k"], "conversations": [
            {"conversation_type": "PIGEON"}]}]}}"#,
    ),
    ("GET", "/sandboxes/a", ""),
    ("GET", "/sandboxes/a?fixtures=true", ""),
    ("PUT", "/sandboxes/a", r#"{"rate_limit": "9/60", "hazards": ["qa:arrival"]}"#),
    ("POST", "/sandboxes/a/faults", r#"{"code": 50000, "id": "x"}"#),
    ("POST", "/sandboxes/a/clock", r#"{"mode": "frozen", "advance_ms": 5}"#),
    ("POST", "/sandboxes/a/reset", ""),
    ("DELETE", "/sandboxes/a", ""),
    ("POST", "/reset", ""),
];

fn answers_that_are_right(seen: &mut Seen) {
    let server = Server::builder().journal(4).start().unwrap();
    something_happens(&server);
    stream(seen, &server);
    for accept in ["application/json", "text/plain", "application/xml"] {
        for path in ["/verdict", "/sandboxes/a/verdict"] {
            let target = format!("/__admin{path}");
            seen.take("GET", path, &request(&server, "GET", &target, &[("Accept", accept)]));
        }
    }
    for (method, path, body) in RIGHT {
        let answer = control(server.address(), method, path, body);
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        seen.take(method, path, &answer);
    }
}

/// A journal of four has dropped the first of five requests.
fn stream(seen: &mut Seen, server: &Server) {
    let mut listener = Listener::open(server.address(), "", "Last-Event-ID: 0\r\n");
    let told = (0..5).map(|_| {
        let event = listener.next().unwrap();
        let mut told = json!({ "event": event.name, "data": event.data });
        if let Some(id) = event.id {
            told["id"] = id.into();
        }
        told
    });
    let told: Value = told.collect();
    assert_eq!(told[0]["event"], "dropped");
    let operation = seen.document.operation("GET", "/events");
    let content = operation["responses"]["200"]["content"]["text/event-stream"].clone();
    seen.holds(&content["schema"]["contentSchema"], told);
    seen.met.insert(("events".to_owned(), 200));
}

/// Requests that are refused because of their content.
const WRONG: &[(&str, &str, &str, u16)] = &[
    ("GET", "/sandboxes/nobody", "", 404),
    ("GET", "/sandboxes/nobody/verdict", "", 404),
    ("GET", "/requests/00000000-0000-4000-8000-000000000009", "", 404),
    ("GET", "/requests/x", "", 404),
    ("GET", "/requests?sandbox=nobody", "", 404),
    ("GET", "/requests/unmatched?sandbox=nobody", "", 404),
    ("GET", "/requests/unmatched/near-misses?sandbox=nobody", "", 404),
    ("POST", "/near-misses/request-pattern?sandbox=nobody", "{}", 404),
    ("POST", "/near-misses/request", "{}", 400),
    ("POST", "/requests/find?sandbox=nobody", "{}", 404),
    ("POST", "/requests/count?sandbox=nobody", "{}", 404),
    ("POST", "/requests/remove?sandbox=nobody", "{}", 404),
    ("POST", "/sandboxes/a/faults", r#""delay=1,id=x""#, 409),
    ("PUT", "/sandboxes/a", r#"{"sed": 1, "hazards": ["x"]}"#, 400),
    ("PUT", "/sandboxes/a", "", 400),
    ("PUT", "/sandboxes/a~b", "{}", 400),
    ("POST", "/sandboxes/a/clock", "{", 400),
    ("POST", "/sandboxes/a/faults", r#""every=3""#, 400),
    ("POST", "/requests/find", r#"{"urls": 1}"#, 400),
    ("GET", "/requests?limit=x", "", 400),
    ("GET", "/verdict?mute=x", "", 400),
];

fn answers_that_are_wrong(seen: &mut Seen) {
    let server = Server::start().unwrap();
    control(server.address(), "POST", "/sandboxes/a/faults", r#""delay=1,id=x""#).ok();
    for (method, path, body, status) in WRONG {
        let answer = control(server.address(), method, path, body);
        assert_eq!(answer.status, *status, "{method} {path}: {answer:?}");
        seen.take(method, path, &answer);
    }
    let silent = Server::builder().journal(0).start().unwrap();
    for path in ["/events", "/verdict", "/sandboxes/default/verdict"] {
        let answer = control(silent.address(), "GET", path, "");
        assert_eq!(answer.status, 404, "{answer:?}");
        seen.take("GET", path, &answer);
    }
    // The response is the same if there is no operation.
    let nowhere = control(server.address(), "GET", "/nowhere", "");
    assert_eq!(nowhere.status, 404);
    let not_found = &seen.document.0["components"]["responses"]["NotFound"];
    let schema = not_found["content"]["application/json"]["schema"].clone();
    seen.holds(&schema, nowhere.json());
}

/// The refusals that every operation has.
fn answers_that_refuse_everything(seen: &mut Seen) {
    let mut limits = Limits::default();
    limits.head_timeout = Duration::from_millis(200);
    let hurried = Server::builder().limits(limits).start().unwrap();
    let (_guarded, guarded) = Process::serve(&["--admin-token", "s3cret"]);
    let server = Server::start().unwrap();
    // Some records and a body of 7 MiB do not fit.
    let full = Server::builder().max_memory(8).start().unwrap();
    control(full.address(), "PUT", "/sandboxes/full", r#"{"conversations": 30000}"#).ok();
    let large = " ".repeat(7 << 20);
    let mut waiting = Vec::new();
    for (method, path) in seen.each() {
        let mut takes = |status: u16, answer: &Answer| {
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            seen.take(&method, &path, answer);
        };
        let target = format!("/__admin{path}");
        let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        let close = "Connection: close\r\n";
        let with = |rest: &str| raw(server.address(), format!("{head}{close}{rest}").as_bytes());
        takes(400, &with("Transfer-Encoding: chunked\r\n\r\nno number\r\n"));
        // The guard does not check these two.
        if !["/health", "/version"].contains(&&*path) {
            takes(401, &call(guarded, &method, &target, &[]));
            takes(403, &with("Origin: http://evil.example\r\n\r\n"));
        }
        takes(405, &control(server.address(), "PATCH", &path, ""));
        takes(413, &with(&format!("Content-Length: {}\r\n\r\n", 1_u64 << 40)));
        takes(507, &control(full.address(), &method, &path, &large));
        let mut wire = Wire::open(hurried.address());
        wire.send(format!("{head}Content-Length: 10\r\n\r\n"));
        waiting.push((method, path, wire));
    }
    for (method, path, mut wire) in waiting {
        let answer = wire.answer();
        assert_eq!(answer.status, 408, "{method} {path}: {answer:?}");
        seen.take(&method, &path, &answer);
    }
}

/// Status 500 means a bug, which no request can cause.
const NEVER: u16 = 500;

#[test]
fn every_documented_status_occurs_and_matches_its_schema() {
    let mut seen = Seen::new();
    answers_that_are_right(&mut seen);
    answers_that_are_wrong(&mut seen);
    answers_that_refuse_everything(&mut seen);
    let mut told = BTreeSet::new();
    for (_, _, operation) in seen.document.operations() {
        let id = operation["operationId"].as_str().unwrap();
        let statuses = operation["responses"].as_object().unwrap().keys();
        let statuses = statuses.map(|status| status.parse().unwrap());
        told.extend(statuses.filter(|of| *of != NEVER).map(|status| (id.to_owned(), status)));
    }
    let never: Vec<_> = told.difference(&seen.met).collect();
    assert!(never.is_empty(), "the document tells what is never answered: {never:?}");
    every_schema_matters(&seen);
}

/// Each schema of a response was checked with at least one value, so that a wrong schema is noticed.
fn every_schema_matters(seen: &Seen) {
    let bodies = reached(&seen.document, "requestBody");
    let answers = reached(&seen.document, "responses");
    assert!(answers.len() > 25, "{answers:?}");
    let all: Vec<_> =
        seen.document.0["components"]["schemas"].as_object().unwrap().keys().collect();
    let used: BTreeSet<_> = bodies.union(&answers).collect();
    assert_eq!(used, all.into_iter().collect());
    for name in answers {
        let mut broken = Document(seen.document.0.clone());
        broken.0["components"]["schemas"][&name] = false.into();
        let refused =
            seen.instances.iter().any(|(schema, told)| !broken.validator(schema).is_valid(told));
        assert!(refused, "no answer has a {name}");
    }
}

/// The schemas that a part of the operations refers to.
pub(crate) fn reached(document: &Document, part: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let operations = document.operations();
    let mut left: Vec<&Value> = operations.iter().map(|(.., operation)| &operation[part]).collect();
    while let Some(value) = left.pop() {
        if let Some(to) = value["$ref"].as_str() {
            let name = to.strip_prefix("#/components/schemas/");
            if name.is_some_and(|name| !names.insert(name.to_owned())) {
                continue;
            }
            left.push(document.0.pointer(to.trim_start_matches('#')).unwrap());
        }
        left.extend(value.as_object().into_iter().flat_map(|object| object.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
    names
}

#[test]
fn the_document_is_served_as_it_is_printed() {
    let printed = run(&mut command(&["openapi", "--admin"]));
    assert_eq!((printed.code, &*printed.stderr), (0, ""));
    assert_eq!(printed.stdout, gptbots_mock::admin_openapi());
    let server = Server::start().unwrap();
    let own = control(server.address(), "GET", "/admin-openapi.json", "");
    assert_eq!(own.ok().body, printed.stdout);
    let vendors = control(server.address(), "GET", "/openapi.json", "");
    assert_eq!(vendors.ok().body, run(&mut command(&["openapi"])).stdout);
}
