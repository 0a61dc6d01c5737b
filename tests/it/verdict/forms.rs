//! The formats of a verdict: JSON, text and JUnit, chosen by `Accept`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::client::{call, get, raw};
use crate::verdict::suite::{KEY, page, queries, server, target, verdict};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const JUNIT: &str = "application/xml";

#[test]
fn accept_decides_by_quality_and_order() {
    let server = server();
    for (accept, form) in [
        ("*/*", JSON),
        ("application/json", JSON),
        ("text/plain", TEXT),
        ("text/*", TEXT),
        ("TEXT/PLAIN", TEXT),
        ("application/xml", JUNIT),
        ("text/xml", JUNIT),
        ("application/xml;q=0.5, text/plain", TEXT),
        ("text/plain;q=0.1,application/xml;q=0.9", JUNIT),
        ("text/plain; charset=utf-8; q=0.2, application/json; q=0.3", JSON),
        ("text/plain,application/xml", TEXT),
        ("text/plain;q=0, */*;q=0.1", JSON),
        ("text/plain;q=0", JSON),
        ("image/png", JSON),
        ("", JSON),
        ("text/plain;q=high", TEXT),
        (",;,", JSON),
    ] {
        let answer = verdict(&server, "/__admin/verdict", accept);
        assert_eq!(answer.header("content-type"), Some(form), "{accept}");
    }
    let answer = call(server.address(), "GET", "/__admin/verdict", &[]);
    assert_eq!(answer.header("content-type"), Some(JSON));
}

#[test]
fn json_says_what_why_where_and_how_often() {
    let server = server();
    for number in [1, 3] {
        page(&server, &queries()[0], number);
    }
    let json = verdict(&server, "/__admin/verdict", JSON).json();
    assert_eq!(json["clean"], false);
    assert_eq!(json["requests"], 2);
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "skipped-page");
    assert_eq!(finding["sandbox"], "default");
    assert_eq!(
        finding["what"],
        "/v1/bot/conversation/page: page 3 was fetched, but page 2 was not"
    );
    assert!(finding["why"].as_str().unwrap().contains("missing in the result"));
    assert_eq!(finding["requests"], serde_json::json!([1, 2]));
    let line = |number, page| {
        let target = target(&queries()[0], page);
        serde_json::json!({"number": number, "method": "GET", "target": target})
    };
    assert_eq!(finding["request_lines"], serde_json::json!([line(1, 1), line(2, 3)]));
    assert_eq!(finding["times"], 1);
    let coverage = &json["coverage"];
    let never = coverage["never_met"].as_array().unwrap().len() as u64;
    assert_eq!(coverage["met"].as_u64().unwrap() + never, coverage["of"].as_u64().unwrap());
}

#[test]
fn text_says_the_same_to_people() {
    let server = server();
    for number in [1, 3] {
        page(&server, &queries()[0], number);
    }
    let text = verdict(&server, "/__admin/verdict", "text/plain").body;
    let begins = "verdict: 1 finding in 2 requests\n\n\
        skipped-page: /v1/bot/conversation/page: page 3 was fetched, but page 2 was not\n  \
        why: The rows of a skipped page are missing in the result, and no error reports that.\n  \
        requests: #1, #2 in sandbox default\n    #1 GET TARGET1\n    #2 GET TARGET3\n\n\
        coverage: ";
    let [first, third] = [1, 3].map(|number| target(&queries()[0], number));
    let begins = begins.replace("TARGET1", &first).replace("TARGET3", &third);
    assert!(text.starts_with(&begins), "{text}");
    assert!(text.contains("\nnot covered:\n") && text.ends_with('\n'), "{text}");
}

#[test]
fn junit_names_requests_by_method_and_target() {
    let server = server();
    for number in [1, 3] {
        page(&server, &queries()[1], number);
    }
    let junit = verdict(&server, "/__admin/verdict", JUNIT).body;
    let [first, third] = [1, 3].map(|number| target(&queries()[1], number).replace('&', "&amp;"));
    let lines = format!(", requests #1, #2\n#1 GET {first}\n#2 GET {third}</failure>");
    assert!(junit.contains(&lines), "{junit}");
}

#[test]
fn clean_verdict_says_nothing_found() {
    let server = server();
    let text = verdict(&server, "/__admin/verdict", "text/plain").body;
    assert!(text.starts_with("verdict: nothing found in 0 requests\n"), "{text}");
    let junit = verdict(&server, "/__admin/verdict", JUNIT).body;
    assert!(junit.contains(r#"failures="0""#) && !junit.contains("<failure"), "{junit}");
}

#[test]
fn head_has_no_body() {
    let server = server();
    let answer = call(server.address(), "HEAD", "/__admin/verdict", &[("Accept", "text/plain")]);
    assert_eq!((answer.status, &*answer.body), (200, ""));
}

/// Names with characters that are markup, line breaks or not allowed in XML.
#[test]
fn junit_is_well_formed_whatever_a_client_sent() {
    let server = server();
    let names = "%3C%26%22%27%3E%5D%5D%3E=1&%00%01%1B%7F=2&%C2%9B%EF%BF%BF%EF%BF%BE=3&\u{e9}=4";
    get(&server, KEY, &format!("{}&{names}", target(&queries()[0], 1)));
    // Raw bytes in the path of a 404, as far as HTTP allows them.
    let head = b"GET /v9/\xef\xbf\xbf\"&\xc2\x9b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for _ in 0..2 {
        raw(server.address(), head);
    }
    let junit = verdict(&server, "/__admin/verdict", JUNIT).body;
    let is_right = |char: char| char == '\n' || (' '..'\u{7f}').contains(&char);
    assert!(junit.chars().all(|char| is_right(char) || char == '\u{e9}'), "{junit}");
    assert!(junit.contains("&lt;&amp;"), "{junit}");
    let Some(cases) = read_by_python(&junit) else { return };
    assert_eq!(cases, "14 cases, 2 of them fail\n");
}

/// The result of reading a report with Python; `None` if Python is not installed.
fn read_by_python(junit: &str) -> Option<String> {
    let program = "import sys, xml.etree.ElementTree as tree\n\
        suite = tree.fromstring(sys.stdin.buffer.read()).find('testsuite')\n\
        cases = suite.findall('testcase')\n\
        failing = [case for case in cases if case.find('failure') is not None]\n\
        assert suite.get('tests') == str(len(cases)), suite.attrib\n\
        assert suite.get('failures') == str(len(failing)), suite.attrib\n\
        print(len(cases), 'cases,', len(failing), 'of them fail')";
    let mut python = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    python.stdin.take().unwrap().write_all(junit.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "not well-formed: {junit}");
    Some(String::from_utf8(output.stdout).unwrap())
}
