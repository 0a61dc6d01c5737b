//! `gptbots-mock verify`: the formats of its reports, and the errors for wrong usage.

use std::collections::HashSet;
use std::time::Duration;

use gptbots_mock::Server;
use gptbots_mock::contract::{ReadingId, statements};
use serde_json::{Value, json};

use crate::docs::tests_by_statement;
use crate::support::control::put;
use crate::support::folder::Folder;
use crate::support::process::{Ended, command, run};

/// Verifies agent *demo* of a server of its own with a small budget, and reports to a file.
fn reported(end: &str, more: &[&str]) -> (Ended, String) {
    let server = Server::start().unwrap();
    let folder = Folder::new();
    let file = format!("report.{end}");
    let args = ["verify", "--against", server.url(), "--key", "app-demo", "--report", &file];
    let mut verify = command(&args);
    verify.args(["--per-minute", "1000000"]).args(more).current_dir(folder.path());
    (run(&mut verify), folder.read(&file))
}

#[test]
fn json_has_every_statement_with_the_columns_of_the_fidelity_page() {
    let (ended, text) = reported("json", &[]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((ended.code, &report["differs"]), (0, &json!(0)), "{ended:?}");
    let told = report["statements"].as_array().unwrap();
    assert_eq!(told.len(), statements().len());
    let tests = tests_by_statement();
    for (one, of) in told.iter().zip(statements()) {
        let columns = json!({
            "id": of.id.to_string(), "says": of.says, "status": of.source.status.name(),
            "source": of.source.from, "reading": of.reading.map(ReadingId::name),
            "held_by": tests[&*of.id.to_string()].join(", "),
            "found": one["found"], "asked": null, "came": one["came"],
        });
        assert_eq!(*one, columns);
    }
    let count = |found: &str| told.iter().filter(|one| one["found"] == found).count();
    assert_eq!(report["holds"], count("holds"));
    assert_eq!(report["not_tried"], count("not tried"));
    assert_eq!(count("holds") + count("not tried"), told.len());
    assert!(count("holds") > 100, "{report:#}");
}

#[test]
fn a_table_has_the_columns_of_the_fidelity_page() {
    let (_, text) = reported("txt", &[]);
    let fidelity = include_str!("../../../docs/fidelity.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let ids: HashSet<String> = statements().iter().map(|one| one.id.to_string()).collect();
    let rows = |page: &str, id: usize| -> Vec<Vec<String>> {
        let of_table = page.lines().filter(|line| line.starts_with("| ")).map(cells);
        of_table.filter(|row| row.get(id).is_some_and(|id| ids.contains(id))).collect()
    };
    let (told, page) = (rows(&text, 1), rows(fidelity, 0));
    assert_eq!((told.len(), page.len()), (ids.len(), ids.len()));
    for (told, page) in told.iter().zip(&page) {
        assert_eq!(told[1..6], page[..5], "{told:?}");
    }
    assert!(text.contains("| found "), "{text}");
}

/// Each report has the request that shows that a statement differs.
#[test]
fn every_report_says_what_was_asked() {
    let server = Server::start().unwrap();
    put(&server, "v", &json!({"faults": ["qa:code=40000,user_feedback=GOOD"]}));
    let (url, folder) = (format!("{}/s/v", server.url()), Folder::new());
    let files = ["r.json", "r.txt", "r.xml"];
    let mut verify = command(&["verify", "--against", &url, "--key", "app-demo"]);
    verify.args(["--per-minute", "1000000"]).current_dir(folder.path());
    verify.args(files.iter().flat_map(|file| ["--report", file]));
    assert_eq!(run(&mut verify).code, 6);
    let asked = "GET /v1/message/qa/record/page?start_time=0&end_time=\u{2026}&page=1&page_size=100\
                 &user_feedback=GOOD";
    let [report, table, tests] = files.map(|file| folder.read(file));
    let report: Value = serde_json::from_str(&report).unwrap();
    let told = report["statements"].as_array().unwrap();
    let differs = told.iter().find(|one| one["found"] == "differs").unwrap();
    assert_eq!((&differs["id"], &differs["asked"]), (&json!("qa.user_feedback"), &json!(asked)));
    let row = table.lines().find(|line| line.starts_with("| differs ")).unwrap();
    assert!(row.contains(&format!("| {asked} |")), "{row}");
    assert!(tests.contains(&asked.replace('&', "&amp;")), "{tests}");
}

#[test]
fn a_test_report_has_a_case_for_each_statement() {
    let (ended, text) = reported("xml", &["--max-requests", "5"]);
    assert_eq!(ended.code, 0);
    let all = statements().len() + 1;
    let cases = text.matches("<testcase ").count();
    let skipped = text.matches("<skipped ").count();
    assert_eq!(cases, all);
    let head = format!(r#"tests="{all}" failures="0" errors="0" skipped="{skipped}""#);
    assert!(text.contains(&head) && skipped > 50, "{text}");
    let why =
        r#"<skipped message="the limit of 5 requests was reached; --max-requests 125 is enough"#;
    assert!(text.contains(why), "{text}");
    assert!(text.contains(r#"<testcase classname="server" name="server.answers"/>"#), "{text}");
}

#[test]
fn differing_statement_fails_its_test_case() {
    // A server that has enough after three requests, so that nothing but that is found.
    let server = Server::builder().rate_limit(3, Duration::from_secs(3600)).start().unwrap();
    let folder = Folder::new();
    let mut verify = command(&["verify", "--against", server.url(), "--key", "app-nobody"]);
    verify.args(["--per-minute", "1000000", "--report", "report.xml"]).current_dir(folder.path());
    let (ended, text) = (run(&mut verify), folder.read("report.xml"));
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(ended.stdout.contains("\nserver: the key is refused\n"), "{ended:?}");
    assert!(text.contains(r#"<failure message="the key is refused">"#), "{text}");
    // The statements that the refusal itself shows are still in the report.
    assert!(text.contains(r#"name="everywhere.failure"/>"#), "{text}");
}

/// Asserts an error for wrong usage that contains these words, but not the key.
#[track_caller]
fn refused(args: &[&str], words: &str) {
    let ended = run(command(&["verify"]).args(args));
    ended.refused(2, &[words]);
    assert!(!ended.stderr.contains("app-secret"), "{ended:?}");
}

#[test]
fn wrong_usage_ends_with_2() {
    refused(&["--key", "app-secret"], "--against <URL>");
    refused(&["--against", "http://localhost"], "--key <KEY>");
    for url in ["localhost:8484", "ftp://localhost", "http://", "/v1/messages", "http:///v1"] {
        refused(&["--key", "app-secret", "--against", url], "https://HOST");
    }
    // The key would be sent to a server at the default port of the scheme.
    for port in [":99999", ":", ":0", ":x", ":-1"] {
        for host in ["127.0.0.1", "[::1]"] {
            let url = format!("http://{host}{port}/v");
            let ended = run(&mut command(&["verify", "--key", "app-secret", "--against", &url]));
            assert_eq!((ended.code, &*ended.stdout), (2, ""), "{url}: {ended:?}");
        }
    }
    let url = "http://app-secret@localhost";
    refused(
        &["--key", "app-secret", "--against", url],
        "must not contain a user or key before the host",
    );
    let url = "http://localhost/v1?key=app-secret";
    refused(&["--key", "app-secret", "--against", url], "must not contain a query or fragment");
    refused(&["--key", "app-secret ", "--against", "http://localhost"], "--key");
    refused(&["--key", "", "--against", "http://localhost"], "--key");
    let right = ["--key", "app-secret", "--against", "http://localhost"];
    for (flag, value) in [("--max-requests", "0"), ("--per-minute", "0"), ("--timeout", "0")] {
        refused(&[&right[..], &[flag, value]].concat(), flag);
    }
    refused(&[&right[..], &["--report", "x.html"]].concat(), ".json, .xml or .txt");
}

#[test]
fn variables_replace_flags() {
    let server = Server::start().unwrap();
    let ended = run(command(&["verify"])
        .env("GPTBOTS_MOCK_AGAINST", server.url())
        .env("GPTBOTS_MOCK_KEY", "app-demo")
        .env("GPTBOTS_MOCK_DELETED_KEY", "app-deleted")
        .env("GPTBOTS_MOCK_MAX_REQUESTS", "15")
        .env("GPTBOTS_MOCK_PER_MINUTE", "1000000")
        .env("GPTBOTS_MOCK_TIMEOUT", "5"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("(15 requests)"), "{ended:?}");
    let told =
        "sending up to 15 requests, 1000000 per minute; this takes about 0 s\n10 of 15 requests\n";
    assert_eq!(ended.stderr, told);
}

/// A path before those of the endpoints, with and without a slash at its end.
#[test]
fn a_server_may_stand_below_a_path() {
    let server = Server::start().unwrap();
    for path in ["/s/below", "/s/below/", "/"] {
        let url = format!("{}{path}", server.url());
        let args = ["verify", "--against", &url, "--key", "app-demo", "--per-minute", "1000000"];
        let ended = run(&mut command(&args));
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(server.sandbox("below").requests().len(), 120);
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let server = Server::start().unwrap();
    let args = ["verify", "--against", server.url(), "--key", "app-demo", "--max-requests", "1"];
    let ended = run(command(&args).args(["--report", "/no/such/folder/x.json"]));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("cannot write /no/such/folder/x.json"), "{ended:?}");
    // Before anything was asked.
    assert!(server.requests().is_empty());
}
