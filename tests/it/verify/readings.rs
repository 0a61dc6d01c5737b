//! `gptbots-mock verify` against the emulator finds exactly the readings that the emulator was
//! given.

use gptbots_mock::Server;
use gptbots_mock::contract::READINGS;
use serde_json::{Value, json};

use crate::support::client::call;
use crate::support::control::put;
use crate::support::folder::Folder;
use crate::support::process::{Ended, Process, command, run};

/// A server with a sandbox that has these readings, and the address of the sandbox.
struct World {
    server: Server,
    url: String,
}

impl World {
    fn with(readings: &[(&str, &str)]) -> Self {
        let server = Server::start().unwrap();
        let values: serde_json::Map<String, Value> =
            readings.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        put(&server, "v", &json!({ "readings": values }));
        let url = format!("{}/s/v", server.url());
        Self { server, url }
    }

    /// Runs `verify` without a pause between requests.
    fn verify(&self, more: &[&str]) -> Ended {
        run(&mut fast(&self.url, more))
    }

    /// The report of a run.
    fn report(&self, more: &[&str]) -> Value {
        let folder = Folder::new();
        let mut verify = fast(&self.url, more);
        let ended = run(verify.args(["--report", "r.json"]).current_dir(folder.path()));
        assert!(ended.code == 0 || ended.code == 6, "{ended:?}");
        let report: Value = serde_json::from_str(&folder.read("r.json")).unwrap();
        let holds = report["differs"] == 0 && report["troubles"] == json!([]);
        assert_eq!(ended.code, if holds { 0 } else { 6 }, "{ended:?}");
        report
    }
}

fn fast(url: &str, more: &[&str]) -> std::process::Command {
    let mut command = command(&["verify", "--against", url, "--per-minute", "1000000"]);
    command.args(["--key", "app-demo", "--deleted-key", "app-deleted"]).args(more);
    command
}

/// A full run finds just these readings, and nothing that differs from them.
#[track_caller]
fn finds(readings: &[(&str, &str)]) {
    let report = World::with(readings).report(&["--max-requests", "125"]);
    assert_eq!(report["differs"], 0, "{readings:?}: {report:#}");
    for row in READINGS {
        let given = readings.iter().find(|(name, _)| *name == row.name);
        let expected = given.map_or(row.values[0].0, |(_, value)| value);
        let shown = report["readings"].as_array().unwrap().iter();
        let shown = shown.clone().find(|shown| shown["name"] == row.name).unwrap();
        assert_eq!(shown["shows"], expected, "{readings:?}: {shown}");
        assert_eq!(report["config"]["reading"][row.name], expected);
    }
    let default = |(name, value): &&(&str, &str)| {
        READINGS.iter().any(|row| row.name == *name && row.values[0].0 == *value)
    };
    let mut flags: Vec<String> = readings
        .iter()
        .filter(|reading| !default(reading))
        .map(|(name, value)| format!("--reading {name}={value}"))
        .collect();
    let mut told: Vec<&str> =
        report["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect();
    flags.sort();
    told.sort_unstable();
    assert_eq!(told, flags);
}

#[test]
fn without_readings_it_finds_the_defaults() {
    finds(&[]);
}

/// A test for each value of each reading, typed from the contract.
macro_rules! single {
    ($($name:ident: $reading:literal $value:literal;)*) => {$(
        #[test]
        fn $name() {
            finds(&[($reading, $value)]);
        }
    )*

        #[test]
        fn every_value_has_its_test() {
            let tested = [$(($reading, $value)),*];
            for row in READINGS {
                for (value, _) in &row.values[1..] {
                    assert!(tested.contains(&(row.name, value)), "{}={value}", row.name);
                }
            }
        }
    };
}

single! {
    finds_error_status_ok: "error-status" "ok";
    finds_messages_total_string: "messages-total" "string";
    finds_messages_order_newest_first: "messages-order" "newest-first";
    finds_v2_messages_order_oldest_first: "v2-messages-order" "oldest-first";
    finds_qa_time_milliseconds: "qa-time" "milliseconds";
    finds_qa_order_newest_first: "qa-order" "newest-first";
    finds_qa_total_present: "qa-total" "present";
    finds_feedback_absent_all: "feedback-absent" "all";
    finds_page_size_clamp: "page-size" "clamp";
    finds_page_past_end_empty: "page-past-end" "empty";
    finds_page_past_end_error: "page-past-end" "error";
    finds_list_total_page: "list-total" "page";
    finds_anonymous_id_present: "anonymous-id" "present";
    finds_wording_bot: "wording" "bot";
}

/// Sets of readings in which every two values of two readings meet: each set takes, reading by
/// reading, the value that meets most of what has not met yet.
fn pairwise() -> Vec<Vec<(&'static str, &'static str)>> {
    let mut left = Vec::new();
    for (at, one) in READINGS.iter().enumerate() {
        for other in &READINGS[at + 1..] {
            for (a, _) in one.values {
                for (b, _) in other.values {
                    left.push(((one.name, *a), (other.name, *b)));
                }
            }
        }
    }
    let mut sets = Vec::new();
    while let Some(first) = left.first().copied() {
        let mut set = vec![first.0, first.1];
        for row in READINGS {
            if set.iter().any(|(name, _)| *name == row.name) {
                continue;
            }
            let met = |value: &str| {
                let is = |one: (&str, &str)| one == (row.name, value);
                left.iter()
                    .filter(|(a, b)| (is(*a) && set.contains(b)) || (is(*b) && set.contains(a)))
                    .count()
            };
            let best = row.values.iter().map(|(value, _)| *value).max_by_key(|value| met(value));
            set.push((row.name, best.unwrap()));
        }
        left.retain(|(a, b)| !(set.contains(a) && set.contains(b)));
        sets.push(set);
    }
    sets
}

#[test]
fn finds_readings_in_every_pair_of_values() {
    let sets = pairwise();
    assert!((6..=16).contains(&sets.len()), "{}", sets.len());
    for set in &sets {
        finds(set);
    }
}

/// Its output can be pasted into a command line and into a config file.
#[test]
fn printed_flags_and_config_can_be_pasted() {
    let world = World::with(&[("qa-time", "milliseconds"), ("page-past-end", "error")]);
    let ended = world.verify(&[]);
    let lines: Vec<&str> = ended.stdout.lines().map(str::trim).collect();
    let flags = lines.iter().find(|line| line.starts_with("--reading")).unwrap();
    assert_eq!(*flags, "--reading qa-time=milliseconds --reading page-past-end=error");
    let config = lines.iter().find(|line| line.starts_with('{')).unwrap();
    let folder = Folder::new();
    let file = folder.write("mock.json", config);
    let flags: Vec<&str> = flags.split(' ').collect();
    for args in [&flags[..], &["--config", file.to_str().unwrap()]] {
        let (_process, address) = Process::serve(args);
        let again = run(&mut fast(&format!("http://{address}"), &[]));
        assert_eq!(again.code, 0, "{again:?}");
        let told = |ended: &Ended| ended.stdout.split("readings:").nth(1).map(str::to_owned);
        assert_eq!(told(&again), told(&ended), "{args:?}");
    }
}

#[test]
fn without_the_key_of_a_deleted_agent_the_wording_is_unknown() {
    let world = World::with(&[("wording", "bot")]);
    let mut command = command(&["verify", "--against", &world.url, "--key", "app-demo"]);
    let ended = run(command.args(["--per-minute", "1000000", "--verbose"]));
    assert_eq!(ended.code, 0, "{ended:?}");
    let why = "wording           unknown: needs the key of a deleted agent (--deleted-key)";
    assert!(ended.stdout.contains(why), "{ended:?}");
    assert!(
        ended.stdout.contains("  conversations.20059 messages.20059 messages-v2.20059 qa.20059")
    );
}

/// Any budget is kept, and the report says what it leaves out.
#[test]
fn max_requests_is_never_exceeded() {
    for most in [1, 2, 7, 13, 30, 60] {
        let world = World::with(&[]);
        let report = world.report(&["--max-requests", &most.to_string()]);
        let sent = world.server.sandbox("v").requests();
        assert_eq!(sent.len(), most);
        assert_eq!(report["requests"], most);
        let why = format!(
            "the limit of {most} requests was reached; --max-requests 125 is enough for all checks"
        );
        let statements = report["statements"].as_array().unwrap();
        assert!(statements.iter().any(|one| one["came"] == *why), "{report:#}");
    }
}

/// The first requests are enough to find every reading.
#[test]
fn a_small_budget_finds_every_reading() {
    let report = World::with(&[]).report(&["--max-requests", "20"]);
    let untold: Vec<&Value> = report["readings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["shows"].is_null())
        .collect();
    assert_eq!(untold, Vec::<&Value>::new());
}

#[test]
fn sends_only_get_head_and_options() {
    let world = World::with(&[]);
    world.verify(&["--max-requests", "300"]);
    let sent = world.server.sandbox("v").requests();
    assert!(sent.len() > 90, "{}", sent.len());
    for request in sent {
        assert!(["GET", "HEAD", "OPTIONS"].contains(&request.method()), "{request:?}");
    }
}

/// Every text and every long number of the records, as the endpoints show them.
fn values(server: &Server) -> Vec<String> {
    fn collect(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::String(text) if text.len() >= 8 => all.push(text.clone()),
            Value::Number(number) if number.to_string().len() >= 8 => all.push(number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
            Value::Object(pairs) => pairs.values().for_each(|item| collect(item, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    let key = [("Authorization", "Bearer app-demo")];
    let ask = |target: &str| call(server.address(), "GET", target, &key).json();
    let window = "start_time=0&end_time=9999999999999&page_size=100";
    for page in 1..=2 {
        let list =
            ask(&format!("/v1/bot/conversation/page?conversation_type=ALL&page={page}&{window}"));
        for row in list["list"].as_array().unwrap() {
            let id = row["conversation_id"].as_str().unwrap();
            collect(
                &ask(&format!("/v2/messages?conversation_id={id}&page=1&page_size=100")),
                &mut all,
            );
        }
        collect(&list, &mut all);
    }
    // Words of the contract are no values of anyone.
    all.retain(|text| !["QUESTION", "POSITIVE", "NEGATIVE", "assistant"].contains(&&**text));
    all.retain(|text| {
        gptbots_mock::contract::CONVERSATION_TYPES.iter().all(|row| row.0.name() != text)
    });
    all
}

#[test]
fn prints_no_record_value_and_no_key() {
    let world = World::with(&[("anonymous-id", "present")]);
    let folder = Folder::new();
    let reports = ["r.json", "r.xml", "r.txt"];
    let mut verify = fast(&world.url, &["--max-requests", "125"]);
    verify.args(reports.iter().flat_map(|name| ["--report", name])).current_dir(folder.path());
    let ended = run(&mut verify);
    let told = [ended.stdout, ended.stderr].into_iter();
    let told: String = told.chain(reports.map(|name| folder.read(name))).collect();
    let values = values(&world.server);
    assert!(values.len() > 1000, "{}", values.len());
    for value in values.iter().map(String::as_str).chain(["app-demo", "app-deleted"]) {
        assert!(!told.contains(value), "{value}");
    }
}

/// A user may have the id that verify uses for a user who does not exist.
#[test]
fn the_user_who_does_not_exist_is_none_of_the_list() {
    let server = Server::builder().demo_user("nobody-has-this-id").start().unwrap();
    let args = ["verify", "--against", server.url(), "--key", "app-demo"];
    let ended = run(command(&args).args(["--per-minute", "1000000", "--max-requests", "125"]));
    assert_eq!(ended.code, 0, "{ended:?}");
}
