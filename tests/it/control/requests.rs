//! The journal over HTTP: requests in the formats of `WireMock`.

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::support::assertions::panic_of;
use crate::support::client::{Answer, NEWEST, fetch, get, head, request};
use crate::support::control::control;
use crate::support::process::Process;
use crate::support::wire::Wire;

#[track_caller]
fn told(server: &Server, path: &str) -> Value {
    control(server.address(), "GET", path, "").ok().json()
}

/// The number of a request, alone or with its response.
pub(crate) fn number(request: &Value) -> u64 {
    let plain = if request["request"].is_object() { &request["request"] } else { request };
    plain["mock"]["number"].as_u64().unwrap()
}

/// How many requests the journal has, and how many it has dropped, according to the headers of a response.
#[track_caller]
pub(crate) fn journal_size(answer: &Answer) -> (u64, u64) {
    let number = |name: &str| answer.ok().header(name).unwrap().parse().unwrap();
    (number("x-mock-total"), number("x-mock-dropped"))
}

/// The numbers of the requests in an answer.
fn numbers(answer: &Value) -> Vec<u64> {
    let key = if answer["requests"].is_array() { "requests" } else { "serveEvents" };
    let all = answer[key].as_array().unwrap().iter();
    all.map(number).collect()
}

/// Three requests: one that succeeds, one that is refused, and one without an endpoint; the last in a sandbox.
fn three() -> Server {
    let server = Server::start().unwrap();
    get(&server, "app-demo", NEWEST).ok();
    let refused = "/v1/messages?conversation_id=a%20b&page=1&page_size=10&pagesize=3&pagesize=4";
    assert_eq!(get(&server, "app-demo", refused).status, 400);
    assert_eq!(get(&server, "app-demo", "/s/deep/v1/message").status, 404);
    server
}

#[test]
fn request_has_the_shape_of_wiremock() {
    let server = three();
    let all = told(&server, "/requests");
    assert_eq!(numbers(&all), [3, 2, 1]);
    // The size is in headers, because WireMock's Java client rejects unknown keys.
    assert_eq!(all["meta"], json!({"total": 3}));
    let size = journal_size(&control(server.address(), "GET", "/requests", ""));
    assert_eq!(size, (3, 0));
    assert_eq!(all["requestJournalDisabled"], json!(false));
    let mut event = all["requests"][1].clone();
    // Values that differ from run to run.
    assert!(event["request"]["mock"]["duration_us"].take().is_u64());
    let request = &mut event["request"];
    let date = request["loggedDate"].take().as_u64().unwrap();
    assert!(date > 1_700_000_000_000, "{date}");
    let text = request["loggedDateString"].take();
    assert!(text.as_str().unwrap().ends_with('Z'), "{text}");
    for name in ["processTime", "serveTime", "totalTime"] {
        assert!(event["timing"][name].take().is_u64());
    }
    let url = "/v1/messages?conversation_id=a%20b&page=1&page_size=10&pagesize=3&pagesize=4";
    let what = "/v1/messages has no `pagesize`; did you mean `page_size`?";
    let violation = json!({"rule": "unknown-parameter", "what": what});
    let expected = json!({
        "id": "00000000-0000-4000-8000-000000000002",
        "request": {
            "url": url,
            "absoluteUrl": format!("http://localhost{url}"),
            "method": "GET",
            "clientIp": "127.0.0.1",
            "headers": {
                "host": "localhost", "connection": "close", "authorization": "Bearer ****demo"
            },
            "cookies": {},
            "browserProxyRequest": false,
            "loggedDate": null,
            "bodyAsBase64": "",
            "body": "",
            "scheme": "http",
            "host": "localhost",
            "port": 80,
            "protocol": "HTTP/1.1",
            "loggedDateString": null,
            "queryParams": {
                "conversation_id": {"key": "conversation_id", "values": ["a b"]},
                "page": {"key": "page", "values": ["1"]},
                "page_size": {"key": "page_size", "values": ["10"]},
                "pagesize": {"key": "pagesize", "values": ["3", "4"]},
            },
            "formParams": {},
            "mock": {
                "number": 2,
                "sandbox": "default",
                "operation": "messages",
                "code": 40356,
                "reason": "the agent of this API key has no conversation with conversation_id \"a b\"; \
                           /v1/bot/conversation/page lists its conversations",
                "fault": null,
                "duration_us": null,
                "unread": false,
                "violations": [violation, violation],
            },
        },
        "responseDefinition": {"status": 400, "fromConfiguredStub": true},
        "response": {"status": 400},
        "wasMatched": true,
        "timing": {
            "addedDelay": 0, "processTime": null, "responseSendTime": 0, "serveTime": null,
            "totalTime": null,
        },
    });
    assert_eq!(event, expected, "{event:#}");
    // The same by its id.
    let one = told(&server, "/requests/00000000-0000-4000-8000-000000000002");
    assert_eq!(one, all["requests"][1]);
}

#[test]
fn limit_since_and_sandbox_filter() {
    let server = three();
    assert_eq!(numbers(&told(&server, "/requests?limit=2")), [3, 2]);
    assert_eq!(numbers(&told(&server, "/requests?limit=0")), [0; 0]);
    assert_eq!(numbers(&told(&server, "/requests?since=2020-01-01T00:00:00Z&limit=1")), [3]);
    let none = told(&server, "/requests?since=2090-01-01T00%3A00%3A00%2B01:00");
    assert_eq!((numbers(&none), &none["meta"]["total"]), (vec![], &json!(3)));
    assert_eq!(numbers(&told(&server, "/requests?sandbox=deep")), [3]);
    assert_eq!(numbers(&told(&server, "/requests?sandbox=default")), [2, 1]);
    assert_eq!(numbers(&told(&server, "/requests/unmatched?sandbox=default")), [0; 0]);
    assert_eq!(numbers(&told(&server, "/requests?unmatched=true")), [3]);
    assert_eq!(numbers(&told(&server, "/requests?unmatched=true&sandbox=default")), [0; 0]);
    assert_eq!(numbers(&told(&server, "/requests?unmatched=false&limit=2")), [3, 2]);
    for (query, why) in [
        ("limit=-1", "limit must be a whole number, got \"-1\""),
        ("unmatched=1", "unmatched must be true or false, got \"1\""),
        ("since=now", "since must be a time such as 2026-10-20T09:00:00Z, got \"now\""),
        (
            "sandbox=a%20b",
            "sandbox must be a sandbox id, 1 to 64 characters from A-Z a-z 0-9 . _ -",
        ),
        ("sandbx=a", "there is no parameter \"sandbx\"; did you mean sandbox?"),
        (
            "zzz=a",
            "there is no parameter \"zzz\"; one of limit, offset, since, status, code, operation, reason, \
             text, unmatched, request_id, sandbox",
        ),
    ] {
        let refused = control(server.address(), "GET", &format!("/requests?{query}"), "");
        assert_eq!(refused.status, 400, "{refused:?}");
        let message = refused.title();
        assert!(message.contains(why), "{message}");
    }
}

/// Findings name requests by their numbers.
#[test]
fn request_is_found_and_deleted_by_its_number() {
    let server = three();
    let all = told(&server, "/requests");
    for number in 1..=3 {
        let one = told(&server, &format!("/requests/{number}"));
        assert_eq!(one, all["requests"][3 - number]);
    }
    assert_eq!(told(&server, "/requests/3?sandbox=deep"), all["requests"][0]);
    assert_eq!(control(server.address(), "GET", "/requests/3?sandbox=default", "").status, 404);
    control(server.address(), "DELETE", "/requests/2", "").ok();
    assert_eq!(numbers(&told(&server, "/requests")), [3, 1]);
}

/// An empty list would look like a valid result, for example to a client that expects 0 requests.
#[test]
fn a_sandbox_that_is_not_there_is_404_with_the_nearest() {
    let server = three();
    for (method, path) in [
        ("GET", "/requests"),
        ("GET", "/requests/3"),
        ("GET", "/requests/unmatched"),
        ("POST", "/requests/find"),
        ("POST", "/requests/count"),
        ("POST", "/requests/remove"),
    ] {
        let ask =
            |id: &str| control(server.address(), method, &format!("{path}?sandbox={id}"), "{}");
        ask("deep").ok();
        for (id, says) in [
            (
                "deap",
                "there is no sandbox \"deap\"; did you mean \"deep\"? A request or PUT creates a sandbox",
            ),
            ("defualt", "there is no sandbox \"defualt\"; did you mean \"default\"?"),
            ("zzz", "there is no sandbox \"zzz\"; a request or PUT creates it"),
        ] {
            let answer = ask(id);
            let message = answer.title();
            assert_eq!(answer.status, 404, "{method} {path}");
            assert!(message.starts_with(says), "{message}");
        }
        // `remove` has removed its requests.
        if path.ends_with("remove") {
            assert_eq!(numbers(&told(&server, "/requests")), [2, 1]);
        }
    }
    // Emptying the journal of an unknown sandbox is allowed.
    control(server.address(), "DELETE", "/requests?sandbox=later", "").ok();
    control(server.address(), "POST", "/requests/reset?sandbox=later", "").ok();
}

#[test]
fn a_sandbox_that_has_ended_is_404_and_says_why() {
    let server = three();
    control(server.address(), "DELETE", "/sandboxes/deep", "").ok();
    let answer = control(server.address(), "POST", "/requests/count?sandbox=deep", "{}");
    assert_eq!(answer.status, 404);
    let says = "sandbox \"deep\" has ended after 1 request, because it was deleted; a request or PUT \
                creates it again";
    let message = answer.title();
    assert!(message.starts_with(says), "{message}");
}

/// Of 1,500 requests, 1,000 are in the journal. Without the header, a client would get a wrong count.
#[test]
fn find_count_and_remove_say_how_many_requests_were_dropped() {
    let server = Server::builder().journal(3).start().unwrap();
    for _ in 0..5 {
        get(&server, "app-demo~a", NEWEST).ok();
    }
    get(&server, "app-demo~b", NEWEST).ok();
    for (sandbox, total, dropped) in [("?sandbox=a", 3, 2), ("?sandbox=b", 1, 0), ("", 4, 2)] {
        let pattern = r#"{"method": "POST"}"#;
        for path in ["/requests/find", "/requests/count", "/near-misses/request-pattern"] {
            let path = format!("{path}{sandbox}");
            let answer = control(server.address(), "POST", &path, pattern);
            assert_eq!(journal_size(&answer), (total, dropped), "{path}");
        }
        for path in ["/requests", "/requests/unmatched", "/requests/unmatched/near-misses"] {
            let answer = control(server.address(), "GET", &format!("{path}{sandbox}"), "");
            assert_eq!(journal_size(&answer), (total, dropped), "{path}");
        }
    }
    let removed = control(server.address(), "POST", "/requests/remove?sandbox=a", "{}");
    assert_eq!(removed.json()["serveEvents"].as_array().unwrap().len(), 3);
    assert_eq!(journal_size(&removed), (3, 2));
    // Requests that a client removed do not count as dropped.
    let counted = control(server.address(), "POST", "/requests/count?sandbox=a", "{}");
    assert_eq!(journal_size(&counted), (0, 2));
    assert_eq!((server.dropped_requests(), server.sandbox("b").dropped_requests()), (2, 0));
    assert_eq!(server.sandbox("a").dropped_requests(), 2);
    // The verdict counts all of them.
    server.assert_clean();
    assert_eq!(server.sandbox("a").verdict().requests(), 5);
}

/// The requests of an evicted sandbox count as dropped.
#[test]
fn requests_of_an_evicted_sandbox_were_dropped() {
    let mut limits = gptbots_mock::Limits::default();
    limits.sandboxes = 1;
    let server = Server::builder().limits(limits).start().unwrap();
    let size = |sandbox: &str| {
        let path = format!("/requests/count{sandbox}");
        journal_size(&control(server.address(), "POST", &path, "{}"))
    };
    get(&server, "app-demo~a", NEWEST).ok();
    get(&server, "app-demo~b", NEWEST).ok();
    assert_eq!(size(""), (1, 1));
    get(&server, "app-demo~a", NEWEST).ok();
    assert_eq!(size(""), (1, 2));
    assert_eq!(size("?sandbox=a"), (1, 1));
}

/// After the journal was emptied, no request counts as dropped.
#[test]
fn nothing_is_missing_in_a_journal_that_was_forgotten() {
    let mut limits = gptbots_mock::Limits::default();
    limits.sandboxes = 2;
    let server = Server::builder().journal(1).limits(limits).start().unwrap();
    let visit = |ids: &str| {
        ids.chars().for_each(|id| _ = get(&server, &format!("app-demo~{id}"), NEWEST).ok());
    };
    let meta = |sandbox: &str| {
        let path = format!("/requests/count{sandbox}");
        journal_size(&control(server.address(), "POST", &path, "{}"))
    };
    // Two sandboxes dropped one request each, and two requests were lost when `a` was evicted for `c`.
    visit("aabbcaa");
    assert_eq!(meta("?sandbox=a"), (1, 3));
    assert_eq!(meta("?sandbox=c"), (1, 0));
    assert_eq!(meta(""), (2, 5));
    for (method, path) in [("POST", "/requests/reset"), ("DELETE", "/requests")] {
        control(server.address(), method, &format!("{path}?sandbox=a"), "").ok();
        assert_eq!((meta("?sandbox=a"), meta("?sandbox=c")), ((0, 0), (1, 0)));
        control(server.address(), method, path, "").ok();
        assert_eq!((meta("?sandbox=a"), meta("")), ((0, 0), (0, 0)));
        visit("aac");
        assert_eq!((meta("?sandbox=a"), meta("")), ((1, 1), (2, 1)));
    }
    assert_eq!(server.sandbox("c").dropped_requests(), 0);
    // The verdict still counts all requests.
    assert_eq!(server.verdict().requests(), 13);
}

#[test]
fn unmatched_lists_requests_without_an_endpoint() {
    let server = three();
    assert_eq!(request(&server, "PUT", "/v1/messages", &[]).status, 405);
    let unmatched = told(&server, "/requests/unmatched");
    assert_eq!(numbers(&unmatched), [3, 4]);
    assert_eq!(unmatched["requestJournalDisabled"], json!(false));
    let first = &unmatched["requests"][0];
    assert_eq!(first["url"], "/s/deep/v1/message");
    assert_eq!(first["mock"]["sandbox"], "deep");
    assert_eq!(first["mock"]["operation"], Value::Null);
    let all = told(&server, "/requests");
    let matched: Vec<_> =
        all["requests"].as_array().unwrap().iter().map(|r| &r["wasMatched"]).collect();
    assert_eq!(matched, [false, false, true, true]);
}

#[test]
fn find_count_and_remove_go_by_a_pattern() {
    let server = three();
    let pattern = r#"{"method": "GET", "urlPathPattern": "/v1/.*"}"#;
    let found = control(server.address(), "POST", "/requests/find", pattern).ok().json();
    // In the order in which they arrived.
    assert_eq!(numbers(&found), [1, 2, 3]);
    assert_eq!(found["requestJournalDisabled"], json!(false));
    assert_eq!(found["requests"][0]["url"], NEWEST);
    let counted = control(server.address(), "POST", "/requests/count", pattern).ok().json();
    assert_eq!(counted, json!({"count": 3, "requestJournalDisabled": false}));
    let counted =
        control(server.address(), "POST", "/requests/count?sandbox=deep", "{}").ok().json();
    assert_eq!(counted["count"], 1);
    let removed =
        control(server.address(), "POST", "/requests/remove", r#"{"urlPath": "/v1/messages"}"#);
    assert_eq!(numbers(&removed.ok().json()), [2]);
    assert_eq!(numbers(&told(&server, "/requests")), [3, 1]);
    // The verdict does not change.
    assert_eq!(server.verdict().requests(), 3);
}

#[test]
fn requests_are_deleted_one_by_one_and_all_at_once() {
    let server = three();
    let second = "/requests/00000000-0000-4000-8000-000000000002";
    for _ in 0..2 {
        assert_eq!(control(server.address(), "DELETE", second, "").ok().body, "{}");
    }
    assert_eq!(numbers(&told(&server, "/requests")), [3, 1]);
    for id in [
        "00000000-0000-4000-8000-000000000002",
        "2",
        "00000000-0000-4000-8000-00000000000x",
        "03",
        "+3",
        "3.0",
        "99999999999999999999",
    ] {
        let gone = control(server.address(), "GET", &format!("/requests/{id}"), "");
        assert_eq!(gone.status, 404, "{gone:?}");
        assert!(gone.body.contains("there is no request"), "{gone:?}");
    }
    control(server.address(), "DELETE", "/requests?sandbox=deep", "").ok();
    assert_eq!(numbers(&told(&server, "/requests")), [1]);
    control(server.address(), "DELETE", "/requests", "").ok();
    assert_eq!(journal_size(&control(server.address(), "GET", "/requests", "")), (0, 0));
    get(&server, "app-demo", NEWEST).ok();
    control(server.address(), "POST", "/requests/reset", "").ok();
    assert!(server.requests().is_empty());
}

#[test]
fn fault_and_broken_connection_are_journaled() {
    let server = Server::start().unwrap();
    let faults = r#"{"faults": ["id=slow,delay=20,times=1", "id=cut,break=reset"]}"#;
    control(server.address(), "PUT", "/sandboxes/bad", faults).ok();
    get(&server, "app-demo~bad", NEWEST).header("x-mock-fault").unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(head("GET", NEWEST, "app-demo~bad", ""));
    wire.is_closed();
    let all = told(&server, "/requests");
    let [cut, slow] = all["requests"].as_array().unwrap().as_slice() else { panic!("{all}") };
    assert_eq!((&cut["response"]["status"], &slow["response"]["status"]), (&json!(0), &json!(200)));
    assert!(slow["timing"]["totalTime"].as_u64().unwrap() >= 20, "{slow}");
    for (event, id) in [(cut, "cut"), (slow, "slow")] {
        let fault = event["request"]["mock"]["fault"].as_str().unwrap();
        assert!(fault.starts_with(id), "{fault}");
    }
}

#[test]
fn wrong_requests_are_refused() {
    let server = Server::start().unwrap();
    for (method, path, status) in [
        ("POST", "/requests", 405),
        ("GET", "/requests/find", 405),
        ("PUT", "/requests/00000000-0000-4000-8000-000000000002", 405),
        ("POST", "/events", 405),
        ("GET", "/requests/a/b", 404),
        ("POST", "/requests/count", 400),
        ("GET", "/events?limit=1", 400),
    ] {
        assert_eq!(control(server.address(), method, path, "").status, status, "{method} {path}");
    }
    // The guard checks all of these paths.
    for path in ["/requests", "/events", "/requests/unmatched"] {
        let foreign = [("Origin", "http://evil.example")];
        assert_eq!(request(&server, "GET", &format!("/__admin{path}"), &foreign).status, 403);
    }
}

#[test]
fn without_a_journal_requests_are_reported_disabled() {
    let (_server, address) = Process::serve(&["--journal", "0"]);
    let call = |method: &str, path: &str, body: &str| control(address, method, path, body);
    fetch(address, "app-demo", NEWEST).ok();
    let all = call("GET", "/requests", "").ok().json();
    let meta = json!({"total": 0});
    assert_eq!(all, json!({"requests": [], "meta": meta, "requestJournalDisabled": true}));
    assert_eq!(journal_size(&call("GET", "/requests", "")), (0, 0));
    let found = json!({"requests": [], "requestJournalDisabled": true});
    assert_eq!(call("POST", "/requests/find", "{}").ok().json(), found);
    assert_eq!(call("GET", "/requests/unmatched", "").ok().json(), found);
    let counted = json!({"count": 0, "requestJournalDisabled": true});
    assert_eq!(journal_size(&call("POST", "/requests/count", "{}")), (0, 0));
    assert_eq!(call("POST", "/requests/count", "{}").ok().json(), counted);
    assert_eq!(call("GET", "/events", "").status, 404);
}

#[test]
fn the_library_hands_requests_out() {
    let server = three();
    let all = server.requests();
    let path = |request: &gptbots_mock::Request| request.path().to_owned();
    let paths: Vec<_> = all.iter().map(path).collect();
    assert_eq!(paths, ["/v1/bot/conversation/page", "/v1/messages", "/v1/message"]);
    assert_eq!(all[1].header("AUTHORIZATION"), Some("Bearer ****demo"));
    assert_eq!(all[1].query()[0], ("conversation_id".to_owned(), "a b".to_owned()));
    assert_eq!(all[1].violations.len(), 2);
    assert_eq!((all[1].number, all[2].status, &*all[2].sandbox), (2, Some(404), "deep"));
    assert_eq!(all[2].target(), "/s/deep/v1/message");
    assert!(all[0].at <= all[1].at && !all[0].duration.is_zero() && !all[0].unread);
    assert_eq!(server.sandbox("deep").requests().len(), 1);
    assert_eq!(server.sandbox("deep").verdict().requests(), 1);
    server.sandbox("else").assert_clean_or_unused();
    let text = panic_of(|| server.assert_clean());
    for part in ["expected requests that do nothing wrong", "did you mean `page_size`?"] {
        assert!(text.contains(part), "{text}");
    }
}

/// The targets of the requests that a query lists, and the total.
#[track_caller]
fn listed(server: &Server, query: &str) -> (Vec<String>, u64) {
    let answer = control(server.address(), "GET", &format!("/requests?{query}"), "").ok().json();
    let requests = answer["requests"].as_array().unwrap().iter();
    let targets = requests.map(|request| request["request"]["url"].as_str().unwrap().to_owned());
    (targets.collect(), answer["meta"]["total"].as_u64().unwrap())
}

#[test]
fn the_journal_is_asked_by_outcome_and_text() {
    let server = Server::start().unwrap();
    get(&server, "app-demo", NEWEST).ok();
    get(&server, "app-demo", "/v1/messages?page=x%20y");
    get(&server, "wrong", "/v2/messages");
    get(&server, "app-demo", "/v1/nothing");
    let own = [("Authorization", "Bearer app-demo"), ("X-Custom", "Blue Whale")];
    request(&server, "GET", "/v1/else", &own);
    for (query, expected) in [
        ("status=200", vec![NEWEST]),
        ("status=404", vec!["/v1/else", "/v1/nothing"]),
        ("status=404&limit=1", vec!["/v1/else"]),
        ("status=404&limit=1&offset=1", vec!["/v1/nothing"]),
        ("status=404&offset=2", vec![]),
        ("status=0", vec![]),
        ("request_id=", vec![]),
        ("code=40127", vec!["/v2/messages"]),
        ("code=404&text=whale", vec!["/v1/else"]),
        ("operation=messages", vec!["/v1/messages?page=x%20y"]),
        ("reason=unknown%20api", vec!["/v2/messages"]),
        ("text=x%20y", vec!["/v1/messages?page=x%20y"]),
        ("text=x%2520y", vec!["/v1/messages?page=x%20y"]),
        ("text=x-custom", vec!["/v1/else"]),
        ("text=nowhere", vec![]),
        ("since=2999-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(listed(&server, query).0, expected, "{query}");
    }
    assert_eq!(listed(&server, "status=404&limit=1").1, 2);
    // The header has the size of the journal, whatever the filter is.
    let size = journal_size(&control(server.address(), "GET", "/requests?status=404", ""));
    assert_eq!(size, (5, 0));
    assert_eq!(listed(&server, "limit=0").1, 5);
    for (query, why) in [
        ("status=99", "status must be 100 to 599, or 0 for connections that a fault broke"),
        ("status=ok", "status must be"),
        ("code=40001", "code must be one of"),
        ("operation=mesages", "did you mean messages?"),
        ("offset=-1", "offset must be a whole number"),
        ("statuss=200", "did you mean status?"),
    ] {
        let answer = control(server.address(), "GET", &format!("/requests?{query}"), "");
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(why), "{query}: {}", answer.body);
    }
}

#[test]
fn a_clients_own_request_id_is_sent_back_and_found() {
    let server = Server::start().unwrap();
    let ask = |target: &str, id: &str| {
        let headers = [("Authorization", "Bearer app-demo"), ("X-Request-Id", id)];
        request(&server, "GET", target, &headers)
    };
    let longest = "x".repeat(128);
    for target in [NEWEST, "/v1/messages?page=x", "/v1/nothing"] {
        for id in ["a", "7f3c/1:2", &longest] {
            assert_eq!(ask(target, id).header("x-request-id"), Some(id), "{target}");
        }
        for odd in ["", "a b", "é", &format!("{longest}x")] {
            assert_eq!(ask(target, odd).header("x-request-id"), None, "{target} {odd}");
        }
        assert_eq!(get(&server, "app-demo", target).header("x-request-id"), None);
    }
    let all = ["/v1/nothing", "/v1/messages?page=x", NEWEST].map(str::to_owned).to_vec();
    assert_eq!(listed(&server, "request_id=7f3c/1:2"), (all.clone(), 3));
    // The size includes the requests that the response does not list.
    assert_eq!(listed(&server, "request_id=a%20b"), (all, 3));
    assert_eq!(listed(&server, "request_id=b"), (vec![], 0));
}
