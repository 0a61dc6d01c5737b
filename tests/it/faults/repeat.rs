//! Two runs of a suite get the same faults, whatever runs in parallel.

use gptbots_mock::{Fault, Server};

use crate::support::client::{Connection, fetch};
use crate::support::faults::{KEY, TARGETS, builder};

/// Random faults, on all operations and on some, with random delays.
const FAULTS: [&str; 4] = [
    "id=some,status=503,probability=0.2",
    "messages+qa:id=slow,code=50000,delay=0..3,probability=0.3",
    "conversations:id=third,status=429,every=3,probability=0.5",
    "id=late,delay=lognormal:1:0.5,after=5,probability=0.25,times=4",
];

const SANDBOXES: [&str; 5] = ["login", "export", "export-2", "x", "default"];

/// The faults of each request of a test, which has its own sandbox and its own order of requests.
fn test(server: &Server, sandbox: &str) -> Vec<Option<String>> {
    let mut connection = Connection::open(server.address(), KEY);
    let requests = (0..40).map(|number| TARGETS[(number * number + sandbox.len()) % 4].1);
    let mut ask = |target: &str| {
        let answer = connection.get(&format!("/s/{sandbox}{target}"));
        answer.header("x-mock-fault").map(str::to_owned)
    };
    requests.map(&mut ask).collect()
}

/// The faults of all tests of a suite that runs sequentially.
fn in_a_row(server: &Server) -> Vec<Vec<Option<String>>> {
    SANDBOXES.iter().map(|sandbox| test(server, sandbox)).collect()
}

/// The faults of all tests of a suite that runs in parallel.
fn at_once(server: &Server) -> Vec<Vec<Option<String>>> {
    std::thread::scope(|scope| {
        let tests = SANDBOXES.map(|sandbox| scope.spawn(move || test(server, sandbox)));
        tests.map(|test| test.join().unwrap()).into()
    })
}

#[track_caller]
fn server(seed: u64) -> Server {
    builder(&FAULTS).seed(seed).start().unwrap()
}

#[test]
fn same_faults_sequentially_and_concurrently() {
    let first = in_a_row(&server(7));
    // Each fault must apply at least once, or the test would test nothing.
    for id in ["some", "slow", "third", "late"] {
        let strikes = first.iter().flatten().flatten();
        assert!(strikes.filter(|strike| strike.starts_with(id)).count() > 1, "{id}: {first:?}");
    }
    assert_eq!(in_a_row(&server(7)), first);
    for _ in 0..3 {
        assert_eq!(at_once(&server(7)), first);
    }
}

#[test]
fn another_seed_gives_other_faults() {
    let (seven, eight) = (in_a_row(&server(7)), in_a_row(&server(8)));
    for (sandbox, (seven, eight)) in SANDBOXES.iter().zip(seven.iter().zip(&eight)) {
        assert_ne!(seven, eight, "{sandbox}");
    }
}

/// The tests send requests in different orders, so this one uses the same order for all of them.
#[test]
fn another_sandbox_gives_other_faults() {
    let server = server(7);
    let of = |sandbox: &str| -> Vec<u16> {
        let target = format!("/s/{sandbox}{}", TARGETS[1].1);
        (0..40).map(|_| fetch(server.address(), KEY, &target).status).collect()
    };
    let all = SANDBOXES.map(of);
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one), "{}", SANDBOXES[place]);
    }
}

#[test]
fn reset_sandbox_repeats_its_faults() {
    let server = server(7);
    let first = test(&server, "again");
    server.sandbox("again").reset();
    assert_eq!(test(&server, "again"), first);
}

/// The order of the faults decides which one is applied first, but not their random choices.
#[test]
fn adding_a_fault_keeps_the_draws_of_others() {
    let strikes = |more: bool| {
        let server = builder(&["id=some,status=503,probability=0.3"]).start().unwrap();
        if more {
            server.sandbox("x").fault(Fault::delay(std::time::Duration::ZERO).probability(0.5));
        }
        let mut strikes = test(&server, "x");
        strikes.retain(|id| id.as_ref().is_some_and(|id| id.starts_with("some")));
        strikes
    };
    assert_eq!(strikes(true), strikes(false));
}
