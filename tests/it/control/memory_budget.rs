//! The memory that clients can make the server take: one budget for sandboxes, their records, and bodies as
//! they arrive.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gptbots_mock::{Limits, Server};
use serde_json::json;

use crate::support::client::{Answer, NEWEST, get};
use crate::support::control::{control, is_there};
use crate::support::process::{command, run};
use crate::support::wire::Wire;

/// The budget of most tests, in MiB.
const BUDGET: usize = 16;

/// Longer than any test waits on the slowest machine.
const LONG: Duration = Duration::from_secs(600);

fn small() -> Server {
    Server::builder().max_memory(BUDGET).start().unwrap()
}

/// Puts a sandbox with generated records; 128 bytes are needed for each conversation.
fn generate(address: SocketAddr, id: &str, seed: u32, conversations: u32) -> Answer {
    let settings = json!({"seed": seed, "conversations": conversations}).to_string();
    control(address, "PUT", &format!("/sandboxes/{id}"), &settings)
}

/// A fixture of one agent with this number of empty conversations.
fn empty_conversations(count: usize) -> String {
    let conversations = vec!["{}"; count].join(",");
    format!(r#"{{"fixtures":{{"agents":[{{"name":"a","conversations":[{conversations}]}}]}}}}"#)
}

#[test]
fn records_by_seed_that_do_not_fit_are_507_before_they_are_made() {
    let server = Server::start().unwrap();
    let answer = generate(server.address(), "a", 7, 10_000_000);
    answer.failed(507, "the memory budget (--max-memory 512, in MiB) cannot provide 1220.9 MiB");
    assert!(!is_there(server.address(), "a"));
    generate(server.address(), "a", 7, 1000).ok();
}

#[test]
fn full_budget_names_its_largest_holders() {
    let server = small();
    generate(server.address(), "large", 1, 100_000).ok();
    generate(server.address(), "small", 2, 20_000).ok();
    generate(server.address(), "twin", 2, 20_000).ok();
    let answer = generate(server.address(), "new", 3, 100_000);
    answer.failed(507, "it is used by sandbox large: ");
    answer.failed(507, "; sandboxes small, twin: ");
    answer.failed(507, "1 request body: ");
    assert!(!is_there(server.address(), "new"));
}

#[test]
fn sandboxes_with_the_same_seed_pay_once() {
    let server = small();
    for number in 0..100 {
        generate(server.address(), &format!("s{number}"), 7, 50_000).ok();
    }
    generate(server.address(), "other", 8, 50_000).ok();
}

#[test]
fn deleted_replaced_and_reset_sandboxes_give_memory_back() {
    let server = small();
    let address = server.address();
    let fills = || {
        generate(address, "a", 7, 100_000).ok();
        generate(address, "b", 8, 100_000).failed(507, "sandbox a: ");
    };
    fills();
    control(address, "DELETE", "/sandboxes/a", "").ok();
    fills();
    control(address, "PUT", "/sandboxes/a", "{}").ok();
    fills();
    control(address, "POST", "/reset", "").ok();
    fills();
}

#[test]
fn reset_sandbox_keeps_its_records_and_their_memory() {
    let server = small();
    let address = server.address();
    generate(address, "a", 7, 100_000).ok();
    control(address, "POST", "/sandboxes/a/reset", "").ok();
    generate(address, "b", 8, 100_000).failed(507, "sandbox a: ");
}

#[test]
fn default_sandbox_is_a_holder_too() {
    let server = small();
    generate(server.address(), "default", 7, 100_000).ok();
    generate(server.address(), "b", 8, 100_000).failed(507, "sandbox default: ");
}

#[test]
fn inline_fixture_that_grows_too_large_is_507_while_it_is_read() {
    let server = small();
    let address = server.address();
    // The document is not read after the conversations, so its end may be invalid.
    let body = empty_conversations(200_000) + "not JSON";
    control(address, "PUT", "/sandboxes/a", &body).failed(507, "cannot provide");
    assert!(!is_there(address, "a"));
    control(address, "PUT", "/sandboxes/a", &empty_conversations(1000)).ok();
}

#[test]
fn fixture_of_many_agents_keys_or_messages_is_507() {
    let server = small();
    let agents: Vec<_> =
        (0..20_000).map(|number| json!({"name": number.to_string(), "keys": []})).collect();
    let keys: Vec<_> = (0..100_000).map(|number| number.to_string()).collect();
    let messages = vec![json!({"q": "", "a": ""}); 50_000];
    for agents in [
        json!(agents),
        json!([{"name": "a", "keys": keys}]),
        json!([{"name": "a", "conversations": [{"messages": messages}]}]),
    ] {
        let body = json!({"fixtures": {"agents": agents}}).to_string();
        control(server.address(), "PUT", "/sandboxes/a", &body).failed(507, "cannot provide");
        assert!(!is_there(server.address(), "a"));
    }
    control(server.address(), "PUT", "/sandboxes/a", &empty_conversations(1000)).ok();
}

#[test]
fn indexing_a_fixture_is_within_the_budget() {
    // It fits while it is read, but not while its records are sorted.
    let server = small();
    let answer = control(server.address(), "PUT", "/sandboxes/a", &empty_conversations(60_000));
    answer.failed(507, "cannot provide 7.");
}

#[test]
fn an_inline_fixture_keeps_what_it_takes_until_it_ends() {
    let server = small();
    let address = server.address();
    let fixture = empty_conversations(30_000);
    control(address, "PUT", "/sandboxes/a", &fixture).ok();
    generate(address, "b", 7, 100_000).failed(507, "sandbox a: ");
    control(address, "DELETE", "/sandboxes/a", "").ok();
    generate(address, "b", 7, 100_000).ok();
}

#[test]
fn two_sandboxes_at_the_same_time_do_not_both_fit() {
    let server = small();
    let address = server.address();
    let statuses = std::thread::scope(|scope| {
        let puts = [("a", 7), ("b", 8)];
        let puts = puts.map(|(id, seed)| scope.spawn(move || generate(address, id, seed, 100_000)));
        puts.map(|put| put.join().unwrap().status)
    });
    assert!(statuses.contains(&200) && statuses.contains(&507), "{statuses:?}");
}

/// The head of a `PUT` that announces the largest body.
const PUT: &str =
    "PUT /__admin/sandboxes/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8388608\r\n\r\n";

/// Sends this number of bodies without their last byte.
fn half_sent(address: SocketAddr, count: usize) -> Vec<Wire> {
    let body = vec![b' '; 8 * 1024 * 1024 - 1];
    let open = |_| {
        let mut wire = Wire::open(address);
        wire.send(PUT);
        wire.send(&body);
        wire
    };
    (0..count).map(open).collect()
}

/// Waits until the server has read an incomplete body of 8 MiB. It requests more memory than the budget has, which
/// takes none. A request that took memory could leave too little for the body if it came first.
#[track_caller]
fn wait_until_read(address: SocketAddr) {
    let begun = Instant::now();
    loop {
        let answer = generate(address, "never", 7, 10_000_000);
        answer.failed(507, "");
        let bodies = answer.body.split(" request bodies: ").nth(1);
        let mebibytes = bodies.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        if mebibytes.is_some_and(|mebibytes| mebibytes >= 8.0) {
            return;
        }
        assert!(begun.elapsed() < LONG, "the body is not read: {answer:?}");
        std::thread::yield_now();
    }
}

/// Repeats a request until the response has this status, because the server may read sent data later.
#[track_caller]
fn wait_for(status: u16, ask: impl Fn() -> Answer) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < LONG, "{}, and never {status}", answer.status);
        std::thread::yield_now();
    }
}

#[test]
fn bodies_take_memory_as_they_arrive_and_give_it_back() {
    // The largest body and its copy for the reader fit into the smallest budget. The timeout is so long that a slow
    // machine does not end the incomplete bodies.
    let mut limits = Limits::default();
    limits.head_timeout = LONG;
    let server = Server::builder().max_memory(32).limits(limits).start().unwrap();
    let address = server.address();
    let mut bodies = half_sent(address, 1);
    // Two bodies fit into the budget, but not the memory for these records.
    let ask = || generate(address, "b", 7, 200_000);
    wait_until_read(address);
    ask().failed(507, "2 request bodies: ");
    bodies[0].send("x");
    bodies[0].answer().failed(400, "");
    ask().ok();
    control(address, "DELETE", "/sandboxes/b", "").ok();
    // The memory is also released when a client disconnects.
    drop(half_sent(address, 1));
    wait_for(200, ask);
}

#[test]
fn body_that_arrives_where_nothing_is_left_is_507() {
    let server = small();
    let address = server.address();
    generate(address, "large", 7, 100_000).ok();
    generate(address, "larger", 9, 60_000).ok();
    let mut wire = Wire::open(address);
    wire.send(PUT);
    wire.send(vec![b' '; 8 * 1024 * 1024 - 1]);
    wire.answer().failed(507, "sandbox large: ");
}

/// A line of a fault that takes this number of bytes, and matches no request.
fn fault_of(bytes: usize) -> String {
    format!("messages:conversation_id={},code=50000", "x".repeat(bytes))
}

/// Fills the budget with sandboxes, and the rest with faults of sandbox `filler`, until less than the memory
/// of a sandbox is left.
fn fill(address: SocketAddr) {
    control(address, "PUT", "/sandboxes/filler", "{}").ok();
    let mut bytes = 1 << 20;
    for number in 0.. {
        let (method, path, body) = if bytes > 1 << 14 {
            ("PUT", format!("/sandboxes/filler-{number}"), json!({"faults": [fault_of(bytes)]}))
        } else {
            ("POST", "/sandboxes/filler/faults".to_owned(), json!(fault_of(bytes)))
        };
        match control(address, method, &path, &body.to_string()).status {
            507 if bytes <= 64 => break,
            507 => bytes /= 2,
            status => assert_eq!(status, 200),
        }
    }
}

/// A request for the page of a query that no other request has.
fn page(number: u64) -> String {
    format!(
        "/v1/bot/conversation/page?conversation_type=ALL&start_time={number}&end_time=9999999999999\
         &page=1&page_size=1"
    )
}

#[test]
fn faults_of_sandboxes_take_memory_until_they_end() {
    let server = small();
    let address = server.address();
    let lists = json!({"faults": [fault_of(1_000_000), fault_of(1_000_000)]}).to_string();
    let put = |id: u32| control(address, "PUT", &format!("/sandboxes/{id}"), &lists);
    let made = (0..100).find(|id| put(*id).status == 507).unwrap();
    put(made).failed(507, "sandbox 0: 2.0 MiB");
    assert!(!is_there(address, "7"));
    control(address, "DELETE", "/sandboxes/0", "").ok();
    put(made).ok();
}

#[test]
fn a_fault_that_does_not_fit_is_507_and_is_not_added() {
    let server = small();
    let address = server.address();
    fill(address);
    let count = || {
        let shown = control(address, "GET", "/sandboxes/filler", "").ok().json();
        shown["state"]["faults"].as_array().unwrap().len()
    };
    let before = count();
    let fault = json!(fault_of(2_000)).to_string();
    let answer = control(address, "POST", "/sandboxes/filler/faults", &fault);
    answer.failed(507, "sandbox filler-0: 1.1 MiB");
    assert_eq!(count(), before);
    // A list that does not fit adds no fault.
    let list = json!({"faults": vec![fault_of(8); 20]}).to_string();
    control(address, "POST", "/sandboxes/filler/faults", &list).failed(507, "");
    assert_eq!(count(), before);
}

#[test]
fn a_sandbox_that_does_not_fit_is_50000_for_its_first_request() {
    let server = small();
    let address = server.address();
    get(&server, "app-demo~old", NEWEST).ok();
    get(&server, "app-demo", NEWEST).ok();
    fill(address);
    for answer in
        [get(&server, "app-demo~new", NEWEST), get(&server, "app-demo", &format!("/s/new{NEWEST}"))]
    {
        answer.refused(500, 50000, "Internal system error", "sandbox filler-0: 1.1 MiB");
        assert!(answer.header("x-mock-reason").unwrap().contains("--max-memory 16"));
    }
    assert!(!is_there(address, "new"));
    control(address, "POST", "/sandboxes/new/clock", r#"{"advance_ms": 1}"#).failed(507, "filler");
    control(address, "POST", "/sandboxes/new/reset", "").failed(507, "filler");
    // Other sandboxes keep working.
    get(&server, "app-demo~old", NEWEST).ok();
    get(&server, "app-demo", NEWEST).ok();
    control(address, "DELETE", "/sandboxes/filler-0", "").ok();
    get(&server, "app-demo~new", NEWEST).ok();
}

#[test]
fn a_request_refused_for_memory_is_in_the_default_journal() {
    let server = small();
    fill(server.address());
    get(&server, "app-demo~new", NEWEST);
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].status), (1, Some(500)));
    assert!(requests[0].reason.contains("--max-memory"));
}

#[test]
fn what_is_watched_of_a_sandbox_counts() {
    let server = small();
    fill(server.address());
    let full = (1..10_000).find(|number| get(&server, "app-demo", &page(*number)).status == 500);
    assert!(full.is_some());
}

#[test]
fn rate_limits_of_many_keys_count() {
    let server = Server::builder().max_memory(BUDGET).any_key().journal(0).start().unwrap();
    let limit = r#"{"rate_limit": {"requests": 9, "seconds": 60}}"#;
    control(server.address(), "PUT", "/sandboxes/default", limit).ok();
    fill(server.address());
    let full =
        (1..1_000).find(|number| get(&server, &format!("key-{number}"), NEWEST).status == 500);
    assert!(full.is_some());
}

#[test]
fn full_budget_leaves_vendor_requests_alone() {
    let server = small();
    generate(server.address(), "a", 7, 100_000).ok();
    generate(server.address(), "b", 8, 100_000).failed(507, "");
    get(&server, "app-demo~a", NEWEST).ok();
    get(&server, "app-demo~new", NEWEST).ok();
    let pairs = "/v1/message/qa/record/page?user_feedback=ALL&start_time=0\
                 &end_time=9999999999999&page=1&page_size=10";
    get(&server, "app-demo~a", pairs).ok();
}

#[test]
fn journal_larger_than_the_budget_is_a_usage_error() {
    let serve = || command(&["--max-memory", "32"]);
    run(serve().args(["--journal-memory", "33"]))
        .refused(2, &["--journal-memory 33", "--max-memory 32"]);
    let error = Server::builder().max_memory(7).start().unwrap_err();
    assert_eq!(error.to_string(), "--journal-memory 8 is more than --max-memory 7");
}

/// The peak memory of the real binary during attacks on its memory, as Linux shows it.
#[cfg(target_os = "linux")]
mod bombs {
    use super::*;
    use crate::support::process::Process;

    /// The budget of a server, in KiB.
    const BUDGET_KIB: u64 = 512 << 10;

    /// The memory that a server may take in total: the budget, the program, the journal, and what the allocator
    /// keeps after records or responses were made.
    const MOST_KIB: u64 = 640 << 10;

    #[track_caller]
    fn check(bomb: &str, process: &Process, most: u64) {
        let kib = process.peak_kib().unwrap();
        println!("{bomb}: {kib} KiB at most");
        assert!(kib <= most, "{bomb}: {kib} KiB");
    }

    #[test]
    #[ignore = "measures memory, on the release binary: .ci/run"]
    fn five_times_ten_million_conversations() {
        let (process, address) = Process::serve(&["--log-format", "off"]);
        for seed in 1..=5 {
            generate(address, &format!("s{seed}"), seed, 10_000_000).failed(507, "");
        }
        check("5 x 10,000,000 conversations", &process, 32 << 10);
        for seed in 1..=20 {
            generate(address, &format!("s{seed}"), seed, 1_000_000);
        }
        check("20 x 1,000,000 conversations", &process, MOST_KIB);
    }

    #[test]
    #[ignore = "measures memory, on the release binary: .ci/run"]
    fn eight_mebibytes_of_empty_conversations() {
        let (process, address) = Process::serve(&["--log-format", "off"]);
        let body = empty_conversations((8 << 20) / 3 - 100);
        control(address, "PUT", "/sandboxes/a", &body).failed(507, "");
        check("8 MiB of {}", &process, BUDGET_KIB);
    }

    #[test]
    #[ignore = "measures memory, on the release binary: .ci/run"]
    fn a_hundred_open_bodies() {
        let (process, address) = Process::serve(&["--log-format", "off"]);
        let mut bodies = half_sent(address, 100);
        let last = bodies.last_mut().unwrap();
        last.answer().failed(507, "request bodies: ");
        check("100 open bodies", &process, BUDGET_KIB);
    }

    #[test]
    #[ignore = "measures memory, on the release binary: .ci/run"]
    fn sandboxes_with_fixtures_and_faults() {
        let messages = vec![json!({"q": "question ".repeat(20), "a": "answer ".repeat(60)}); 5];
        let conversations = vec![json!({"messages": messages}); 1_000];
        let agent = json!({"name": "a", "conversations": conversations});
        let fixtures = json!({"fixtures": {"agents": [agent]}}).to_string();
        let faults = json!({"faults": vec![fault_of(5_000); 1_000]}).to_string();
        for (bomb, body) in [("fixtures", fixtures), ("lists of faults", faults)] {
            let (process, address) = Process::serve(&["--log-format", "off"]);
            let put = |id| control(address, "PUT", &format!("/sandboxes/{id}"), &body).status;
            assert!((0..200).any(|id| put(id) == 507));
            check(&format!("sandboxes with {bomb}"), &process, MOST_KIB);
        }
    }
}
