//! How a request selects its sandbox, and that sandboxes do not affect each other.

use std::time::Duration;

use gptbots_mock::contract::{Code, Operation};
use gptbots_mock::{Fault, Hazard, Server};
use serde_json::json;

use crate::support::assertions::{panic_of, until};
use crate::support::client::{Answer, NEWEST, get, request};
use crate::support::control::{control, listed, lists, put, shown};
use crate::support::fixture::{agent, build, silent};
use crate::support::walk::{whole_list, whole_qa};

/// The newest conversation, by a path with a sandbox.
fn in_path(id: &str) -> String {
    format!("/s/{id}{NEWEST}")
}

#[track_caller]
fn wrong_key(answer: &Answer, reason: &str) {
    answer.refused(401, 40127, "Authentication failed.", reason);
}

/// Asserts that a request was counted in sandbox `id`, and not in the default one.
#[track_caller]
fn assert_in(server: &Server, id: &str) {
    assert_eq!((lists(server, id), lists(server, "default")), (1, 0), "{id}");
}

/// The shortest and the longest id, and ids that could be mistaken for something else.
fn right_ids() -> Vec<String> {
    let long = "Az09._-x".repeat(8);
    ["a", "-", "_", ".", "..", "0", "A.b_C-9", "sandboxes", &long].map(str::to_owned).into()
}

#[test]
fn id_after_the_key_names_a_sandbox() {
    let server = Server::start().unwrap();
    get(&server, "app-demo~a", NEWEST).ok();
    assert_in(&server, "a");
}

#[test]
fn path_prefix_names_a_sandbox() {
    let server = Server::start().unwrap();
    get(&server, "app-demo", &in_path("a")).ok();
    assert_in(&server, "a");
}

#[test]
fn key_and_path_may_name_the_same_sandbox() {
    let server = Server::start().unwrap();
    get(&server, "app-demo~a", &in_path("a")).ok();
    assert_in(&server, "a");
}

#[test]
fn key_and_path_of_different_sandboxes_are_a_wrong_key() {
    let server = Server::start().unwrap();
    for (key, path) in [("b", "a"), ("default", "a"), ("a", "default"), ("A", "a")] {
        let answer = get(&server, &format!("app-demo~{key}"), &in_path(path));
        wrong_key(&answer, "the path names one sandbox and the API key names another");
    }
}

#[test]
fn every_id_within_its_bounds_names_a_sandbox_behind_the_key() {
    for id in right_ids() {
        let server = Server::start().unwrap();
        get(&server, &format!("app-demo~{id}"), NEWEST).ok();
        assert_in(&server, &id);
    }
}

#[test]
fn every_id_within_its_bounds_names_a_sandbox_in_the_path() {
    for id in right_ids() {
        let server = Server::start().unwrap();
        get(&server, "app-demo", &in_path(&id)).ok();
        assert_in(&server, &id);
    }
}

#[test]
fn invalid_id_after_the_key_is_a_wrong_key() {
    let server = Server::start().unwrap();
    let long = "x".repeat(65);
    for id in ["", &long, "a b", "a/b", "a%62", "\u{e9}", "a:b", "a+b", "a~"] {
        wrong_key(&get(&server, &format!("app-demo~{id}"), NEWEST), "must be a sandbox id");
    }
    assert_eq!(listed(server.address()), ["default"]);
}

#[test]
fn invalid_id_in_the_path_is_404() {
    let server = Server::start().unwrap();
    let long = "x".repeat(65);
    for id in ["", &long, "a%62", "a~b", "a:b", "a+b"] {
        let answer = get(&server, "app-demo", &in_path(id));
        answer.refused(404, 404, "Not found", "the sandbox id in the path must be 1 to 64 of");
    }
    assert_eq!(listed(server.address()), ["default"]);
}

#[test]
fn path_with_only_a_sandbox_is_404() {
    let server = Server::start().unwrap();
    for path in ["/s/a", "/s/a/", "/s/a/v1", "/s/a/s/b/v1/messages", "/s/a/__admin/health"] {
        get(&server, "app-demo", path).refused(404, 404, "Not found", "no endpoint at");
    }
    get(&server, "app-demo", "/s").refused(404, 404, "Not found", "no endpoint at /s");
    let no_id = "the sandbox id in the path must be";
    get(&server, "app-demo", "/s/").refused(404, 404, "Not found", no_id);
}

/// The nearest endpoint is also suggested for a path with a sandbox.
#[test]
fn a_slip_in_the_path_of_a_sandbox_finds_its_endpoint() {
    let server = Server::start().unwrap();
    let answer = get(&server, "app-demo", "/s/a/v1/mesages");
    answer.refused(
        404,
        404,
        "Not found",
        "no endpoint at /s/a/v1/mesages; the nearest is /s/a/v1/messages",
    );
}

#[test]
fn other_methods_are_refused_in_a_sandbox() {
    let server = Server::start().unwrap();
    let answer = request(&server, "POST", "/s/a/v1/messages", &[]);
    answer.refused(405, 405, "Method not allowed", "POST");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
}

#[test]
fn every_key_of_every_agent_works_in_a_sandbox() {
    let mut second = agent("c", &[silent("y", "u", "API", 2)]);
    second["keys"] = json!(["c", "d"]);
    let mut first = agent("a", &[silent("x", "u", "API", 1)]);
    first["keys"] = json!(["a", "b"]);
    let server = build(&[first, second]).api_key("extra").start().unwrap();
    for (key, id) in [("a", "x"), ("b", "x"), ("extra", "x"), ("c", "y"), ("d", "y")] {
        let answer = get(&server, &format!("{key}~s"), NEWEST);
        assert_eq!(answer.column("list", "conversation_id"), [id], "{key}");
    }
}

#[test]
fn the_deleted_agent_is_deleted_in_a_sandbox_too() {
    let server = Server::start().unwrap();
    let answer = get(&server, "app-deleted~a", NEWEST);
    assert_eq!((answer.status, answer.json()["code"].as_u64()), (400, Some(20059)), "{answer:?}");
}

#[test]
fn a_wrong_key_is_wrong_in_a_sandbox_too() {
    let server = Server::start().unwrap();
    for key in ["nobody~a", "~a", "app-demo ~a", "app-demo~a~b", "App-demo~a"] {
        wrong_key(&get(&server, key, NEWEST), "unknown API key");
    }
}

#[test]
fn any_key_but_an_empty_one_may_precede_a_sandbox() {
    let server = Server::builder().any_key().start().unwrap();
    let demo = get(&server, "app-demo", NEWEST).body;
    for key in ["whoever~a", "who~ever~a", "who ever~a"] {
        assert_eq!(get(&server, key, NEWEST).ok().body, demo, "{key}");
    }
    wrong_key(&get(&server, "~a", NEWEST), "unknown API key");
    wrong_key(&get(&server, "app-unknown~", NEWEST), "must be a sandbox id");
}

#[test]
fn a_new_sandbox_has_the_records_of_the_server() {
    let server = Server::builder().seed(7).conversations(50).start().unwrap();
    let id = get(&server, "app-demo", NEWEST).column("list", "conversation_id").remove(0);
    let page = "&page=1&page_size=100";
    for target in [
        format!("{}{page}", whole_list()),
        format!("{}{page}", whole_qa()),
        format!("/v1/messages?conversation_id={id}{page}"),
        format!("/v2/messages?conversation_id={id}{page}"),
    ] {
        let own = get(&server, "app-demo", &target);
        assert!(own.ok().body.len() > 200, "{own:?}");
        assert_eq!(get(&server, "app-demo~a", &target).ok().body, own.body, "{target}");
        assert_eq!(get(&server, "app-demo", &format!("/s/b{target}")).ok().body, own.body);
    }
}

#[test]
fn a_new_sandbox_has_the_settings_of_the_server() {
    let server = Server::builder().fault(Fault::status(503).times(1)).start().unwrap();
    for key in ["app-demo~a", "app-demo~b", "app-demo"] {
        let status = || get(&server, key, NEWEST).status;
        assert_eq!([status(), status()], [503, 200], "{key}");
    }
}

#[test]
fn requests_without_an_id_use_the_default_sandbox() {
    let server = Server::start().unwrap();
    get(&server, "app-demo", NEWEST).ok();
    get(&server, "app-demo~default", NEWEST).ok();
    get(&server, "app-demo", &in_path("default")).ok();
    assert_eq!(lists(&server, "default"), 3);
    assert_eq!(listed(server.address()), ["default"]);
}

#[test]
fn ids_that_differ_in_case_are_two_sandboxes() {
    let server = Server::start().unwrap();
    get(&server, "app-demo~a", NEWEST).ok();
    get(&server, "app-demo~A", NEWEST).ok();
    assert_eq!(listed(server.address()), ["default", "A", "a"]);
}

/// All settings are changed in `a`; the responses of `b` and the default sandbox do not change.
#[test]
fn settings_of_one_sandbox_keep_the_others() {
    let server = Server::start().unwrap();
    let before = get(&server, "app-demo", NEWEST).ok().body.clone();
    put(&server, "b", &json!({}));
    let untouched = shown(&server, "b");
    let a = server.sandbox("a");
    a.fault(Fault::code(Code::Internal).on(Operation::QaRecords));
    a.rate_limit(1, Duration::from_secs(60));
    a.hazard(Hazard::Departure);
    a.freeze();
    a.advance(Duration::from_secs(5));
    get(&server, "app-demo~a", NEWEST).ok();
    assert_eq!(get(&server, "app-demo~a", NEWEST).status, 429);
    assert_eq!(shown(&server, "b"), untouched);
    for key in ["app-demo~b", "app-demo"] {
        assert_eq!(get(&server, key, NEWEST).ok().body, before, "{key}");
        assert_eq!(get(&server, key, NEWEST).ok().body, before, "{key}");
    }
}

#[test]
fn the_library_names_a_sandbox_by_url_and_by_key() {
    let server = Server::start().unwrap();
    let sandbox = server.sandbox("a");
    assert_eq!(sandbox.url(), format!("{}/s/a", server.url()));
    assert_eq!((sandbox.id(), sandbox.api_key()), ("a", "app-demo~a"));
    get(&server, sandbox.api_key(), NEWEST).ok();
    assert_in(&server, "a");
}

/// The idle time of a sandbox, in milliseconds.
#[track_caller]
fn idle_ms(server: &Server, id: &str) -> u64 {
    let shown = control(server.address(), "GET", &format!("/sandboxes/{id}"), "");
    shown.ok().json()["state"]["idle_ms"].as_u64().unwrap()
}

#[test]
fn a_request_ends_the_idle_time_of_the_default_sandbox() {
    let server = Server::start().unwrap();
    put(&server, "unused", &json!({}));
    until("some time passes", || idle_ms(&server, "unused") >= 50);
    get(&server, "app-demo", NEWEST).ok();
    let idle = idle_ms(&server, "default");
    assert!(idle + 50 <= idle_ms(&server, "unused"), "{idle}");
}

/// Showing the default sandbox does not count as a use.
#[test]
fn the_idle_time_of_the_default_sandbox_goes_on_while_it_is_looked_at() {
    let server = Server::start().unwrap();
    until("some time passes", || idle_ms(&server, "default") >= 20);
}

/// A client that swaps key and sandbox would otherwise find the key in every list of sandboxes.
#[test]
fn a_key_names_no_sandbox() {
    let server = Server::start().unwrap();
    let address = server.address();
    let of_the_form = format!("app-{}", "x1".repeat(10));
    for key in ["app-demo", "your_apikey", &of_the_form] {
        for path in ["", "/clock", "/faults", "/reset", "/verdict"] {
            let method = match path {
                "" => "PUT",
                "/verdict" => "GET",
                _ => "POST",
            };
            let refused = control(address, method, &format!("/sandboxes/{key}{path}"), "{}");
            assert_eq!(refused.status, 400, "{key} {path}: {refused:?}");
            assert!(!refused.body.contains(key) || *key == *of_the_form, "{refused:?}");
        }
        let in_path = get(&server, "app-demo", &format!("/s/{key}{NEWEST}"));
        assert_eq!(in_path.status, 404, "{in_path:?}");
        for first in ["login", "app-demo"] {
            let behind = get(&server, &format!("{first}~{key}"), NEWEST);
            assert_eq!(behind.status, 401, "{behind:?}");
            let reason = behind.header("x-mock-reason").unwrap();
            let wrong = "the text after ~ must be a sandbox id, got an API key; ";
            assert!(reason.starts_with(wrong), "{reason}");
        }
        assert!(panic_of(|| server.sandbox(key).id().len()).contains("and not an API key"));
    }
    let body = json!({"fixtures": {"agents": [agent("mine", &[])]}}).to_string();
    control(address, "PUT", "/sandboxes/mine", &body)
        .failed(400, "the id of a sandbox must not be a key of its agents");
    assert_eq!(listed(address), ["default"]);
    // A text that is only similar to a key is a valid id.
    for id in ["app-", "app-demo2", &of_the_form[..23], "app-x1x1x1x1x1x1x1x1x1x.1"] {
        assert_eq!(control(address, "PUT", &format!("/sandboxes/{id}"), "{}").status, 200, "{id}");
    }
}
