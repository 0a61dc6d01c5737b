//! Decides which fault is applied to ("strikes") which request. The decision depends only on the seed,
//! the sandbox, the operation and the number of the request, so that a failed run can be repeated,
//! whatever else the server does meanwhile. A fault with request parameters uses its own count of the
//! matching requests instead of the number of the request, because requests with other parameters must
//! not change the result.

use std::sync::Arc;
use std::time::Duration;

use super::{Delay, Fault, ParamValues};
use crate::contract::{Field, Operation};
use crate::records::generate::mix;

/// A request of a sandbox, by its number among the requests of its operation, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) operation: Operation,
    pub(crate) ordinal: u64,
}

/// The seed of all random choices in a sandbox.
#[derive(Clone, Copy)]
pub(crate) struct DrawSeed<'a> {
    pub(crate) seed: u64,
    pub(crate) sandbox: &'a str,
}

/// A fault with its id in `x-mock-fault`.
#[derive(Clone, Debug)]
pub(crate) struct NamedFault {
    pub(crate) id: Arc<str>,
    pub(crate) fault: Arc<Fault>,
}

/// A fault of a sandbox, with its counts.
#[derive(Clone, Debug)]
pub(crate) struct ArmedFault {
    pub(crate) definition: NamedFault,
    /// How many requests matched it.
    pub(crate) requests: u64,
    /// How many requests it struck.
    pub(crate) strikes: u64,
}

/// A fault that strikes a request.
#[derive(Clone, Debug)]
pub(crate) struct InjectedFault {
    /// `ID.OPERATION.ORDINAL`. A request that asks for this id gets the same fault.
    pub(crate) id: String,
    pub(crate) fault: Arc<Fault>,
    pub(crate) delay: Duration,
    /// The seed of a garbage body.
    pub(crate) seed: u64,
}

impl ArmedFault {
    pub(crate) fn of(definition: &NamedFault) -> Self {
        Self { definition: definition.clone(), requests: 0, strikes: 0 }
    }

    pub(crate) fn new(id: &str, fault: Fault) -> Self {
        Self::of(&NamedFault { id: id.into(), fault: Arc::new(fault) })
    }

    /// How many bytes of memory it takes with its definition.
    pub(crate) fn bytes(&self) -> usize {
        let NamedFault { id, fault } = &self.definition;
        let texts = fault.params.iter().map(|(_, value)| value.capacity());
        let params = fault.params.capacity() * size_of::<(Field, String)>();
        // The fault contains the id, too.
        size_of::<Self>() + size_of::<Fault>() + 2 * id.len() + params + texts.sum::<usize>()
    }

    /// Whether it has struck as often as `times` allows.
    pub(crate) fn is_expired(&self) -> bool {
        self.definition.fault.schedule.times.is_some_and(|times| self.strikes >= times)
    }

    /// The first of the faults that strikes a request. Every fault counts the requests that match
    /// it, whether another one strikes them or not.
    pub(crate) fn strike(
        all: &mut [Self],
        seed: DrawSeed,
        request: Occurrence,
        params: ParamValues<'_>,
    ) -> Option<InjectedFault> {
        let mut struck = None;
        for armed in all {
            let fault = &armed.definition.fault;
            if !fault.matches(request.operation, params) {
                continue;
            }
            armed.requests += 1;
            let ordinal = if fault.params.is_empty() { request.ordinal } else { armed.requests };
            let request = Occurrence { ordinal, ..request };
            if armed.would_strike(seed, request) && struck.is_none() {
                armed.strikes += 1;
                struck = Some(armed.inject(seed, request));
            }
        }
        struck
    }

    fn would_strike(&self, seed: DrawSeed, request: Occurrence) -> bool {
        let schedule = self.definition.fault.schedule;
        let turn = self.requests.saturating_sub(schedule.after);
        turn > 0
            && turn.is_multiple_of(schedule.every)
            && !self.is_expired()
            && (schedule.probability >= 1.0
                || fraction(self.draw(seed, request, 0)) < schedule.probability)
    }

    /// The fault as it is applied to one request.
    pub(crate) fn inject(&self, seed: DrawSeed, request: Occurrence) -> InjectedFault {
        let Occurrence { operation, ordinal } = request;
        let draw = |purpose| self.draw(seed, request, purpose);
        InjectedFault {
            id: format!("{}.{}.{ordinal}", self.definition.id, operation.id()),
            fault: Arc::clone(&self.definition.fault),
            delay: self.definition.fault.delay.map_or(Duration::ZERO, |delay| length(delay, draw)),
            seed: draw(3),
        }
    }

    fn draw(&self, seed: DrawSeed, request: Occurrence, purpose: u64) -> u64 {
        let texts = [seed.sandbox, &self.definition.id, request.operation.id()];
        let bytes = texts.iter().flat_map(|text| text.bytes().map(u64::from).chain([256]));
        bytes
            .chain([request.ordinal, purpose])
            .fold(mix(seed.seed ^ 0x9e37_79b9_7f4a_7c15), |word, next| {
                mix(word.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ next)
            })
    }
}

/// A number from 0.0 up to, not including, 1.0.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
fn fraction(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// Draws how long a delay is.
fn length(delay: Delay, draw: impl Fn(u64) -> u64) -> Duration {
    let drawn = match delay {
        Delay::Fixed(delay) => delay,
        Delay::Uniform(least, most) => {
            least + most.saturating_sub(least).mul_f64(fraction(draw(1)))
        }
        Delay::LogNormal { median, sigma } => {
            // The Box-Muller transform makes a normally distributed number of two evenly
            // distributed ones.
            let radius = (-2.0 * (1.0 - fraction(draw(1))).ln()).sqrt();
            let normal = radius * (std::f64::consts::TAU * fraction(draw(2))).cos();
            let seconds = median.as_secs_f64() * (sigma * normal).exp();
            Duration::try_from_secs_f64(seconds).unwrap_or(Delay::LONGEST)
        }
    };
    // Delays are written in milliseconds.
    let ms = drawn.min(Delay::LONGEST).as_millis();
    Duration::from_millis(u64::try_from(ms).expect("ten minutes of milliseconds fit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: DrawSeed = DrawSeed { seed: 1, sandbox: "x" };

    /// The numbers of the first requests that are struck.
    fn struck(line: &str, seed: DrawSeed) -> Vec<u64> {
        let mut all = [ArmedFault::new("f", line.parse().unwrap())];
        let operation = Operation::Messages;
        let strikes = |ordinal: &u64| {
            let request = Occurrence { operation, ordinal: *ordinal };
            ArmedFault::strike(&mut all, seed, request, &|_| None).is_some()
        };
        (1..=12).filter(strikes).collect()
    }

    #[test]
    fn schedules_add_up() {
        for (line, numbers) in [
            ("break=reset,times=2", &[1, 2][..]),
            ("break=reset,after=10", &[11, 12]),
            ("break=reset,every=5", &[5, 10]),
            ("break=reset,every=5,after=3", &[8]),
            ("break=reset,every=2,times=2,after=1", &[3, 5]),
            ("qa:break=reset", &[]),
        ] {
            assert_eq!(struck(line, SEED), numbers, "{line}");
        }
    }

    #[test]
    fn chance_depends_on_seed_and_sandbox_alone() {
        let line = "break=reset,probability=0.5";
        let first = struck(line, SEED);
        assert_eq!(first, struck(line, SEED));
        assert!((1..12).contains(&first.len()), "{first:?}");
        assert_ne!(first, struck(line, DrawSeed { seed: 2, ..SEED }));
        assert_ne!(first, struck(line, DrawSeed { sandbox: "y", ..SEED }));
        // A prefix and the rest of it are not the same in two places.
        assert_ne!(
            struck("id=b,break=reset,probability=0.5", SEED),
            struck("break=reset,probability=0.5", DrawSeed { sandbox: "xf", ..SEED })
        );
    }

    #[test]
    fn the_first_that_strikes_is_the_only_one_and_all_of_them_count() {
        let line = |line: &str| line.parse().unwrap();
        let mut all = [
            ArmedFault::new("a", line("break=reset,times=1")),
            ArmedFault::new("b", line("status=503,every=2")),
        ];
        let ids: Vec<_> = (1..=4)
            .map(|ordinal| {
                let request = Occurrence { operation: Operation::QaRecords, ordinal };
                ArmedFault::strike(&mut all, SEED, request, &|_| None).map(|injected| injected.id)
            })
            .collect();
        let id = |id: &str| Some(id.to_owned());
        assert_eq!(ids, [id("a.qa.1"), id("b.qa.2"), None, id("b.qa.4")]);
        assert_eq!(all.map(|armed| (armed.requests, armed.strikes)), [(4, 1), (4, 2)]);
    }

    #[test]
    fn delays_are_drawn_within_their_bounds_and_spread_as_they_say() {
        let armed = ArmedFault::new("f", "delay=100..900".parse().unwrap());
        let draws = |armed: &ArmedFault| {
            let one = |ordinal| {
                armed.inject(SEED, Occurrence { operation: Operation::Messages, ordinal }).delay
            };
            (1..=2000).map(|ordinal| one(ordinal).as_millis()).collect::<Vec<_>>()
        };
        let uniform = draws(&armed);
        assert!(uniform.iter().all(|ms| (100..=900).contains(ms)));
        assert!((450..550).contains(&(uniform.iter().sum::<u128>() / 2000)));
        let mut normal = draws(&ArmedFault::new("f", "delay=lognormal:200:0.5".parse().unwrap()));
        normal.sort_unstable();
        assert!((185..215).contains(&normal[1000]), "{}", normal[1000]);
        // One standard deviation each way: 200 times e to the half.
        assert!((110..135).contains(&normal[317]), "{}", normal[317]);
        assert!((300..365).contains(&normal[1683]), "{}", normal[1683]);
        let wild = draws(&ArmedFault::new("f", "delay=lognormal:600000:5".parse().unwrap()));
        assert_eq!(*wild.iter().max().unwrap(), Delay::LONGEST.as_millis());
    }
}
