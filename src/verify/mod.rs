//! Checks the contract as a client of any server: the emulator, a proxy or the real service.
//!
//! 1. [`client`] sends requests one after the other, at a rate ([`pace`]) and within a budget
//! 2. [`query`] builds valid queries, [`response`] classifies responses, [`run`] records what every response shows
//! 3. [`checks`] send requests, the most informative ones first
//! 4. [`ledger`] decides whether each statement holds, and which readings the server shows
//! 5. [`render`] writes the report
//!
//! Only `GET`, `HEAD` and `OPTIONS` are sent. Reports contain the shapes of data, never a value of a record.

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
use crate::report::counted;

/// What is verified, and at which rate.
#[derive(Clone)]
pub(crate) struct Options {
    /// The URL of the server: scheme, host, and the path before the paths of the endpoints, if any.
    pub(crate) against: String,
    /// A key of an agent that has records.
    pub(crate) key: String,
    /// A key of an agent that was deleted.
    pub(crate) deleted_key: Option<String>,
    /// The most requests that are sent.
    pub(crate) max_requests: u32,
    /// The most that are sent in a minute.
    pub(crate) per_minute: u32,
    /// The longest time that a response may take, from the look-up of the host to the last byte.
    pub(crate) timeout: Duration,
}

/// The clock of a run.
pub(crate) trait Clock {
    /// The time since the start of the run.
    fn now(&self) -> Duration;
    /// Waits.
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

/// The result of a run.
pub(crate) struct Report {
    against: String,
    requests: u32,
    /// How many of them were retries, after an attempt without a usable response.
    sent_again: u32,
    /// What is wrong with the server as a whole.
    problems: Vec<String>,
    /// Facts that a client should know, although they do not violate the contract.
    notes: Vec<String>,
    /// Whether the response to the first request was a page. Without one, nothing was tried.
    is_usable: bool,
    statements: Vec<(Statement, Outcome)>,
    readings: Vec<(&'static ReadingRow, ShownValue)>,
    /// The requests that showed that statements differ.
    asked: HashMap<StatementId, String>,
}

impl Report {
    /// Whether everything that could be tried holds, and the server was usable.
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
    // Retries leave less of the budget for the rest.
    let none_again = run.sent_again.is_empty() && run.client.rate_limited.is_none();
    run.record_rate_limit();
    for (statement, why) in NOT_TRIED {
        run.ledger.not_tried(*statement, why);
    }
    for statement in statements().iter().filter(|one| one.id.subject() == "emulator") {
        run.ledger.not_tried(statement.id, "only the emulator has this behaviour");
    }
    let rest = match stop {
        None if !run.problems.is_empty() => {
            "a request for it got no response, or a server error".to_owned()
        }
        None | Some(Stop::NoResponse { .. }) => {
            "the records of the agent do not show it".to_owned()
        }
        Some(Stop::BudgetSpent) => {
            let sent = run.client.sent;
            let more = if none_again && sent < ENOUGH {
                format!("--max-requests {ENOUGH} is enough for all checks")
            } else {
                "use a larger --max-requests".to_owned()
            };
            format!("the limit of {sent} requests was reached; {more}")
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
        let responses = counted(client.with_lone_surrogates.into(), "response");
        notes.push(format!(
            "{responses} contained half of a surrogate pair, for example of a split emoji; verify read \
             it as U+FFFD, but many clients cannot read it"
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

/// Says how many requests were retried, and what the first attempts got.
fn describe_sent_again((came, count): (&UnusableResponse, &u32)) -> String {
    match (came, count) {
        (_, 1) => format!("1 request got {came} and was sent again"),
        (_, count) => format!("{count} requests got {came} and were sent again"),
    }
}

/// This many requests are enough for all checks, if none is sent again.
const ENOUGH: u32 = 125;

/// The statements that a client cannot test, and why; and those that are tested under another name.
const NOT_TRIED: &[(StatementId, &str)] = &[
    (StatementId::SeveralKeys, "needs a second key of the same agent"),
    (StatementId::Body, "verify sends no request bodies"),
    (StatementId::error(None, Code::RateLimited), "the server sent no such response"),
    (StatementId::error(None, Code::Internal), "the server sent no such response"),
    (
        StatementId::error(Some(Operation::ConversationList), Code::PageExceedsTotal),
        "it is sent only with page-past-end=error",
    ),
    (
        StatementId::error(Some(Operation::QaRecords), Code::PageExceedsTotal),
        "it is sent only with page-past-end=error",
    ),
    (StatementId::MessagesOtherAgent, "needs a conversation of another agent"),
    (StatementId::MessagesV2OtherAgent, "needs a conversation of another agent"),
    (StatementId::ConversationsWindow, "covered by conversations.start_time and .end_time"),
    (StatementId::ConversationsUserExact, "covered by conversations.user_id"),
    (StatementId::MessagesPageSizeMax, "covered by messages.page_size"),
    (StatementId::MessagesV2First, "covered by messages.first"),
    (StatementId::MessagesV2EmptyConversation, "covered by messages.empty-conversation"),
    (StatementId::QaWindow, "covered by qa.start_time and .end_time"),
    (StatementId::RecordsTotals, "covered by conversations.total"),
    (StatementId::ChannelCase, "covered by conversations.conversation_type"),
    (StatementId::ChannelNeverAll, "covered by conversations.row.conversation_type"),
];

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::Server;

    /// A clock that advances only when it sleeps.
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
        let problem = "4 responses in a row were HTTP 429; try a lower --per-minute";
        assert_eq!(report.problems, [problem]);
        // The clock of the server did not advance, so it asked for the whole window each time.
        let asked = clock.now().as_secs();
        assert!((174..=190).contains(&asked), "{asked}");
        let limited = report
            .statements
            .iter()
            .find(|(one, _)| one.id == StatementId::error(None, Code::RateLimited));
        assert_eq!(limited.map(|(_, outcome)| outcome), Some(&Outcome::Holds));
    }
}
