//! Connections: slow, idle, half-sent and too many ones. No client delays another one. Tests
//! `emulator.not-http` and a part of `everywhere.body`.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use gptbots_mock::{Conversation, Limits, Server};

use crate::support::client::{NEWEST, PATIENCE, connect, fetch, get, head, raw, sent};
use crate::support::faults::{FOR_EVER, asking};
use crate::support::process::{Process, shell, wait_until_read};
use crate::support::wire::{Wire, half_bodies};

/// A whole request.
fn newest() -> String {
    head("GET", NEWEST, "app-demo", "")
}

/// Longer than any test lives.
const FOR_LONG: Duration = Duration::from_secs(3600);

fn server(change: impl FnOnce(&mut Limits)) -> Server {
    let mut limits = Limits::default();
    change(&mut limits);
    Server::builder().limits(limits).start().unwrap()
}

/// Asserts that a new client gets its answer.
#[track_caller]
fn serves(address: SocketAddr) {
    fetch(address, "app-demo", NEWEST).ok();
}

#[test]
fn incomplete_head_closes_after_head_timeout() {
    let server = server(|limits| limits.head_timeout = Duration::from_millis(100));
    let mut half = Wire::open(server.address());
    half.send("GET /v1/messages HTTP/1.1\r\nHost: loc");
    let mut silent = Wire::open(server.address());
    half.is_closed();
    silent.is_closed();
    serves(server.address());
}

#[test]
fn idle_connection_closes_after_head_timeout() {
    let server = server(|limits| limits.head_timeout = Duration::from_millis(100));
    let mut idle = Wire::open(server.address());
    idle.send(newest());
    idle.answer().ok();
    idle.is_closed();
}

#[test]
fn trickled_head_closes_after_head_timeout() {
    let server = server(|limits| limits.head_timeout = Duration::from_millis(300));
    let mut stream = connect(server.address());
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let begun = Instant::now();
    write!(stream, "GET / HTTP/1.1\r\nX-Long: ").unwrap();
    // Never silent for as long as the timeout, never done.
    while stream.write_all(b"x").is_ok() {
        match stream.read(&mut [0; 512]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(0) | Err(_) => break,
            Ok(_) => panic!("an answer to half a head"),
        }
        assert!(begun.elapsed() < PATIENCE, "still open");
    }
}

#[test]
fn head_sent_byte_by_byte_is_answered() {
    let server = Server::start().unwrap();
    let mut connection = Wire::open(server.address());
    connection.stream().set_nodelay(true).unwrap();
    for byte in newest().bytes() {
        connection.send([byte]);
        std::thread::sleep(Duration::from_millis(1));
    }
    connection.answer().ok();
}

/// A request whose head is as long as asked, in one header or in the query.
fn of_length(bytes: usize, in_query: bool) -> String {
    let around = |pad: &str| {
        let (query, header) = if in_query { (pad, "") } else { ("", pad) };
        newest()
            .replace(" HTTP", &format!("&q={query} HTTP"))
            .replace("Host", &format!("X-Pad: {header}\r\nHost"))
    };
    around(&"x".repeat(bytes - around("").len()))
}

#[test]
fn a_head_of_just_the_limit_is_answered_and_a_longer_one_refused() {
    let server = server(|limits| limits.head_bytes = 16 * 1024);
    for in_query in [false, true] {
        for bytes in [8 * 1024, 16 * 1024 - 64, 16 * 1024] {
            let mut connection = Wire::open(server.address());
            connection.send(of_length(bytes, in_query));
            connection.answer().ok();
        }
        for bytes in [16 * 1024 + 1, 17 * 1024] {
            let mut connection = Wire::open(server.address());
            connection.send(of_length(bytes, in_query));
            let answer = connection.answer();
            assert_eq!((answer.status, &*answer.body), (431, ""), "{bytes} bytes");
            connection.is_closed();
        }
    }
    serves(server.address());
}

#[test]
fn the_default_takes_a_header_of_100_kib() {
    let server = Server::start().unwrap();
    let mut connection = Wire::open(server.address());
    connection.send(of_length(100 * 1024, false));
    connection.answer().ok();
}

#[test]
fn malformed_http_gets_an_empty_4xx() {
    let server = Server::start().unwrap();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello \r\n\r\n"[..],
        b"\r\n\r\nhello\r\n\r\n",
        b"GET  /v1/messages HTTP/1.1\r\n\r\n",
        b"GET /v1/messages HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /v1/messages HTTP/9.9\r\n\r\n",
        b"GET /v1/messages HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /v1/messages HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let mut connection = Wire::open(server.address());
        connection.send(bytes);
        let answer = connection.answer();
        let text = String::from_utf8_lossy(bytes);
        assert!((400..500).contains(&answer.status) && answer.body.is_empty(), "{text:?}");
        connection.is_closed();
    }
    serves(server.address());
}

#[test]
fn half_sent_heads_delay_no_other_client() {
    let server = Server::start().unwrap();
    let _open: Vec<_> = (0..200)
        .map(|_| {
            let mut half = Wire::open(server.address());
            half.send("GET /v1/messages HTTP/1.1\r\nHo");
            half
        })
        .collect();
    serves(server.address());
}

#[test]
fn new_connection_closes_an_idle_one_at_the_limit() {
    let server = server(|limits| limits.connections = 8);
    let _silent: Vec<_> = (0..8).map(|_| connect(server.address())).collect();
    serves(server.address());
    let _half: Vec<_> = (0..8)
        .map(|_| {
            let mut half = Wire::open(server.address());
            half.send("GET /v1/messages HTTP/1.1\r\nHo");
            half
        })
        .collect();
    serves(server.address());
}

fn used(address: SocketAddr) -> Wire {
    let mut connection = Wire::open(address);
    connection.send(newest());
    connection.answer().ok();
    connection
}

/// Half a request, which the server has read.
fn half(address: SocketAddr) -> Wire {
    let mut half = Wire::open(address);
    half.send(&newest()[..40]);
    wait_until_read(half.stream());
    half
}

#[test]
fn new_connection_closes_only_the_longest_idle_one() {
    let server = server(|limits| limits.connections = 3);
    let mut idle = [(); 3].map(|()| used(server.address()));
    serves(server.address());
    idle[0].is_closed();
    for connection in &mut idle[1..] {
        connection.send(newest());
        connection.answer().ok();
    }
}

#[test]
fn idle_closes_before_half_request_before_unanswered() {
    let mut limits = Limits::default();
    limits.connections = 3;
    let fault = "break=no-answer,times=1".parse().unwrap();
    let server = Server::builder().limits(limits).fault(fault).start().unwrap();
    let mut unanswered = Wire::open(server.address());
    unanswered.send(newest());
    wait_until_read(unanswered.stream());
    let (mut half, mut idle) = (half(server.address()), used(server.address()));
    serves(server.address());
    idle.is_closed();
    assert!(half.is_open() && unanswered.is_open());
    // It takes the place that is free now, and keeps it by being delayed.
    let delayed = asking(server.address(), FOR_EVER);
    wait_until_read(&delayed);
    serves(server.address());
    half.is_closed();
    assert!(unanswered.is_open());
    let delayed = [delayed, asking(server.address(), FOR_EVER)];
    delayed.iter().for_each(wait_until_read);
    serves(server.address());
    unanswered.is_closed();
    // Its client has got no answer, which is not its client's fault.
    assert!(server.requests()[0].unread);
    assert!(delayed.into_iter().all(|stream| Wire::of(stream).is_open()));
}

#[test]
fn delayed_and_throttled_requests_are_not_closed_at_the_limit() {
    let server = server(|limits| limits.connections = 8);
    let slow = |prefer: &str| {
        let mut connection = Wire::open(server.address());
        connection.send(newest().replace("Host", &format!("Prefer: {prefer}\r\nHost")));
        wait_until_read(connection.stream());
        connection
    };
    // Each takes longer than a connection has to be silent to lose its place.
    let mut slow: Vec<_> = (0..4).flat_map(|_| ["delay=900", "drip=300"]).map(slow).collect();
    serves(server.address());
    for connection in &mut slow {
        assert_eq!(connection.answer().rows("list").len(), 1);
    }
}

/// A handler of the control API reads a body, the connection reads chunks before it answers, and
/// anything else behind the answer.
#[test]
fn half_a_body_gives_its_place_to_a_new_connection() {
    let server = server(|limits| {
        limits.connections = 1;
        limits.head_timeout = FOR_LONG;
    });
    for (half, is_answered) in half_bodies() {
        let mut connection = Wire::open(server.address());
        connection.send(&half);
        if is_answered {
            connection.answer();
        }
        wait_until_read(connection.stream());
        serves(server.address());
        connection.is_closed();
    }
}

/// The first body is waited for beside the delay; the second one is given up before.
#[test]
fn a_delayed_request_with_half_a_body_keeps_its_place() {
    let cases = [
        ("Content-Length: 100", FOR_LONG),
        ("Transfer-Encoding: chunked", Duration::from_millis(100)),
    ];
    for (framing, head_timeout) in cases {
        let server = server(|limits| {
            limits.connections = 1;
            limits.head_timeout = head_timeout;
        });
        let mut connection = Wire::open(server.address());
        let more = format!("Prefer: delay=900\r\n{framing}\r\nHost");
        connection.send(newest().replace("Host", &more));
        wait_until_read(connection.stream());
        serves(server.address());
        assert_eq!(connection.answer().rows("list").len(), 1, "{framing}");
    }
}

#[test]
fn max_connections_says_how_many_are_open() {
    let (_server, address) = Process::serve(&["--max-connections", "1"]);
    let mut first = used(address);
    serves(address);
    first.is_closed();
}

/// "One more ends those that are silent": without one more, they stay.
#[test]
fn idle_connections_within_the_limit_stay_open() {
    let server = server(|limits| limits.connections = 2);
    let mut open = [(); 2].map(|()| Wire::open(server.address()));
    for connection in &mut open {
        connection.send(newest());
        connection.answer().ok();
    }
    // Several times as long as a connection has to be silent to be ended for another.
    open[0].stream().set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let ended = open[0].stream().read(&mut [0]);
    let kind = ended.map_err(|error| error.kind());
    assert!(matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{kind:?}");
}

#[test]
fn more_clients_than_max_connections_are_all_answered() {
    let server = server(|limits| limits.connections = 4);
    let expected = get(&server, "app-demo", NEWEST);
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(get(&server, "app-demo", NEWEST).body, expected.ok().body);
                }
            });
        }
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start().unwrap();
    let mut connection = Wire::open(server.address());
    let request = |page| newest().replace("&page=1", &format!("&page={page}"));
    connection.send((1..=150).map(request).collect::<String>());
    for page in 1..=150 {
        let alone = get(&server, "app-demo", &NEWEST.replace("&page=1", &format!("&page={page}")));
        assert_eq!(connection.answer().ok().body, alone.ok().body, "{page}");
    }
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let server = Server::start().unwrap();
    let head = format!("GET {NEWEST} HTTP/1.0\r\nAuthorization: Bearer app-demo\r\n\r\n");
    let answer = raw(server.address(), head.as_bytes());
    assert_eq!(answer.rows("list").len(), 1);
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(&*length));
}

/// A request with headers of its own and a body, and what it is answered.
#[track_caller]
fn with_body(server: &Server, method: &str, headers: &str, body: &str) -> (Wire, u16) {
    let mut connection = Wire::open(server.address());
    let head = newest().replacen("GET", method, 1).replace("Host", &format!("{headers}\r\nHost"));
    connection.send(head + body);
    let mut answer = connection.answer();
    if answer.status == 100 {
        answer = connection.answer();
    }
    (connection, answer.status)
}

#[test]
fn a_body_changes_nothing() {
    let server = Server::start().unwrap();
    for (method, status) in [("GET", 200), ("POST", 405)] {
        for (headers, body) in [
            ("Content-Length: 2", "{}"),
            ("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
            ("Content-Length: 2\r\nExpect: 100-continue", "{}"),
        ] {
            let (mut connection, got) = with_body(&server, method, headers, body);
            assert_eq!(got, status, "{method} {headers}");
            // The body came with the head, so the connection serves on.
            connection.send(newest());
            connection.answer().ok();
        }
    }
}

#[test]
fn missing_body_does_not_hold_back_the_answer() {
    // Chunks are read before the answer, but for no longer than a head may take.
    let server = server(|limits| limits.head_timeout = Duration::from_millis(100));
    for (method, status) in [("GET", 200), ("POST", 405)] {
        for headers in [
            "Content-Length: 9000000000000000000",
            "Content-Length: 10\r\nExpect: 100-continue",
            "Transfer-Encoding: chunked",
        ] {
            assert_eq!(with_body(&server, method, headers, "").1, status, "{method} {headers}");
        }
    }
    serves(server.address());
}

#[test]
fn client_reset_disturbs_no_other_client() {
    let server = Server::start().unwrap();
    for _ in 0..50 {
        let mut connection = Wire::open(server.address());
        connection.send(newest().repeat(10) + "GET /v1/mess");
        // Closing over what was not read sends a reset, here within a request.
        connection.stream().peek(&mut [0]).unwrap();
    }
    serves(server.address());
}

/// Requests without end, until the server does not take any more.
fn never_reads(address: SocketAddr) -> Wire {
    let connection = Wire::open(address);
    connection.stream().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let many = newest().replace("page_size=1", "page_size=100").repeat(100);
    while connection.stream().write_all(many.as_bytes()).is_ok() {}
    connection
}

#[test]
fn client_that_never_reads_disturbs_no_other_client() {
    let server = server(|limits| limits.connections = 8);
    let stuck: Vec<_> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(|| never_reads(server.address())));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    serves(server.address());
    drop(stuck);
    serves(server.address());
}

#[test]
fn an_answer_may_be_read_for_longer_than_a_head_may_take() {
    const LONG: usize = 24 << 20;
    let long = Conversation::new().id("c").asks("x".repeat(LONG)).answers("no");
    let mut limits = Limits::default();
    limits.head_timeout = Duration::from_millis(100);
    let server = Server::builder().fixture(long).limits(limits).start().unwrap();
    let target = "/v1/messages?conversation_id=c&page=1&page_size=10";
    let mut slow = sent(server.address(), head("GET", target, server.api_key(), ""));
    // The answer has begun; the rest of it fits into no buffer on the way.
    let mut read = slow.read(&mut [0; 4096]).unwrap();
    // Other connections are closed because they are idle, one after the other. So the slow one has also timed
    // out.
    for _ in 0..3 {
        Wire::open(server.address()).is_closed();
    }
    let mut chunk = vec![0; 1 << 16];
    while read < LONG {
        let more = slow.read(&mut chunk).unwrap();
        assert!(more > 0, "cut off after {read} bytes");
        read += more;
    }
}

/// A drain that lasts for ever: dropping does not wait for it.
#[test]
fn dropping_the_server_closes_what_is_open() {
    let server = server(|limits| limits.drain = Duration::from_secs(3600));
    let address = server.address();
    let mut silent = Wire::open(address);
    let mut half = Wire::open(address);
    half.send("GET /v1/messages HTTP/1.1\r\nHo");
    let mut idle = Wire::open(address);
    idle.send(newest());
    idle.answer().ok();
    let mut stuck = never_reads(address);
    let (done, dropped) = channel();
    std::thread::spawn(move || {
        drop(server);
        done.send(()).unwrap();
    });
    dropped.recv_timeout(PATIENCE).expect("dropping returns");
    for connection in [&mut silent, &mut half, &mut idle] {
        connection.is_closed();
    }
    let mut answers = Vec::new();
    let end = stuck.read_to_end(&mut answers);
    assert!(end.is_ok() || end.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset));
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn clients_are_answered_when_file_descriptors_run_out() {
    let (_server, address) = Process::serving(&mut shell("ulimit -n 64; exec \"$0\" --port 0"));
    let _idle: Vec<_> = (0..200).map(|_| connect(address)).collect();
    serves(address);
    serves(address);
}
