//! For each rule of the verdict, the smallest client that breaks it gets the finding.

use std::io::Read;
use std::time::Duration;

use gptbots_mock::contract::{Code, Operation};
use gptbots_mock::{Fault, Limits, Rule, Server};

use crate::support::assertions::until;
use crate::support::client::{Connection, exchange, get, head, parse, request, sent};
use crate::support::wire::Wire;
use crate::verdict::suite::{
    KEY, clean, found, page, page_in, queries, rows_of_25, server, target, told, verdict,
};

#[test]
fn unknown_parameter_is_a_finding_that_names_the_nearest() {
    for query in queries() {
        let server = server();
        let more = format!("{}&pagesize=20", target(&query, 1));
        get(&server, KEY, &more).ok();
        told(&server, "unknown-parameter", 1, &[1]);
        let what = server.verdict().findings()[0].what.clone();
        assert!(what.contains("`pagesize`; did you mean `page_size`?"), "{what}");
    }
}

#[test]
fn page_size_of_another_endpoint_is_a_finding() {
    let server = server();
    get(&server, KEY, &format!("{}&page=1&page_size=5", queries()[3]));
    told(&server, "foreign-page-size", 1, &[1]);
}

#[test]
fn time_in_seconds_is_a_finding() {
    const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&page=1&page_size=5";
    // (start, end, findings): a window in seconds has no rows, one that begins with seconds has all.
    for (start, end, names) in [
        ("1758000000", "1761000000", &["start_time", "end_time"][..]),
        ("1758000000", "1761000000000", &["start_time"]),
        ("1758000000000", "1761000000", &["end_time"]),
        ("999999999", "10000000000", &[]),
        ("0", "9999999999999", &[]),
    ] {
        let server = server();
        for _ in 0..2 {
            get(&server, KEY, &format!("{LIST}&start_time={start}&end_time={end}"));
        }
        let verdict = server.verdict();
        let findings =
            verdict.findings().iter().filter(|found| found.rule.name() == "time-in-seconds");
        let whats: Vec<_> = findings.map(|found| (found.what.as_str(), found.times)).collect();
        let expected: Vec<_> = names
            .iter()
            .map(|name| {
                format!(
                    "/v1/bot/conversation/page: `{name}` is in seconds, and the API takes milliseconds"
                )
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|what| (what.as_str(), 2)).collect();
        assert_eq!(whats, expected, "{start} to {end}");
    }
}

#[test]
fn request_body_is_a_finding() {
    for query in queries() {
        let server = server();
        let (key, target) = (format!("Bearer {KEY}"), target(&query, 1));
        request(&server, "GET", &target, &[("Authorization", &key), ("Content-Length", "2")]);
        told(&server, "body-on-get", 1, &[1]);
    }
}

#[test]
fn key_in_the_url_is_a_finding() {
    for query in queries() {
        for more in [format!("key={KEY}"), format!("user={KEY}"), format!("access_token={KEY}~x")] {
            let server = server();
            get(&server, KEY, &format!("{}&{more}", target(&query, 1)));
            assert!(found(&server).contains(&("key-in-url", 1, vec![1])), "{more}");
        }
    }
}

/// A verdict may end up in a log, so it must not contain keys.
#[test]
fn no_verdict_holds_a_key() {
    let server = server();
    get(&server, "very-secret", &format!("{}&key=very-secret", target(&queries()[0], 1)));
    for accept in ["text/plain", "application/json", "application/xml"] {
        let answer = verdict(&server, "/__admin/verdict", accept);
        assert!(answer.body.contains("key-in-url") && !answer.body.contains("very-secret"));
    }
}

#[test]
fn skipped_page_is_a_finding() {
    for query in queries() {
        let server = server();
        for number in [1, 3] {
            page(&server, &query, number).ok();
        }
        told(&server, "skipped-page", 1, &[1, 2]);
    }
}

#[test]
fn repeated_page_is_a_finding() {
    for query in queries() {
        let server = server();
        for number in [1, 2, 2, 3] {
            page(&server, &query, number).ok();
        }
        told(&server, "repeated-page", 1, &[1, 4]);
    }
}

#[test]
fn walk_that_ends_early_is_a_finding() {
    for query in queries() {
        let server = server();
        for number in [1, 2] {
            page(&server, &query, number).ok();
        }
        told(&server, "stopped-early", 1, &[1, 2]);
        let what = server.verdict().findings()[0].what.clone();
        assert!(what.ends_with("the client stopped at page 2 of 3"), "{what}");
    }
}

#[test]
fn page_past_the_end_is_a_finding() {
    // Q&A does not show which page is the last, so a client may request the page after it.
    for (query, past) in queries().iter().zip([4, 4, 4, 5]) {
        let server = server();
        for number in [1, 2, 3, past] {
            page(&server, query, number);
        }
        told(&server, "past-the-end", 1, &[4]);
    }
}

#[test]
fn finding_counts_occurrences_and_names_five_requests() {
    let server = server();
    page(&server, &queries()[1], 1);
    for number in 4..11 {
        page(&server, &queries()[1], number);
    }
    told(&server, "past-the-end", 7, &[2, 3, 4, 5, 6]);
}

#[test]
fn repeated_refused_request_is_a_finding() {
    for query in queries() {
        for (key, target) in [(KEY, target(&query, 0)), ("wrong", target(&query, 1))] {
            let server = server();
            get(&server, key, &target);
            get(&server, key, &target);
            told(&server, "repeated-refusal", 1, &[1, 2]);
        }
    }
}

/// The request is refused before the endpoint is looked up, so it has no endpoint, either.
#[test]
fn repeated_request_without_host_is_a_finding() {
    let server = server();
    let head = format!("GET {} HTTP/1.1\r\nConnection: close\r\n\r\n", target(&queries()[0], 1));
    for _ in 0..2 {
        assert_eq!(parse(&exchange(server.address(), head.as_bytes())).status, 400);
    }
    told(&server, "repeated-refusal", 1, &[1, 2]);
}

/// A code of the vendor means a refusal, whatever the status.
#[test]
fn repeated_refusal_with_status_200_is_a_finding() {
    let server = rows_of_25().reading(gptbots_mock::contract::ErrorStatus::Ok).start().unwrap();
    for _ in 0..2 {
        assert_eq!(get(&server, "wrong", &target(&queries()[0], 1)).status, 200);
    }
    told(&server, "repeated-refusal", 1, &[1, 2]);
}

#[test]
fn retry_before_retry_after_is_a_finding() {
    for query in queries() {
        let server = server();
        let sandbox = server.sandbox("s");
        sandbox.freeze();
        sandbox.rate_limit(1, Duration::from_secs(60));
        for _ in 0..3 {
            page_in(&server, "s", &query, 1);
        }
        told(&server, "retry-after-ignored", 1, &[2, 3]);
        let what = server.verdict().findings()[0].what.clone();
        assert!(what.ends_with("but Retry-After was 60 s"), "{what}");
    }
}

#[test]
fn retries_without_a_pause_are_a_finding() {
    for fault in ["status=503", "break=reset", "body=garbage", "body=truncated", "code=50000"] {
        let server = rows_of_25().fault(fault.parse().unwrap()).start().unwrap();
        let target = target(&queries()[0], 1);
        let head = head("GET", &target, KEY, "Connection: close\r\n");
        // A busy machine may cause pauses, so the client repeats this until it was quick enough.
        until("it was quick enough", || {
            for _ in 0..8 {
                // A reset is an error here.
                let _ = sent(server.address(), &head).read_to_end(&mut Vec::new());
            }
            matches!(found(&server)[..], [("no-pause", 2.., _)])
        });
    }
}

/// A client that closes the connection before it has read the whole response.
#[test]
fn unread_answer_is_a_finding() {
    for (query, read) in queries().iter().zip([0, 1, 200, 1]) {
        let server = server();
        let head = head("GET", &target(query, 1), KEY, "");
        let mut stream = sent(server.address(), head);
        // Once the first byte has arrived, the whole response has been sent.
        stream.peek(&mut [0]).unwrap();
        stream.read_exact(&mut vec![0; read]).unwrap();
        drop(stream);
        until("it is told", || !found(&server).is_empty());
        told(&server, "unread-answer", 1, &[1]);
    }
}

/// The response is so large that the server waits until the client reads more.
#[test]
fn answer_left_in_the_middle_is_a_finding() {
    let messages = serde_json::json!([{"q": "x".repeat(8 << 20)}]);
    let talk = serde_json::json!({"conversation_id": "c", "user_id": "u",
        "start": "2025-10-20T09:00:00Z", "messages": messages});
    let agents = serde_json::json!({"agents": [{"name": "mine", "conversations": [talk]}]});
    let server = Server::builder().fixture(agents.to_string()).start().unwrap();
    let head = head("GET", &target(&queries()[1], 1), KEY, "");
    let mut stream = sent(server.address(), head);
    stream.read_exact(&mut [0; 1000]).unwrap();
    drop(stream);
    until("it is told", || !found(&server).is_empty());
    told(&server, "unread-answer", 1, &[1]);
}

/// This is the only case in which the verdict depends on the journal.
#[test]
fn unread_answer_of_a_dropped_request_is_a_finding() {
    let server = rows_of_25().journal(1).start().unwrap();
    let stream = sent(server.address(), head("GET", &target(&queries()[0], 1), KEY, ""));
    // Once the first byte has arrived, the whole response has been sent.
    stream.peek(&mut [0]).unwrap();
    page(&server, &queries()[1], 1).ok();
    drop(stream);
    until("it is told", || !found(&server).is_empty());
    told(&server, "unread-answer", 1, &[1]);
    let text = server.verdict().to_string();
    assert!(text.contains("\n    #1 is no longer in the journal (increase --journal)\n"), "{text}");
}

/// The sandbox of the request has ended, and another sandbox has dropped requests of the same age.
#[test]
fn an_unread_answer_of_a_sandbox_that_has_ended_is_no_finding_of_another_one() {
    let mut limits = Limits::default();
    limits.connections = 2;
    for (sandbox, end) in [("ended", "DELETE"), ("reset", "POST"), ("default", "POST")] {
        let server = rows_of_25().journal(1).limits(limits).start().unwrap();
        let asks = |query: &str, sandbox: &str| {
            head("GET", &target(query, 1), &format!("{KEY}~{sandbox}"), "")
        };
        let leaving = sent(server.address(), asks(&queries()[0], sandbox));
        // Once the first byte has arrived, the whole response has been sent.
        leaving.peek(&mut [0]).unwrap();
        let mut other = Wire::open(server.address());
        for query in [&queries()[0], &queries()[1]] {
            other.send(asks(query, "other"));
            other.answer().ok();
        }
        let more = if end == "POST" { "/reset" } else { "" };
        let path = format!("/__admin/sandboxes/{sandbox}{more}");
        other.send(format!("{end} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(other.answer().status < 300, "{end} {path}");
        drop(leaving);
        // With two connections allowed, this one is accepted only after the leaving one has ended.
        page_in(&server, "third", &queries()[0], 1).ok();
        other.send("GET /__admin/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        other.answer().ok();
        assert_eq!(found(&server), [], "{sandbox}");
    }
}

#[test]
fn a_rule_is_muted_by_its_name() {
    let server = server();
    for number in [1, 3] {
        get(&server, KEY, &format!("{}&sort=x", target(&queries()[0], number)));
    }
    let rules = |mute: &str| -> Vec<String> {
        let json = verdict(&server, &format!("/__admin/verdict?mute={mute}"), "*/*").ok().json();
        let findings = json["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules("no-pause"), ["unknown-parameter", "skipped-page"]);
    assert_eq!(rules("skipped-page"), ["unknown-parameter"]);
    assert_eq!(rules("skipped-page,unknown-parameter"), [""; 0]);
    // Libraries encode the comma.
    assert_eq!(rules("skipped-page%2Cunknown-parameter"), [""; 0]);
    let left = server.verdict().mute(Rule::UnknownParameter);
    assert_eq!(left.findings().len(), 1);
}

#[test]
fn unknown_rule_is_refused_and_names_the_nearest() {
    let server = server();
    let answer = verdict(&server, "/__admin/verdict?mute=skiped-page", "*/*");
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("did you mean skipped-page?"), "{}", answer.body);
}

#[test]
fn a_sandbox_has_a_verdict_of_its_own() {
    let server = server();
    for number in [1, 3] {
        page_in(&server, "wrong", &queries()[0], number);
        page_in(&server, "right", &queries()[0], 1);
    }
    let clean = |sandbox: &str| {
        let target = format!("/__admin/sandboxes/{sandbox}/verdict");
        verdict(&server, &target, "application/json").json()["clean"].clone()
    };
    assert_eq!((clean("wrong"), clean("right")), (false.into(), true.into()));
    assert_eq!(server.verdict().findings()[0].sandbox, "wrong");
}

#[test]
fn a_verdict_outlives_its_sandbox() {
    let server = server();
    for (sandbox, end) in [("ended", "DELETE"), ("reset", "POST"), ("default", "POST")] {
        for number in [1, 3] {
            page_in(&server, sandbox, &queries()[0], number);
        }
        let more = if end == "POST" { "/reset" } else { "" };
        let target = format!("/__admin/sandboxes/{sandbox}{more}");
        assert!(request(&server, end, &target, &[]).status < 300, "{end} {target}");
    }
    let verdict = server.verdict();
    let sandboxes: Vec<_> = verdict.findings().iter().map(|found| &*found.sandbox).collect();
    assert_eq!((sandboxes, verdict.requests()), (vec!["default", "ended", "reset"], 6));
}

#[test]
fn verdict_keeps_findings_of_dropped_requests() {
    let server = server();
    for number in [1, 3] {
        page(&server, &queries()[0], number);
    }
    let mut connection = Connection::open(server.address(), KEY);
    for _ in 0..1100 {
        connection.get(&target(&queries()[1], 1)).ok();
    }
    told(&server, "skipped-page", 1, &[1, 2]);
    assert_eq!(server.verdict().requests(), 1102);
}

/// A finding shows its requests even after the journal has dropped them.
#[test]
fn requests_that_a_walk_began_and_ended_with_are_shown_though_they_were_dropped() {
    let server = rows_of_25().journal(5).start().unwrap();
    for number in [1, 2] {
        page(&server, &queries()[0], number);
    }
    for number in 0..20 {
        get(&server, KEY, &format!("{}&page=1&page_size={}", queries()[1], 30 + number)).ok();
    }
    told(&server, "stopped-early", 1, &[1, 2]);
    let text = server.verdict().to_string();
    for number in [1, 2] {
        let line = format!("\n    #{number} GET {}\n", target(&queries()[0], number));
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn a_reset_of_the_server_forgets_everything() {
    let server = server();
    for number in [1, 3] {
        page_in(&server, "s", &queries()[0], number);
    }
    assert_eq!(request(&server, "POST", "/__admin/reset", &[]).status, 200);
    clean(&server);
}

/// The rules also apply to a vendor code that a fault causes.
#[test]
fn repeated_4xx_of_a_fault_is_a_finding() {
    let server = server();
    let fault = Fault::code(Code::ConversationMissing).on(Operation::Messages);
    server.sandbox("s").fault(fault);
    for _ in 0..2 {
        page_in(&server, "s", &queries()[1], 1);
    }
    told(&server, "repeated-refusal", 1, &[1, 2]);
}

/// More walks than the watch can follow, while the journal drops their requests.
#[test]
fn many_walks_with_a_journal_of_one_request_are_all_watched() {
    let server = Server::builder().journal(1).start().unwrap();
    let ask = |start: u32, page: u32| {
        let window = format!("start_time={start}&end_time=9999999999999");
        let query = format!("conversation_type=ALL&{window}&page={page}&page_size=1");
        get(&server, "app-demo", &format!("/v1/bot/conversation/page?{query}")).ok();
    };
    ask(0, 1);
    (1..500).for_each(|start| ask(start, 1));
    for (start, page) in [(0, 10), (1, 1), (0, 2), (500, 1), (0, 3)] {
        ask(start, page);
    }
    assert_eq!(server.verdict().requests(), 505);
}
