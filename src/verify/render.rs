//! Writes a report as text, as JSON and as `JUnit`.

use std::cmp::Reverse;
use std::fmt;

use serde_json::{Value, json};

use super::{Outcome, Report, ShownValue};
use crate::contract::{ReadingId, ReadingRow, SUBJECTS, Statement};
use crate::report::{Case, Format, Table, counted, junit};

impl Outcome {
    /// The result of a statement in one or two words.
    fn name(&self) -> &'static str {
        match self {
            Self::Holds | Self::HoldsAs(..) => "holds",
            Self::Differs(_) => "differs",
            Self::NotTried(_) => "not tried",
        }
    }

    /// What the report says in addition to that word.
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

    /// The text that is printed at the end of a run.
    pub(crate) fn summary(&self, is_verbose: bool) -> Summary<'_> {
        Summary { report: self, is_verbose }
    }

    /// The server, and how many statements hold, differ, and could not be tried.
    fn headline(&self) -> String {
        let (holds, differs, not_tried) = self.counts();
        let again = match self.sent_again {
            0 => String::new(),
            1 => ", 1 of them a retry".to_owned(),
            again => format!(", {again} of them retries"),
        };
        format!(
            "{}: {holds} {}, {differs} {}, {not_tried} could not be tried ({}{again})",
            self.against,
            if holds == 1 { "statement holds" } else { "statements hold" },
            if differs == 1 { "differs" } else { "differ" },
            counted(self.requests.into(), "request"),
        )
    }

    /// The readings whose value is known, with that value and whether it is the default.
    fn known_readings(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.readings.iter().filter_map(|(row, shown)| match shown {
            ShownValue::Known(value) => Some((row.name, *value, *value == row.default())),
            ShownValue::Unknown(_) | ShownValue::Contradictory(_) => None,
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

    /// The statements of a subject, each with its result.
    fn of_subject(&self, subject: &str) -> impl Iterator<Item = &(Statement, Outcome)> {
        self.statements.iter().filter(move |(one, _)| one.id.subject() == subject)
    }

    /// A table with the columns of `docs/fidelity.md` after a column of results.
    fn to_table(&self) -> String {
        let mut out = format!("# {}\n", self.headline());
        let head = [
            "found",
            "statement",
            "what it says",
            "status",
            "source",
            "reading",
            "tested by",
            "request",
            "got",
        ];
        for (subject, title) in SUBJECTS {
            let mut table = Table::new(&head);
            for (one, outcome) in self.of_subject(subject) {
                let (id, test) = (one.id.to_string(), format!("`{}`", one.held_by()));
                let (found, came) = (outcome.name(), outcome.details());
                let (status, from) = (one.source.status.name(), one.source.from);
                let reading = one.reading.map_or("", ReadingId::name);
                let asked = self.asked.get(&one.id).map_or("", String::as_str);
                table.row(&[found, &id, &one.says, status, from, reading, &test, asked, &came]);
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
                "asked": self.asked.get(&one.id),
                "came": (!details.is_empty()).then_some(details),
            })
        };
        let reading = |(row, shown): &(&ReadingRow, ShownValue)| match shown {
            ShownValue::Known(value) => {
                json!({ "name": row.name, "default": row.default(), "shows": value })
            }
            ShownValue::Unknown(why) | ShownValue::Contradictory(why) => {
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
            let asked = self.asked.get(&one.id).map(|asked| format!("request: {asked}\n"));
            let (asked, says) = (asked.unwrap_or_default(), &one.says);
            let about = format!("{asked}{says}\n{status}: {from}\ntested by {}", one.held_by());
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
        junit("gptbots-mock verify", &cases, &self.summary(true).to_string())
    }

    fn counts(&self) -> (usize, usize, usize) {
        let not_tried = self.count(|one| matches!(one, Outcome::NotTried(_)));
        let differs = self.count(|one| matches!(one, Outcome::Differs(_)));
        (self.statements.len() - differs - not_tried, differs, not_tried)
    }
}

/// Printed for a reading whose value is not known.
const UNTOLD: &str = "unknown";

/// How many reasons are listed for statements that could not be tried.
const MOST_REASONS: usize = 4;

/// The text that is printed at the end of a run.
pub(crate) struct Summary<'r> {
    report: &'r Report,
    /// Whether the ids of all statements are listed, also of those that hold.
    is_verbose: bool,
}

/// Writes the counts, the readings that are not the default, the differences, and why the rest could not be
/// tried. For a server that was not usable, it writes the reason and the differences so far.
impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        writeln!(f, "{}", report.headline())?;
        for problem in &report.problems {
            writeln!(f, "\nserver: {problem}")?;
        }
        for note in &report.notes {
            writeln!(f, "\nnote: {note}")?;
        }
        if !report.is_usable {
            // A long list of statements that could not be tried would hide the reason.
            return self.write_differences(f);
        }
        self.write_readings(f)?;
        self.write_differences(f)?;
        if self.is_verbose { self.write_ids(f) } else { self.write_not_tried(f) }
    }
}

impl Summary<'_> {
    fn write_readings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_verbose {
            self.write_every_reading(f)?;
        } else {
            self.write_other_readings(f)?;
        }
        let flags = self.report.flags();
        if !flags.is_empty() {
            let flags = flags.join(" ");
            writeln!(f, "\nflags of gptbots-mock serve for the same behaviour:\n  {flags}")?;
            writeln!(f, "the same as a config file:\n  {}", self.report.config(false))?;
        }
        Ok(())
    }

    fn write_every_reading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nreadings:")?;
        for (row, shown) in &self.report.readings {
            let shown = match shown {
                ShownValue::Known(value) if *value == row.default() => format!("{value} (default)"),
                ShownValue::Known(value) => format!("{value} (default: {})", row.default()),
                ShownValue::Unknown(why) | ShownValue::Contradictory(why) => {
                    format!("{UNTOLD}: {why}")
                }
            };
            writeln!(f, "  {:17} {shown}", row.name)?;
        }
        Ok(())
    }

    /// The readings that are not the default, and those whose value is not known.
    fn write_other_readings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut others, mut untold) = (Vec::new(), Vec::new());
        let mut defaults = 0;
        for (row, shown) in &self.report.readings {
            match shown {
                ShownValue::Known(value) if *value == row.default() => defaults += 1,
                ShownValue::Known(value) => others.push((row, value)),
                ShownValue::Unknown(why) => add(&mut untold, why, row.name),
                ShownValue::Contradictory(_) => {
                    add(&mut untold, "the responses contradict each other", row.name);
                }
            }
        }
        if others.is_empty() && untold.is_empty() {
            return writeln!(f, "\nreadings: all have their default value");
        }
        writeln!(f, "\nreadings:")?;
        for (row, value) in others {
            writeln!(f, "  {:17} {value} (default: {})", row.name, row.default())?;
        }
        for (why, names) in untold {
            let names = match names[..] {
                [name] => name.to_owned(),
                _ => format!("{} readings", names.len()),
            };
            writeln!(f, "  {names:17} {UNTOLD}: {why}")?;
        }
        if defaults > 0 {
            writeln!(f, "  all others        default value")?;
        }
        Ok(())
    }

    fn write_differences(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (one, outcome) in &self.report.statements {
            let Outcome::Differs(came) = outcome else { continue };
            let (_, title) = SUBJECTS
                .iter()
                .find(|(subject, _)| *subject == one.id.subject())
                .expect("every statement is of a subject");
            write!(f, "\ndiffers: {title}")?;
            if self.is_verbose {
                write!(f, " ({})", one.id)?;
            }
            if let Some(asked) = self.report.asked.get(&one.id) {
                write!(f, "\n  request:  {asked}")?;
            }
            writeln!(f, "\n  expected: {}\n  got:      {came}", expected(one))?;
            let (status, from) = (one.source.status.name(), one.source.from);
            write!(f, "  source:   {status}: {from}")?;
            if self.is_verbose {
                write!(f, "; tested by {}", one.held_by())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    /// How many statements could not be tried, for each reason: first the reasons where a flag would help, then
    /// those of the most statements. The other reasons are only counted.
    fn write_not_tried(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons = Vec::new();
        for (one, outcome) in &self.report.statements {
            if let Outcome::NotTried(why) = outcome {
                add(&mut reasons, why, one.id);
            }
        }
        reasons.sort_by_key(|(why, ids)| (!why.contains("--"), Reverse(ids.len())));
        writeln!(f, "\nnot tried:")?;
        let (named, others) = reasons.split_at(reasons.len().min(MOST_REASONS));
        for (why, ids) in named {
            writeln!(f, "  {:3}  {why}", ids.len())?;
        }
        let count: usize = others.iter().map(|(_, ids)| ids.len()).sum();
        match others.len() {
            0 => Ok(()),
            1 => writeln!(f, "  {count:3}  for 1 other reason (shown with --verbose)"),
            more => writeln!(f, "  {count:3}  for {more} other reasons (shown with --verbose)"),
        }
    }

    /// The ids of the statements that could not be tried, for each reason, and of those that hold.
    fn write_ids(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (one, outcome) in &self.report.statements {
            let Outcome::NotTried(why) = outcome else { continue };
            add(&mut reasons, why, one.id.to_string());
        }
        for (why, ids) in reasons {
            writeln!(f, "\nnot tried: {why}")?;
            write_wrapped(f, &ids)?;
        }
        writeln!(f, "\nholds:")?;
        for (subject, _) in SUBJECTS {
            let of_subject = self.report.of_subject(subject);
            let held = of_subject.filter(|(_, it)| it.name() == Outcome::Holds.name());
            write_wrapped(f, &held.map(|(one, _)| one.id.to_string()).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

/// Adds an item to those of the same reason.
fn add<'r, T>(reasons: &mut Vec<(&'r str, Vec<T>)>, why: &'r str, item: T) {
    match reasons.iter_mut().find(|(reason, _)| *reason == why) {
        Some((_, items)) => items.push(item),
        None => reasons.push((why, vec![item])),
    }
}

/// The text of a statement; for a statement of a table, after the name of its row.
fn expected(one: &Statement) -> String {
    let id = one.id.to_string();
    match id.rsplit_once('.') {
        Some((_, name)) if one.id.is_of_table() => format!("{name}: {}", one.says),
        _ => one.says.to_string(),
    }
}

/// Writes words in indented lines of at most a hundred columns.
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
