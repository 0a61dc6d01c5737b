//! The memory of 10,000 sandboxes: the resident memory of the real binary, as Linux shows it.
#![cfg(target_os = "linux")]

use serde_json::json;

use crate::support::client::{Connection, NEWEST};
use crate::support::control::{control, control_bytes, is_there};
use crate::support::process::Process;
use crate::support::wire::Wire;

/// The memory that 10,000 sandboxes may take in addition to the empty server.
const MOST_KIB: u64 = 64 << 10;

/// How many KiB more a server takes with 10,000 sandboxes that `make` creates.
#[track_caller]
fn cost(make: impl Fn(&mut Connection, &mut Wire, u32)) -> u64 {
    let (process, address) = Process::serve(&["--log-format", "off"]);
    let mut vendor = Connection::open(address, "app-demo");
    let mut admin = Wire::open(address);
    // Memory that is allocated once, at the first use, does not belong to a sandbox.
    vendor.get(NEWEST).ok();
    make(&mut vendor, &mut admin, 0);
    let before = process.resident_kib().unwrap();
    for number in 1..=10_000 {
        make(&mut vendor, &mut admin, number);
    }
    // One sandbox exceeded the limit, so it was evicted for the last one.
    assert!(!is_there(address, "0"));
    let all = control(address, "GET", "/sandboxes/1", "").ok().json();
    assert_eq!(all["state"]["requests"]["conversations"], 1);
    let more = process.resident_kib().unwrap().saturating_sub(before);
    println!("10,000 sandboxes take {more} KiB");
    more
}

#[test]
#[ignore = "measures memory, on the release binary: .ci/run"]
fn ten_thousand_sandboxes_fit_in_64_mib() {
    let more = cost(|vendor, _, number| {
        vendor.get(&format!("/s/{number}{NEWEST}")).ok();
    });
    assert!(more < MOST_KIB, "{more} KiB");
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
        let path = format!("/sandboxes/{number}");
        admin.send(control_bytes("PUT", &path, "", settings.as_bytes()));
        admin.answer().ok();
        vendor.get(&format!("/s/{number}{NEWEST}")).ok();
    });
    assert!(more < MOST_KIB, "{more} KiB");
}
