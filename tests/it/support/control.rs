//! Requests to the control API.

use std::net::SocketAddr;

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::support::client::{Answer, raw};

/// One request to the control API; `path` is what stands behind `/__admin`.
#[track_caller]
pub(crate) fn control(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let close = "Connection: close\r\n";
    raw(address, &control_bytes(method, path, close, body.as_bytes()))
}

/// The bytes of such a request; more headers each end in a line break.
pub(crate) fn control_bytes(method: &str, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} /__admin{path} HTTP/1.1\r\nHost: localhost\r\n{more}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Makes a sandbox with settings; what it is then.
#[track_caller]
pub(crate) fn put(server: &Server, id: &str, settings: &Value) -> Value {
    let answer =
        control(server.address(), "PUT", &format!("/sandboxes/{id}"), &settings.to_string());
    timeless(&answer)
}

/// What a sandbox is.
#[track_caller]
pub(crate) fn shown(server: &Server, id: &str) -> Value {
    timeless(&control(server.address(), "GET", &format!("/sandboxes/{id}"), ""))
}

/// What a sandbox is, without what passes by itself: how long it has been idle, and what its
/// clock shows where it runs. If it was just made, nothing was odd in its settings.
#[track_caller]
pub(crate) fn timeless(answer: &Answer) -> Value {
    let mut shown = answer.ok().json();
    let object = shown.as_object_mut().unwrap();
    assert!(object.remove("warnings").is_none_or(|warnings| warnings == json!([])));
    let is_running = object["settings"]["clock"] == "real";
    let state = object["state"].as_object_mut().unwrap();
    assert!(state.remove("idle_ms").unwrap().is_u64());
    assert!(state["elapsed_ms"].is_u64());
    if is_running {
        state.remove("elapsed_ms");
    }
    shown
}

/// The ids of all sandboxes, in the order of the list.
#[track_caller]
pub(crate) fn listed(address: SocketAddr) -> Vec<String> {
    let answer = control(address, "GET", "/sandboxes", "");
    let ids = answer.column("sandboxes", "id");
    assert_eq!(answer.json()["total"], ids.len());
    ids
}

/// Whether there is a sandbox.
#[track_caller]
pub(crate) fn is_there(address: SocketAddr, id: &str) -> bool {
    control(address, "GET", &format!("/sandboxes/{id}"), "").status == 200
}

/// How many requests for the conversation list a sandbox has had.
#[track_caller]
pub(crate) fn lists(server: &Server, id: &str) -> u64 {
    shown(server, id)["state"]["requests"]["conversations"].as_u64().unwrap()
}

/// Moves a sandbox's clock; what it shows then.
#[track_caller]
pub(crate) fn advance(server: &Server, id: &str, ms: u64) -> Value {
    let body = json!({ "advance_ms": ms }).to_string();
    let path = format!("/sandboxes/{id}/clock");
    control(server.address(), "POST", &path, &body).ok().json()
}
