//! Delayed and throttled responses: they take the right time, run in parallel, and end when the client
//! disconnects.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use gptbots_mock::{Limits, Server};

use crate::support::client::get;
use crate::support::faults::{
    FOR_EVER, KEY, LIST, asking, asks, drain, exchange, got, is_silent, server, take_apart, time_of,
};
use crate::support::process::{Process, wait_until_read};
use crate::support::wire::Wire;

/// If the client disconnects during the delay, the log line shows no response.
#[test]
fn a_delay_ends_when_the_client_goes() {
    let (mut server, address) = Process::serve(&[]);
    let waiting = asking(address, FOR_EVER);
    wait_until_read(&waiting);
    drop(waiting);
    server.stderr.find("GET /v1/bot/conversation/page - fault=prefer.delay-600000");
}

/// Each delay is longer than the idle time after which a connection may be closed for another one.
#[test]
fn delayed_request_is_not_closed_at_the_connection_limit() {
    let mut limits = Limits::default();
    limits.connections = 2;
    let server = Server::builder().limits(limits).start().unwrap();
    let mut waiting = ["Prefer: delay=700\r\nConnection: close\r\n", FOR_EVER]
        .map(|more| asking(server.address(), more));
    waiting.iter().for_each(wait_until_read);
    let mut third = asking(server.address(), "Connection: close\r\n");
    for answered in [&mut waiting[0], &mut third] {
        let (bytes, end) = drain(answered);
        assert_eq!((take_apart(&bytes).0.status, end), (200, None));
    }
    is_silent(&mut waiting[1], 1);
}

#[test]
fn a_delay_ends_when_the_client_closes_one_direction() {
    let server = Server::start().unwrap();
    let mut waiting = asking(server.address(), FOR_EVER);
    waiting.shutdown(Shutdown::Write).unwrap();
    assert_eq!(drain(&mut waiting), (Vec::new(), None));
}

/// A client that has already sent its next request has not disconnected.
#[test]
fn delay_ends_when_a_client_with_pipelined_requests_goes() {
    let server = Server::start().unwrap();
    let mut waiting = asking(server.address(), FOR_EVER);
    wait_until_read(&waiting);
    waiting.write_all(asks("GET", LIST, "").as_bytes()).unwrap();
    is_silent(&mut waiting, 200);
    waiting.shutdown(Shutdown::Write).unwrap();
    assert_eq!(drain(&mut waiting).0.len(), 0);
}

#[test]
fn a_delay_is_as_long_as_asked() {
    for (fault, ms) in [("delay=120", 120), ("delay=110..120", 110), ("delay=lognormal:120:0", 120)]
    {
        let server = server(&[fault]);
        let begun = Instant::now();
        assert_eq!(exchange(server.address(), LIST, "").0.status, 200);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(ms), "{fault}: {took:?}");
    }
}

/// The body is not faster than the given rate, and not slower than half of it. A busy machine may be slow once,
/// but not three times.
#[test]
fn a_drip_flows_at_its_rate() {
    for rate in [200, 900] {
        let server = server(&[&format!("drip={rate}")]);
        let mut least = Duration::MAX;
        let mut due = Duration::ZERO;
        for _ in 0..3 {
            let begun = Instant::now();
            let (promised, body, end) = got(server.address(), "Connection: close\r\n");
            let took = begun.elapsed();
            assert_eq!((body.len(), end), (promised, None));
            due = time_of(promised, rate);
            assert!(took >= due, "{took:?} instead of {due:?}");
            least = least.min(took);
            if least < due * 2 {
                break;
            }
        }
        assert!(least < due * 2, "{least:?} instead of {due:?}");
    }
}

/// A drip is not a delay: the first bytes arrive long before the last.
#[test]
fn a_drip_begins_at_once_and_comes_in_pieces() {
    let server = server(&["drip=400"]);
    let mut stream = asking(server.address(), "Connection: close\r\n");
    let begun = Instant::now();
    let (mut pieces, mut first) = (0, None);
    while stream.read(&mut [0; 4096]).unwrap() > 0 {
        pieces += 1;
        first.get_or_insert_with(|| begun.elapsed());
    }
    let (first, last) = (first.unwrap(), begun.elapsed());
    assert!(pieces >= 5 && first < last / 2, "{pieces} pieces, {first:?}, {last:?}");
}

#[test]
fn a_drip_is_the_true_answer() {
    let server = server(&["drip=5000,after=1"]);
    let truth = get(&server, KEY, LIST).ok().body.clone();
    assert_eq!(get(&server, KEY, LIST).body, truth);
}

/// A sandbox with a running response is in use, so it is not evicted.
#[test]
fn throttled_response_keeps_its_sandbox() {
    let mut limits = Limits::default();
    limits.sandboxes = 1;
    let server = Server::builder().limits(limits).start().unwrap();
    for fault in ["drip=1,times=1", "id=x,status=503"] {
        server.sandbox("a").fault(fault.parse().unwrap());
    }
    let mut dripping = Wire::open(server.address());
    dripping.send(asks("GET", &format!("/s/a{LIST}"), ""));
    assert_eq!(dripping.head().header("x-mock-fault"), Some("fault-1.conversations.1"));
    get(&server, KEY, &format!("/s/b{LIST}")).ok();
    let again = get(&server, KEY, &format!("/s/a{LIST}"));
    assert_eq!(again.header("x-mock-fault"), Some("x.conversations.2"));
}

const MANY: usize = 300;

/// All delays run in parallel; one after the other, they would take minutes.
#[test]
fn many_delays_pass_at_the_same_time() {
    let server = server(&["delay=400"]);
    let begun = Instant::now();
    let mut all: Vec<_> =
        (0..MANY).map(|_| asking(server.address(), "Connection: close\r\n")).collect();
    for stream in &mut all {
        let (bytes, end) = drain(stream);
        assert_eq!((take_apart(&bytes).0.status, end), (200, None));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn many_delays_keep_no_other_request_waiting() {
    let server = Server::start().unwrap();
    let _all: Vec<_> = (0..MANY).map(|_| asking(server.address(), FOR_EVER)).collect();
    let begun = Instant::now();
    for _ in 0..20 {
        get(&server, KEY, LIST).ok();
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// This test uses its own process, so that threads of other tests do not count.
#[test]
fn many_delays_take_no_threads() {
    let (server, address) = Process::serve(&[]);
    // Threads that start with the first request have started by now.
    drain(&mut asking(address, "Connection: close\r\n"));
    let before = server.threads();
    let _all: Vec<_> = (0..MANY).map(|_| asking(address, FOR_EVER)).collect();
    // Connections are accepted in order, so the earlier ones have been accepted.
    drain(&mut asking(address, "Connection: close\r\n"));
    assert_eq!(server.threads(), before);
}

/// A client has disconnected only if it closes during the delay. After the delay, a client that closes its
/// sending direction only has no further request.
#[test]
fn a_client_may_close_one_direction_behind_a_delay() {
    let server = server(&["delay=1,times=1", "drip=4000"]);
    let mut connection = Wire::open(server.address());
    connection.send(asks("GET", LIST, ""));
    connection.answer().ok();
    connection.send(asks("GET", LIST, ""));
    connection.stream().shutdown(Shutdown::Write).unwrap();
    connection.answer().ok();
}
