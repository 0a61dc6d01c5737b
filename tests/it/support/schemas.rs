//! Checks every answer of a vendor path against the `OpenAPI` document, whichever test asks.
//!
//! The document describes the defaults of the readings, so it is changed as the sandbox's readings
//! change the answers; the sandbox is asked for them once. The answer of a fault is checked if it
//! has a code of the vendor's; the other faults break the document on purpose. Preflights are not
//! answers of the contract.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock};

use gptbots_mock::openapi;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::client::{Answer, raw};

thread_local! {
    static HELD: Cell<u64> = const { Cell::new(0) };
    /// By which readings the sandboxes answer that this thread asks, without and with a fault.
    static READINGS: RefCell<BTreeMap<(SocketAddr, String, bool), &'static Schemas>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// What a request asks for.
pub(crate) struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    sandbox: &'a str,
}

impl<'a> Asked<'a> {
    /// `None`: no request, or none to an endpoint of the vendor's.
    pub(crate) fn of(request: &'a [u8]) -> Option<Self> {
        let head = str::from_utf8(request).ok()?.split("\r\n\r\n").next()?;
        let (line, headers) = head.split_once("\r\n")?;
        let parts: Vec<&str> = line.split(' ').collect();
        let [method, target, "HTTP/1.1" | "HTTP/1.0"] = parts[..] else { return None };
        let path = target.split('?').next()?;
        let (in_path, path) = match path.strip_prefix("/s/") {
            Some(rest) => {
                let (id, path) = rest.split_at(rest.find('/')?);
                (Some(id), path)
            }
            None => (None, path),
        };
        if !in_path.is_none_or(is_id) || !schemas().paths.contains_key(path) {
            return None;
        }
        let mut keys = headers.lines().filter(|line| line.starts_with("Authorization: "));
        let behind_key = keys.find_map(|line| line.rsplit_once('~')).map(|(_, id)| id);
        Some(Self { method, path, sandbox: in_path.or(behind_key).unwrap_or("default") })
    }
}

fn is_id(id: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(right)
}

/// What each path may answer, by status.
pub(crate) struct Schemas {
    paths: BTreeMap<String, BTreeMap<u16, Validator>>,
}

/// Those of the defaults.
pub(crate) fn schemas() -> &'static Schemas {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    SCHEMAS.get_or_init(|| Schemas::of(&json!({})))
}

impl Schemas {
    pub(crate) fn of(readings: &Value) -> Self {
        let mut document: Value = serde_json::from_str(openapi()).unwrap();
        read_as(&mut document, readings);
        let of_path = |item: &Value| {
            let responses = item["get"]["responses"].as_object().unwrap();
            let validator = |(status, response): (&String, &Value)| {
                let shared = response["$ref"].as_str().map(|at| &at[1..]);
                let response = shared.map_or(response, |at| document.pointer(at).unwrap());
                let schema = json!({
                    "allOf": [response["content"]["application/json"]["schema"]],
                    "components": document["components"],
                });
                (status.parse().unwrap(), jsonschema::draft202012::new(&schema).unwrap())
            };
            responses.iter().map(validator).collect()
        };
        let paths = document["paths"].as_object().unwrap();
        Self { paths: paths.iter().map(|(path, item)| (path.clone(), of_path(item))).collect() }
    }

    /// Why an answer is none of the document's.
    pub(crate) fn hold(&self, asked: &Asked<'_>, answer: &Answer) -> Result<(), String> {
        let is_allowed = ["GET", "HEAD"].contains(&asked.method);
        if is_allowed == (answer.status == 405) {
            return Err(format!("{} is answered {}", asked.method, answer.status));
        }
        let Some(validator) = self.paths[asked.path].get(&answer.status) else {
            return Err(format!("the document has no {}", answer.status));
        };
        if answer.header("content-type") != Some("application/json") {
            return Err("no application/json".to_owned());
        }
        if asked.method == "HEAD" {
            return if answer.body.is_empty() { Ok(()) } else { Err("a body".to_owned()) };
        }
        // What stands behind the body is the next answer's.
        let length =
            answer.header("content-length").map_or(answer.body.len(), |n| n.parse().unwrap());
        let body = answer.body.get(..length).ok_or("a body of another length")?;
        let body = serde_json::from_str(body).map_err(|error| error.to_string())?;
        HELD.set(HELD.get() + 1);
        validator.validate(&body).map_err(|e| format!("{}: {e}", e.instance_path()))
    }
}

/// Changes the document as readings change the answers.
fn read_as(document: &mut Value, readings: &Value) {
    let is = |reading: &str, value: &str| readings[reading] == value;
    let schemas = &mut document["components"]["schemas"];
    let optional = [
        ("ConversationsRow", "anonymous_id", is("anonymous-id", "present")),
        ("QaAnswer", "total", is("qa-total", "present")),
    ];
    for (schema, key, present) in optional {
        if present {
            schemas[schema]["required"].as_array_mut().unwrap().push(key.into());
        } else {
            schemas[schema]["properties"].as_object_mut().unwrap().remove(key).unwrap();
        }
    }
    if is("messages-total", "string") {
        for answer in ["MessagesAnswer", "MessagesV2Answer"] {
            schemas[answer]["properties"]["total"] =
                json!({ "type": "string", "pattern": "^[0-9]+$" });
        }
    }
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        let responses = &mut item["get"]["responses"];
        let schema = |status: &str| format!("/{status}/content/application~1json/schema");
        if is("page-past-end", "error") {
            let codes = responses.pointer_mut(&(schema("400") + "/properties/code/enum"));
            codes.unwrap().as_array_mut().unwrap().push(40005.into());
        }
        if is("error-status", "ok") {
            let any: Vec<_> = ["200", "400", "401"]
                .map(|status| responses.pointer(&schema(status)).unwrap().clone())
                .into();
            *responses.pointer_mut(&schema("200")).unwrap() = json!({ "anyOf": any });
            for status in ["400", "401"] {
                responses.as_object_mut().unwrap().remove(status);
            }
        }
    }
}

/// Those of readings.
fn schemas_of(readings: &Value) -> &'static Schemas {
    static KNOWN: Mutex<BTreeMap<String, &'static Schemas>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    known.entry(readings.to_string()).or_insert_with(|| Box::leak(Box::new(Schemas::of(readings))))
}

/// What a sandbox shows as its readings; nothing where the server shows no sandboxes.
fn readings_of(address: SocketAddr, sandbox: &str) -> Value {
    let show = |id: &str| {
        let head = "Host: localhost\r\nConnection: close\r\n\r\n";
        raw(address, format!("GET /__admin/sandboxes/{id} HTTP/1.1\r\n{head}").as_bytes())
    };
    let mut shown = show(sandbox);
    if shown.status == 404 {
        // It was ended. Without settings of its own it was as this one.
        shown = show("default");
    }
    if shown.status == 200 { shown.json()["settings"]["readings"].clone() } else { json!({}) }
}

/// Tells that a server has the readings' defaults, where asking it would leave a trace that the test
/// looks for.
pub(crate) fn defaults(address: SocketAddr) {
    let key = (address, "default".to_owned(), false);
    READINGS.with_borrow_mut(|all| all.insert(key, schemas()));
}

/// How many answers this thread has held to a schema.
pub(crate) fn held() -> u64 {
    HELD.get()
}

/// Whether a fault answers with a code of the document's, and does nothing to the body.
fn is_coded(answer: &Answer) -> bool {
    let length = answer.header("content-length").map(|length| length.parse().unwrap());
    let is_whole = !answer.body.is_empty() && length == Some(answer.body.len());
    let reason = answer.header("x-mock-reason").unwrap_or_default();
    // Only a fault answers `GET` with these.
    is_whole && reason.starts_with("fault ") && ![404, 405].contains(&answer.status)
}

/// Holds an answer to the document.
#[track_caller]
pub(crate) fn hold(address: SocketAddr, request: &[u8], answer: &Answer) {
    let Some(asked) = Asked::of(request) else {
        let is_change = !request.starts_with(b"GET ");
        let target = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if is_change && target.starts_with(b"/__admin") {
            // Of any sandbox, maybe.
            READINGS.with_borrow_mut(BTreeMap::clear);
        }
        return;
    };
    // A key is no sandbox id, so there is no sandbox whose readings could be requested.
    let reason = answer.header("x-mock-reason").unwrap_or_default();
    let of_keys = ["must not be an API key", "and not an API key", "got an API key"];
    if of_keys.iter().any(|words| reason.contains(words)) {
        return;
    }
    let is_preflight = answer.header("access-control-allow-methods").is_some();
    let is_fault = answer.header("x-mock-fault").is_some();
    if is_preflight || is_fault && !is_coded(answer) {
        return;
    }
    let known = (address, asked.sandbox.to_owned(), is_fault);
    let schemas = READINGS.with_borrow(|all| all.get(&known).copied());
    if schemas.is_some_and(|schemas| schemas.hold(&asked, answer).is_ok()) {
        return;
    }
    let mut readings = readings_of(address, asked.sandbox);
    if is_fault {
        // It may bring the code to the lists.
        readings["page-past-end"] = "error".into();
    }
    let schemas = schemas_of(&readings);
    if let Err(why) = schemas.hold(&asked, answer) {
        panic!("{why}, in answer to {}: {answer:?}", String::from_utf8_lossy(request));
    }
    READINGS.with_borrow_mut(|all| all.insert(known, schemas));
}
