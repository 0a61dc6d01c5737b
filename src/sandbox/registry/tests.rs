//! Tests of how sandboxes are made, found and ended.

use super::*;
use crate::records::RecordsConfig;

fn idle_after(sandbox_idle: Duration) -> Sandboxes {
    with_config(SandboxConfig { sandbox_idle, ..SandboxConfig::default() })
}

fn with_config(config: SandboxConfig) -> Sandboxes {
    let config = SandboxConfig {
        records: RecordsConfig { conversations: 1, ..RecordsConfig::default() },
        ..config
    };
    let settings = config.settings().unwrap();
    Sandboxes::new(World::new(&config.records).unwrap(), settings, config)
}

/// The settings of generated records.
fn records(seed: u64, conversations: u32) -> RecordsConfig {
    RecordsConfig { seed, conversations, ..RecordsConfig::default() }
}

#[test]
fn an_idle_sandbox_expires_unless_it_is_in_use() {
    let all = idle_after(Duration::from_secs(60));
    let used = all.get(Some("a")).unwrap().last_used_ms.load(Relaxed);
    let there = |later| all.get_live(&all.named.read(), "a", used + later).is_some();
    assert!(there(59_999));
    assert!(!there(60_000));
    let held = all.get(Some("a")).unwrap();
    assert!(there(1_000_000));
    drop(held);
}

#[test]
fn a_use_resets_the_idle_time() {
    let all = idle_after(Duration::from_secs(60));
    let used = || all.find("a").map(|sandbox| sandbox.last_used_ms.load(Relaxed));
    // Far ahead, so that no real time is taken for it.
    let mark = || all.get(Some("a")).unwrap().last_used_ms.store(1 << 40, Relaxed);
    mark();
    assert_eq!(used(), Some(1 << 40));
    all.get(Some("a")).unwrap();
    assert!(used().is_some_and(|used| used < 1 << 40));
    mark();
    all.put("a", None).unwrap();
    assert!(used().is_some_and(|used| used < 1 << 40));
}

#[test]
fn a_sweep_ends_expired_sandboxes_that_are_not_in_use() {
    let all = idle_after(Duration::ZERO);
    let held = all.get(Some("held")).unwrap();
    all.get(Some("a")).unwrap();
    all.sweep();
    let ids: Vec<_> = all.named.read().by_id.keys().cloned().collect();
    assert_eq!(ids, ["held".into()]);
    drop(held);
    all.sweep();
    assert!(all.named.read().by_id.is_empty());
}

#[test]
fn threads_that_use_a_new_id_at_once_get_the_same_sandbox() {
    const THREADS: usize = 4;
    let all = idle_after(Duration::from_secs(60));
    let together = std::sync::Barrier::new(THREADS);
    for number in 0..500 {
        let id = number.to_string();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    together.wait();
                    all.get(Some(&id))
                        .unwrap()
                        .strike(crate::contract::Operation::Messages, &|_| None);
                });
            }
        });
        let counted: u64 = all.get(Some(&id)).unwrap().requests().map(|(_, count)| count).sum();
        assert_eq!(counted, THREADS as u64);
    }
}

#[test]
fn sandboxes_share_what_never_changes() {
    let all = idle_after(Duration::from_secs(60));
    let (a, b) = (all.get(Some("a")).unwrap(), all.get(Some("b")).unwrap());
    assert!(Arc::ptr_eq(&a.settings, &b.settings));
    assert!(Arc::ptr_eq(&a.world(), &b.world()));
    let world = all.generated(&records(7, 10)).unwrap();
    assert!(Arc::ptr_eq(&world, &all.generated(&records(7, 10)).unwrap()));
    assert!(!Arc::ptr_eq(&world, &all.generated(&records(7, 11)).unwrap()));
}

#[test]
fn generated_records_are_freed_with_their_last_sandbox() {
    let all = idle_after(Duration::from_secs(60));
    let world = Arc::downgrade(&all.generated(&records(7, 10)).unwrap());
    assert!(world.upgrade().is_none());
    drop(all.generated(&records(8, 10)).unwrap());
    assert_eq!(all.generated.lock().len(), 1);
}

/// With one lock for all records, this test would never end.
#[test]
fn making_records_does_not_block_those_of_another_seed() {
    let all = idle_after(Duration::from_secs(60));
    let seven = WorldSlot::default();
    all.generated.lock().insert((7, 10, None), Arc::clone(&seven));
    let being_made = seven.lock();
    all.generated(&records(8, 10)).unwrap();
    drop(being_made);
}

/// How many sandboxes the eviction queue has looked at.
fn looks(all: &Sandboxes) -> u64 {
    all.named.read().eviction.looks
}

/// A server with a maximum of sandboxes.
fn at_most(sandboxes: usize) -> Sandboxes {
    with_config(SandboxConfig { sandboxes, ..SandboxConfig::default() })
}

#[test]
fn evicting_one_of_ten_thousand_looks_at_few() {
    const MAX: u64 = 10_000;
    let all = at_most(10_000);
    // Each is used again, and half of them with a known key.
    for number in (0..MAX).chain(0..MAX) {
        let sandbox = all.get(Some(&number.to_string())).unwrap();
        if number % 2 == 0 {
            sandbox.mark_authenticated();
        }
    }
    // Those without a known key end first.
    for number in MAX..MAX + MAX / 2 {
        all.get(Some(&number.to_string())).unwrap().mark_authenticated();
    }
    assert_eq!(all.named.read().by_id.len(), 10_000);
    let left = |number: u64| all.find(&number.to_string()).is_some();
    assert!((0..MAX).all(|number| left(number) == (number % 2 == 0)));
    // For each time that one was made, used or ended, and two more for each that was made.
    let times = 2 * MAX + 3 * MAX / 2;
    assert!(looks(&all) <= times + 2 * (MAX + MAX / 2), "{}", looks(&all));
    // Each of the others was used once since it was looked at.
    let most = looks(&all) + MAX / 2 + 4 * 1000;
    for number in 0..1000 {
        all.get(Some(&format!("new-{number}"))).unwrap();
    }
    assert!(looks(&all) <= most, "{} > {most}", looks(&all));
}

/// A new sandbox stays cheap while thousands of requests are in flight.
#[test]
fn eviction_passes_over_few_sandboxes_in_use() {
    let all = at_most(1_000);
    let held: Vec<_> =
        (0..2_000).map(|number| all.get(Some(&number.to_string())).unwrap()).collect();
    assert_eq!(all.named.read().by_id.len(), 2_000);
    assert!(looks(&all) <= 1_000 * 64 + 2 * 2_000, "{}", looks(&all));
    drop(held);
    for number in 0..200 {
        all.get(Some(&format!("new-{number}"))).unwrap();
    }
    assert_eq!(all.named.read().by_id.len(), 1_000);
}

#[test]
fn ended_sandboxes_leave_the_eviction_queue() {
    let all = at_most(10_000);
    for number in 0..1_000 {
        all.put(&number.to_string(), None).unwrap();
        all.end(&number.to_string()).unwrap();
    }
    assert!(all.named.read().eviction.len() < 100);
}

/// A sandbox that is replaced before a sweep has ended it still adds its verdict.
#[test]
fn a_replaced_sandbox_is_moved_to_the_ended() {
    let all = idle_after(Duration::from_secs(60));
    all.get(Some("a")).unwrap();
    let before = all.named.read().by_id["a"].clone();
    before.last_used_ms.store(0, Relaxed);
    drop(before);
    let mut named = all.named.write();
    let fresh = Arc::new(all.make("a", Arc::clone(&all.server), 0));
    let mut gone = Vec::new();
    all.insert(&mut named, &fresh, &mut gone);
    assert_eq!(gone.len(), 1);
}

/// Copying the journals of all sandboxes takes a while, in which others are made.
#[test]
fn a_sandbox_that_is_only_read_can_be_evicted() {
    let all = at_most(2);
    all.get(Some("a")).unwrap();
    all.get(Some("b")).unwrap();
    let read = all.all_live();
    all.get(Some("c")).unwrap();
    assert_eq!(all.named.read().by_id.len(), 2);
    assert!(all.find("a").is_none());
    drop(read);
}
