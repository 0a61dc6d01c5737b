//! Settings of a sandbox: `PUT` applies all of them or none, and they stay until it is reset,
//! deleted or put again.

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::support::assertions::until;
use crate::support::client::{Answer, NEWEST, call, fetch, get};
use crate::support::control::{advance, control, is_there, listed, lists, put, shown};
use crate::support::fixture::{agent, silent};
use crate::support::folder::Folder;
use crate::support::process::{Process, command};
use crate::support::walk::{whole_list, whole_qa};

/// The first 100 rows of a query.
#[track_caller]
fn first(server: &Server, key: &str, query: &str) -> Answer {
    get(server, key, &format!("{query}&page=1&page_size=100"))
}

/// A fixture of one agent `k` with one conversation.
fn inline(id: &str) -> Value {
    json!({"agents": [agent("k", &[silent(id, "u", "API", 1)])]})
}

/// All settings at once.
fn everything() -> Value {
    json!({
        "seed": 7,
        "conversations": 30,
        "readings": {"qa-time": "milliseconds", "page-size": "clamp"},
        "faults": ["messages:status=503,times=2", {"operation": "qa", "code": 50000, "id": "x"}],
        "rate_limit": {"requests": 5, "seconds": 60},
        "hazards": ["arrival", "qa:short-page"],
        "clock": "frozen",
    })
}

#[test]
fn put_answers_what_the_sandbox_is() {
    let server = Server::start().unwrap();
    let mut got = put(&server, "a", &everything());
    let readings = got["settings"].as_object_mut().unwrap().remove("readings").unwrap();
    assert_eq!([&readings["qa-time"], &readings["page-size"]], ["milliseconds", "clamp"]);
    assert_eq!(readings["error-status"], "mapped");
    let agents = got["state"].as_object_mut().unwrap().remove("agents").unwrap();
    let demo = agents.as_array().unwrap().iter().find(|agent| agent["name"] == "demo");
    assert_eq!(demo.unwrap()["conversations"], 30);
    assert_eq!(demo.unwrap()["public_keys"], json!(["app-demo"]));
    let none = json!({"conversations": 0, "messages": 0, "messages-v2": 0, "qa": 0});
    assert_eq!(
        got,
        json!({
            "id": "a",
            "settings": {
                "seed": 7,
                "conversations": 30,
                "faults": ["messages:id=fault-1,status=503,times=2", "qa:id=x,code=50000"],
                "rate_limit": {"requests": 5, "seconds": 60},
                "hazards": ["arrival", "qa:short-page"],
                "clock": "frozen",
            },
            "state": {
                "faults": [
                    {"id": "fault-1", "requests": 0, "struck": 0},
                    {"id": "x", "requests": 0, "struck": 0},
                ],
                "requests": none,
                "elapsed_ms": 0,
            },
        })
    );
}

#[test]
fn get_answers_the_same_as_put() {
    let server = Server::start().unwrap();
    let answered = put(&server, "a", &everything());
    assert_eq!(shown(&server, "a"), answered);
}

/// Keys that are left out get the server's settings, not the previous ones of the sandbox.
#[test]
fn put_replaces_settings_and_state() {
    let server = Server::start().unwrap();
    let plain = put(&server, "a", &json!({}));
    put(&server, "a", &everything());
    get(&server, "app-demo~a", NEWEST).ok();
    assert_eq!(put(&server, "a", &json!({})), plain);
}

#[test]
fn a_seed_gives_the_records_of_a_server_of_that_seed() {
    let server = Server::start().unwrap();
    let of_seed = Server::builder().seed(7).start().unwrap();
    put(&server, "a", &json!({"seed": 7}));
    for query in [whole_list(), whole_qa()] {
        let expected = first(&of_seed, "app-demo", &query);
        assert_eq!(first(&server, "app-demo~a", &query).ok().body, expected.ok().body);
        assert_ne!(first(&server, "app-demo", &query).body, expected.body);
    }
}

#[test]
fn a_number_of_conversations_gives_the_records_of_such_a_server() {
    let server = Server::builder().seed(3).start().unwrap();
    let of_number = Server::builder().seed(3).conversations(20).start().unwrap();
    put(&server, "a", &json!({"conversations": 20}));
    for query in [whole_list(), whole_qa()] {
        let expected = first(&of_number, "app-demo", &query);
        assert_eq!(first(&server, "app-demo~a", &query).ok().body, expected.ok().body);
    }
}

/// The largest seed is not rounded to a float.
#[test]
fn every_seed_can_be_set() {
    let server = Server::start().unwrap();
    for seed in [0, u64::MAX - 1, u64::MAX] {
        assert_eq!(put(&server, "a", &json!({ "seed": seed }))["settings"]["seed"], seed);
    }
}

#[test]
fn two_sandboxes_of_a_seed_have_the_same_records() {
    let server = Server::start().unwrap();
    for id in ["a", "b"] {
        put(&server, id, &json!({"seed": 9, "conversations": 25}));
    }
    let a = first(&server, "app-demo~a", &whole_qa());
    assert_eq!(a.ok().body, first(&server, "app-demo~b", &whole_qa()).body);
}

#[test]
fn agents_that_are_not_generated_are_there_under_any_seed() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"seed": 9}));
    let own = get(&server, "your_apikey", NEWEST);
    assert_eq!(get(&server, "your_apikey~a", NEWEST).ok().body, own.ok().body);
}

#[test]
fn readings_are_those_of_the_sandbox() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"readings": {"qa-total": "present"}}));
    assert!(first(&server, "app-demo~a", &whole_qa()).ok().json()["total"].is_u64());
    assert!(first(&server, "app-demo", &whole_qa()).ok().json()["total"].is_null());
}

#[test]
fn inline_fixtures_bring_their_own_keys() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"fixtures": inline("mine")}));
    let answer = get(&server, "k~a", NEWEST);
    assert_eq!(answer.column("list", "conversation_id"), ["mine"]);
    for (key, reason) in [("app-demo~a", "in the sandbox"), ("k", "outside")] {
        let answer = get(&server, key, NEWEST);
        assert_eq!((answer.status, &answer.json()["code"]), (401, &json!(40127)), "{reason}");
    }
}

/// A key that is derived from the agent's name is shown. A key in the fixture is secret.
#[test]
fn put_answers_the_public_keys_of_each_agent() {
    let server = Server::start().unwrap();
    let agents = json!([{"name": "shop-1"}, {"name": "own", "keys": ["s3cret"]}]);
    let made = put(&server, "a", &json!({"fixtures": {"agents": agents}}));
    let shown = made["state"]["agents"].as_array().unwrap();
    let key = shown[0]["public_keys"][0].as_str().unwrap();
    assert_eq!(get(&server, &format!("{key}~a"), NEWEST).status, 200);
    assert_eq!(shown[1], json!({"name": "own", "public_keys": [], "conversations": 0}));
    assert!(!made.to_string().contains("s3cret"), "{made}");
}

/// `POST` accepts the same words as `PUT`.
#[test]
fn post_takes_faults_as_put_does() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"faults": ["qa:status=503"]}));
    let post = |body: &str| control(server.address(), "POST", "/sandboxes/a/faults", body);
    let body =
        r#"{"faults": ["messages:status=502", {"operation": "conversations", "status": 504}]}"#;
    let added = post(body).ok().json();
    let lines = [
        "qa:id=fault-1,status=503",
        "messages:id=fault-2,status=502",
        "conversations:id=fault-3,status=504",
    ];
    assert_eq!(added["settings"]["faults"], json!(lines));
    assert_eq!(get(&server, "app-demo~a", NEWEST).status, 504);
    // All of them are added, or none.
    let before = shown(&server, "a");
    post(r#"{"faults": ["delay=1,id=x", "delay=1,id=fault-1"]}"#)
        .failed(409, "another fault already has the id fault-1");
    post(r#"{"faults": ["delay=1", "every=3"]}"#).failed(400, "no failure given");
    post(r#"{"faults": []}"#).failed(400, "the body contains no fault");
    post(r#"{"faults": "delay=1"}"#).failed(400, "expected the faults (an array), got a string");
    post(r#"{"faults": ["delay=1"], "fault": 1}"#).failed(400, "unknown key \"fault\"");
    let many = json!({ "faults": vec!["delay=1"; 998] }).to_string();
    post(&many).failed(409, "a sandbox can have at most 1000 faults");
    assert_eq!(shown(&server, "a"), before);
}

#[test]
fn server_keys_belong_to_the_first_inline_agent() {
    let server = Server::builder().api_key("extra").start().unwrap();
    put(&server, "a", &json!({"fixtures": inline("mine")}));
    assert_eq!(get(&server, "extra~a", NEWEST).column("list", "conversation_id"), ["mine"]);
}

#[test]
fn any_key_belongs_to_the_first_inline_agent() {
    let server = Server::builder().any_key().start().unwrap();
    put(&server, "a", &json!({"fixtures": inline("mine")}));
    assert_eq!(get(&server, "else~a", NEWEST).column("list", "conversation_id"), ["mine"]);
}

#[test]
fn null_removes_the_servers_rate_limit() {
    let (_server, address) = Process::serve(&["--rate-limit", "1/60"]);
    control(address, "PUT", "/sandboxes/a", r#"{"rate_limit": null}"#).ok();
    let key = [("Authorization", "Bearer app-demo~a")];
    assert_eq!([(); 3].map(|()| call(address, "GET", NEWEST, &key).status), [200; 3]);
}

/// Each body has one mistake. The valid rest must not be applied.
#[test]
fn refused_put_changes_nothing() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"seed": 5, "faults": ["qa:status=503"], "clock": "frozen"}));
    get(&server, "app-demo~a", NEWEST).ok();
    advance(&server, "a", 1234);
    let before = shown(&server, "a");
    let without = |key: &str| {
        let mut all = everything();
        all.as_object_mut().unwrap().remove(key);
        all
    };
    for (key, wrong) in [
        ("seed", json!(-1)),
        ("conversations", json!(100_000_000)),
        ("fixtures", json!({"agents": [{"nam": "x"}]})),
        ("fixtures", inline("with conversations, too")),
        ("readings", json!({"qa-time": "minutes"})),
        ("faults", json!(["qa:status=503", "qa:status=99"])),
        ("faults", json!(["qa:status=503,id=x", "qa:status=502,id=x"])),
        ("rate_limit", json!({"requests": 1})),
        ("rate_limit", json!({"requests": 0, "seconds": 1})),
        ("hazards", json!(["arrival", "arival"])),
        ("clock", json!("stopped")),
        ("seeed", json!(1)),
    ] {
        let mut body = without(key);
        body[key] = wrong;
        let answer = control(server.address(), "PUT", "/sandboxes/a", &body.to_string());
        assert_eq!(answer.status, 400, "{key}: {answer:?}");
        assert_eq!(shown(&server, "a"), before, "{key}");
    }
}

#[test]
fn refused_put_creates_no_sandbox() {
    let server = Server::start().unwrap();
    let answer = control(server.address(), "PUT", "/sandboxes/a", r#"{"seed": "x"}"#);
    assert_eq!(answer.status, 400);
    assert!(!is_there(server.address(), "a"));
}

#[test]
fn delete_ends_a_sandbox() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"rate_limit": {"requests": 1, "seconds": 60}}));
    let delete = || control(server.address(), "DELETE", "/sandboxes/a", "").ok().json();
    assert_eq!(delete(), json!({"id": "a", "existed": true}));
    assert!(!is_there(server.address(), "a"));
    assert_eq!(delete(), json!({"id": "a", "existed": false}));
}

#[test]
fn deleted_sandbox_comes_back_with_server_settings() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"faults": ["status=503"]}));
    assert_eq!(get(&server, "app-demo~a", NEWEST).status, 503);
    control(server.address(), "DELETE", "/sandboxes/a", "").ok();
    get(&server, "app-demo~a", NEWEST).ok();
    assert_eq!(lists(&server, "a"), 1);
}

#[test]
fn the_default_sandbox_begins_anew_when_it_is_deleted() {
    let server = Server::start().unwrap();
    let fresh = shown(&server, "default");
    put(&server, "default", &everything());
    let deleted = control(server.address(), "DELETE", "/sandboxes/default", "").ok().json();
    assert_eq!(deleted, json!({"id": "default", "existed": true}));
    assert_eq!(shown(&server, "default"), fresh);
    assert_eq!(listed(server.address()), ["default"]);
}

#[test]
fn settings_of_the_default_sandbox_are_no_other_sandboxs() {
    let server = Server::start().unwrap();
    put(&server, "default", &json!({"faults": ["status=503"]}));
    assert_eq!(get(&server, "app-demo", NEWEST).status, 503);
    get(&server, "app-demo~a", NEWEST).ok();
}

/// A reset discards requests, added faults, counts and the clock, but keeps the settings of `PUT`.
#[test]
fn reset_clears_state_and_keeps_settings() {
    let server = Server::start().unwrap();
    let made = put(&server, "a", &everything());
    for _ in 0..7 {
        get(&server, "app-demo~a", NEWEST);
    }
    advance(&server, "a", 5000);
    control(server.address(), "POST", "/sandboxes/a/clock", r#"{"mode": "real"}"#).ok();
    control(server.address(), "POST", "/sandboxes/a/faults", r#""status=503""#).ok();
    assert_ne!(shown(&server, "a"), made);
    control(server.address(), "POST", "/sandboxes/a/reset", "").ok();
    assert_eq!(shown(&server, "a"), made);
}

#[test]
fn reset_restarts_rate_limit_windows() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"rate_limit": {"requests": 1, "seconds": 60}, "clock": "frozen"}));
    let status = || get(&server, "app-demo~a", NEWEST).status;
    assert_eq!([status(), status()], [200, 429]);
    control(server.address(), "POST", "/sandboxes/a/reset", "").ok();
    assert_eq!([status(), status()], [200, 429]);
}

#[test]
fn reset_keeps_inline_fixtures() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"fixtures": inline("mine")}));
    server.sandbox("a").reset();
    get(&server, "k~a", NEWEST).ok();
}

#[test]
fn reset_keeps_other_sandboxes() {
    let server = Server::start().unwrap();
    for key in ["app-demo~a", "app-demo~b", "app-demo"] {
        get(&server, key, NEWEST).ok();
    }
    control(server.address(), "POST", "/sandboxes/a/reset", "").ok();
    assert_eq!(["a", "b", "default"].map(|id| lists(&server, id)), [0, 1, 1]);
}

/// Seed, sandbox and request number determine the faults, so the same run gives the same responses.
#[test]
fn a_run_is_repeated_after_a_reset() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"faults": ["status=503,probability=0.5"]}));
    let run = || [(); 40].map(|()| get(&server, "app-demo~a", NEWEST).status);
    let before = run();
    assert!(before.contains(&200) && before.contains(&503), "{before:?}");
    control(server.address(), "POST", "/sandboxes/a/reset", "").ok();
    assert_eq!(run(), before);
}

/// Otherwise parallel tests would all fail or all pass together.
#[test]
fn each_sandbox_and_each_seed_has_a_run_of_its_own() {
    let server = Server::start().unwrap();
    let run = |id: &str, seed: u64| {
        put(&server, id, &json!({"seed": seed, "faults": ["status=503,probability=0.5"]}));
        [(); 40].map(|()| get(&server, &format!("app-demo~{id}"), NEWEST).status)
    };
    let one = run("a", 1);
    assert_ne!(run("b", 1), one);
    assert_ne!(run("a", 2), one);
}

/// Sandboxes without their own records have the current records of the server.
#[test]
fn replaced_fixtures_reach_sandboxes_without_their_own() {
    let folder = Folder::new();
    let path = folder.write("f.json", inline("first").to_string());
    let (_serving, address) =
        Process::serving(command(&["--port", "0", "--watch", "--fixtures"]).arg(&path));
    let own = json!({"fixtures": inline("own")}).to_string();
    control(address, "PUT", "/sandboxes/own", &own).ok();
    let newest =
        |key: &str| fetch(address, key, NEWEST).column("list", "conversation_id").remove(0);
    assert_eq!(["k", "k~lazy", "k~own"].map(newest), ["first", "first", "own"]);
    folder.write("f.json", inline("second").to_string());
    until("the second fixture", || newest("k") == "second");
    assert_eq!(["k~lazy", "k~own", "k~new"].map(newest), ["second", "own", "second"]);
}

/// The number of faults is limited, because each request checks all of them.
#[test]
fn a_sandbox_has_a_thousand_faults_at_most() {
    let server = Server::start().unwrap();
    let faults = |number| json!({ "faults": vec!["qa:status=503"; number] }).to_string();
    control(server.address(), "PUT", "/sandboxes/a", &faults(1000)).ok();
    let more = control(server.address(), "POST", "/sandboxes/a/faults", r#""qa:status=502""#);
    assert_eq!(more.status, 409, "{more:?}");
    let more = control(server.address(), "PUT", "/sandboxes/a", &faults(1001));
    assert_eq!(more.status, 400);
    assert!(more.body.contains("a sandbox can have at most 1000 faults"), "{more:?}");
}

/// A test that makes one request after another fail never reaches the limit.
#[test]
fn used_up_faults_make_room_for_new_ones() {
    let server = Server::start().unwrap();
    let sandbox = server.sandbox("a");
    for _ in 0..1100 {
        sandbox.fail_next(gptbots_mock::Fault::status(503));
        assert_eq!(get(&server, "app-demo~a", NEWEST).status, 503);
    }
    get(&server, "app-demo~a", NEWEST).ok();
}

/// A thousand faults, of which the first has expired.
fn a_thousand_faults_with_a_used_one(server: &Server) {
    let mut faults = vec!["qa:status=503"; 999];
    faults.insert(0, "conversations:id=once,code=50000,times=1");
    put(server, "a", &json!({ "faults": faults }));
    assert_eq!(get(server, "app-demo~a", NEWEST).status, 500);
    get(server, "app-demo~a", NEWEST).ok();
}

#[test]
fn refused_faults_change_nothing() {
    let server = Server::start().unwrap();
    a_thousand_faults_with_a_used_one(&server);
    let before = shown(&server, "a");
    for faults in [r#"{"faults": ["qa:code=50000", "qa:code=50000"]}"#, r#""qa:code=50000""#] {
        let refused = control(server.address(), "POST", "/sandboxes/a/faults", faults);
        refused.failed(409, "a sandbox can have at most 1000 faults");
        assert_eq!(shown(&server, "a"), before);
    }
}

/// Puts the shown settings again, with a new fault in front.
#[test]
fn a_fault_without_an_id_gets_one_that_no_other_has() {
    let server = Server::start().unwrap();
    let faults = json!(["messages:status=503", "qa:id=fault-1,code=50000", "delay=1"]);
    let numbered =
        json!(["messages:id=fault-2,status=503", "qa:id=fault-1,code=50000", "id=fault-3,delay=1"]);
    assert_eq!(put(&server, "a", &json!({"faults": faults}))["settings"]["faults"], numbered);
    let post =
        |path: &str, body: &Value| control(server.address(), "POST", path, &body.to_string());
    let added = post("/sandboxes/b/faults", &json!({ "faults": faults })).ok().json();
    assert_eq!(added["settings"]["faults"], numbered);
    let twice = json!({"faults": ["delay=1", "delay=1,id=x", "delay=2,id=x"]}).to_string();
    let refused = control(server.address(), "PUT", "/sandboxes/a", &twice);
    refused.failed(400, "another fault already has the id x");
    assert_eq!(refused.errors()[0]["source"]["pointer"], "/faults/2");
}

#[test]
fn faults_in_another_form_are_errors_with_the_right_form() {
    let server = Server::start().unwrap();
    let post = |body: &str| control(server.address(), "POST", "/sandboxes/a/faults", body);
    let list = post(r#"["code=50000"]"#);
    list.failed(400, "expected a fault, a string or an object, got an array");
    assert!(list.body.contains(r#"write {\"faults\": [...]}"#), "{list:?}");
    for (body, key) in [
        (r#"{"operation": "qa", "faults": ["code=50000"]}"#, "operation"),
        (r#"{"seed": [1, {"a": 2}], "faults": ["code=50000"]}"#, "seed"),
    ] {
        let mixed = post(body);
        mixed.failed(400, &format!("unknown key {key:?}"));
        assert!(mixed.body.contains("one of faults\""), "{mixed:?}");
    }
    let misspelt = post(r#"{"fualts": ["code=50000"]}"#);
    misspelt.failed(400, "unknown key \"fualts\"");
    assert!(misspelt.body.contains(r#"did you mean \"faults\"?"#), "{misspelt:?}");
}
