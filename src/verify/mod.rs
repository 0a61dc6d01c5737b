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
