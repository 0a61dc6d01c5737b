//! Random cases, the same in every run.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Runs a test on cases drawn from a strategy. A case that panics is made smaller and shown.
#[track_caller]
pub(crate) fn for_all<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value))
where
    S::Value: Clone,
{
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_251_020),
        // Enough for a readable case; the rest is only patience.
        max_shrink_iters: 300,
        ..Config::default()
    });
    let outcome = runner.run(strategy, |case| {
        test(case);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
