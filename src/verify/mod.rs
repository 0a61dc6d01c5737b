//! The contract's checks as a client of any server: the emulator, a proxy, the real service.
//!
//! 1. [`client`] sends one request after the other, at a rate ([`pace`]) and within a budget
//! 2. [`seen`] says what an answer is, [`run`] notes what each says of itself
//! 3. [`checks`] ask, in the order of what their answers tell
//! 4. [`ledger`] decides what became of each statement, and which readings the server shows
//! 5. [`render`] writes the report
//!
//! It sends `GET`, `HEAD` and `OPTIONS` only. What it tells holds shapes, never a value of a record.

mod checks;
mod client;
mod known;
mod ledger;
mod pace;
mod render;
mod rows;
mod run;
mod seen;
mod shape;
mod trouble;

use std::time::Duration;

use client::{Client, Stop};
use ledger::{Closed, Outcome, Shown};
use run::Run;

use crate::contract::{ReadingRow, Statement};

/// What is to be verified, and how gently.
#[derive(Clone)]
pub(crate) struct Options {
    /// Where the server is: scheme, host, and a path before those of the endpoints if need be.
    pub(crate) against: String,
    /// A key of an agent that has records.
    pub(crate) key: String,
    /// A key of an agent that was deleted.
    pub(crate) deleted_key: Option<String>,
    /// The most requests that are sent.
    pub(crate) max_requests: u32,
    /// The most that are sent in a minute.
    pub(crate) per_minute: u32,
    /// The longest that an answer may take, from the name to the last byte.
    pub(crate) timeout: Duration,
}

/// The time, as it passes.
pub(crate) trait Clock {
    /// How long the run lasts already.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn sleep(&self, duration: Duration);
}

/// What was found.
pub(crate) struct Report {
    against: String,
    requests: u32,
    /// What is wrong with the server as a whole.
    troubles: Vec<String>,
    statements: Vec<(Statement, Outcome)>,
    readings: Vec<(&'static ReadingRow, Shown)>,
}

impl Report {
    /// Whether everything that could be tried holds, and the server could be tried at all.
    pub(crate) fn holds(&self) -> bool {
        self.troubles.is_empty() && self.count(|one| matches!(one, Outcome::Differs(_))) == 0
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.statements.iter().filter(|(_, outcome)| is(outcome)).count()
    }
}

/// Verifies a server. `progress` is told after each request how many were sent, and of how many.
pub(crate) fn verify(options: &Options, clock: &dyn Clock, progress: &dyn Fn(u32, u32)) -> Report {
    let client = Client::new(options, clock, progress);
    let mut run = Run::new(client, &options.key, options.deleted_key.as_deref());
    let stopped = checks::CHECKS.iter().try_for_each(|check| check(&mut run)).err();
    run.note_limit();
    for (statement, why) in UNTRIED {
        run.ledger.untried(statement, why);
    }
    let rest = match stopped {
        None => "nothing that the agent has shows it".to_owned(),
        Some(Stop::Budget) => {
            let sent = run.client.sent;
            format!(
                "{sent} requests were used up; --max-requests {ENOUGH} are enough for everything"
            )
        }
        Some(Stop::Lost(why)) => {
            let why = run.ledger.public(why);
            if !run.troubles.contains(&why) {
                run.troubles.push(why.clone());
            }
            why
        }
    };
    let Run { client, ledger, troubles, .. } = run;
    let Closed { statements, readings } = ledger.close(&rest);
    Report {
        against: client.base().to_owned(),
        requests: client.sent,
        troubles,
        statements,
        readings,
    }
}

/// So many requests are enough for every check.
const ENOUGH: u32 = 120;

/// What no request of a stranger can try, and why.
const UNTRIED: &[(&str, &str)] = &[
    ("everywhere.several-keys", "needs a second key of the same agent"),
    ("everywhere.40008", "was not met"),
    ("everywhere.50000", "was not met"),
    ("conversations.40005", "is answered under page-past-end=error only"),
    ("qa.40005", "is answered under page-past-end=error only"),
    ("messages.other-agent", "needs a conversation of another agent"),
    ("emulator.examples", "is about the emulator's own records"),
    ("emulator.ids", "is about the emulator's own records"),
    ("emulator.same-bytes", "is about the emulator's own records"),
];

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::Server;

    /// A time that passes only while somebody sleeps.
    #[derive(Default)]
    struct Asleep(Cell<Duration>);

    impl Clock for Asleep {
        fn now(&self) -> Duration {
            self.0.get()
        }

        fn sleep(&self, duration: Duration) {
            self.0.set(self.0.get() + duration);
        }
    }

    fn options(server: &Server, max_requests: u32) -> Options {
        Options {
            against: server.url().to_owned(),
            key: server.api_key().to_owned(),
            deleted_key: None,
            max_requests,
            per_minute: 30,
            timeout: Duration::from_secs(20),
        }
    }

    #[test]
    fn requests_go_out_at_the_rate_and_progress_is_told() {
        let server = Server::start().unwrap();
        let (clock, told) = (Asleep::default(), RefCell::new(Vec::new()));
        let progress = |sent, of| told.borrow_mut().push((sent, of));
        let report = verify(&options(&server, 5), &clock, &progress);
        assert!(report.holds());
        assert_eq!(told.into_inner(), [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
        // Four pauses of two seconds each.
        assert_eq!(clock.now(), Duration::from_secs(8));
    }

    #[test]
    fn a_server_that_has_had_enough_is_left_alone_for_as_long_as_it_asks() {
        let window = Duration::from_secs(60);
        let server = Server::builder().rate_limit(1, window).start().unwrap();
        let clock = Asleep::default();
        let report = verify(&options(&server, 60), &clock, &|_, _| {});
        // One that gets through, one that is refused and three more tries.
        assert_eq!(report.requests, 5);
        assert_eq!(report.troubles, ["it answered 429 4 times in a row; try a lower --per-minute"]);
        // Its own clock stood still, so it asked for the whole window each time.
        let asked = clock.now().as_secs();
        assert!((174..=190).contains(&asked), "{asked}");
        let limited = report.statements.iter().find(|(one, _)| one.id == "everywhere.40008");
        assert_eq!(limited.map(|(_, outcome)| outcome), Some(&Outcome::Holds));
    }
}
