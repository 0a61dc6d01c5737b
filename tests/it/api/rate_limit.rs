//! The rate limit of a sandbox. The tests advance the sandbox's clock, so none waits for a window
//! to end.

use std::time::Duration;

use gptbots_mock::contract::ErrorStatus;
use gptbots_mock::{Fault, Server};
use serde_json::{Value, json};

use crate::support::assertions::panic_of;
use crate::support::client::{Answer, NEWEST, fetch, get, request};
use crate::support::control::{advance, control, put};
use crate::support::fixture::{agent, build, silent, with};
use crate::support::process::{Process, command, run};
use crate::support::walk::{messages, whole_list, whole_qa};

/// A server whose sandbox `a` has a limit, and a clock that does not advance.
#[track_caller]
fn limited(requests: u32, seconds: u32) -> Server {
    let server = Server::start().unwrap();
    limit(&server, requests, seconds);
    server
}

#[track_caller]
fn limit(server: &Server, requests: u32, seconds: u32) {
    let limit = json!({"requests": requests, "seconds": seconds});
    put(server, "a", &json!({"rate_limit": limit, "clock": "frozen"}));
}

#[track_caller]
fn ask(server: &Server) -> Answer {
    get(server, "app-demo~a", NEWEST)
}

/// The statuses of this many requests.
#[track_caller]
fn statuses<const N: usize>(server: &Server) -> [u16; N] {
    [(); N].map(|()| ask(server).status)
}

/// What `Retry-After` says of a request that is refused.
#[track_caller]
fn retry_after(server: &Server) -> u64 {
    let answer = ask(server);
    assert_eq!(answer.status, 429, "{answer:?}");
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[track_caller]
fn refused_by_the_limit(answer: &Answer) {
    assert_eq!((answer.status, &answer.json()["code"]), (429, &Value::from(40008)), "{answer:?}");
}

#[test]
fn without_a_limit_100_requests_are_200() {
    let server = Server::start().unwrap();
    assert_eq!(statuses(&server), [200; 100]);
}

#[test]
fn one_request_more_is_refused_in_the_vendors_words() {
    let server = limited(2, 60);
    assert_eq!(statuses(&server), [200, 200]);
    let message = "Agent RPM request limit exceeded. Please contact the service provider to \
                   increase the limit.";
    let reason = "the rate limit of this API key is 2 requests per 60 s; retry in 60 s";
    ask(&server).refused(429, 40008, message, reason);
}

#[test]
fn every_endpoint_counts_and_is_limited() {
    let targets =
        [whole_list(), whole_qa(), messages("/v1/messages", "x"), messages("/v2/messages", "x")];
    let server = limited(4, 60);
    let all = || {
        targets.each_ref().map(|target| {
            get(&server, "app-demo~a", &format!("{target}&page=1&page_size=10")).status
        })
    };
    // There is no such conversation, which only an admitted request finds out.
    assert_eq!(all(), [200, 200, 400, 400]);
    assert_eq!(all(), [429; 4]);
}

#[test]
fn the_window_ends_after_its_seconds_on_the_clock() {
    let server = limited(1, 60);
    assert_eq!(statuses(&server), [200, 429]);
    advance(&server, "a", 59_999);
    assert_eq!(statuses(&server), [429]);
    advance(&server, "a", 1);
    assert_eq!(statuses(&server), [200, 429]);
}

/// Whoever waits for as long as it says is admitted, and no sooner by a second.
#[test]
fn retry_after_says_how_long_to_wait() {
    let server = limited(1, 60);
    ask(&server).ok();
    for (moved, left) in [(0, 60), (1, 60), (999, 59), (1, 59), (57_999, 1), (999, 1)] {
        advance(&server, "a", moved);
        assert_eq!(retry_after(&server), left);
    }
    advance(&server, "a", 1);
    ask(&server).ok();
}

#[test]
fn a_window_begins_with_its_first_request() {
    let server = limited(2, 60);
    advance(&server, "a", 30_000);
    assert_eq!(statuses(&server), [200]);
    advance(&server, "a", 59_000);
    assert_eq!(statuses(&server), [200, 429]);
    advance(&server, "a", 1000);
    assert_eq!(statuses(&server), [200, 200, 429]);
}

#[test]
fn requests_that_are_refused_do_not_make_a_window_longer() {
    let server = limited(1, 10);
    ask(&server).ok();
    for _ in 0..9 {
        advance(&server, "a", 1000);
        assert_eq!(statuses(&server), [429, 429]);
    }
    advance(&server, "a", 1000);
    ask(&server).ok();
}

/// Two keys of one agent are two keys.
#[test]
fn each_key_is_counted_by_itself() {
    let one = with(agent("k", &[silent("c", "u", "API", 1)]), "keys", json!(["k", "l"]));
    let server = build(&[one]).start().unwrap();
    limit(&server, 1, 60);
    let statuses = ["k~a", "l~a", "k~a", "l~a"].map(|key| get(&server, key, NEWEST).status);
    assert_eq!(statuses, [200, 200, 429, 429]);
}

#[test]
fn with_any_key_each_is_counted_by_itself() {
    let server = Server::builder().any_key().start().unwrap();
    limit(&server, 1, 60);
    let statuses = ["x~a", "y~a", "x~a"].map(|key| get(&server, key, NEWEST).status);
    assert_eq!(statuses, [200, 200, 429]);
}

/// However a sandbox is named, the key is the same.
#[test]
fn key_and_path_count_together() {
    let server = limited(2, 60);
    get(&server, "app-demo~a", NEWEST).ok();
    get(&server, "app-demo", &format!("/s/a{NEWEST}")).ok();
    refused_by_the_limit(&get(&server, "app-demo~a", &format!("/s/a{NEWEST}")));
}

#[test]
fn each_sandbox_counts_by_itself() {
    let server = limited(1, 60);
    put(&server, "b", &json!({"rate_limit": {"requests": 1, "seconds": 60}}));
    let statuses = ["a", "b", "c", "a", "b", "c"]
        .map(|id| get(&server, &format!("app-demo~{id}"), NEWEST).status);
    assert_eq!(statuses, [200, 200, 200, 429, 429, 200]);
}

#[test]
fn one_sandboxs_clock_ends_no_other_ones_window() {
    let server = limited(1, 60);
    put(&server, "b", &json!({"rate_limit": {"requests": 1, "seconds": 60}}));
    get(&server, "app-demo~b", NEWEST).ok();
    assert_eq!(statuses(&server), [200, 429]);
    advance(&server, "b", 60_000);
    assert_eq!(statuses(&server), [429]);
    get(&server, "app-demo~b", NEWEST).ok();
}

/// A wrong key is reported before the limit, and does not count towards it.
#[test]
fn wrong_key_is_401_before_429() {
    let server = limited(1, 60);
    for _ in 0..3 {
        assert_eq!(get(&server, "nobody~a", NEWEST).status, 401);
    }
    ask(&server).ok();
}

#[test]
fn limit_is_429_before_a_deleted_agent_error() {
    let server = limited(1, 60);
    let code = || get(&server, "app-deleted~a", NEWEST).json()["code"].clone();
    assert_eq!([code(), code()], [20059, 40008]);
}

#[test]
fn limit_is_429_before_a_wrong_parameter_error() {
    let server = limited(1, 60);
    let code = || get(&server, "app-demo~a", "/v1/messages").json()["code"].clone();
    assert_eq!([code(), code()], [40000, 40008]);
}

#[test]
fn requests_with_404_or_405_do_not_count_toward_the_limit() {
    let server = limited(1, 60);
    let key = [("Authorization", "Bearer app-demo~a")];
    assert_eq!(request(&server, "POST", NEWEST, &key).status, 405);
    assert_eq!(get(&server, "app-demo~a", "/v1/nothing").status, 404);
    ask(&server).ok();
}

/// A fault replaces the response, so it comes first, and the limit is not checked.
#[test]
fn a_fault_strikes_before_the_limit() {
    let server = limited(1, 60);
    server.sandbox("a").fault(Fault::status(503).times(2));
    assert_eq!(statuses(&server), [503, 503, 200, 429]);
}

/// 429 is no code of the pages' own, which `error-status=ok` answers with 200.
#[test]
fn limit_is_429_under_error_status_ok() {
    let server = Server::builder().reading(ErrorStatus::Ok).start().unwrap();
    limit(&server, 1, 60);
    ask(&server).ok();
    refused_by_the_limit(&ask(&server));
}

#[test]
fn running_clock_can_be_advanced() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({"rate_limit": {"requests": 1, "seconds": 86_400}}));
    assert_eq!(statuses(&server), [200, 429]);
    assert_eq!(advance(&server, "a", 86_400_000)["mode"], "real");
    assert_eq!(statuses(&server), [200, 429]);
}

#[test]
fn frozen_clock_shows_how_far_it_was_advanced() {
    let server = limited(1, 60);
    let shows = |ms| json!({"mode": "frozen", "elapsed_ms": ms});
    assert_eq!(advance(&server, "a", 0), shows(0));
    assert_eq!(advance(&server, "a", 1500), shows(1500));
    assert_eq!(advance(&server, "a", 60_000), shows(61_500));
}

/// The clock can be moved by at most a hundred years at once, any number of times, and still works.
#[test]
fn clock_advanced_far_does_not_overflow() {
    let server = limited(1, 86_400);
    let furthest = 100 * 365 * 86_400_000;
    for times in 1..=20 {
        assert_eq!(advance(&server, "a", furthest)["elapsed_ms"], times * furthest);
        assert_eq!(statuses(&server), [200, 429]);
    }
}

#[test]
fn advancing_the_clock_keeps_the_records() {
    let server = Server::start().unwrap();
    let before = ask(&server).ok().body.clone();
    advance(&server, "a", 86_400_000);
    assert_eq!(ask(&server).ok().body, before);
}

#[test]
fn library_sets_limit_and_advances_clock() {
    let server = Server::start().unwrap();
    let sandbox = server.sandbox("a");
    sandbox.freeze();
    sandbox.rate_limit(1, Duration::from_secs(60));
    assert_eq!(statuses(&server), [200, 429]);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(statuses(&server), [200, 429]);
    // New windows begin.
    sandbox.rate_limit(2, Duration::from_secs(60));
    assert_eq!(statuses(&server), [200, 200, 429]);
}

/// Whether it is set before the start or later.
#[test]
fn a_window_of_part_of_a_second_is_refused() {
    let window = Duration::from_millis(1500);
    let why = "the window of a rate limit must be whole seconds, got 1.5s";
    let error = Server::builder().rate_limit(1, window).start().unwrap_err();
    assert_eq!(error.to_string(), why);
    let server = Server::start().unwrap();
    assert_eq!(panic_of(|| server.sandbox("a").rate_limit(1, window)), why);
}

#[test]
fn a_flag_limits_every_sandbox() {
    let (_server, address) = Process::serve(&["--rate-limit", "2/86400"]);
    for key in ["app-demo", "app-demo~a"] {
        let statuses = [(); 3].map(|()| fetch(address, key, NEWEST).status);
        assert_eq!(statuses, [200, 200, 429], "{key}");
    }
    control(address, "POST", "/sandboxes/default/clock", r#"{"advance_ms": 86400000}"#).ok();
    fetch(address, "app-demo", NEWEST).ok();
    assert_eq!(fetch(address, "app-demo~a", NEWEST).status, 429);
}

#[test]
fn a_flag_that_is_no_limit_is_refused() {
    for (text, why) in [("60", "such as 60/60"), ("0/60", "1 to 1000000"), ("1/0", "1 to 86400")] {
        let ended = run(&mut command(&["--rate-limit", text, "--port", "0"]));
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
}

/// Requests at once are admitted one by one: as many as there may be, and not one more.
#[test]
fn threads_share_the_limit_exactly() {
    let server = limited(50, 60);
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| statuses::<10>(&server).iter().filter(|s| **s == 200).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 50);
}
