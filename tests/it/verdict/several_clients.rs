//! Several clients at once: none gets a finding because of a response that another one received.
//! Keys are hidden wherever a client sends them.

use gptbots_mock::{Server, Verdict};

use crate::support::client::{raw, request};
use crate::support::faults::asks;
use crate::support::wire::Wire;

/// The messages of a conversation of 100, fifty a page.
fn page(number: u32) -> String {
    format!("/v1/messages?conversation_id=xxxxxx&page={number}&page_size=50")
}

/// The verdict on requests, each on its own connection; all connections stay open.
fn side_by_side(server: &Server, targets: &[String]) -> Verdict {
    let mut open: Vec<_> = targets.iter().map(|_| Wire::open(server.address())).collect();
    for (connection, target) in open.iter_mut().zip(targets) {
        connection.send(asks("GET", target, ""));
        connection.answer();
    }
    server.verdict()
}

/// The verdict on requests that are sent one after the other on one connection.
fn in_turn(server: &Server, targets: &[String]) -> Verdict {
    let mut connection = Wire::open(server.address());
    for target in targets {
        connection.send(asks("GET", target, ""));
        connection.answer();
    }
    server.verdict()
}

fn rules(verdict: &Verdict) -> Vec<&'static str> {
    verdict.findings().iter().map(|finding| finding.rule.name()).collect()
}

#[test]
fn two_clients_with_the_same_refusal_have_no_finding() {
    let missing = page(1).replace("xxxxxx", "nobody");
    let twice = [missing.clone(), missing];
    assert!(rules(&side_by_side(&Server::start().unwrap(), &twice)).is_empty());
    assert_eq!(rules(&in_turn(&Server::start().unwrap(), &twice)), ["repeated-refusal"]);
}

#[test]
fn prefetching_past_the_end_in_parallel_has_no_finding() {
    let pages = [page(1), page(2), page(3)];
    assert!(rules(&side_by_side(&Server::start().unwrap(), &pages)).is_empty());
    assert_eq!(rules(&in_turn(&Server::start().unwrap(), &pages)), ["past-the-end"]);
}

#[test]
fn parallel_burst_at_the_limit_has_no_finding() {
    let limited =
        || Server::builder().rate_limit(1, std::time::Duration::from_secs(60)).start().unwrap();
    let burst = [page(1), page(1), page(1), page(1)];
    assert!(rules(&side_by_side(&limited(), &burst)).is_empty());
    assert_eq!(rules(&in_turn(&limited(), &burst)), ["retry-after-ignored"]);
}

/// Hundreds of findings of one rule do not displace a finding of another rule.
#[test]
fn many_findings_of_one_rule_keep_those_of_another() {
    let server = Server::start().unwrap();
    let mut targets: Vec<_> = (0..300).map(|n| format!("{}&x{n}=1", page(1))).collect();
    let missing = page(1).replace("xxxxxx", "nobody");
    targets.extend([missing.clone(), missing]);
    assert!(rules(&in_turn(&server, &targets)).contains(&"repeated-refusal"));
}

/// All texts that show requests: the journal and the verdict.
fn told(server: &Server) -> String {
    let journal = request(server, "GET", "/__admin/requests", &[]).body;
    format!("{journal}{:#}{}", server.verdict(), server.verdict().to_junit())
}

#[test]
fn a_key_is_hidden_in_every_place() {
    let long = format!("K{}9876", "sEcReT".repeat(20));
    for key in ["sEcReTsEcReTsEcReT9876", &long] {
        let server = Server::start().unwrap();
        let target = format!("/v1/{}/{key}", "x".repeat(60));
        for header in ["X-API-Key", "Proxy-Authorization", "Cookie"] {
            request(&server, "GET", &format!("{target}?q={key}"), &[(header, key)]);
        }
        for value in [format!("Bearer {key}"), format!("Bearer \"{key}\""), format!("{key} x")] {
            for target in [&target, &format!("{}&{key}=1&app_key={key}", page(1))] {
                request(&server, "GET", target, &[("Authorization", &value)]);
                request(&server, "GET", target, &[("Authorization", &value)]);
            }
        }
        let told = told(&server);
        assert!(told.contains("9876") && told.contains("repeated-refusal"), "{told}");
        let lines = told.split(['"', '\n']).filter(|line| line.contains("sEcReT"));
        // Every key here was sent in a header that marks it as a secret.
        let leaked: Vec<_> = lines.collect();
        assert!(leaked.is_empty(), "{leaked:#?}");
    }
}

/// Keys of agents are hidden only when a verdict is made, so no text may be truncated within a key before. The
/// path is also quoted in the reason, which is truncated to 200 bytes and escaped.
#[test]
fn a_key_of_an_agent_is_hidden_wherever_a_text_is_cut() {
    for key in ["sEcReTsEcReTsEcReTsEcReT9876", "it's-sEcReTsEcReTsEcReT9876"] {
        let server = Server::builder().api_key(key).start().unwrap();
        let ask = |method: &str, target: &str, headers: &[(&str, &str)]| {
            request(&server, method, target, headers);
        };
        for filled in (0..320).step_by(7) {
            let filling = "x".repeat(filled);
            ask("GET", &format!("/v1/{filling}/{key}"), &[]);
            ask("GET", &format!("/v1/{filling}/{}", key.replace('E', "%45")), &[]);
            ask("GET", &format!("{}&{filling}{key}=1", page(1)), &[]);
            ask("GET", &format!("/v1/messages?conversation_id={filling}{key}&page=1"), &[]);
            ask("GET", &format!("/v1/messages?conversation_id=x&page={filling}{key}"), &[]);
            let host = format!("Host: a b{filling}{key}\r\nConnection: close");
            raw(server.address(), format!("GET / HTTP/1.1\r\n{host}\r\n\r\n").as_bytes());
            if !key.contains('\'') {
                ask(&format!("{filling}{key}"), "/v1/messages", &[]);
            }
        }
        let told = told(&server);
        // Not even its beginning.
        let leaked: Vec<_> = told.split(['"', '\n']).filter(|line| line.contains("sEc")).collect();
        assert!(leaked.is_empty(), "{leaked:#?}");
        assert!(told.contains("****9876") && told.contains("[holds a key]"), "{told}");
    }
}

/// Of a text that is too long, only the length is shown.
#[test]
fn a_long_name_or_path_is_shown_by_its_length() {
    let server = Server::start().unwrap();
    let long = "x".repeat(400);
    request(&server, "GET", &format!("/{long}"), &[]);
    request(&server, "GET", &format!("{}&{long}=1", page(1)), &[]);
    request(&server, "GET", &format!("/{}", &long[..200]), &[]);
    let verdict = server.verdict();
    let what: Vec<_> = verdict.findings().iter().map(|finding| &*finding.what).collect();
    let whole = format!("GET /{}: there is no such endpoint", &long[..200]);
    let unknown = "/v1/messages has no `... (400 bytes)`";
    assert_eq!(what, ["GET ... (401 bytes): there is no such endpoint", &whole, unknown]);
}

/// The targets in a finding are truncated, but never within a key.
#[test]
fn a_key_is_hidden_in_the_requests_of_a_finding() {
    let server = Server::start().unwrap();
    for filled in (150..310).step_by(7) {
        let target = format!("{}&x={}&own=app-demo&y=app%2Ddemo", page(1), "z".repeat(filled));
        request(&server, "GET", &target, &[("Authorization", "Bearer your_apikey")]);
    }
    let verdict = server.verdict();
    let lines = verdict.findings().iter().flat_map(|finding| &finding.request_lines);
    let targets: Vec<_> = lines.map(|line| &*line.target).collect();
    assert!(targets.iter().any(|target| target.contains("own=****demo&y=****demo")), "{targets:?}");
    let told = told(&server);
    assert!(!told.contains("app-") && !told.contains("app%2D"), "{told}");
}
