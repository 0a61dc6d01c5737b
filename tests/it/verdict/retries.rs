//! Clients that wait and retry correctly get no findings, whatever fails.

use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

use gptbots_mock::Server;

use crate::support::assertions::until;
use crate::support::client::{Answer, head, parse, sent};
use crate::verdict::suite::{
    KEY, clean, found, page, page_in, queries, rows_of_25, server, target, told,
};

/// A correct client: it retries after growing pauses. Which of several workers meets a failure depends on the
/// machine, so one of them may meet every failure. A fault decides by the number of the request, and of the
/// first 120 requests each fault here skips more than all workers need. So a hundred attempts are always
/// enough.
fn patient(ask: impl Fn() -> Answer) -> Answer {
    for pause in [20, 40].into_iter().chain([80; 98]) {
        let answer = ask();
        if answer.status == 200 && serde_json::from_str::<serde_json::Value>(&answer.body).is_ok() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    panic!("no answer")
}

/// Each worker meets its own failures, and none gets a finding because of another worker's requests.
#[test]
fn backoff_through_many_failures_has_no_findings() {
    for fault in ["status=503,probability=0.4", "code=50000,times=6", "body=empty,every=3"] {
        let server = rows_of_25().fault(fault.parse().unwrap()).start().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 1..=3 {
                        patient(|| page(&server, &queries()[0], number));
                    }
                });
            }
        });
        clean(&server);
    }
}

#[test]
fn retry_after_on_an_advanced_clock_has_no_findings() {
    let server = server();
    let sandbox = server.sandbox("s");
    sandbox.freeze();
    sandbox.rate_limit(2, Duration::from_secs(60));
    for query in queries() {
        for number in 1..=3 {
            let answer = page_in(&server, "s", &query, number);
            if let Some(wait) = answer.header("retry-after") {
                sandbox.advance(Duration::from_secs(wait.parse().unwrap()));
                page_in(&server, "s", &query, number).ok();
            }
        }
    }
    clean(&server);
}

/// A new run continues where the previous one gave up, or there is no further run.
#[test]
fn giving_up_at_a_failure_has_no_findings() {
    for fault in ["status=503", "code=40008", "break=reset", "body=truncated", "code=40127"] {
        for query in queries() {
            for then in [&[][..], &[3], &[1, 2, 3]] {
                let server = server();
                for number in [1, 2] {
                    page(&server, &query, number).ok();
                }
                server.sandbox("default").fail_next(fault.parse().unwrap());
                let head = head("GET", &target(&query, 3), KEY, "");
                let mut stream = sent(server.address(), head);
                // The response may be incomplete.
                let _ = stream.read(&mut vec![0; 1 << 16]);
                drop(stream);
                if then.len() == 1 {
                    // A new run comes later than any Retry-After here.
                    server.sandbox("default").advance(Duration::from_secs(5));
                }
                if then.len() < 3 || fault != "code=40008" {
                    for number in then {
                        page(&server, &query, *number).ok();
                    }
                }
                let found = found(&server);
                assert!(found.is_empty(), "{fault} {query} {then:?}: {}", server.verdict());
            }
        }
    }
}

/// A page that failed was not skipped.
#[test]
fn skipping_a_failed_page_has_no_findings() {
    for query in queries() {
        let server = server();
        page(&server, &query, 1).ok();
        server.sandbox("default").fail_next("status=503".parse().unwrap());
        assert_eq!(page(&server, &query, 2).status, 503);
        page(&server, &query, 3).ok();
        clean(&server);
    }
}

/// Sends a request, and closes the connection without reading the response.
fn leaves(server: &Server, target: &str) {
    let stream = sent(server.address(), head("GET", target, KEY, ""));
    // Once some of it is there, all of it is.
    stream.peek(&mut [0]).unwrap();
}

/// A client need not read the body of an error or a garbage body. The third client gets a finding, and
/// findings about the first two would be there by then.
#[test]
fn unread_error_bodies_have_no_findings() {
    let server = server();
    let query = &queries()[0];
    leaves(&server, &target(query, 0));
    server.sandbox("default").fail_next("body=garbage".parse().unwrap());
    leaves(&server, &target(query, 1));
    leaves(&server, &target(query, 1));
    until("the last one is told", || !found(&server).is_empty());
    told(&server, "unread-answer", 1, &[3]);
}

/// One client gives up at a page that another one gets.
#[test]
fn one_of_two_walks_giving_up_has_no_findings() {
    let server = server();
    for number in [1, 2, 1, 2] {
        page(&server, &queries()[0], number).ok();
    }
    server.sandbox("default").fail_next("status=503".parse().unwrap());
    assert_eq!(page(&server, &queries()[0], 3).status, 503);
    page(&server, &queries()[0], 3).ok();
    clean(&server);
}

#[test]
fn retrying_transient_statuses_has_no_findings() {
    // A 429 has `Retry-After: 1` by default.
    for answer in ["status=408", "status=425", "status=429,retry_after=0"] {
        let fault = format!("{answer},times=2").parse().unwrap();
        let server = rows_of_25().fault(fault).start().unwrap();
        patient(|| page(&server, &queries()[0], 1));
        clean(&server);
    }
}

/// Every kind of fault, met by a client that waits and retries.
#[test]
fn careful_clients_have_no_findings_under_any_fault() {
    let faults = [
        "status=500",
        "status=502,body=html",
        "status=503,body=empty",
        "body=empty",
        "body=garbage",
        "body=truncated",
        "delay=30",
        "drip=100000",
        "code=50000",
    ];
    for fault in faults {
        let line = format!("{fault},every=2");
        let server = rows_of_25().fault(line.parse().unwrap()).start().unwrap();
        let mut seen = HashMap::new();
        for query in queries() {
            for number in 1..=3 {
                let answer = patient(|| lenient(&server, &target(&query, number)));
                *seen.entry(answer.status).or_insert(0) += 1;
            }
        }
        assert_eq!(seen, HashMap::from([(200, 12)]), "{fault}");
        clean(&server);
    }
}

/// `GET` by a client that treats a truncated or non-UTF-8 body as a failure.
fn lenient(server: &Server, target: &str) -> Answer {
    let head = head("GET", target, KEY, "Connection: close\r\n");
    let mut bytes = Vec::new();
    let _ = sent(server.address(), head).read_to_end(&mut bytes);
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("\r\n\r\n") => parse(&bytes),
        _ => Answer { status: 0, headers: Vec::new(), body: String::new() },
    }
}
