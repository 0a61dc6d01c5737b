//! The verdict of `exec` on its command: exit code, last line and reports. The command is `sh` with
//! `curl` as the client; the tests that need `curl` are skipped without it.

use crate::support::folder::Folder;
use crate::support::process::{Ended, command, exec, is_installed, run};

/// A walk that leaves page 2 out, and misspells a parameter.
const WRONG: &str = "for page in 1 3; do curl -sS -o /dev/null \
    -H \"Authorization: Bearer $GPTBOTS_MOCK_KEY\" \"$GPTBOTS_MOCK_URL/v1/bot/conversation/page?\
    conversation_type=ALL&start_time=0&end_time=9999999999999&page_size=10&sort=x&page=$page\"; done";

#[track_caller]
fn run_exec(flags: &[&str], line: &str) -> Ended {
    run(&mut exec(flags, line))
}

/// How a client that is wrong ends.
#[track_caller]
fn ends(flags: &[&str], code: i32) {
    if is_installed("curl") {
        let ended = run_exec(flags, WRONG);
        assert_eq!(ended.code, code, "{flags:?} {}", ended.stderr);
    }
}

#[test]
fn findings_are_printed_and_keep_exit_code_0() {
    if !is_installed("curl") {
        return;
    }
    let Ended { code, stdout, stderr } = run_exec(&[], WRONG);
    assert_eq!((code, &*stdout), (0, ""));
    assert!(stderr.starts_with("verdict: 2 findings in 2 requests\n"), "{stderr}");
    assert!(!stderr.contains("not covered"), "{stderr}");
    let last = stderr.lines().last().unwrap();
    let says = "verdict: 2 requests, 2 findings (unknown-parameter, skipped-page), coverage ";
    assert!(last.starts_with(says) && last.ends_with('%'), "{stderr}");
}

#[test]
fn last_line_names_denied_rules() {
    if is_installed("curl") {
        for (denied, outcome) in [
            ("all", "%; denied"),
            ("skipped-page", "%; denied: skipped-page"),
            ("no-pause", "%; no finding is denied"),
        ] {
            let stderr = run_exec(&["--deny", denied], WRONG).stderr;
            assert!(stderr.lines().last().unwrap().ends_with(outcome), "{stderr}");
        }
    }
}

/// The numbers of requests can be looked up nowhere once exec has ended.
#[test]
fn findings_name_requests_by_method_and_target() {
    if is_installed("curl") {
        let stderr = run_exec(&[], WRONG).stderr;
        let target = "/v1/bot/conversation/page?conversation_type=ALL&start_time=0\
            &end_time=9999999999999&page_size=10&sort=x&page=";
        let lines = format!("\n    #1 GET {target}1\n    #2 GET {target}3\n");
        assert_eq!(stderr.matches(&lines).count(), 2, "{stderr}");
    }
}

/// A client that asks for one page, and does nothing wrong.
const RIGHT: &str = "curl -sS -o /dev/null -H \"Authorization: Bearer $GPTBOTS_MOCK_KEY\" \
    \"$GPTBOTS_MOCK_URL/v1/bot/conversation/page?conversation_type=ALL&start_time=0\
    &end_time=9999999999999&page_size=10&page=1\"";

#[test]
fn clean_verdict_prints_one_line() {
    if is_installed("curl") {
        for flags in [&[][..], &["--deny", "all"]] {
            let Ended { code, stderr, .. } = run_exec(flags, RIGHT);
            assert_eq!(code, 0, "{stderr}");
            let says = "verdict: 1 request, nothing found, coverage ";
            let rest = stderr.strip_prefix(says).unwrap_or_else(|| panic!("{stderr}"));
            let percent = rest.strip_suffix("%\n").unwrap_or_else(|| panic!("{stderr}"));
            assert!(percent.parse::<u32>().is_ok(), "{stderr}");
        }
    }
}

/// Without a request nothing was tested, which must not look like success.
#[test]
fn no_request_prints_one_line() {
    let says = "verdict: 0 requests, so nothing was tested (no-request), coverage 0%";
    for (flags, code, outcome) in [
        (&[][..], 0, ""),
        (&["--deny", "no-pause"], 0, "; no finding is denied"),
        (&["--deny", "all"], 5, "; denied"),
        (&["--deny", "no-request"], 5, "; denied"),
    ] {
        let ended = run_exec(flags, "true");
        let line = format!("{says}{outcome}\n");
        assert_eq!((ended.code, ended.stderr), (code, line), "{flags:?}");
    }
    let Ended { code, stderr, .. } = run_exec(&["--deny", "all"], "exit 7");
    let outcome = "; denied (the exit code of the command is 7)\n";
    assert_eq!((code, stderr), (7, format!("{says}{outcome}")));
}

#[test]
fn no_request_can_be_muted() {
    let Ended { code, stderr, .. } = run_exec(&["--deny", "all", "--mute", "no-request"], "true");
    assert_eq!((code, &*stderr), (0, "verdict: 0 requests, nothing found, coverage 0%\n"));
}

/// Requests below `/__admin` are no client's, and only the end finds that there were no others.
#[test]
fn control_api_requests_count_as_no_request() {
    if is_installed("curl") {
        let line = "curl -sS \"$GPTBOTS_MOCK_URL/__admin/verdict\"";
        let Ended { code, stdout, stderr } = run_exec(&["--deny", "all"], line);
        assert_eq!(code, 5, "{stderr}");
        assert!(stderr.starts_with("verdict: 0 requests, so nothing was tested"), "{stderr}");
        let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&json["clean"], &json["requests"]), (&true.into(), &0.into()));
    }
}

#[test]
fn reports_list_no_request_as_a_finding() {
    let folder = Folder::new();
    let paths = ["v.json", "v.xml", "v.txt"].map(|name| folder.path().join(name));
    let flags: Vec<_> =
        paths.iter().flat_map(|path| ["--report", path.to_str().unwrap()]).collect();
    assert_eq!(run_exec(&flags, "true").code, 0);
    let [json, xml, txt] = paths.map(|path| std::fs::read_to_string(path).unwrap());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["clean"], false);
    assert_eq!(json["findings"][0]["rule"], "no-request");
    assert!(xml.contains(r#"failures="1""#) && xml.contains(r#"name="no-request">"#), "{xml}");
    assert!(txt.contains("\nno-request: no request came, so nothing was tested\n"), "{txt}");
}

#[test]
fn denied_finding_ends_with_5() {
    ends(&["--deny", "all"], 5);
    ends(&["--deny", "skipped-page"], 5);
    ends(&["--deny", "no-pause,skipped-page"], 5);
    ends(&["--deny", "no-pause", "--deny", "unknown-parameter"], 5);
}

#[test]
fn finding_that_is_not_denied_keeps_the_exit_code() {
    ends(&["--deny", "no-pause"], 0);
}

#[test]
fn muted_finding_is_not_denied() {
    ends(&["--deny", "all", "--mute", "skipped-page,unknown-parameter"], 0);
    ends(&["--deny", "all", "--mute", "skipped-page"], 5);
}

#[test]
fn unknown_rule_ends_with_2_and_names_the_nearest() {
    for flag in ["--deny", "--mute"] {
        let ended = run_exec(&[flag, "skiped-page"], "true");
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains("did you mean skipped-page?"), "{}", ended.stderr);
    }
}

/// The command's own failure says more.
#[test]
fn failing_command_keeps_its_exit_code() {
    if is_installed("curl") {
        let ended = run_exec(&["--deny", "all"], &format!("{WRONG}; exit 7"));
        assert_eq!(ended.code, 7);
    }
}

#[test]
fn coverage_that_is_too_low_ends_with_5_and_says_what_is_missing() {
    let ended = run_exec(&["--min-coverage", "1"], "true");
    assert_eq!(ended.code, 5);
    let text = &ended.stderr;
    assert!(
        text.contains("\nnot covered:\n")
            && text.contains("error: coverage is 0%, below --min-coverage 1\n"),
        "{text}"
    );
    assert_eq!(run_exec(&["--min-coverage", "0"], "true").code, 0);
    assert_eq!(run_exec(&["--min-coverage", "101"], "true").code, 2);
}

/// A verdict that nobody can draw denies nothing, so it must not be asked for.
#[test]
fn deny_without_a_journal_ends_with_2() {
    let folder = Folder::new();
    let report = folder.path().join("verdict.txt");
    for flags in
        [["--deny", "all"], ["--min-coverage", "0"], ["--report", report.to_str().unwrap()]]
    {
        let ended = run_exec(&["--journal", "0", flags[0], flags[1]], "echo ran");
        assert_eq!((ended.code, &*ended.stdout), (2, ""), "{flags:?}");
    }
    let ended = run_exec(&["--journal", "0"], "true");
    let says = "verdict: none, because --journal 0 disables the journal\n";
    assert_eq!((ended.code, &*ended.stderr), (0, says));
}

#[test]
fn report_format_follows_the_file_extension() {
    if !is_installed("curl") {
        return;
    }
    let folder = Folder::new();
    let paths = ["v.json", "v.xml", "v.txt"].map(|name| folder.path().join(name));
    let [json, xml, txt] = &paths;
    let flags = paths.iter().flat_map(|path| ["--report", path.to_str().unwrap()]);
    assert_eq!(run_exec(&flags.collect::<Vec<_>>(), WRONG).code, 0);
    let read = |path| std::fs::read_to_string(path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&read(json)).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 2);
    assert!(read(xml).starts_with("<?xml ") && read(xml).contains(r#"failures="2""#));
    assert!(read(txt).starts_with("verdict: 2 findings") && read(txt).contains("not covered"));
}

#[test]
fn report_with_unknown_extension_ends_with_2() {
    assert_eq!(run_exec(&["--report", "verdict.html"], "true").code, 2);
}

#[test]
fn a_report_that_cannot_be_written_ends_with_1() {
    assert_eq!(run_exec(&["--report", "/nowhere/at/all/v.json"], "true").code, 1);
}

/// The client is gone the moment that it left an answer.
#[test]
fn answer_left_unread_at_exit_is_a_finding() {
    let program = "import os, socket, urllib.parse\n\
        url = urllib.parse.urlsplit(os.environ['GPTBOTS_MOCK_URL'])\n\
        client = socket.create_connection((url.hostname, url.port))\n\
        head = 'GET /v1/bot/conversation/page?conversation_type=ALL&start_time=0' \\\n\
            '&end_time=9999999999999&page=1&page_size=100 HTTP/1.1\\r\\nHost: x\\r\\n' \\\n\
            'Authorization: Bearer app-demo\\r\\n\\r\\n'\n\
        client.sendall(head.encode())\n\
        client.recv(1)\n\
        os._exit(0)";
    if !is_installed("python3") {
        return;
    }
    for _ in 0..10 {
        let args = ["exec", "--deny", "unread-answer", "--", "python3", "-c", program];
        let ended = run(&mut command(&args));
        assert_eq!(ended.code, 5, "{}", ended.stderr);
    }
}

#[test]
fn serve_flags_apply() {
    if is_installed("curl") {
        let line = "curl -sS -o /dev/null -w '%{http_code}' \"$GPTBOTS_MOCK_URL/v1/messages\"";
        assert_eq!(run_exec(&["--fault", "status=503"], line).stdout, "503");
    }
}

#[test]
fn config_file_applies() {
    if is_installed("curl") {
        let folder = Folder::new();
        let config = folder.write("c.json", r#"{"fault": ["status=418"]}"#);
        let line = "curl -sS -o /dev/null -w '%{http_code}' \"$GPTBOTS_MOCK_URL/v1/messages\"";
        assert_eq!(run_exec(&["--config", config.to_str().unwrap()], line).stdout, "418");
    }
}

#[test]
fn taken_port_ends_with_4() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ended = run_exec(&["--port", &port], "echo ran");
    assert_eq!((ended.code, &*ended.stdout), (4, ""));
}
