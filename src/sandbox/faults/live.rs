//! Faults at work: which request meets which. The decision is a function of the seed, the
//! sandbox, the operation and the request's number, so a run that failed can be repeated, whatever
//! else the server does meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::{Delay, Fault};
use crate::contract::Operation;
use crate::records::generate::mix;

/// Which request of a sandbox: the how-manieth of its operation, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) operation: Operation,
    pub(crate) ordinal: u64,
}

/// What all draws of a sandbox depend on.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) seed: u64,
    pub(crate) sandbox: &'a str,
}

/// A fault with the id that answers name it by.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: Arc<str>,
    pub(crate) fault: Arc<Fault>,
}

impl Known {
    /// Gives a fault its id, where it has none by its number.
    ///
    /// # Errors
    ///
    /// Another one has its id.
    pub(crate) fn new(
        fault: Fault,
        number: usize,
        taken: impl Fn(&str) -> bool,
    ) -> Result<Self, String> {
        let id = match &fault.id {
            Some(id) if taken(id) => return Err(format!("there is a fault with the id {id}")),
            Some(id) => id.clone(),
            None => {
                let mut ids = (number..).map(|number| format!("fault-{number}"));
                ids.find(|id| !taken(id)).unwrap_or_default()
            }
        };
        Ok(Self { id: id.into(), fault: Arc::new(fault) })
    }
}

/// A fault with what it has met.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) known: Known,
    /// Requests that it covered.
    pub(crate) seen: u64,
    /// Requests that it struck.
    pub(crate) fired: u64,
}

/// A fault that strikes a request.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    /// `ID.OPERATION.ORDINAL`: asking for it again gives the same.
    pub(crate) id: String,
    pub(crate) fault: Arc<Fault>,
    pub(crate) delay: Duration,
    /// What garbage is drawn from.
    pub(crate) seed: u64,
}

impl Live {
    pub(crate) fn of(known: &Known) -> Self {
        Self { known: known.clone(), seen: 0, fired: 0 }
    }

    pub(crate) fn new(id: &str, fault: Fault) -> Self {
        Self::of(&Known { id: id.into(), fault: Arc::new(fault) })
    }

    /// Whether it has struck as often as it may.
    pub(crate) fn is_over(&self) -> bool {
        self.known.fault.schedule.times.is_some_and(|times| self.fired >= times)
    }

    /// The first of the faults that strikes a request. Each counts the requests that it covers,
    /// whether another one strikes them or not.
    pub(crate) fn strike(all: &mut [Self], origin: Origin, request: Occurrence) -> Option<Fired> {
        let mut struck = None;
        for live in all {
            if live.known.fault.covers(request.operation)
                && live.would_strike(origin, request)
                && struck.is_none()
            {
                live.fired += 1;
                struck = Some(live.fire(origin, request));
            }
        }
        struck
    }

    fn would_strike(&mut self, origin: Origin, request: Occurrence) -> bool {
        self.seen += 1;
        let schedule = self.known.fault.schedule;
        let turn = self.seen.saturating_sub(schedule.after);
        turn > 0
            && turn.is_multiple_of(schedule.every)
            && !self.is_over()
            && (schedule.probability >= 1.0
                || fraction(self.draw(origin, request, 0)) < schedule.probability)
    }

    /// What happens to a request that is struck.
    pub(crate) fn fire(&self, origin: Origin, request: Occurrence) -> Fired {
        let Occurrence { operation, ordinal } = request;
        let draw = |purpose| self.draw(origin, request, purpose);
        Fired {
            id: format!("{}.{}.{ordinal}", self.known.id, operation.id()),
            fault: Arc::clone(&self.known.fault),
            delay: self.known.fault.delay.map_or(Duration::ZERO, |delay| length(delay, draw)),
            seed: draw(3),
        }
    }

    fn draw(&self, origin: Origin, request: Occurrence, purpose: u64) -> u64 {
        let texts = [origin.sandbox, &self.known.id, request.operation.id()];
        let bytes = texts.iter().flat_map(|text| text.bytes().map(u64::from).chain([256]));
        bytes
            .chain([request.ordinal, purpose])
            .fold(mix(origin.seed ^ 0x9e37_79b9_7f4a_7c15), |word, next| {
                mix(word.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ next)
            })
    }
}

/// `0.0` up to, not including, `1.0`.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
fn fraction(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// A delay that is drawn.
fn length(delay: Delay, draw: impl Fn(u64) -> u64) -> Duration {
    let drawn = match delay {
        Delay::Fixed(delay) => delay,
        Delay::Uniform(least, most) => {
            least + most.saturating_sub(least).mul_f64(fraction(draw(1)))
        }
        Delay::LogNormal { median, sigma } => {
            // Box and Muller's transform: two even draws make a normal one.
            let radius = (-2.0 * (1.0 - fraction(draw(1))).ln()).sqrt();
            let normal = radius * (std::f64::consts::TAU * fraction(draw(2))).cos();
            let seconds = median.as_secs_f64() * (sigma * normal).exp();
            Duration::try_from_secs_f64(seconds).unwrap_or(Delay::LONGEST)
        }
    };
    // To the millisecond, as delays are told.
    Duration::from_millis(u64::try_from(drawn.min(Delay::LONGEST).as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { seed: 1, sandbox: "x" };

    /// The numbers of the first requests that are struck.
    fn struck(line: &str, origin: Origin) -> Vec<u64> {
        let mut all = [Live::new("f", line.parse().unwrap())];
        let operation = Operation::Messages;
        let strikes = |ordinal: &u64| {
            let request = Occurrence { operation, ordinal: *ordinal };
            Live::strike(&mut all, origin, request).is_some()
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
            assert_eq!(struck(line, ORIGIN), numbers, "{line}");
        }
    }

    #[test]
    fn chance_depends_on_seed_and_sandbox_alone() {
        let line = "break=reset,probability=0.5";
        let first = struck(line, ORIGIN);
        assert_eq!(first, struck(line, ORIGIN));
        assert!((1..12).contains(&first.len()), "{first:?}");
        assert_ne!(first, struck(line, Origin { seed: 2, ..ORIGIN }));
        assert_ne!(first, struck(line, Origin { sandbox: "y", ..ORIGIN }));
        // A prefix and the rest of it are not the same in two places.
        assert_ne!(
            struck("id=b,break=reset,probability=0.5", ORIGIN),
            struck("break=reset,probability=0.5", Origin { sandbox: "xf", ..ORIGIN })
        );
    }

    #[test]
    fn the_first_that_strikes_is_the_only_one_and_all_of_them_count() {
        let line = |line: &str| line.parse().unwrap();
        let mut all = [
            Live::new("a", line("break=reset,times=1")),
            Live::new("b", line("status=503,every=2")),
        ];
        let ids: Vec<_> = (1..=4)
            .map(|ordinal| {
                let request = Occurrence { operation: Operation::QaRecords, ordinal };
                Live::strike(&mut all, ORIGIN, request).map(|fired| fired.id)
            })
            .collect();
        let id = |id: &str| Some(id.to_owned());
        assert_eq!(ids, [id("a.qa.1"), id("b.qa.2"), None, id("b.qa.4")]);
        assert_eq!(all.map(|live| (live.seen, live.fired)), [(4, 1), (4, 2)]);
    }

    #[test]
    fn delays_are_drawn_within_their_bounds_and_spread_as_they_say() {
        let live = Live::new("f", "delay=100..900".parse().unwrap());
        let draws = |live: &Live| {
            let one = |ordinal| {
                live.fire(ORIGIN, Occurrence { operation: Operation::Messages, ordinal }).delay
            };
            (1..=2000).map(|ordinal| one(ordinal).as_millis()).collect::<Vec<_>>()
        };
        let uniform = draws(&live);
        assert!(uniform.iter().all(|ms| (100..=900).contains(ms)));
        assert!((450..550).contains(&(uniform.iter().sum::<u128>() / 2000)));
        let mut normal = draws(&Live::new("f", "delay=lognormal:200:0.5".parse().unwrap()));
        normal.sort_unstable();
        assert!((185..215).contains(&normal[1000]), "{}", normal[1000]);
        // One standard deviation each way: 200 times e to the half.
        assert!((110..135).contains(&normal[317]), "{}", normal[317]);
        assert!((300..365).contains(&normal[1683]), "{}", normal[1683]);
        let wild = draws(&Live::new("f", "delay=lognormal:600000:5".parse().unwrap()));
        assert_eq!(*wild.iter().max().unwrap(), Delay::LONGEST.as_millis());
    }
}
