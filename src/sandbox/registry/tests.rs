//! Which sandboxes are there, and for how long.

use super::*;
use crate::records::RecordsConfig;
use crate::sandbox::config::Limits;

fn idle_after(sandbox_idle: Duration) -> Sandboxes {
    let limits = Limits { sandbox_idle, ..Limits::default() };
    let config = Config {
        limits,
        records: RecordsConfig { conversations: 1, ..RecordsConfig::default() },
        ..Config::default()
    };
    let faults = crate::sandbox::number_faults(config.faults.clone()).unwrap();
    Sandboxes::new(World::new(&config.records).unwrap(), faults, config)
}

#[test]
fn a_sandbox_is_over_when_it_was_idle_for_long_enough() {
    let all = idle_after(Duration::from_secs(60));
    let used = all.get(Some("a")).used.load(Relaxed);
    let there = |later| all.among(&all.read(), "a", used + later).is_some();
    assert!(there(59_999));
    assert!(!there(60_000));
    let held = all.get(Some("a"));
    assert!(there(1_000_000));
    drop(held);
}

#[test]
fn the_time_of_its_last_use_counts() {
    let all = idle_after(Duration::from_secs(60));
    let used = || all.find("a").map(|sandbox| sandbox.used.load(Relaxed));
    // Far ahead, so that no real time is taken for it.
    let mark = || all.get(Some("a")).used.store(1 << 40, Relaxed);
    mark();
    assert_eq!(used(), Some(1 << 40));
    all.get(Some("a"));
    assert!(used().is_some_and(|used| used < 1 << 40));
    mark();
    all.put("a", None);
    assert!(used().is_some_and(|used| used < 1 << 40));
}

#[test]
fn a_sweep_ends_those_that_are_over_and_in_nobodys_use() {
    let all = idle_after(Duration::ZERO);
    let held = all.get(Some("held"));
    all.get(Some("a"));
    all.sweep();
    let ids: Vec<_> = all.read().by_id.keys().cloned().collect();
    assert_eq!(ids, ["held".into()]);
    drop(held);
    all.sweep();
    assert!(all.read().by_id.is_empty());
}

/// Whoever is quicker makes it; nobody is in another one of the same id.
#[test]
fn threads_that_name_a_new_sandbox_at_once_are_in_the_same() {
    const THREADS: usize = 4;
    let all = idle_after(Duration::from_secs(60));
    let together = std::sync::Barrier::new(THREADS);
    for number in 0..500 {
        let id = number.to_string();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    together.wait();
                    all.get(Some(&id)).count(crate::contract::Operation::Messages);
                });
            }
        });
        let counted: u64 = all.get(Some(&id)).requests().map(|(_, count)| count).sum();
        assert_eq!(counted, THREADS as u64);
    }
}

#[test]
fn sandboxes_share_what_never_changes() {
    let all = idle_after(Duration::from_secs(60));
    let (a, b) = (all.get(Some("a")), all.get(Some("b")));
    assert!(Arc::ptr_eq(&a.settings, &b.settings));
    assert!(Arc::ptr_eq(&a.world(), &b.world()));
    let world = all.generated(7, 10);
    assert!(Arc::ptr_eq(&world, &all.generated(7, 10)));
    assert!(!Arc::ptr_eq(&world, &all.generated(7, 11)));
}

#[test]
fn generated_records_go_with_their_last_sandbox() {
    let all = idle_after(Duration::from_secs(60));
    let world = Arc::downgrade(&all.generated(7, 10));
    assert!(world.upgrade().is_none());
    drop(all.generated(8, 10));
    assert_eq!(all.generated.lock().unwrap().len(), 1);
}

/// With one lock for all of them, this would wait for ever.
#[test]
fn records_of_one_seed_do_not_wait_for_those_of_another() {
    let all = idle_after(Duration::from_secs(60));
    let seven = Generated::default();
    all.generated.lock().unwrap().insert((7, 10), Arc::clone(&seven));
    let being_made = seven.lock().unwrap();
    all.generated(8, 10);
    drop(being_made);
}

/// How many sandboxes the eviction has looked at.
fn looks(all: &Sandboxes) -> u64 {
    all.read().eviction.looks
}

/// A server of at most so many sandboxes.
fn at_most(sandboxes: usize) -> Sandboxes {
    let limits = Limits { sandboxes, ..Limits::default() };
    let config = Config {
        limits,
        records: RecordsConfig { conversations: 1, ..RecordsConfig::default() },
        ..Config::default()
    };
    let faults = crate::sandbox::number_faults(config.faults.clone()).unwrap();
    Sandboxes::new(World::new(&config.records).unwrap(), faults, config)
}

#[test]
fn a_sandbox_beyond_ten_thousand_looks_at_one_or_two_others() {
    const MOST: u64 = 10_000;
    let all = at_most(10_000);
    // Each is used again, and half of them with a known key.
    for number in (0..MOST).chain(0..MOST) {
        let sandbox = all.get(Some(&number.to_string()));
        if number % 2 == 0 {
            sandbox.mark_authenticated();
        }
    }
    // Those without a known key end first.
    for number in MOST..MOST + MOST / 2 {
        all.get(Some(&number.to_string())).mark_authenticated();
    }
    assert_eq!(all.read().by_id.len(), 10_000);
    let left = |number: u64| all.find(&number.to_string()).is_some();
    assert!((0..MOST).all(|number| left(number) == (number % 2 == 0)));
    // For each time that one was made, used or ended, and two more for each that was made.
    let times = 2 * MOST + 3 * MOST / 2;
    assert!(looks(&all) <= times + 2 * (MOST + MOST / 2), "{}", looks(&all));
    // Each of the others was used once since it was looked at.
    let most = looks(&all) + MOST / 2 + 4 * 1000;
    for number in 0..1000 {
        all.get(Some(&format!("new-{number}")));
    }
    assert!(looks(&all) <= most, "{} > {most}", looks(&all));
}

/// Thousands of requests in flight do not make each new sandbox dear.
#[test]
fn few_of_those_in_use_are_passed_over() {
    let all = at_most(1_000);
    let held: Vec<_> = (0..2_000).map(|number| all.get(Some(&number.to_string()))).collect();
    assert_eq!(all.read().by_id.len(), 2_000);
    assert!(looks(&all) <= 1_000 * 64 + 2 * 2_000, "{}", looks(&all));
    drop(held);
    for number in 0..200 {
        all.get(Some(&format!("new-{number}")));
    }
    assert_eq!(all.read().by_id.len(), 1_000);
}

#[test]
fn sandboxes_that_are_made_and_ended_leave_nothing_behind() {
    let all = at_most(10_000);
    for number in 0..1_000 {
        all.put(&number.to_string(), None);
        all.end(&number.to_string());
    }
    assert!(all.read().eviction.len() < 100);
}

/// One that was idle for too long, and is asked again before it was swept, is kept in mind, too.
#[test]
fn a_sandbox_that_is_made_anew_leaves_its_verdict() {
    let all = idle_after(Duration::from_secs(60));
    all.get(Some("a"));
    let before = all.read().by_id["a"].clone();
    before.used.store(0, Relaxed);
    drop(before);
    let mut named = all.write();
    let fresh = Arc::new(all.make("a", Arc::clone(&all.server), 0));
    let mut gone = Vec::new();
    all.insert(&mut named, &fresh, &mut gone);
    assert_eq!(gone.len(), 1);
}

/// To copy the journals of all sandboxes takes a while, in which others are made.
#[test]
fn a_sandbox_that_is_only_read_gives_way() {
    let all = at_most(2);
    all.get(Some("a"));
    all.get(Some("b"));
    let read = all.everyone();
    all.get(Some("c"));
    assert_eq!(all.read().by_id.len(), 2);
    assert!(all.find("a").is_none());
    drop(read);
}
