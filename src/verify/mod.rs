//! The contract's checks as a client of any server: the emulator, a proxy, the real service.
//!
//! 1. [`client`] sends one request after the other, at a rate ([`pace`]) and within a budget
//! 2. [`query`] makes right queries, [`response`] says what a response is, [`run`] records what each says of itself
//! 3. [`checks`] send requests, the most telling ones first
//! 4. [`ledger`] decides what became of each statement, and which readings the server shows
//! 5. [`render`] writes the report
//!
//! It sends `GET`, `HEAD` and `OPTIONS` only. Reports hold shapes, never a value of a record.

mod checks;
mod client;
mod describe;
mod ledger;
mod pace;
mod query;
mod render;
mod response;
mod rows;
mod run;
mod samples;
#[cfg(feature = "tls")]
mod tls;
mod transport_error;

pub(crate) use client::is_unencrypted;

use std::collections::HashMap;
use std::time::Duration;

use client::{Client, Stop, UnusableResponse};
use ledger::{Findings, Outcome, ShownValue};
use run::Run;

use crate::contract::{Code, Operation, ReadingRow, Statement, StatementId, statements};

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
    /// The longest that a response may take, from the look-up of the host to the last byte.
    pub(crate) timeout: Duration,
}

/// Where a run takes the time from.
pub(crate) trait Clock {
    /// How long the run lasts already.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn sleep(&self, duration: Duration);
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// `sent` requests were sent, of at most `of`.
    Sent { sent: u32, of: u32 },
    /// The server answered 429, and no request is sent for this long.
    Waiting(Duration),
}

/// What was found.
pub(crate) struct Report {
    against: String,
    requests: u32,
    /// How many of them were sent again, because no response came at first that could be used.
    sent_again: u32,
    /// What is wrong with the server as a whole.
    problems: Vec<String>,
    /// What a client should know, though nothing of the contract differs.
    notes: Vec<String>,
    /// Whether the first request had a page for its response: without one, nothing was tried.
    is_usable: bool,
    statements: Vec<(Statement, Outcome)>,
    readings: Vec<(&'static ReadingRow, ShownValue)>,
    /// What was asked where statements differ.
    asked: HashMap<StatementId, String>,
}

impl Report {
    /// Whether everything that could be tried holds, and the server could be tried at all.
    pub(crate) fn holds(&self) -> bool {
        self.problems.is_empty() && self.count(|one| matches!(one, Outcome::Differs(_))) == 0
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.statements.iter().filter(|(_, outcome)| is(outcome)).count()
    }
}

/// Verifies a server. Calls `progress` after each request and before each pause.
pub(crate) fn verify(options: &Options, clock: &dyn Clock, progress: &dyn Fn(Progress)) -> Report {
    let client = Client::new(options, clock, progress);
    let mut run = Run::new(client, &options.key, options.deleted_key.as_deref());
    let stop = checks::CHECKS.iter().find_map(|check| {
        run.ledger.last_request = None;
        run.unless_unanswered(check).err()
    });
    // What was sent more than once leaves less of a budget for the rest.
    let none_again = run.sent_again.is_empty() && run.client.rate_limited.is_none();
    run.record_rate_limit();
    for (statement, why) in NOT_TRIED {
        run.ledger.not_tried(*statement, why);
    }
    for statement in statements().iter().filter(|one| one.id.subject() == "emulator") {
        run.ledger.not_tried(statement.id, "they are about the emulator itself");
    }
    let rest = match stop {
        None if !run.problems.is_empty() => {
            "a request for it had no answer, or a failure of the server".to_owned()
        }
        None | Some(Stop::NoResponse { .. }) => "nothing that the agent has shows it".to_owned(),
        Some(Stop::BudgetSpent) => {
            let sent = run.client.sent;
            let more = if none_again && sent < ENOUGH {
                format!("--max-requests {ENOUGH} are enough for everything")
            } else {
                "a larger --max-requests tries the rest".to_owned()
            };
            format!("{sent} requests were used up; {more}")
        }
        Some(Stop::ServerUnusable(why)) => {
            if !run.problems.contains(&why) {
                run.problems.push(why.clone());
            }
            why
        }
    };
    let Run { client, ledger, problems, sent_again, samples, .. } = run;
    let mut notes: Vec<_> = sent_again.iter().map(describe_sent_again).collect();
    if client.with_lone_surrogates > 0 {
        notes.push(format!(
            "{} of its answers had half of a surrogate pair, as of an emoji that was cut in two; it \
             was read as U+FFFD, and many clients cannot read it",
            client.with_lone_surrogates
        ));
    }
    let Findings { statements, readings, requests: asked } = ledger.finish(&rest);
    Report {
        against: client.base().to_owned(),
        requests: client.sent,
        sent_again: sent_again.values().sum(),
        problems,
        notes,
        is_usable: samples.list().is_some(),
        statements,
        readings,
        asked,
    }
}

/// Says how many requests were sent again, and what came at first.
fn describe_sent_again((came, count): (&UnusableResponse, &u32)) -> String {
    match (came, count) {
        (UnusableResponse::Nothing, 1) => "1 request had no answer and was sent again".to_owned(),
        (UnusableResponse::Nothing, _) => {
            format!("{count} requests had no answer and were sent again")
        }
        (UnusableResponse::Failure(_), 1) => format!("1 answer was {came} and was asked for again"),
        (UnusableResponse::Failure(_), _) => {
            format!("{count} answers were {came} and were asked for again")
        }
    }
}

/// This many requests are enough for every check, if none is sent again.
const ENOUGH: u32 = 125;

/// What a client from outside cannot try, and why; and what is tried under another name.
const NOT_TRIED: &[(StatementId, &str)] = &[
    (StatementId::SeveralKeys, "needs a second key of the same agent"),
    (StatementId::Body, "no request of verify has a body"),
    (StatementId::error(None, Code::RateLimited), "the server gave no such answer"),
    (StatementId::error(None, Code::Internal), "the server gave no such answer"),
    (
        StatementId::error(Some(Operation::ConversationList), Code::PageExceedsTotal),
        "is answered under page-past-end=error only",
    ),
    (
        StatementId::error(Some(Operation::QaRecords), Code::PageExceedsTotal),
        "is answered under page-past-end=error only",
    ),
    (StatementId::MessagesOtherAgent, "needs a conversation of another agent"),
    (StatementId::MessagesV2OtherAgent, "needs a conversation of another agent"),
    (StatementId::ConversationsWindow, "conversations.start_time and .end_time tell it"),
    (StatementId::ConversationsUserExact, "conversations.user_id tells it"),
    (StatementId::MessagesPageSizeMax, "messages.page_size tells it"),
    (StatementId::MessagesV2First, "messages.first tells it"),
    (StatementId::MessagesV2EmptyConversation, "messages.empty-conversation tells it"),
    (StatementId::QaWindow, "qa.start_time and .end_time tell it"),
    (StatementId::RecordsTotals, "conversations.total tells it"),
    (StatementId::ChannelCase, "conversations.conversation_type tells it"),
    (StatementId::ChannelNeverAll, "conversations.row.conversation_type tells it"),
];

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::Server;

    /// A clock that goes on only by its own sleep.
    #[derive(Default)]
    struct SleepClock(Cell<Duration>);

    impl Clock for SleepClock {
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
    fn requests_are_sent_at_the_rate_and_each_is_reported() {
        let server = Server::start().unwrap();
        let (clock, steps) = (SleepClock::default(), RefCell::new(Vec::new()));
        let progress = |step| steps.borrow_mut().push(step);
        let report = verify(&options(&server, 5), &clock, &progress);
        assert!(report.holds());
        assert_eq!(steps.into_inner(), [1, 2, 3, 4, 5].map(|sent| Progress::Sent { sent, of: 5 }));
        // Four pauses of two seconds each.
        assert_eq!(clock.now(), Duration::from_secs(8));
    }

    #[test]
    fn after_a_429_no_request_is_sent_for_as_long_as_the_server_asks() {
        let window = Duration::from_secs(60);
        let server = Server::builder().rate_limit(1, window).start().unwrap();
        let clock = SleepClock::default();
        let report = verify(&options(&server, 60), &clock, &|_| {});
        // One that gets through, one that is refused and three more tries.
        assert_eq!(report.requests, 5);
        assert_eq!(report.problems, ["it answered 429 4 times in a row; try a lower --per-minute"]);
        // Its own clock stood still, so it asked for the whole window each time.
        let asked = clock.now().as_secs();
        assert!((174..=190).contains(&asked), "{asked}");
        let limited = report
            .statements
            .iter()
            .find(|(one, _)| one.id == StatementId::error(None, Code::RateLimited));
        assert_eq!(limited.map(|(_, outcome)| outcome), Some(&Outcome::Holds));
    }
}
