//! The library's assertions on a verdict fail, with a reason, if requests are missing or if there was none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gptbots_mock::{Limits, Sandbox, Server};

use crate::support::assertions::panic_of;
use crate::support::client::{Connection, NEWEST, get, request};
use crate::support::control::control;

/// Asserts that every method that needs all requests of a sandbox panics with the same message, and returns
/// the message.
#[track_caller]
fn every_assertion_panics(sandbox: &Sandbox<'_>) -> String {
    let text = panic_of(|| sandbox.assert_clean());
    assert_eq!(panic_of(|| sandbox.assert_clean_or_unused()), text);
    assert_eq!(panic_of(|| sandbox.verdict()), text);
    assert_eq!(panic_of(|| sandbox.requests()), text);
    text
}

#[track_caller]
fn visit(server: &Server, id: &str) {
    get(server, &format!("app-demo~{id}"), NEWEST).ok();
}

/// A request with a parameter that the endpoint does not have.
#[track_caller]
fn visit_wrongly(server: &Server, id: &str) {
    get(server, &format!("app-demo~{id}"), &format!("{NEWEST}&sort=x")).ok();
}

fn limited(limit: impl FnOnce(&mut Limits)) -> Server {
    let mut limits = Limits::default();
    limit(&mut limits);
    Server::builder().limits(limits).start().unwrap()
}

#[test]
fn assert_clean_without_any_request_fails_and_names_the_other() {
    let server = Server::start().unwrap();
    for text in
        [panic_of(|| server.assert_clean()), panic_of(|| server.sandbox("a").assert_clean())]
    {
        assert!(text.contains("no-request: no request came, so nothing was tested"), "{text}");
        assert!(text.contains("`assert_clean_or_unused`"), "{text}");
    }
    server.assert_clean_or_unused();
    server.sandbox("a").assert_clean_or_unused();
}

#[test]
fn assert_clean_with_requests_passes() {
    let server = Server::start().unwrap();
    visit(&server, "a");
    server.assert_clean();
    server.sandbox("a").assert_clean();
    server.sandbox("a").assert_clean_or_unused();
    // The requests were in another sandbox.
    panic_of(|| server.sandbox("b").assert_clean());
    panic_of(|| server.sandbox("default").assert_clean());
}

#[test]
fn requests_to_the_control_api_are_not_counted() {
    let server = Server::start().unwrap();
    request(&server, "GET", "/__admin/health", &[]).ok();
    panic_of(|| server.assert_clean());
}

#[test]
fn assert_clean_or_unused_fails_on_findings() {
    let server = Server::start().unwrap();
    visit_wrongly(&server, "a");
    for text in [
        panic_of(|| server.assert_clean_or_unused()),
        panic_of(|| server.sandbox("a").assert_clean_or_unused()),
    ] {
        assert!(text.contains("`sort`") && text.contains("verdict().mute(rule)"), "{text}");
        // The request itself is named, too.
        assert!(text.contains("\n    #1 GET /v1/bot/conversation/page?"), "{text}");
    }
}

#[test]
fn without_a_journal_every_assertion_fails() {
    let server = Server::builder().journal(0).start().unwrap();
    visit(&server, "a");
    let text = every_assertion_panics(&server.sandbox("a"));
    assert!(text.contains("`journal(0)`"), "{text}");
    for own in [
        panic_of(|| server.assert_clean()),
        panic_of(|| server.assert_clean_or_unused()),
        panic_of(|| server.verdict()),
        panic_of(|| server.requests()),
    ] {
        assert_eq!(own, text);
    }
}

#[test]
fn a_sandbox_that_was_never_used_has_a_verdict_of_no_requests() {
    let server = Server::start().unwrap();
    let sandbox = server.sandbox("a");
    let verdict = sandbox.verdict();
    assert_eq!((verdict.requests(), verdict.findings().len()), (0, 0));
    assert!(sandbox.requests().is_empty());
    // Reading the verdict does not create the sandbox.
    let there = control(server.address(), "GET", "/sandboxes/a", "");
    assert_eq!(there.status, 404);
}

#[test]
fn a_sandbox_that_was_deleted_fails() {
    let server = Server::start().unwrap();
    visit(&server, "a");
    control(server.address(), "DELETE", "/sandboxes/a", "").ok();
    let text = every_assertion_panics(&server.sandbox("a"));
    assert_eq!(
        text,
        "sandbox \"a\" has ended after 1 request, because it was deleted; its findings are only in the \
         verdict of the server"
    );
    server.assert_clean();
}

/// A client that deletes a sandbox and uses its id again wants a new sandbox.
#[test]
fn a_sandbox_that_is_made_again_after_it_was_deleted_is_another() {
    let server = Server::start().unwrap();
    visit_wrongly(&server, "a");
    control(server.address(), "DELETE", "/sandboxes/a", "").ok();
    visit(&server, "a");
    server.sandbox("a").assert_clean();
    panic_of(|| server.assert_clean());
}

#[test]
fn a_sandbox_that_was_evicted_fails() {
    let server = limited(|limits| limits.sandboxes = 1);
    visit(&server, "a");
    visit(&server, "b");
    let text = every_assertion_panics(&server.sandbox("a"));
    let says = "sandbox \"a\" has ended after 1 request, because there were too many sandboxes (";
    assert!(text.starts_with(says), "{text}");
    server.sandbox("b").assert_clean();
}

#[test]
fn a_sandbox_that_was_evicted_and_asked_again_fails() {
    let server = limited(|limits| limits.sandboxes = 1);
    for id in ["a", "a", "b", "a"] {
        visit(&server, id);
    }
    let text = every_assertion_panics(&server.sandbox("a"));
    let says = "sandbox \"a\" ended after 2 requests, because there were too many sandboxes \
                (`Limits::sandboxes`), and a later request created it again; ";
    assert!(text.starts_with(says), "{text}");
    let over_http = control(server.address(), "GET", "/sandboxes/a/verdict", "");
    assert_eq!(over_http.status, 404);
    assert_eq!(over_http.title(), text);
    // The verdict of the server is complete.
    assert_eq!(server.verdict().requests(), 4);
    // After a reset, the client expects that earlier requests are gone.
    server.sandbox("a").reset();
    visit(&server, "a");
    server.sandbox("a").assert_clean();
}

#[test]
fn a_sandbox_that_was_idle_for_too_long_fails() {
    let server = limited(|limits| limits.sandbox_idle = Duration::ZERO);
    visit(&server, "a");
    let text = every_assertion_panics(&server.sandbox("a"));
    let says = "sandbox \"a\" has ended after 1 request, because it was idle for too long (";
    assert!(text.starts_with(says), "{text}");
}

/// Regression: the sandbox was replaced before the sweep ended it, and its findings were lost.
#[test]
fn findings_of_a_sandbox_that_ran_out_and_was_asked_again_are_kept() {
    let server = limited(|limits| limits.sandbox_idle = Duration::ZERO);
    visit_wrongly(&server, "a");
    visit(&server, "a");
    visit(&server, "a");
    let text = every_assertion_panics(&server.sandbox("a"));
    assert!(text.contains(" after 3 requests, because it was idle for too long"), "{text}");
    // The server keeps the findings of ended sandboxes.
    let verdict = server.verdict();
    assert_eq!(verdict.requests(), 3, "{verdict}");
    assert_eq!(verdict.findings()[0].rule.name(), "unknown-parameter");
    panic_of(|| server.assert_clean());
}

#[test]
fn findings_of_a_sandbox_that_ran_out_and_was_reset_are_kept() {
    let server = limited(|limits| limits.sandbox_idle = Duration::ZERO);
    visit_wrongly(&server, "a");
    server.sandbox("a").reset();
    assert_eq!(server.verdict().requests(), 1);
    assert_eq!(server.verdict().findings().len(), 1);
}

#[test]
fn a_reset_of_the_server_forgets_that_sandboxes_ended() {
    let server = Server::start().unwrap();
    visit(&server, "a");
    control(server.address(), "DELETE", "/sandboxes/a", "").ok();
    control(server.address(), "POST", "/reset", "").ok();
    assert_eq!(server.sandbox("a").verdict().requests(), 0);
}

/// Each request creates a sandbox and evicts another one. The verdict of the evicted one must not be missing
/// in between.
#[test]
fn a_verdict_misses_no_sandbox_that_is_evicted_meanwhile() {
    let server = limited(|limits| limits.sandboxes = 1);
    std::thread::scope(|scope| {
        let visits = scope.spawn(|| {
            let mut connection = Connection::open(server.address(), "app-demo");
            for number in 0..500 {
                connection.get(&format!("/s/{number}{NEWEST}")).ok();
            }
        });
        let mut seen = 0;
        while !visits.is_finished() {
            let now = server.verdict().requests();
            assert!(now >= seen, "{seen} requests, and then {now}");
            seen = now;
        }
    });
    assert_eq!(server.verdict().requests(), 500);
}

/// An empty list would look like a test without requests.
#[test]
fn requests_of_a_sandbox_that_is_evicted_meanwhile_are_there_or_it_fails() {
    let server = limited(|limits| limits.sandboxes = 1);
    for number in 0..100 {
        let id = format!("a{number}");
        visit(&server, &id);
        std::thread::scope(|scope| {
            // The last request creates it again, without the earlier requests.
            let visits = scope.spawn(|| {
                visit(&server, "b");
                visit(&server, &id);
            });
            let sandbox = server.sandbox(&id);
            while !visits.is_finished() {
                let requests = catch_unwind(AssertUnwindSafe(|| sandbox.requests()));
                assert!(requests.is_err() || requests.is_ok_and(|all| !all.is_empty()));
                let verdict = catch_unwind(AssertUnwindSafe(|| sandbox.verdict()));
                assert!(verdict.is_err() || verdict.is_ok_and(|all| all.requests() > 0));
            }
        });
    }
}
