//! Requests that match no endpoint: each is a finding, except for what browsers, crawlers and
//! probes ask for on their own.

use gptbots_mock::Server;
use serde_json::json;

use crate::support::client::{call, get, request};
use crate::support::process::Process;
use crate::verdict::suite::{KEY, clean, found, queries, rows_of_25, server, target, told};

/// The text of the only finding.
#[track_caller]
fn what(server: &Server) -> String {
    let verdict = server.verdict();
    let [finding] = verdict.findings() else { panic!("{verdict}") };
    assert_eq!(finding.rule.name(), "unknown-endpoint");
    finding.what.clone()
}

#[test]
fn misspelt_path_is_a_finding_that_names_the_nearest() {
    let server = server();
    assert_eq!(get(&server, KEY, "/v1/message?page=1").status, 404);
    told(&server, "unknown-endpoint", 1, &[1]);
    let says = "GET /v1/message: there is no such endpoint; the nearest is /v1/messages";
    assert_eq!(what(&server), says);
}

#[test]
fn unrelated_path_is_a_finding() {
    let server = server();
    get(&server, KEY, "/xyz");
    assert_eq!(what(&server), "GET /xyz: there is no such endpoint");
}

#[test]
fn wrong_method_is_a_finding() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for query in queries() {
            let server = server();
            assert_eq!(request(&server, method, &target(&query, 1), &[]).status, 405);
            told(&server, "unknown-endpoint", 1, &[1]);
            let path = query.split('?').next().unwrap();
            assert_eq!(what(&server), format!("{method} {path}: the method must be GET or HEAD"));
        }
    }
}

#[test]
fn a_repeated_404_or_405_is_one_finding_and_no_repeated_refusal() {
    let server = server();
    for _ in 0..3 {
        get(&server, KEY, "/v1/nothing");
    }
    for _ in 0..2 {
        request(&server, "POST", "/v1/messages", &[]);
    }
    let rule = "unknown-endpoint";
    assert_eq!(found(&server), [(rule, 3, vec![1, 2, 3]), (rule, 2, vec![4, 5])]);
}

/// A typo in the prefix must not make the request invisible.
#[test]
fn a_prefix_that_names_no_sandbox_is_journaled_and_found() {
    let server = server();
    let path = format!("/s/BAD!{}", target(&queries()[0], 1));
    for _ in 0..2 {
        assert_eq!(get(&server, &format!("{KEY}~other"), &path).status, 404);
    }
    told(&server, "unknown-endpoint", 2, &[1, 2]);
    let says = "GET /s/BAD!/v1/bot/conversation/page: the part after /s/ is not a valid sandbox id";
    assert_eq!(what(&server), says);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((&*requests[0].sandbox, requests[0].status), ("default", Some(404)));
    assert_eq!(requests[0].target(), path);
    let wrong = "the sandbox id in the path must be 1 to 64 of ";
    assert!(requests[0].reason.starts_with(wrong), "{}", requests[0].reason);
}

#[test]
fn browser_and_crawler_paths_are_no_finding() {
    let server = server();
    for path in ["/", "/favicon.ico", "/robots.txt", "/.well-known/security.txt", "/s/a", "/s/a/"] {
        for method in ["GET", "HEAD", "GET"] {
            assert_eq!(request(&server, method, path, &[]).status, 404, "{method} {path}");
        }
    }
    assert_eq!(server.verdict().requests(), 18);
    clean(&server);
}

#[test]
fn paths_similar_to_browser_paths_are_a_finding() {
    for path in ["//", "/favicon.png", "/v1/robots.txt", "/.well-known", "/x/.well-known/y"] {
        let server = server();
        request(&server, "GET", path, &[]);
        told(&server, "unknown-endpoint", 1, &[1]);
    }
}

#[test]
fn control_api_paths_are_no_finding() {
    let server = server();
    for path in ["/__admin", "/__admin/", "/__admin/nothing"] {
        assert_eq!(request(&server, "GET", path, &[]).status, 404, "{path}");
    }
    request(&server, "PATCH", "/__admin/requests", &[]);
    assert_eq!(server.verdict().requests(), 0);
    clean(&server);
}

#[test]
fn preflight_is_a_finding_only_without_cors() {
    let asks = [("Origin", "http://app.example"), ("Access-Control-Request-Method", "GET")];
    let target = target(&queries()[0], 1);
    let open = rows_of_25().cors().start().unwrap();
    assert_eq!(request(&open, "OPTIONS", &target, &asks).status, 200);
    clean(&open);
    let closed = server();
    assert_eq!(request(&closed, "OPTIONS", &target, &asks).status, 405);
    told(&closed, "unknown-endpoint", 1, &[1]);
}

#[test]
fn fault_status_404_is_no_finding() {
    let server = rows_of_25().fault("status=404".parse().unwrap()).start().unwrap();
    assert_eq!(get(&server, KEY, &target(&queries()[0], 1)).status, 404);
    clean(&server);
}

/// Endpoints of the vendor's documentation that the emulator does not serve.
const OF_THE_VENDOR: [(&str, &str); 10] = [
    ("POST", "/v1/conversation"),
    ("POST", "/v2/conversation/message"),
    ("POST", "/v1/conversation/message"),
    ("POST", "/v1/message/feedback"),
    ("POST", "/v1/message/quality"),
    ("GET", "/v1/api-key/verify"),
    ("GET", "/v1/bot/detail"),
    ("GET", "/v1/next/question"),
    ("GET", "/v1/correlate/dataset"),
    ("GET", "/v1/bot/logtree/query"),
];

#[test]
fn an_endpoint_of_the_vendor_that_is_not_served_is_named() {
    for (method, path) in OF_THE_VENDOR {
        let server = server();
        let says = format!("the vendor has {method} {path}; this emulator does not serve it");
        for sent in [path.to_owned(), format!("/s/a{path}"), format!("/api{path}/")] {
            for method in ["GET", "POST"] {
                let answer = request(&server, method, &sent, &[]);
                assert_eq!(answer.body, r#"{"code":404,"message":"Not found"}"#);
                assert_eq!(answer.header("x-mock-reason"), Some(&*says), "{method} {sent}");
            }
        }
        request(&server, method, path, &[]);
        let verdict = server.verdict();
        let own = format!("{method} {path}: {says}");
        let of_own = verdict.findings().iter().find(|finding| finding.what == own).unwrap();
        assert_eq!((of_own.rule.name(), of_own.times), ("unknown-endpoint", 2));
        let rules: Vec<_> = verdict.findings().iter().map(|finding| finding.rule.name()).collect();
        assert!(rules.iter().all(|rule| *rule == "unknown-endpoint"), "{verdict}");
    }
}

/// Old clients called these endpoints, but the vendor's documentation does not have them.
#[test]
fn an_endpoint_that_no_page_has_is_not_called_the_vendors() {
    let server = server();
    for path in ["/v2/conversation", "/v1/bot/conversation/create", "/v1/generate", "/v1/chat"] {
        let answer = request(&server, "POST", path, &[]);
        let reason = answer.header("x-mock-reason").unwrap();
        assert!(reason.starts_with("no endpoint at "), "{path} {reason}");
    }
}

#[test]
fn journal_shows_it_as_a_violation() {
    let (_server, address) = Process::serve(&["--log-format", "off"]);
    call(address, "GET", "/v1/message", &[]);
    call(address, "GET", "/", &[]);
    let all = call(address, "GET", "/__admin/requests", &[]).ok().json();
    let what = "GET /v1/message: there is no such endpoint; the nearest is /v1/messages";
    assert_eq!(all["requests"][0]["request"]["mock"]["violations"], json!([]));
    let violations = &all["requests"][1]["request"]["mock"]["violations"];
    assert_eq!(*violations, json!([{"rule": "unknown-endpoint", "what": what}]));
}
