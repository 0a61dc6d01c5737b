//! The limits of sandboxes: how many there are, and when one is evicted or expires.

use std::time::Duration;

use gptbots_mock::{Limits, Server};
use serde_json::json;

use crate::support::assertions::until;
use crate::support::client::{Connection, NEWEST, get, head};
use crate::support::control::{advance, control, is_there, listed, lists, put, shown};
use crate::support::faults::FOR_EVER;
use crate::support::wire::Wire;

/// A server with this maximum of sandboxes.
fn at_most(sandboxes: usize) -> Server {
    let mut limits = Limits::default();
    limits.sandboxes = sandboxes;
    Server::builder().limits(limits).start().unwrap()
}

/// A server whose sandboxes end as soon as no request is in flight.
fn idle_at_once() -> Server {
    let mut limits = Limits::default();
    limits.sandbox_idle = Duration::ZERO;
    Server::builder().limits(limits).start().unwrap()
}

#[track_caller]
fn visit(server: &Server, id: &str) {
    get(server, &format!("app-demo~{id}"), NEWEST).ok();
}

/// A request in a sandbox that gets no response as long as its connection is open. It is in flight when this
/// returns.
#[track_caller]
fn stay(server: &Server, id: &str) -> Wire {
    let before = counted(server, id);
    let mut wire = Wire::open(server.address());
    wire.send(head("GET", NEWEST, &format!("app-demo~{id}"), FOR_EVER));
    until("the request is under way", || counted(server, id) > before);
    wire
}

/// The number of list requests of a sandbox; 0 if there is no sandbox.
fn counted(server: &Server, id: &str) -> u64 {
    if is_there(server.address(), id) { lists(server, id) } else { 0 }
}

#[test]
fn one_over_the_limit_evicts_the_least_recently_used() {
    let server = at_most(3);
    for id in ["a", "b", "c", "a", "d"] {
        visit(&server, id);
    }
    assert_eq!(listed(server.address()), ["default", "a", "c", "d"]);
}

#[test]
fn each_further_sandbox_evicts_one() {
    let server = at_most(2);
    for id in ["a", "b", "c", "b", "d", "e"] {
        visit(&server, id);
    }
    assert_eq!(listed(server.address()), ["default", "d", "e"]);
}

#[test]
fn evicted_sandbox_starts_empty_when_used_again() {
    let server = at_most(1);
    for id in ["a", "a", "b", "a"] {
        visit(&server, id);
    }
    assert_eq!(lists(&server, "a"), 1);
}

/// The path uses a sandbox as the key does.
#[test]
fn request_by_path_counts_as_use() {
    let server = at_most(2);
    visit(&server, "a");
    visit(&server, "b");
    get(&server, "app-demo", &format!("/s/a{NEWEST}")).ok();
    visit(&server, "c");
    assert_eq!(listed(server.address()), ["default", "a", "c"]);
}

#[test]
fn put_counts_as_use() {
    let server = at_most(2);
    for id in ["a", "b", "a", "c"] {
        put(&server, id, &json!({}));
    }
    assert_eq!(listed(server.address()), ["default", "a", "c"]);
}

#[test]
fn advancing_the_clock_counts_as_use() {
    let server = at_most(2);
    visit(&server, "a");
    visit(&server, "b");
    advance(&server, "a", 1);
    visit(&server, "c");
    assert_eq!(listed(server.address()), ["default", "a", "c"]);
}

#[test]
fn get_does_not_count_as_use() {
    let server = at_most(2);
    visit(&server, "a");
    visit(&server, "b");
    shown(&server, "a");
    visit(&server, "c");
    assert_eq!(listed(server.address()), ["default", "b", "c"]);
}

/// With a limit of 0, requests with a sandbox could not be served.
#[test]
fn limit_of_zero_still_keeps_one_sandbox() {
    let server = at_most(0);
    visit(&server, "a");
    visit(&server, "a");
    assert_eq!(lists(&server, "a"), 2);
}

#[test]
fn default_sandbox_does_not_count_toward_the_limit() {
    let server = at_most(1);
    visit(&server, "a");
    get(&server, "app-demo", NEWEST).ok();
    put(&server, "default", &json!({}));
    assert_eq!(listed(server.address()), ["default", "a"]);
}

#[test]
fn sandbox_with_a_request_in_flight_is_not_evicted() {
    let server = at_most(1);
    let staying = stay(&server, "a");
    for id in ["b", "c", "d"] {
        visit(&server, id);
    }
    assert_eq!(lists(&server, "a"), 1);
    drop(staying);
}

/// The head has arrived, and the body follows byte by byte.
#[test]
fn sandbox_with_a_response_in_flight_is_not_evicted() {
    use std::io::Read;
    let server = at_most(1);
    put(&server, "a", &json!({"faults": ["drip=1"]}));
    let mut wire = Wire::open(server.address());
    wire.send(head("GET", NEWEST, "app-demo~a", ""));
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        wire.stream().read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    visit(&server, "b");
    assert_eq!(lists(&server, "a"), 1);
    drop(wire);
    until("it gives way", || {
        visit(&server, "c");
        visit(&server, "d");
        !is_there(server.address(), "a")
    });
}

/// There may be more sandboxes than the limit while all are in use; the number falls as soon as one can end.
#[test]
fn sandboxes_over_the_limit_are_evicted_when_idle() {
    let server = at_most(2);
    let staying = ["a", "b", "c", "d"].map(|id| stay(&server, id));
    assert_eq!(listed(server.address()), ["default", "a", "b", "c", "d"]);
    drop(staying);
    until("there are as many as there may be", || {
        visit(&server, "e");
        visit(&server, "f");
        listed(server.address()) == ["default", "e", "f"]
    });
}

#[test]
fn sandbox_with_a_request_in_flight_does_not_expire() {
    let server = idle_at_once();
    let staying = stay(&server, "a");
    assert!(is_there(server.address(), "a"));
    drop(staying);
    until("it is over", || !is_there(server.address(), "a"));
}

#[test]
fn idle_sandbox_expires() {
    let server = idle_at_once();
    visit(&server, "a");
    assert_eq!(listed(server.address()), ["default"]);
}

/// Sandboxes end by a listing, by a request with their id, or by the limit.
#[test]
fn expired_sandboxes_keep_their_findings() {
    let server = idle_at_once();
    for number in 0..300 {
        visit(&server, &number.to_string());
    }
    // Created again before the sweep.
    visit(&server, "0");
    assert_eq!(server.verdict().requests(), 301);
    assert_eq!(listed(server.address()), ["default"]);
    assert_eq!(server.verdict().requests(), 301);
}

#[test]
fn expired_sandbox_starts_empty_when_used_again() {
    let server = idle_at_once();
    let a = server.sandbox("a");
    a.fault(gptbots_mock::Fault::status(503));
    visit(&server, "a");
}

#[test]
fn default_sandbox_never_expires() {
    let server = idle_at_once();
    get(&server, "app-demo", NEWEST).ok();
    assert_eq!(lists(&server, "default"), 1);
}

/// If `PUT` looked the sandbox up again for its response, the sandbox could have ended by then, and would be created
/// with the server's settings.
#[test]
fn put_answers_what_was_put_however_short_it_lasts() {
    let server = idle_at_once();
    assert_eq!(put(&server, "a", &json!({"seed": 5}))["settings"]["seed"], 5);
}

/// `DELETE` of a sandbox in use: the request in flight keeps its records.
#[test]
fn a_request_outlives_its_sandbox() {
    let server = Server::start().unwrap();
    let staying = stay(&server, "a");
    control(server.address(), "DELETE", "/sandboxes/a", "").ok();
    assert!(!is_there(server.address(), "a"));
    visit(&server, "a");
    assert_eq!(lists(&server, "a"), 1);
    drop(staying);
}

#[test]
fn new_sandboxes_never_exceed_the_limit() {
    let server = at_most(50);
    let mut connection = Connection::open(server.address(), "app-demo");
    for number in 0..5_000 {
        connection.get(&format!("/s/{number}{NEWEST}")).ok();
    }
    let list = control(server.address(), "GET", "/sandboxes", "").ok().json();
    assert_eq!(list["total"], 51);
}

/// Threads use many sandboxes at once: each response is correct, and each request is counted once, in its own
/// sandbox.
#[test]
fn hundreds_of_threads_in_many_sandboxes_are_all_counted() {
    const THREADS: u64 = 200;
    const SANDBOXES: u64 = 20;
    const EACH: u64 = 10;
    let server = Server::start().unwrap();
    let expected = get(&server, "app-demo", NEWEST).ok().body.clone();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (server, expected) = (&server, &expected);
            scope.spawn(move || {
                let key = format!("app-demo~{}", thread % SANDBOXES);
                let mut connection = Connection::open(server.address(), &key);
                for _ in 0..EACH {
                    assert_eq!(&connection.get(NEWEST).ok().body, expected);
                }
            });
        }
    });
    let counts: Vec<_> = (0..SANDBOXES).map(|id| lists(&server, &id.to_string())).collect();
    assert!(counts.iter().all(|count| *count == THREADS / SANDBOXES * EACH), "{counts:?}");
}

/// Sandboxes are created and ended while threads use them; each thread sees only its own records.
#[test]
fn sandboxes_that_end_under_threads_stay_apart() {
    let server = at_most(3);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..20 {
                    let id = format!("{}", (thread + round) % 8);
                    put(server, &id, &json!({"seed": 1}));
                    visit(server, &id);
                    control(server.address(), "DELETE", &format!("/sandboxes/{id}"), "").ok();
                }
            });
        }
    });
    assert!(listed(server.address()).len() <= 4);
}
