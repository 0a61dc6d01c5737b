//! A report to read: as text, as JSON, as `JUnit`.

use std::fmt;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Outcome, Report, Shown};
use crate::contract::{SUBJECTS, Statement};
use crate::report::{Case, Format, Table, junit};

impl Outcome {
    /// What became of a statement, in one word or a few.
    fn name(&self) -> &'static str {
        match self {
            Self::Holds | Self::HoldsAs(_) => "holds",
            Self::Differs(_) => "differs",
            Self::Untried(_) => "not tried",
        }
    }

    /// What there is to say of it.
    fn about(&self, statement: &Statement) -> String {
        match self {
            Self::Holds => String::new(),
            Self::HoldsAs(value) => format!("{}={value}", statement.reading.unwrap_or_default()),
            Self::Differs(text) | Self::Untried(text) => text.clone(),
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

    /// The readings that were told, each with its value and whether that is the default.
    fn told(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.readings.iter().filter_map(|(row, shown)| match shown {
            Shown::Value(value) => Some((row.name, *value, *value == row.values[0].0)),
            Shown::Untold(_) => None,
        })
    }

    /// The readings that are not the default, as flags.
    fn flags(&self) -> Vec<String> {
        let others = self.told().filter(|(.., is_default)| !is_default);
        others.map(|(name, value, _)| format!("--reading {name}={value}")).collect()
    }

    /// The readings that were told, as a config file; with or without the defaults.
    fn config(&self, with_defaults: bool) -> Value {
        let told = self.told().filter(|(.., is_default)| with_defaults || !is_default);
        let told = told.map(|(name, value, _)| (name.to_owned(), Value::from(value)));
        json!({ "reading": told.collect::<Map<_, _>>() })
    }

    /// The columns of `docs/FIDELITY.md`, behind what was found.
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
            let _ = writeln!(out, "\n## {title}\n");
            let mut table = Table::new(&head);
            for (one, outcome) in
                self.statements.iter().filter(|(one, _)| one.subject() == *subject)
            {
                let test = format!("`{}`", one.held_by());
                let (found, came) = (outcome.name(), outcome.about(one));
                let (status, from) = (one.source.status.name(), one.source.from);
                let reading = one.reading.unwrap_or("");
                table.row(&[found, &one.id, &one.says, status, from, reading, &test, &came]);
            }
            out += &table.finish();
        }
        out
    }

    fn to_json(&self) -> String {
        let statements: Vec<Value> = self
            .statements
            .iter()
            .map(|(one, outcome)| {
                let about = outcome.about(one);
                json!({
                    "id": one.id,
                    "found": outcome.name(),
                    "says": one.says,
                    "status": one.source.status.name(),
                    "source": one.source.from,
                    "reading": one.reading,
                    "held_by": one.held_by(),
                    "came": (!about.is_empty()).then_some(about),
                })
            })
            .collect();
        let readings: Vec<Value> = self
            .readings
            .iter()
            .map(|(row, shown)| match shown {
                Shown::Value(value) => {
                    json!({ "name": row.name, "default": row.values[0].0, "shows": value })
                }
                Shown::Untold(why) => json!({
                    "name": row.name, "default": row.values[0].0, "shows": null, "why": why,
                }),
            })
            .collect();
        let (holds, differs, untried) = self.counts();
        let shape = json!({
            "against": self.against,
            "requests": self.requests,
            "sent_again": self.again,
            "holds": holds,
            "differs": differs,
            "not_tried": untried,
            "troubles": self.troubles,
            "readings": readings,
            "flags": self.flags(),
            "config": self.config(true),
            "statements": statements,
        });
        // Strings and numbers always serialize.
        serde_json::to_string_pretty(&shape).unwrap_or_default() + "\n"
    }

    fn to_junit(&self) -> String {
        let mut cases: Vec<Case<'_>> = self
            .statements
            .iter()
            .map(|(one, outcome)| {
                let about = format!(
                    "{}\n{}: {}\nheld by {}",
                    one.says,
                    one.source.status.name(),
                    one.source.from,
                    one.held_by()
                );
                let (failures, skipped) = match outcome {
                    Outcome::Differs(came) => (vec![(came.clone(), about)], None),
                    Outcome::Untried(why) => (Vec::new(), Some(why.clone())),
                    Outcome::Holds | Outcome::HoldsAs(_) => (Vec::new(), None),
                };
                Case { class: one.subject(), name: &one.id, failures, skipped }
            })
            .collect();
        let failures = self.troubles.iter().map(|trouble| (trouble.clone(), String::new()));
        cases.push(Case {
            class: "server",
            name: "server.answers",
            failures: failures.collect(),
            skipped: None,
        });
        junit("gptbots-mock verify", &cases, &self.to_string())
    }

    fn counts(&self) -> (usize, usize, usize) {
        let untried = self.count(|one| matches!(one, Outcome::Untried(_)));
        let differs = self.count(|one| matches!(one, Outcome::Differs(_)));
        (self.statements.len() - differs - untried, differs, untried)
    }
}

/// What differs, what could not be tried and why, and the readings; with `{:#}` the first line only.
/// Of a server that could not be asked at all it says why, and no more.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (holds, differs, untried) = self.counts();
        write!(
            f,
            "{}: {holds} statements hold, {differs} differ, {untried} could not be tried ({} requests",
            self.against, self.requests
        )?;
        if self.again > 0 {
            write!(f, ", {} of them again, as no answer came at first", self.again)?;
        }
        write!(f, ")")?;
        if f.alternate() {
            return Ok(());
        }
        writeln!(f)?;
        for trouble in &self.troubles {
            writeln!(f, "\nserver: {trouble}")?;
        }
        if self.is_lost {
            // Pages of what could not be tried would only hide why.
            return Ok(());
        }
        for (one, outcome) in &self.statements {
            let Outcome::Differs(came) = outcome else { continue };
            let (status, from) = (one.source.status.name(), one.source.from);
            writeln!(f, "\ndiffers: {}\n  says: {}\n  came: {came}", one.id, one.says)?;
            writeln!(f, "  from: {status}: {from}; held by {}", one.held_by())?;
        }
        for (why, ids) in self.untried() {
            writeln!(f, "\nnot tried: {why}")?;
            wrapped(f, &ids)?;
        }
        writeln!(f, "\nholds:")?;
        for (subject, _) in SUBJECTS {
            let of_subject = self.statements.iter().filter(|(one, outcome)| {
                one.subject() == *subject && outcome.name() == Outcome::Holds.name()
            });
            let ids: Vec<&str> = of_subject.map(|(one, _)| &*one.id).collect();
            wrapped(f, &ids)?;
        }
        writeln!(f, "\nreadings:")?;
        for (row, shown) in &self.readings {
            match shown {
                Shown::Value(value) => {
                    let default = if *value == row.values[0].0 { " (default)" } else { "" };
                    writeln!(f, "  {:18}{value}{default}", row.name)?;
                }
                Shown::Untold(why) => writeln!(f, "  {:18}cannot be told: {why}", row.name)?,
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
    fn untried(&self) -> Vec<(&str, Vec<&str>)> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (one, outcome) in &self.statements {
            let Outcome::Untried(why) = outcome else { continue };
            match reasons.iter_mut().find(|(reason, _)| reason == why) {
                Some((_, ids)) => ids.push(&one.id),
                None => reasons.push((why, vec![&one.id])),
            }
        }
        reasons
    }
}

/// Words in lines of at most a hundred columns, indented.
fn wrapped(f: &mut fmt::Formatter<'_>, words: &[&str]) -> fmt::Result {
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
