//! A report to read: as text, as JSON, as `JUnit`.

use std::fmt;

use serde_json::{Value, json};

use super::{Outcome, Report, ShownValue};
use crate::contract::{ReadingId, ReadingRow, SUBJECTS, Statement};
use crate::report::{Case, Format, Table, junit};

impl Outcome {
    /// What became of a statement, in one word or a few.
    fn name(&self) -> &'static str {
        match self {
            Self::Holds | Self::HoldsAs(..) => "holds",
            Self::Differs(_) => "differs",
            Self::NotTried(_) => "not tried",
        }
    }

    /// What the report says beside that word.
    fn details(&self) -> String {
        match self {
            Self::Holds => String::new(),
            Self::HoldsAs(reading, value) => format!("{}={value}", reading.name()),
            Self::Differs(text) | Self::NotTried(text) => text.clone(),
        }
    }
}

impl Report {
    pub(crate) fn write(&self, format: Format) -> String {
        match format {
            Format::Text => self.to_table(),
            Format::Json => self.to_json(),
            Format::Junit => self.to_junit(),
        }
    }

    /// The readings whose value is known, each with it and whether that is the default.
    fn known_readings(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.readings.iter().filter_map(|(row, shown)| match shown {
            ShownValue::Known(value) => Some((row.name, *value, *value == row.default())),
            ShownValue::Unknown(_) => None,
        })
    }

    /// The readings that are not the default, as flags.
    fn flags(&self) -> Vec<String> {
        let others = self.known_readings().filter(|(.., is_default)| !is_default);
        others.map(|(name, value, _)| format!("--reading {name}={value}")).collect()
    }

    /// The readings whose value is known, as a config file; with or without the defaults.
    fn config(&self, with_defaults: bool) -> Value {
        let known = self.known_readings().filter(|(.., is_default)| with_defaults || !is_default);
        json!({ "reading": known.map(|(name, value, _)| (name, value)).collect::<Value>() })
    }

    /// The statements of a subject, each with what became of it.
    fn of_subject(&self, subject: &str) -> impl Iterator<Item = &(Statement, Outcome)> {
        self.statements.iter().filter(move |(one, _)| one.id.subject() == subject)
    }

    /// A table with the columns of `docs/FIDELITY.md`, behind what was found.
    fn to_table(&self) -> String {
        let mut out = format!("# {self:#}\n");
        let head = [
            "found",
            "statement",
            "what it says",
            "status",
            "source",
            "reading",
            "held by",
            "came",
        ];
        for (subject, title) in SUBJECTS {
            let mut table = Table::new(&head);
            for (one, outcome) in self.of_subject(subject) {
                let (id, test) = (one.id.to_string(), format!("`{}`", one.held_by()));
                let (found, came) = (outcome.name(), outcome.details());
                let (status, from) = (one.source.status.name(), one.source.from);
                let reading = one.reading.map_or("", ReadingId::name);
                table.row(&[found, &id, &one.says, status, from, reading, &test, &came]);
            }
            out.extend(["\n## ", title, "\n\n", &table.finish()]);
        }
        out
    }

    fn to_json(&self) -> String {
        let statement = |(one, outcome): &(Statement, Outcome)| {
            let details = outcome.details();
            json!({
                "id": one.id.to_string(),
                "found": outcome.name(),
                "says": one.says,
                "status": one.source.status.name(),
                "source": one.source.from,
                "reading": one.reading.map(ReadingId::name),
                "held_by": one.held_by(),
                "came": (!details.is_empty()).then_some(details),
            })
        };
        let reading = |(row, shown): &(&ReadingRow, ShownValue)| match shown {
            ShownValue::Known(value) => {
                json!({ "name": row.name, "default": row.default(), "shows": value })
            }
            ShownValue::Unknown(why) => {
                json!({ "name": row.name, "default": row.default(), "shows": null, "why": why })
            }
        };
        let (holds, differs, not_tried) = self.counts();
        let report = json!({
            "against": self.against,
            "requests": self.requests,
            "sent_again": self.sent_again,
            "holds": holds,
            "differs": differs,
            "not_tried": not_tried,
            "troubles": self.problems,
            "notes": self.notes,
            "readings": self.readings.iter().map(reading).collect::<Value>(),
            "flags": self.flags(),
            "config": self.config(true),
            "statements": self.statements.iter().map(statement).collect::<Value>(),
        });
        serde_json::to_string_pretty(&report).expect("strings and numbers serialize") + "\n"
    }

    fn to_junit(&self) -> String {
        let ids: Vec<String> = self.statements.iter().map(|(one, _)| one.id.to_string()).collect();
        let cases = self.statements.iter().zip(&ids).map(|((one, outcome), id)| {
            let (status, from) = (one.source.status.name(), one.source.from);
            let about = format!("{}\n{status}: {from}\nheld by {}", one.says, one.held_by());
            let (failures, skipped) = match outcome {
                Outcome::Differs(came) => (vec![(came.clone(), about)], None),
                Outcome::NotTried(why) => (Vec::new(), Some(why.clone())),
                Outcome::Holds | Outcome::HoldsAs(..) => (Vec::new(), None),
            };
            Case { class: one.id.subject(), name: id, failures, skipped }
        });
        let failures = self.problems.iter().map(|problem| (problem.clone(), String::new()));
        let server = Case {
            class: "server",
            name: "server.answers",
            failures: failures.collect(),
            skipped: None,
        };
        let cases: Vec<_> = cases.chain([server]).collect();
        junit("gptbots-mock verify", &cases, &self.to_string())
    }

    fn counts(&self) -> (usize, usize, usize) {
        let not_tried = self.count(|one| matches!(one, Outcome::NotTried(_)));
        let differs = self.count(|one| matches!(one, Outcome::Differs(_)));
        (self.statements.len() - differs - not_tried, differs, not_tried)
    }
}

/// What differs, what could not be tried and why, and the readings; with `{:#}` the first line only.
/// Of a server that could not be asked at all it says why, and no more.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (holds, differs, not_tried) = self.counts();
        write!(
            f,
            "{}: {holds} statements hold, {differs} differ, {not_tried} could not be tried ({} requests",
            self.against, self.requests
        )?;
        if self.sent_again > 0 {
            write!(f, ", {} of them again, as no answer came at first", self.sent_again)?;
        }
        write!(f, ")")?;
        if f.alternate() {
            return Ok(());
        }
        writeln!(f)?;
        for problem in &self.problems {
            writeln!(f, "\nserver: {problem}")?;
        }
        for note in &self.notes {
            writeln!(f, "\nnote: {note}")?;
        }
        if !self.is_usable {
            // Pages of what could not be tried would only hide why.
            return Ok(());
        }
        for (one, outcome) in &self.statements {
            let Outcome::Differs(came) = outcome else { continue };
            let (status, from) = (one.source.status.name(), one.source.from);
            writeln!(f, "\ndiffers: {}\n  says: {}\n  came: {came}", one.id, one.says)?;
            writeln!(f, "  from: {status}: {from}; held by {}", one.held_by())?;
        }
        for (why, ids) in self.not_tried() {
            writeln!(f, "\nnot tried: {why}")?;
            write_wrapped(f, &ids)?;
        }
        writeln!(f, "\nholds:")?;
        for (subject, _) in SUBJECTS {
            let held =
                self.of_subject(subject).filter(|(_, it)| it.name() == Outcome::Holds.name());
            write_wrapped(f, &held.map(|(one, _)| one.id.to_string()).collect::<Vec<_>>())?;
        }
        writeln!(f, "\nreadings:")?;
        for (row, shown) in &self.readings {
            match shown {
                ShownValue::Known(value) => {
                    let default = if *value == row.default() { " (default)" } else { "" };
                    writeln!(f, "  {:18}{value}{default}", row.name)?;
                }
                ShownValue::Unknown(why) => writeln!(f, "  {:18}cannot be told: {why}", row.name)?,
            }
        }
        let flags = self.flags();
        if !flags.is_empty() {
            writeln!(f, "\nThe emulator shows the same with\n  {}", flags.join(" "))?;
            writeln!(f, "or in a config file\n  {}", self.config(false))?;
        }
        Ok(())
    }
}

impl Report {
    /// The statements that could not be tried, by the reason.
    fn not_tried(&self) -> Vec<(&str, Vec<String>)> {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (one, outcome) in &self.statements {
            let Outcome::NotTried(why) = outcome else { continue };
            match reasons.iter_mut().find(|(reason, _)| reason == why) {
                Some((_, ids)) => ids.push(one.id.to_string()),
                None => reasons.push((why, vec![one.id.to_string()])),
            }
        }
        reasons
    }
}

/// Writes words in lines of at most a hundred columns, indented.
fn write_wrapped(f: &mut fmt::Formatter<'_>, words: &[String]) -> fmt::Result {
    let mut line = String::from(" ");
    for word in words {
        if line.len() + word.len() + 1 > 100 {
            writeln!(f, "{line}")?;
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    if words.is_empty() { Ok(()) } else { writeln!(f, "{line}") }
}
