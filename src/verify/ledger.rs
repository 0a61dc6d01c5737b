//! What was found: of each statement whether it holds, of each reading which values fit.

use std::collections::HashMap;

use crate::contract::{READINGS, ReadingRow, Statement, statements};

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It holds.
    Holds,
    /// It holds as this value of its reading says, which is not the default.
    HoldsAs(&'static str),
    /// Something else came.
    Differs(String),
    /// It could not be tried, and why.
    Untried(String),
}

/// Which value of a reading a server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// This one.
    Value(&'static str),
    /// It cannot be told, and why.
    Untold(String),
}

/// A value of a reading that fits what one endpoint did.
struct Evidence {
    statement: String,
    reading: &'static str,
    /// The values that fit.
    fits: Vec<&'static str>,
}

#[derive(Default)]
pub(super) struct Ledger {
    outcomes: HashMap<String, Outcome>,
    evidence: Vec<Evidence>,
    untold: HashMap<&'static str, String>,
}

impl Ledger {
    /// What a check found: the statement holds, or what came instead. What differs once, differs.
    pub(super) fn found(&mut self, statement: &str, came: Result<(), String>) {
        match came {
            Ok(()) => self.holds(statement),
            Err(came) => self.differs(statement, came),
        }
    }

    pub(super) fn holds(&mut self, statement: &str) {
        let outcome = self.outcomes.entry(statement.to_owned()).or_insert(Outcome::Holds);
        if matches!(outcome, Outcome::Untried(_)) {
            *outcome = Outcome::Holds;
        }
    }

    pub(super) fn differs(&mut self, statement: &str, came: String) {
        let outcome = self.outcomes.entry(statement.to_owned()).or_insert(Outcome::Holds);
        if !matches!(outcome, Outcome::Differs(_)) {
            *outcome = Outcome::Differs(came);
        }
    }

    /// Why a statement could not be tried, unless it was all the same.
    pub(super) fn untried(&mut self, statement: &str, why: &str) {
        self.outcomes
            .entry(statement.to_owned())
            .or_insert_with(|| Outcome::Untried(why.to_owned()));
    }

    /// Values of a reading that fit what came where a statement was tried.
    pub(super) fn fits(&mut self, reading: &'static str, statement: &str, fits: &[&'static str]) {
        self.evidence.push(Evidence {
            statement: statement.to_owned(),
            reading,
            fits: fits.to_vec(),
        });
    }

    /// Why a reading cannot be told.
    pub(super) fn untold(&mut self, reading: &'static str, why: &str) {
        self.untold.entry(reading).or_insert_with(|| why.to_owned());
    }

    /// The values of a reading that fit everything that came so far; empty where nothing did.
    pub(super) fn values(&self, reading: &str) -> Vec<&'static str> {
        let mut all = self.evidence.iter().filter(|one| one.reading == reading);
        let Some(first) = all.next() else { return Vec::new() };
        let mut left = first.fits.clone();
        for one in all {
            left.retain(|value| one.fits.contains(value));
        }
        left
    }

    /// Every reading with the value that was seen, and every statement with what became of it;
    /// `rest` says why the others were not tried.
    pub(super) fn close(mut self, rest: &str) -> Closed {
        let mut readings = Vec::new();
        for row in READINGS {
            let shown = self.decide(row);
            let shown = if let Shown::Untold(why) = shown {
                let why = if why.is_empty() { rest.to_owned() } else { why };
                Shown::Untold(why)
            } else {
                shown
            };
            readings.push((row, shown));
        }
        let outcome = |statement: &Statement| {
            let outcome = self.outcomes.get(&*statement.id);
            outcome.cloned().unwrap_or_else(|| Outcome::Untried(rest.to_owned()))
        };
        let statements: Vec<_> = statements()
            .into_iter()
            .map(|one| {
                let outcome = outcome(&one);
                (one, outcome)
            })
            .collect();
        let is_statement = |id: &String| statements.iter().any(|(one, _)| one.id == *id);
        debug_assert!(self.outcomes.keys().all(is_statement), "{:?}", self.outcomes.keys());
        Closed { statements, readings }
    }

    /// Which value of a reading fits everything; the statements that showed it hold as it says.
    fn decide(&mut self, row: &'static ReadingRow) -> Shown {
        let left = self.values(row.name);
        let evidence: Vec<(String, Vec<&'static str>)> = self
            .evidence
            .iter()
            .filter(|one| one.reading == row.name)
            .map(|one| (one.statement.clone(), one.fits.clone()))
            .collect();
        if evidence.is_empty() {
            return Shown::Untold(self.untold.remove(row.name).unwrap_or_default());
        }
        if left.is_empty() {
            let seen: Vec<String> = evidence
                .iter()
                .map(|(statement, fits)| format!("{statement} shows {}", fits.join(" or ")))
                .collect();
            let why = format!("no value fits: {}", seen.join(", "));
            for (statement, _) in evidence {
                self.differs(&statement, format!("the answers do not agree on {}", row.name));
            }
            return Shown::Untold(why);
        }
        let default = row.values[0].0;
        for (statement, _) in evidence {
            if left.contains(&default) {
                self.holds(&statement);
            } else {
                let as_value = Outcome::HoldsAs(left[0]);
                let outcome = self.outcomes.entry(statement).or_insert_with(|| as_value.clone());
                if !matches!(outcome, Outcome::Differs(_)) {
                    *outcome = as_value;
                }
            }
        }
        match left[..] {
            [value] => Shown::Value(value),
            _ => Shown::Untold(format!("{} fit", left.join(" and "))),
        }
    }
}

/// What a run found.
pub(super) struct Closed {
    pub(super) statements: Vec<(Statement, Outcome)>,
    pub(super) readings: Vec<(&'static ReadingRow, Shown)>,
}
