//! The `settings` that `GET` shows can be restored: `PUT` accepts them as its body, and creates the same sandbox
//! without any requests.

use std::sync::Mutex;
use std::time::Duration;

use gptbots_mock::contract::{Operation, READINGS};
use gptbots_mock::{Fault, Hazard, Server};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::support::cases::for_all;
use crate::support::client::{NEWEST, get};
use crate::support::control::{advance, control, is_there, put, shown};
use crate::support::fixture::{agent, build, silent};
use crate::support::walk::{whole_list, whole_qa};

/// The text that replaces fixtures that are not shown.
const LEFT_OUT: &str = "inline, shown with ?fixtures=true";

/// The settings of a sandbox, with its inline fixtures.
#[track_caller]
fn settings(server: &Server, id: &str) -> Value {
    let path = format!("/sandboxes/{id}?fixtures=true");
    control(server.address(), "GET", &path, "").ok().json()["settings"].clone()
}

/// Each key of `PUT` with a value that is not the default, and with the value that is shown.
fn each_setting() -> Vec<(&'static str, Value, Value)> {
    let same = |key, value: Value| (key, value.clone(), value);
    let mut readings = shown(&Server::start().unwrap(), "default")["settings"]["readings"].clone();
    readings["qa-time"] = "milliseconds".into();
    vec![
        same("seed", json!(u64::MAX)),
        same("conversations", json!(7)),
        same("demo_user", json!("me \u{e9}\n")),
        same("fixtures", json!({"agents": [agent("k", &[silent("mine", "u", "API", 1)])]})),
        ("readings", json!({"qa-time": "milliseconds"}), readings),
        (
            "faults",
            json!([{"operation": ["qa", "messages"], "code": 50000, "every": 2}, "id=x,delay=1"]),
            json!(["qa+messages:id=fault-1,code=50000,every=2", "id=x,delay=1"]),
        ),
        ("rate_limit", json!("5/60"), json!({"requests": 5, "seconds": 60})),
        same("hazards", json!(["arrival", "qa:short-page"])),
        ("clock", json!({"mode": "frozen"}), json!("frozen")),
    ]
}

#[test]
fn every_setting_is_shown_as_put_takes_it() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({}));
    let default = settings(&server, "a");
    let document: Value = serde_json::from_str(gptbots_mock::admin_openapi()).unwrap();
    let keys = document["components"]["schemas"]["Settings"]["properties"].as_object().unwrap();
    let rows = each_setting();
    for key in keys.keys() {
        assert!(rows.iter().any(|(of, ..)| of == key), "no row for {key}");
    }
    for (key, value, told) in rows {
        put(&server, "a", &json!({ key: value }));
        let mut expected = default.clone();
        expected[key] = told;
        if key == "fixtures" {
            expected.as_object_mut().unwrap().remove("conversations");
        }
        let set = settings(&server, "a");
        assert_eq!(set, expected, "{key}");
        assert_ne!(set, default, "{key}");
    }
}

#[test]
fn every_setting_is_taken_back_by_another_server() {
    let (one, other) = (Server::start().unwrap(), Server::start().unwrap());
    for (key, value, _) in each_setting() {
        let made = put(&one, "a", &json!({ key: value }));
        let set = settings(&one, "a");
        assert_eq!(put(&other, "a", &set), made, "{key}");
        assert_eq!(settings(&other, "a"), set, "{key}");
    }
}

/// Any settings of a sandbox.
fn any_settings() -> impl Strategy<Value = Value> {
    let reading = |row: &'static gptbots_mock::contract::ReadingRow| {
        let words: Vec<_> = row.values.iter().map(|(word, _)| *word).collect();
        select(words).prop_map(|word| (row.name.to_owned(), Value::from(word)))
    };
    let readings: Vec<_> = READINGS.iter().map(reading).collect();
    let effect = select(vec!["status=503", "code=50000,retry_after=2", "delay=0..2", "body=empty"]);
    let scope = select(vec!["", "qa:", "messages+qa:"]);
    let schedule = (0..3_u64, 1..4_u64, prop::option::of(1..9_u64), 1..=1_000_u32);
    let fault =
        (scope, effect, schedule).prop_map(|(scope, effect, (after, every, times, chance))| {
            let times = times.map_or_else(String::new, |times| format!(",times={times}"));
            let chance = f64::from(chance) / 1e3;
            let line = format!("{scope}{effect},after={after},every={every},probability={chance}");
            Value::from(line + &times)
        });
    let about_a_user = "[^\u{0}]{1,12}"
        .prop_map(|user| json!({"operation": "conversations", "user_id": user, "status": 429}));
    let faults = prop::collection::vec(prop_oneof![fault, about_a_user], 0..6);
    let hazards =
        subsequence(vec!["arrival", "departure", "qa:short-page", "messages:moving-total"], 0..4);
    let limit = prop::option::of((1..=1_000_000_u32, 1..=86_400_u32));
    let fixtures = "[^\u{0}]{0,9}".prop_map(|subject| {
        let mut talk = silent("c", "u", "API", 1);
        talk["subject"] = subject.into();
        ("fixtures", json!({"agents": [agent("k", &[talk])]}))
    });
    let records = prop_oneof![
        fixtures,
        (0..40_u32).prop_map(|number| ("conversations", json!(number))),
        Just(("hazards", json!([]))),
    ];
    let rest = (any::<u64>(), records, readings, faults, limit, hazards, any::<bool>());
    rest.prop_map(|(seed, (key, value), readings, faults, limit, hazards, is_frozen)| {
        let readings: serde_json::Map<String, Value> = readings.into_iter().collect();
        let limit = limit.map(|(requests, seconds)| format!("{requests}/{seconds}"));
        let mut all = json!({
            "seed": seed, "readings": readings, "faults": faults, "rate_limit": limit,
            "hazards": hazards, "clock": if is_frozen { "frozen" } else { "real" },
        });
        all[key] = value;
        all
    })
}

#[test]
fn any_settings_are_taken_back() {
    let servers = Mutex::new((Server::start().unwrap(), Server::start().unwrap()));
    for_all(100, &any_settings(), |any| {
        let servers = servers.lock().unwrap();
        let (one, other) = (&servers.0, &servers.1);
        let made = put(one, "a", &any);
        let set = settings(one, "a");
        assert_eq!(put(other, "a", &set), made, "{any}");
        assert_eq!(settings(other, "a"), set, "{any}");
        let key = if set["fixtures"].is_object() { "k~a" } else { "app-demo~a" };
        for query in [NEWEST, &format!("{}&page=1&page_size=30", whole_qa())] {
            let answers = [one, other].map(|server| get(server, key, query));
            let told = |n: usize| {
                let answer = &answers[n];
                (answer.status, answer.header("x-mock-fault"), &answer.body)
            };
            assert_eq!(told(0), told(1), "{any}");
        }
    });
}

/// Changes by `POST` and the library after `PUT` are part of the settings.
#[test]
fn settings_are_those_of_now() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"faults": ["qa:status=503"]}));
    let a = server.sandbox("a");
    a.fail_next(Fault::status(500).on(Operation::Messages));
    a.rate_limit(3, Duration::from_secs(60));
    a.hazard(Hazard::Arrival);
    a.freeze();
    control(server.address(), "POST", "/sandboxes/a/faults", r#""id=x,delay=1""#).ok();
    let set = settings(&server, "a");
    let lines =
        ["messages:id=fault-2,status=500,times=1", "qa:id=fault-1,status=503", "id=x,delay=1"];
    assert_eq!(set["faults"], json!(lines));
    assert_eq!(set["rate_limit"], json!({"requests": 3, "seconds": 60}));
    assert_eq!((&set["hazards"], &set["clock"]), (&json!(["arrival"]), &"frozen".into()));
    control(server.address(), "DELETE", "/sandboxes/a", "").ok();
    put(&server, "a", &set);
    assert_eq!(settings(&server, "a"), set);
}

/// A used fault applies as often as before, the clock is at zero, and the same requests get the same faults.
#[test]
fn what_has_happened_is_state_and_begins_anew() {
    let server = Server::start().unwrap();
    let faults = ["qa:code=50000,times=2", "status=503,probability=0.5"];
    put(&server, "a", &json!({"faults": faults, "clock": "frozen"}));
    let run = || {
        let all = (0..40).map(|number| {
            let list = if number % 2 == 0 { whole_list() } else { whole_qa() };
            get(&server, "app-demo~a", &format!("{list}&page=1&page_size=10"))
        });
        let struck = all.map(|answer| answer.header("x-mock-fault").map(str::to_owned));
        struck.collect::<Vec<_>>()
    };
    let fresh = shown(&server, "a");
    let first = run();
    advance(&server, "a", 5_000);
    let used = shown(&server, "a");
    assert_eq!(used["settings"], fresh["settings"]);
    assert_eq!(used["state"]["elapsed_ms"], 5_000);
    assert_eq!(used["state"]["faults"][0], json!({"id": "fault-1", "requests": 20, "struck": 2}));
    assert_eq!(used["state"]["requests"]["qa"], 20);
    assert_eq!(put(&server, "a", &used["settings"]), fresh);
    assert_eq!(run(), first);
}

/// A rate limit that was used up admits requests again.
#[test]
fn windows_of_the_rate_limit_begin_anew() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"rate_limit": "1/60", "clock": "frozen"}));
    let status = || get(&server, "app-demo~a", NEWEST).status;
    assert_eq!([status(), status()], [200, 429]);
    put(&server, "a", &settings(&server, "a"));
    assert_eq!([status(), status()], [200, 429]);
}

fn mine() -> Value {
    json!({"fixtures": {"agents": [agent("k", &[silent("mine", "u", "API", 1)])]}})
}

#[test]
fn inline_fixtures_are_shown_where_they_are_asked_for() {
    let server = Server::start().unwrap();
    let answered = put(&server, "a", &mine());
    assert_eq!(answered["settings"]["fixtures"], LEFT_OUT);
    for query in ["", "?fixtures=false"] {
        let told = control(server.address(), "GET", &format!("/sandboxes/a{query}"), "");
        assert_eq!(told.ok().json()["settings"]["fixtures"], LEFT_OUT);
        assert!(!told.body.contains("mine"), "{told:?}");
    }
    assert_eq!(settings(&server, "a")["fixtures"], mine()["fixtures"]);
    let wrong = control(server.address(), "GET", "/sandboxes/a?fixtures=yes", "");
    wrong.failed(400, "fixtures must be true or false, got \"yes\"");
    let unknown = control(server.address(), "GET", "/sandboxes/a?fixture=true", "");
    unknown.failed(400, "there is no parameter \"fixture\"; did you mean fixtures?");
}

/// Numbers, escapes and white space stay as they were written.
#[test]
fn inline_fixtures_are_shown_byte_by_byte() {
    let server = Server::start().unwrap();
    let talk = r#"{"subject": "\u00e9\"\\ é",  "cost_credit": 1.50, "odd": [1e999, {"x": -0.0}]}"#;
    let fixture = format!("{{\"agents\": [\n\t{{\"name\": \"x\", \"conversations\": [{talk}]}}]}}");
    let body = format!("\u{feff} {{\"seed\": 4, \"fixtures\" :  {fixture} , \"clock\": \"real\"}}");
    control(server.address(), "PUT", "/sandboxes/a", &body).ok();
    let told = control(server.address(), "GET", "/sandboxes/a?fixtures=true", "");
    assert!(told.ok().body.contains(&format!("\"fixtures\":{fixture},")), "{told:?}");
}

/// The server refuses settings whose fixtures were left out, because the records would be lost.
#[test]
fn settings_without_their_fixtures_are_refused() {
    let server = Server::start().unwrap();
    put(&server, "a", &mine());
    let set = shown(&server, "a")["settings"].clone();
    for id in ["a", "b"] {
        let path = format!("/sandboxes/{id}");
        let refused = control(server.address(), "PUT", &path, &set.to_string());
        refused.failed(400, "the fixtures were left out of these settings");
        assert_eq!(refused.errors()[0]["source"]["pointer"], "/fixtures");
        assert!(
            refused.body.contains("get the settings by GET with ?fixtures=true"),
            "{refused:?}"
        );
    }
    assert!(!is_there(server.address(), "b"));
    assert_eq!(get(&server, "k~a", NEWEST).column("list", "conversation_id"), ["mine"]);
    put(&server, "a", &settings(&server, "a"));
    assert_eq!(get(&server, "k~a", NEWEST).column("list", "conversation_id"), ["mine"]);
    let text = control(server.address(), "PUT", "/sandboxes/a", r#"{"fixtures": "f.json"}"#);
    text.failed(400, "body:1:15: expected a fixture (an object), got a string");
}

/// Keys that are left out get the server's settings, including fixtures.
#[test]
fn put_without_fixtures_brings_the_records_of_the_server_back() {
    let server = Server::start().unwrap();
    put(&server, "a", &mine());
    put(&server, "a", &json!({"clock": "frozen"}));
    get(&server, "app-demo~a", NEWEST).ok();
    assert_eq!(get(&server, "k~a", NEWEST).status, 401);
}

#[test]
fn reset_keeps_fixtures_to_go_back_to() {
    let server = Server::start().unwrap();
    put(&server, "a", &mine());
    control(server.address(), "POST", "/sandboxes/a/reset", "").ok();
    assert_eq!(settings(&server, "a")["fixtures"], mine()["fixtures"]);
}

/// All sandboxes share the fixtures of the server, so they are not in the settings of a sandbox.
#[test]
fn a_server_with_fixtures_shows_settings_without_records() {
    let server = build(&[agent("k", &[silent("served", "u", "API", 1)])]).start().unwrap();
    get(&server, "k~a", NEWEST).ok();
    let set = settings(&server, "a");
    let keys: Vec<_> = set.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["clock", "faults", "hazards", "rate_limit", "readings", "seed"]);
    put(&server, "a", &set);
    assert_eq!(get(&server, "k~a", NEWEST).column("list", "conversation_id"), ["served"]);
}

#[test]
fn the_list_has_the_state_of_each() {
    let server = Server::start().unwrap();
    advance(&server, "a", 5_000);
    control(server.address(), "POST", "/sandboxes/a/clock", r#"{"mode": "frozen"}"#).ok();
    get(&server, "app-demo~a", NEWEST).ok();
    let list = control(server.address(), "GET", "/sandboxes", "").ok().json();
    let entry = &list["sandboxes"][1];
    let one = control(server.address(), "GET", "/sandboxes/a", "").ok().json();
    assert_eq!(entry["id"], "a");
    assert_eq!(entry["state"]["requests"]["conversations"], 1);
    for key in ["requests", "elapsed_ms"] {
        assert_eq!(entry["state"][key], one["state"][key], "{key}");
    }
    assert!(entry["state"]["elapsed_ms"].as_u64().unwrap() >= 5_000, "{entry}");
    assert!(entry["state"]["idle_ms"].is_u64());
}
