//! The findings: whether each statement holds, and which values of each reading fit.

use std::collections::HashMap;

use crate::contract::{
    READINGS, Reading, ReadingId, ReadingRow, Statement, StatementId, statements,
};

/// The result of testing a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It could not be tried, and why.
    NotTried(String),
    /// It holds.
    Holds,
    /// It holds as this value of this reading says, which is not the default.
    HoldsAs(ReadingId, &'static str),
    /// It does not hold, and what was received instead.
    Differs(String),
}

impl Outcome {
    /// An outcome replaces one of less weight, because a statement that differs once differs.
    fn weight(&self) -> u8 {
        match self {
            Self::NotTried(_) => 0,
            Self::Holds => 1,
            Self::HoldsAs(..) => 2,
            Self::Differs(_) => 3,
        }
    }
}

/// Which value of a reading a server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShownValue {
    /// All responses fit this value alone.
    Known(&'static str),
    /// The responses do not show which, and why.
    Unknown(String),
    /// No value fits all responses, and which statements show which.
    Contradictory(String),
}

/// The values of a reading that fit the response where a statement was tested.
struct Evidence {
    statement: StatementId,
    values: Vec<&'static str>,
    request: Option<String>,
}

/// Collects what the checks find.
#[derive(Default)]
pub(super) struct Ledger {
    outcomes: HashMap<StatementId, Outcome>,
    evidence: HashMap<ReadingId, Vec<Evidence>>,
    /// Why there is no evidence for a reading.
    unknown: HashMap<ReadingId, String>,
    /// The last request of the check that runs, as a report describes it.
    pub(super) last_request: Option<String>,
    /// The requests that showed that statements differ.
    requests: HashMap<StatementId, String>,
}

impl Ledger {
    /// Records that a statement holds, or what was received instead.
    pub(super) fn record(&mut self, statement: StatementId, result: Result<(), String>) {
        match result {
            Ok(()) => self.holds(statement),
            Err(came) => self.differs(statement, came),
        }
    }

    /// Records that a statement holds if `is_right`, or else what was received instead.
    pub(super) fn check(&mut self, statement: StatementId, is_right: bool, otherwise: &str) {
        self.record(statement, is_right.then_some(()).ok_or_else(|| otherwise.to_owned()));
    }

    pub(super) fn holds(&mut self, statement: StatementId) {
        self.set(statement, Outcome::Holds);
    }

    pub(super) fn differs(&mut self, statement: StatementId, came: impl Into<String>) {
        self.set(statement, Outcome::Differs(came.into()));
    }

    /// Records why a statement could not be tried, unless another check tried it.
    pub(super) fn not_tried(&mut self, statement: StatementId, why: &str) {
        self.set(statement, Outcome::NotTried(why.to_owned()));
    }

    fn set(&mut self, statement: StatementId, outcome: Outcome) {
        let old = self.outcomes.get(&statement);
        if old.is_none_or(|old| old.weight() < outcome.weight()) {
            if let (Outcome::Differs(_), Some(request)) = (&outcome, &self.last_request) {
                self.requests.insert(statement, request.clone());
            }
            self.outcomes.insert(statement, outcome);
        }
    }

    /// Records which values of a reading fit the response where a statement was tested.
    pub(super) fn fits<R: Reading>(&mut self, statement: StatementId, values: &[R]) {
        let values = values.iter().map(|value| value.word()).collect();
        let request = self.last_request.clone();
        let evidence = Evidence { statement, values, request };
        self.evidence.entry(R::ID).or_default().push(evidence);
    }

    /// Records why there is no evidence for a reading.
    pub(super) fn unknown(&mut self, reading: ReadingId, why: &str) {
        self.unknown.entry(reading).or_insert_with(|| why.to_owned());
    }

    /// Whether this value, and no other of its reading, fits all responses so far.
    pub(super) fn shows<R: Reading>(&self, value: R) -> bool {
        self.evidence.get(&R::ID).is_some_and(|evidence| common_values(evidence) == [value.word()])
    }

    /// Decides on every reading and every statement. `rest` is the reason for those without any record.
    pub(super) fn finish(mut self, rest: &str) -> Findings {
        let readings = READINGS.iter().map(|row| (row, self.decide(row, rest))).collect();
        let outcome = |statement: Statement| {
            let outcome = self.outcomes.remove(&statement.id);
            (statement, outcome.unwrap_or_else(|| Outcome::NotTried(rest.to_owned())))
        };
        let statements = statements().into_iter().map(outcome).collect();
        Findings { readings, statements, requests: self.requests }
    }

    /// Decides which value of a reading fits all evidence, and records that the statements of the evidence
    /// hold with that value.
    fn decide(&mut self, row: &ReadingRow, rest: &str) -> ShownValue {
        let Some(evidence) = self.evidence.remove(&row.id) else {
            let why = self.unknown.remove(&row.id);
            return ShownValue::Unknown(why.unwrap_or_else(|| rest.to_owned()));
        };
        let values = common_values(&evidence);
        for Evidence { statement, values: shown, request } in &evidence {
            self.last_request.clone_from(request);
            let outcome = match values[..] {
                [] => Outcome::Differs(format!(
                    "the responses contradict each other on {}: this one shows {}",
                    row.name,
                    shown.join(" or ")
                )),
                _ if values.contains(&row.default()) => Outcome::Holds,
                [value, ..] => Outcome::HoldsAs(row.id, value),
            };
            self.set(*statement, outcome);
        }
        match values[..] {
            [] => {
                let shows = evidence
                    .iter()
                    .map(|one| format!("{} shows {}", one.statement, one.values.join(" or ")));
                let all = shows.collect::<Vec<_>>().join(", ");
                ShownValue::Contradictory(format!("no value fits all responses: {all}"))
            }
            [value] => ShownValue::Known(value),
            _ => ShownValue::Unknown(format!("the responses fit {}", values.join(" and "))),
        }
    }
}

/// The values that fit all of some evidence.
fn common_values(evidence: &[Evidence]) -> Vec<&'static str> {
    let Some((first, others)) = evidence.split_first() else { return Vec::new() };
    let fits_all = |value: &&str| others.iter().all(|one| one.values.contains(value));
    first.values.iter().copied().filter(fits_all).collect()
}

/// The result of a run for every statement and every reading.
pub(super) struct Findings {
    pub(super) statements: Vec<(Statement, Outcome)>,
    pub(super) readings: Vec<(&'static ReadingRow, ShownValue)>,
    /// The requests that showed that statements differ.
    pub(super) requests: HashMap<StatementId, String>,
}
