//! The limits of the journal: a number of requests per sandbox, an amount of memory for all, and no
//! key in it.

use std::net::SocketAddr;

use serde_json::Value;

use crate::control::requests::{journal_size, number};
use crate::support::client::{call, fetch, head};
use crate::support::control::control;
use crate::support::process::Process;
use crate::support::wire::Wire;

/// A connection for many requests.
struct Many(Wire);

impl Many {
    const AT_ONCE: usize = 200;

    fn open(address: SocketAddr) -> Self {
        Self(Wire::open(address))
    }

    /// Sends this number of requests, to each of the targets in turn.
    fn ask(&mut self, many: usize, target: impl Fn(usize) -> String) {
        for begin in (0..many).step_by(Self::AT_ONCE) {
            let numbers = begin..many.min(begin + Self::AT_ONCE);
            let asked = numbers.len();
            let head = |number| head("GET", &target(number), "app-demo", "");
            self.0.send(numbers.map(head).collect::<String>());
            for _ in 0..asked {
                let status = self.0.answer().status;
                assert!([200, 404].contains(&status), "{status}");
            }
        }
    }
}

fn told(address: SocketAddr, path: &str) -> Value {
    call(address, "GET", &format!("/__admin{path}"), &[]).ok().json()
}

#[test]
fn the_oldest_of_a_sandbox_go_first_and_are_counted() {
    let (_server, address) = Process::serve(&["--log-format", "off"]);
    let mut many = Many::open(address);
    many.ask(3, |_| "/s/calm/v1/x".to_owned());
    many.ask(1_050, |number| format!("/s/busy/v1/{number}"));
    let busy = control(address, "GET", "/requests?sandbox=busy", "");
    assert_eq!(journal_size(&busy), (1_000, 50));
    let busy = busy.json();
    assert_eq!(busy["requests"][0]["request"]["url"], "/s/busy/v1/1049");
    assert_eq!(busy["requests"][999]["request"]["url"], "/s/busy/v1/50");
    // A busy sandbox does not displace requests of others.
    let calm = control(address, "GET", "/requests?sandbox=calm&limit=1", "");
    assert_eq!(journal_size(&calm), (3, 0));
    let all = control(address, "GET", "/requests?limit=1", "");
    assert_eq!(journal_size(&all), (1_003, 50));
    // The verdict counts all requests.
    assert_eq!(told(address, "/sandboxes/busy/verdict")["requests"], 1_050);
}

#[test]
fn the_oldest_of_all_go_where_memory_is_short() {
    let (_server, address) =
        Process::serve(&["--log-format", "off", "--journal-memory", "1", "--journal", "100000"]);
    let long = "x".repeat(950);
    let mut many = Many::open(address);
    many.ask(3_000, |number| format!("/s/t{}/{long}/{number}", number % 30));
    let (total, dropped) = journal_size(&control(address, "GET", "/requests?limit=0", ""));
    assert_eq!(total + dropped, 3_000);
    // Each request takes more than a thousand bytes with its reason, and a sixteenth is dropped at once.
    assert!((700..=1_000).contains(&total), "{total}");
    // The oldest requests were dropped, in whichever sandbox they were.
    let all = told(address, "/requests");
    let numbers = all["requests"].as_array().unwrap().iter();
    let numbers: Vec<_> = numbers.map(number).collect();
    assert!(numbers.iter().rev().copied().eq(dropped + 1..=3_000), "{numbers:?}");
}

#[test]
#[ignore = "measures memory, on the release binary: .ci/run"]
fn memory_stays_within_bounds_whatever_comes() {
    let (server, address) = Process::serve(&["--log-format", "off"]);
    let mut many = Many::open(address);
    let begin = server.resident_kib().unwrap_or(0);
    let target = |number: usize| format!("/s/t{}/v1/x?number={number}", number / 7 % 400);
    many.ask(60_000, target);
    let filled = server.resident_kib().unwrap_or(0);
    many.ask(60_000, target);
    let end = server.resident_kib().unwrap_or(0);
    // The journal has 8 MiB; the watches of 400 sandboxes, and the memory that the allocator does not
    // return, come in addition.
    assert!(filled - begin < 24 << 10, "{begin} KiB, then {filled}");
    assert!(end - filled < 4 << 10, "{filled} KiB, then {end}");
    let (total, dropped) = journal_size(&control(address, "GET", "/requests?limit=0", ""));
    assert_eq!(total + dropped, 120_000);
}

/// Each request begins a walk, which is followed until it ends.
#[test]
#[ignore = "measures memory, on the release binary: .ci/run"]
fn what_is_watched_of_many_sandboxes_stays_within_bounds() {
    let (server, address) = Process::serve(&["--log-format", "off", "--journal-memory", "1"]);
    let begin = server.resident_kib().unwrap_or(0);
    Many::open(address).ask(80_000, |number| {
        format!(
            "/s/t{}/v1/bot/conversation/page?conversation_type=ALL&start_time={number}\
             &end_time=9999999999999&page=1&page_size=1",
            number % 200
        )
    });
    let end = server.resident_kib().unwrap_or(0);
    // A walk takes 200 bytes or more, and a sandbox may follow 500 of them.
    assert!(end - begin < 10 << 10, "{begin} KiB, then {end}");
    assert_eq!(told(address, "/verdict")["requests"], 80_000);
}

#[test]
fn keys_are_never_shown() {
    const SECRET: &str = "s3cret-key/1234";
    let (_server, address) = Process::serve(&["--api-key", SECRET]);
    let ask = |target: &str, key: &str| {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", &*authorization),
            ("X-Copy", SECRET),
            ("Referer", "http://localhost/?key=s3cret-key/1234&x=unknown-key"),
            ("Cookie", "a=s3cret-key/1234; b=unknown-key"),
        ];
        call(address, "GET", target, &headers);
    };
    for key in [SECRET, "s3cret-key/1234~box", "unknown-key", "app-demo"] {
        for target in [
            "/v1/messages?conversation_id=s3cret-key/1234&page=1&page_size=10&api_key=unknown-key",
            "/v1/messages?s3cret-key/1234=1&unknown-key=2",
            "/v1/s3cret-key/1234/unknown-key",
            "/v1/s3cret-key%2F1234?token=s3cret-key/1234",
        ] {
            // The second request repeats the first one, which is a finding.
            ask(target, key);
            ask(target, key);
        }
    }
    let post = |path: &str| control(address, "POST", path, "{}").ok().body.clone();
    let get = |path: &str| fetch(address, "", &format!("/__admin{path}"));
    let first = "/requests/00000000-0000-4000-8000-000000000001";
    let mut shown = vec![post("/requests/find")];
    shown
        .extend(["/requests", "/requests/unmatched", "/verdict", first].map(|path| get(path).body));
    shown.push(post("/requests/remove"));
    for text in &shown {
        let own = text.replace("/1234", "");
        for key in ["s3cret-key", "s3cret-key%2F1234"] {
            let at = own.find(key).map(|at| &own[at.saturating_sub(200)..at + key.len()]);
            assert_eq!(at, None, "{key}");
        }
        assert!(text.contains("****1234"), "{text}");
    }
    // A key that no agent has is hidden in the requests that sent it.
    let sent = shown[0].clone();
    let all: Value = serde_json::from_str(&sent).unwrap();
    for request in all["requests"].as_array().unwrap() {
        let key = request["headers"]["authorization"].as_str().unwrap();
        if key == "Bearer ****-key" {
            assert!(!request.to_string().contains("unknown-key"), "{request:#}");
        }
    }
}
