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
#[cfg(feature = "tls")]
mod tls;
mod trouble;

pub(crate) use client::is_in_clear;

use std::time::Duration;

use client::{Client, Stop};
use ledger::{Closed, Outcome, Shown};
use run::Run;

use crate::contract::{ReadingRow, Statement, statements};

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

/// How a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many requests were sent, of so many.
    Sent { sent: u32, of: u32 },
    /// The server has had enough, and is left alone for this long.
    Waiting(Duration),
}

/// What was found.
pub(crate) struct Report {
    against: String,
    requests: u32,
    /// How many of them were sent again, because no answer came at first.
    again: u32,
    /// What is wrong with the server as a whole.
    troubles: Vec<String>,
    /// Whether nothing came of the first request.
    is_lost: bool,
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

/// Verifies a server. `progress` is told after each request and before each pause.
pub(crate) fn verify(options: &Options, clock: &dyn Clock, progress: &dyn Fn(Step)) -> Report {
    let client = Client::new(options, clock, progress);
    let mut run = Run::new(client, &options.key, options.deleted_key.as_deref());
    let stopped = checks::CHECKS.iter().find_map(|check| run.unless_silent(check).err());
    run.note_limit();
    for (statement, why) in UNTRIED {
        run.ledger.untried(statement, why);
    }
    for one in statements().iter().filter(|one| one.subject() == "emulator") {
        run.ledger.untried(&one.id, OF_EMULATOR);
    }
    let rest = match stopped {
        None if !run.troubles.is_empty() => "a request for it had no answer".to_owned(),
        None | Some(Stop::Silent) => "nothing that the agent has shows it".to_owned(),
        Some(Stop::Budget) => {
            let sent = run.client.sent;
            format!(
                "{sent} requests were used up; --max-requests {ENOUGH} are enough for everything"
            )
        }
        Some(Stop::Lost(why)) => {
            if !run.troubles.contains(&why) {
                run.troubles.push(why.clone());
            }
            why
        }
    };
    let is_lost = run.known.list.is_none();
    let Run { client, ledger, troubles, again, .. } = run;
    let Closed { statements, readings } = ledger.close(&rest);
    Report {
        against: client.base().to_owned(),
        requests: client.sent,
        again,
        troubles,
        is_lost,
        statements,
        readings,
    }
}

/// So many requests are enough for every check.
const ENOUGH: u32 = 125;

/// What no request of a stranger can try, and why; and what is tried under another name.
const UNTRIED: &[(&str, &str)] = &[
    ("everywhere.several-keys", "needs a second key of the same agent"),
    ("everywhere.body", "no request of verify has a body"),
    ("everywhere.40008", "was not met"),
    ("everywhere.50000", "was not met"),
    ("conversations.40005", "is answered under page-past-end=error only"),
    ("qa.40005", "is answered under page-past-end=error only"),
    ("messages.other-agent", "needs a conversation of another agent"),
    ("messages-v2.other-agent", "needs a conversation of another agent"),
    ("conversations.window", "conversations.start_time and .end_time tell it"),
    ("conversations.user-exact", "conversations.user_id tells it"),
    ("messages.page_size-max", "messages.page_size tells it"),
    ("messages-v2.first", "messages.first tells it"),
    ("messages-v2.empty-conversation", "messages.empty-conversation tells it"),
    ("qa.window", "qa.start_time and .end_time tell it"),
    ("records.totals", "conversations.total tells it"),
    ("channel.case", "conversations.conversation_type tells it"),
    ("channel.never-all", "conversations.row.conversation_type tells it"),
];

/// Why what the emulator promises is not tried.
const OF_EMULATOR: &str = "is about the emulator itself";

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
        let progress = |step| told.borrow_mut().push(step);
        let report = verify(&options(&server, 5), &clock, &progress);
        assert!(report.holds());
        assert_eq!(told.into_inner(), [1, 2, 3, 4, 5].map(|sent| Step::Sent { sent, of: 5 }));
        // Four pauses of two seconds each.
        assert_eq!(clock.now(), Duration::from_secs(8));
    }

    #[test]
    fn a_server_that_has_had_enough_is_left_alone_for_as_long_as_it_asks() {
        let window = Duration::from_secs(60);
        let server = Server::builder().rate_limit(1, window).start().unwrap();
        let clock = Asleep::default();
        let report = verify(&options(&server, 60), &clock, &|_| {});
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
