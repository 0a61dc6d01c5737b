//! What sandboxes cost: the resident memory of the real binary, as Linux tells it.
#![cfg(target_os = "linux")]

use serde_json::json;

use crate::support::client::{Connection, NEWEST};
use crate::support::control::{control, is_there};
use crate::support::process::Process;
use crate::support::wire::Wire;

/// The resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// What 10,000 sandboxes may take beyond the base.
const MOST: u64 = 64 << 20;

/// How many bytes more a server takes with 10,000 sandboxes, each of which `make` makes.
#[track_caller]
fn cost(make: impl Fn(&mut Connection, &mut Wire, u32)) -> u64 {
    let (process, address) = Process::serve(&["--log-format", "off"]);
    let mut vendor = Connection::open(address, "app-demo");
    let mut admin = Wire::open(address);
    // What is made once, at the first use, is no sandbox's.
    vendor.get(NEWEST).ok();
    make(&mut vendor, &mut admin, 0);
    let before = resident(process.id());
    for number in 1..=10_000 {
        make(&mut vendor, &mut admin, number);
    }
    // One is over the number that there may be, and ended for the last one.
    assert!(!is_there(address, "0"));
    let all = control(address, "GET", "/sandboxes/1", "").ok().json();
    assert_eq!(all["requests"]["conversations"], 1);
    let more = resident(process.id()).saturating_sub(before);
    println!("10,000 sandboxes take {} KiB", more >> 10);
    more
}

#[test]
#[ignore = "measures memory, on the release binary: .ci/run"]
fn ten_thousand_sandboxes_fit_in_64_mib() {
    let more = cost(|vendor, _, number| {
        vendor.get(&format!("/s/{number}{NEWEST}")).ok();
    });
    assert!(more < MOST, "{more} bytes");
}

#[test]
#[ignore = "measures memory, on the release binary: .ci/run"]
fn ten_thousand_sandboxes_with_settings_of_their_own_fit_in_64_mib() {
    let settings = json!({
        "rate_limit": {"requests": 100, "seconds": 60},
        "faults": ["qa:status=503,times=2"],
        "hazards": ["arrival"],
    })
    .to_string();
    let more = cost(|vendor, admin, number| {
        let length = settings.len();
        admin.send(format!(
            "PUT /__admin/sandboxes/{number} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Length: {length}\r\n\r\n{settings}"
        ));
        admin.answer().ok();
        vendor.get(&format!("/s/{number}{NEWEST}")).ok();
    });
    assert!(more < MOST, "{more} bytes");
}
