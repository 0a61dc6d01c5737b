//! What `gptbots-mock verify` says at the end: first what one wants to know, and ids only with
//! `--verbose`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gptbots_mock::contract::{READINGS, statements};
use gptbots_mock::{Server, contract::QaTime};
use serde_json::{Value, json};

use crate::support::control::put;
use crate::support::folder::Folder;
use crate::support::process::{command, run};

/// What a run says, and its report as JSON.
#[track_caller]
fn said(url: &str, more: &[&str]) -> (String, Value) {
    let folder = Folder::new();
    let args = ["verify", "--against", url, "--key", "app-demo", "--per-minute", "1000000"];
    let mut verify = command(&args);
    let ended = run(verify.args(more).args(["--report", "r.json"]).current_dir(folder.path()));
    assert_eq!(ended.code, 0, "{ended:?}");
    (ended.stdout, serde_json::from_str(&folder.read("r.json")).unwrap())
}

/// How many statements could not be tried, for each of these reasons, and for how many others.
fn not_tried(report: &Value, reasons: &[&str]) -> String {
    let all = report["statements"].as_array().unwrap().iter();
    let all: Vec<&str> = all
        .filter(|one| one["found"] == "not tried")
        .map(|one| one["came"].as_str().unwrap())
        .collect();
    let mut text = "\nnot tried:\n".to_owned();
    let mut others = all.len();
    let more: BTreeSet<_> = all.iter().filter(|why| !reasons.contains(why)).collect();
    for reason in reasons {
        let count = all.iter().filter(|why| *why == reason).count();
        others -= count;
        writeln!(text, "{count:5}  {reason}").unwrap();
    }
    text + &format!("{others:5}  for {} other reasons (shown with --verbose)\n", more.len())
}

/// The first line.
fn headline(url: &str, report: &Value) -> String {
    let [holds, not_tried, requests] = ["holds", "not_tried", "requests"].map(|key| &report[key]);
    format!(
        "{url}: {holds} statements hold, 0 differ, {not_tried} could not be tried ({requests} \
         requests)\n"
    )
}

const SPENT: &str =
    "the limit of 60 requests was reached; --max-requests 125 is enough for all checks";
const NO_KEY: &str = "needs the key of a deleted agent (--deleted-key)";
const ITSELF: &str = "only the emulator has this behaviour";
const NOT_MET: &str = "the server sent no such response";
const NOTHING: &str = "the records of the agent do not show it";
const PAST_END: &str = "it is sent only with page-past-end=error";

#[test]
fn counts_come_first_then_readings_and_the_flags_to_paste() {
    let server = Server::start().unwrap();
    let readings = json!({"qa-time": "milliseconds", "page-past-end": "error"});
    put(&server, "v", &json!({ "readings": readings }));
    let url = format!("{}/s/v", server.url());
    let (text, report) = said(&url, &[]);
    let readings = "
readings:
  qa-time           milliseconds (default: seconds)
  page-past-end     error (default: documented)
  wording           unknown: needs the key of a deleted agent (--deleted-key)
  all others        default value

flags of gptbots-mock serve for the same behaviour:
  --reading qa-time=milliseconds --reading page-past-end=error
the same as a config file:
  {\"reading\":{\"page-past-end\":\"error\",\"qa-time\":\"milliseconds\"}}
";
    let counts = headline(&url, &report);
    assert_eq!(text, counts + readings + &not_tried(&report, &[SPENT, NO_KEY, ITSELF, NOT_MET]));
}

#[test]
fn where_all_is_well_it_is_a_few_lines() {
    let server = Server::start().unwrap();
    let more = ["--max-requests", "125", "--deleted-key", "app-deleted"];
    let (text, report) = said(server.url(), &more);
    let readings = "\nreadings: all have their default value\n";
    let counts = headline(server.url(), &report);
    assert_eq!(
        text,
        counts + readings + &not_tried(&report, &[ITSELF, NOT_MET, NOTHING, PAST_END])
    );
    assert_eq!(text.lines().count(), 10);
}

#[test]
fn readings_unknown_for_one_reason_share_a_line() {
    let server = Server::start().unwrap();
    let (text, report) = said(server.url(), &["--max-requests", "3"]);
    let untold = report["readings"].as_array().unwrap().iter();
    let untold = untold.filter(|row| row["shows"].is_null()).count();
    let why = SPENT.replace("60", "3");
    let line =
        format!("\n  {untold} readings       unknown: {why}\n  all others        default value");
    assert!((10..READINGS.len()).contains(&untold) && text.contains(&line), "{text}");
}

/// The most statements that could not be tried have their reason named, also where no flag would help.
#[test]
fn the_reason_for_most_that_is_not_tried_is_named() {
    let empty = Server::builder().conversations(0).start().unwrap();
    let (text, _) = said(empty.url(), &["--max-requests", "125"]);
    let stopping = Server::start().unwrap();
    put(&stopping, "v", &json!({"faults": ["code=50000,after=20"]}));
    let url = format!("{}/s/v", stopping.url());
    let args = ["verify", "--against", &url, "--key", "app-demo", "--per-minute", "1000000"];
    let stopped = run(&mut command(&args));
    assert_eq!(stopped.code, 6, "{stopped:?}");
    for (text, reason) in [(&text, NOTHING), (&stopped.stdout, "6 requests in a row got HTTP 500")]
    {
        let rows = text.split("\nnot tried:\n").nth(1).unwrap().lines();
        let rows = rows.map(|row| row.trim_start().split_once("  ").unwrap());
        let counts: Vec<(usize, &str)> =
            rows.map(|(count, why)| (count.parse().unwrap(), why)).collect();
        let largest = counts.iter().max_by_key(|(count, _)| count).unwrap();
        assert!(largest.1 == reason && counts.len() <= 5, "{text}");
    }
}

/// A statement is shown as a sentence that can be understood without the statement's id.
#[test]
fn what_was_expected_can_be_read_without_an_id() {
    let server = Server::start().unwrap();
    put(&server, "v", &json!({"faults": ["code=40127,after=20"]}));
    let url = format!("{}/s/v", server.url());
    let args = ["verify", "--against", &url, "--key", "app-demo", "--per-minute", "1000000"];
    let ended = run(&mut command(&args));
    assert_eq!(ended.code, 6, "{ended:?}");
    let line = "\n  expected: the query string is percent-encoded UTF-8\n";
    assert!(ended.stdout.contains(line), "{ended:?}");
}

#[test]
fn a_difference_says_what_was_asked_expected_and_came() {
    let server = Server::start().unwrap();
    put(&server, "v", &json!({"faults": ["qa:code=40000,user_feedback=GOOD"]}));
    let url = format!("{}/s/v", server.url());
    let args = ["verify", "--against", &url, "--key", "app-demo", "--per-minute", "1000000"];
    let block = |more: &[&str]| {
        let ended = run(command(&args).args(more));
        assert_eq!(ended.code, 6, "{ended:?}");
        let begins = ended.stdout.find("differs: ").unwrap();
        ended.stdout[begins..].split("\n\n").next().unwrap().to_owned()
    };
    let expected = "\
differs: GET /v1/message/qa/record/page
  request:  GET /v1/message/qa/record/page?start_time=0&end_time=…&page=1&page_size=100&\
user_feedback=GOOD
  expected: user_feedback: required; one of ALL, NONE, GOOD, BAD
  got:      HTTP 400, code 40000, `Invalid parameter`
  source:   documented: Get Q&A List, 2025-10-20";
    assert_eq!(block(&[]), expected);
    let verbose = expected.replacen("page\n", "page (qa.user_feedback)\n", 1) + "; tested by ";
    assert!(block(&["--verbose"]).starts_with(&verbose), "{}", block(&["--verbose"]));
}

#[test]
fn without_verbose_no_statement_is_named_by_its_id() {
    let server = Server::builder().reading(QaTime::Milliseconds).start().unwrap();
    for more in [&[][..], &["--max-requests", "2"], &["--max-requests", "125"]] {
        let (text, _) = said(server.url(), more);
        for statement in statements() {
            let id = statement.id.to_string();
            assert!(!text.split_whitespace().any(|word| word == id), "{id}: {text}");
        }
    }
}

#[test]
fn verbose_lists_every_reading_and_every_statement_by_its_id() {
    let server = Server::builder().reading(QaTime::Milliseconds).start().unwrap();
    let (text, report) = said(server.url(), &["--verbose"]);
    assert!(text.starts_with(&headline(server.url(), &report)), "{text}");
    for row in READINGS {
        let value = match row.name {
            "qa-time" => "milliseconds (default: seconds)".to_owned(),
            "wording" => format!("unknown: {NO_KEY}"),
            _ => format!("{} (default)", row.values[0].0),
        };
        assert!(text.contains(&format!("\n  {:17} {value}\n", row.name)), "{text}");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    for statement in statements() {
        let id = statement.id.to_string();
        assert!(words.contains(&&*id), "{id}: {text}");
    }
}
