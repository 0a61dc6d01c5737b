//! The stream of events: each request is sent to the listeners when it arrives.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::support::client::{NEWEST, fetch, get, request, sent};
use crate::support::process::Process;
use crate::support::wire::Wire;

/// A listener. It uses HTTP/1.0, so that the stream is not chunked.
pub(crate) struct Listener(BufReader<TcpStream>);

/// An event that a listener received.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

impl Listener {
    #[track_caller]
    pub(crate) fn open(address: SocketAddr, query: &str, headers: &str) -> Self {
        let head =
            format!("GET /__admin/events{query} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n");
        let mut listener = Self(BufReader::new(sent(address, head)));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head += &listener.line().expect("a head");
        }
        assert!(head.starts_with("HTTP/1.0 200 "), "{head}");
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        // The first comment shows that the listener is connected.
        assert_eq!(listener.block(), [": gptbots-mock", "retry: 1000"]);
        listener
    }

    /// The next line with its line break; nothing at the end of the stream.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line)
    }

    /// Lines up to an empty one.
    fn block(&mut self) -> Vec<String> {
        let lines = std::iter::from_fn(|| self.line());
        lines.map(|line| line.trim_end().to_owned()).take_while(|line| !line.is_empty()).collect()
    }

    /// The next event; none at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            let lines = self.block();
            let field = |name: &str| {
                lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            match field("event") {
                Some(name) => {
                    return Some(Event {
                        name: name.to_owned(),
                        id: field("id").map(|id| id.parse().unwrap()),
                        data: serde_json::from_str(field("data").unwrap()).unwrap(),
                    });
                }
                None if lines.is_empty() => return None,
                None => {}
            }
        }
    }

    /// The next events, which are requests, by number.
    #[track_caller]
    fn numbers(&mut self, many: usize) -> Vec<u64> {
        let next = |_| {
            let event = self.next().unwrap();
            assert_eq!(
                (&*event.name, event.id),
                ("request", event.data["request"]["mock"]["number"].as_u64())
            );
            event.id.unwrap()
        };
        (0..many).map(next).collect()
    }
}

#[test]
fn each_request_is_an_event() {
    let server = Server::start().unwrap();
    get(&server, "app-demo", NEWEST).ok();
    let mut listener = Listener::open(server.address(), "", "");
    get(&server, "app-demo~one", NEWEST).ok();
    let event = listener.next().unwrap();
    assert_eq!((&*event.name, event.id), ("request", Some(2)));
    let path = format!("/__admin/requests/{}", event.data["id"].as_str().unwrap());
    assert_eq!(get(&server, "", &path).ok().json(), event.data);
    assert_eq!(event.data["request"]["headers"]["authorization"], "Bearer ****demo~one");
    get(&server, "app-demo", "/v1/message");
    assert_eq!(listener.numbers(1), [3]);
}

#[test]
fn sandbox_parameter_filters_events() {
    let server = Server::start().unwrap();
    // The sandbox need not exist yet.
    let mut listener = Listener::open(server.address(), "?sandbox=mine", "");
    for key in ["app-demo", "app-demo~mine", "app-demo~other", "app-demo~mine"] {
        get(&server, key, NEWEST).ok();
    }
    assert_eq!(listener.numbers(2), [2, 4]);
}

#[test]
fn last_event_id_resumes_after_it() {
    let server = Server::start().unwrap();
    for key in ["app-demo", "app-demo~mine", "app-demo~mine", "app-demo"] {
        get(&server, key, NEWEST).ok();
    }
    let mut listener = Listener::open(server.address(), "", "Last-Event-ID: 1\r\n");
    assert_eq!(listener.numbers(3), [2, 3, 4]);
    let mut listener = Listener::open(server.address(), "?sandbox=mine", "Last-Event-ID: 2\r\n");
    assert_eq!(listener.numbers(1), [3]);
    // The number is from another server, so all requests here are new.
    let mut listener = Listener::open(server.address(), "", "Last-Event-ID: 500\r\n");
    assert_eq!(listener.numbers(4), [1, 2, 3, 4]);
    let wrong = request(&server, "GET", "/__admin/events", &[("Last-Event-ID", "five")]);
    assert_eq!(wrong.status, 400, "{wrong:?}");
}

#[test]
fn resuming_reports_dropped_requests() {
    let (_server, address) = Process::serve(&["--journal", "5"]);
    for _ in 0..20 {
        fetch(address, "app-demo", NEWEST).ok();
    }
    let mut listener = Listener::open(address, "", "Last-Event-ID: 3\r\n");
    let event = listener.next().unwrap();
    assert_eq!((&*event.name, event.id), ("dropped", None));
    assert_eq!(event.data, json!({"after": 3, "dropped": 12}));
    assert_eq!(listener.numbers(5), [16, 17, 18, 19, 20]);
    // For a single sandbox, it is known that requests were dropped, but not how many.
    let mut listener = Listener::open(address, "?sandbox=default", "Last-Event-ID: 3\r\n");
    assert_eq!(listener.next().unwrap().data, json!({"after": 3}));
    assert_eq!(listener.numbers(5), [16, 17, 18, 19, 20]);
}

#[test]
fn slow_listener_gets_the_rest_and_a_count_of_the_dropped() {
    const MANY: u64 = 8_000;
    let (_server, address) = Process::serve(&["--log-format", "off", "--journal", "100"]);
    let mut listener = Listener::open(address, "", "");
    let mut wire = Wire::open(address);
    for _ in 0..MANY / 100 {
        wire.send("GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100));
        for _ in 0..100 {
            assert_eq!(wire.answer().status, 404);
        }
    }
    let (mut heard, mut dropped, mut last) = (0, 0, 0);
    while last < MANY {
        let event = listener.next().unwrap();
        match event.id {
            Some(id) => {
                assert!(id > last, "{id} behind {last}");
                (heard, last) = (heard + 1, id);
            }
            None => dropped += event.data["dropped"].as_u64().unwrap(),
        }
    }
    assert_eq!(heard + dropped, MANY);
    assert!(dropped > 0, "all {heard} were heard");
}

#[test]
fn open_streams_do_not_delay_shutdown() {
    let server = Server::start().unwrap();
    let mut listener = Listener::open(server.address(), "", "");
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(listener.next().is_none());

    let (server, address) = Process::serve(&[]);
    let mut listener = Listener::open(address, "", "");
    let begun = Instant::now();
    let ended = server.stop();
    assert_eq!(ended.code, 0, "{ended:?}");
    // Requests in flight have 5 s.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(listener.next().is_none());
}

/// It takes 5 s, and so does this test.
#[test]
fn idle_stream_gets_keep_alive_comments() {
    let server = Server::start().unwrap();
    let mut listener = Listener::open(server.address(), "", "");
    assert_eq!(listener.block(), [":"]);
}
