//! Which sandboxes are there, and for how long.

use super::*;
use crate::config::Limits;

fn idle_after(sandbox_idle: Duration) -> Sandboxes {
    let limits = Limits { sandbox_idle, ..Limits::default() };
    let config = Config { limits, conversations: 1, ..Config::default() };
    let faults = crate::sandbox::number_faults(config.faults.clone()).unwrap();
    Sandboxes::new(World::new(&config).unwrap(), faults, config)
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
    let ids: Vec<_> = all.read().keys().cloned().collect();
    assert_eq!(ids, ["held".into()]);
    drop(held);
    all.sweep();
    assert!(all.read().is_empty());
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
