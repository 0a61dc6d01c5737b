//! Reports: their formats, `JUnit` test reports, tables, and counts.

use std::fmt::Write as _;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Junit,
}

/// A number with its noun: `1 agent`, `2 agents`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A case of a test report.
pub(crate) struct Case<'c> {
    pub(crate) class: &'c str,
    pub(crate) name: &'c str,
    /// The failures, each with a message of one line and the full text.
    pub(crate) failures: Vec<(String, String)>,
    /// Why the case was skipped.
    pub(crate) skipped: Option<String>,
}

/// A `JUnit` report with one suite. `beside` is a text about the whole suite.
pub(crate) fn junit(suite: &str, cases: &[Case<'_>], beside: &str) -> String {
    let failures = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let skipped = cases.iter().filter(|case| case.skipped.is_some()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" \
         skipped=\"{skipped}\">",
        escaped(suite),
        cases.len()
    );
    for case in cases {
        let (class, name) = (escaped(case.class), escaped(case.name));
        let _ = write!(out, "<testcase classname=\"{class}\" name=\"{name}\"");
        if case.failures.is_empty() && case.skipped.is_none() {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        for (message, text) in &case.failures {
            let (message, text) = (escaped(message), escaped(text));
            let _ = writeln!(out, "<failure message=\"{message}\">{text}</failure>");
        }
        if let Some(why) = &case.skipped {
            let _ = writeln!(out, "<skipped message=\"{}\"/>", escaped(why));
        }
        out.push_str("</testcase>\n");
    }
    let _ = writeln!(out, "<system-out>{}</system-out>", escaped(beside));
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

/// Escapes a text for XML. Control characters, except line breaks, become spaces, because XML does not allow
/// them.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            char if char.is_control() => out.push(' '),
            // XML does not allow these characters, either.
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            char => out.push(char),
        }
    }
    out
}

/// A Markdown table with aligned columns, so that it is readable in a terminal, too.
#[cfg(feature = "cli")]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

#[cfg(feature = "cli")]
impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| cell.replace('|', "\\|")).collect());
    }

    pub(crate) fn finish(self) -> String {
        let mut out = String::new();
        let columns = self.rows[0].len();
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .expect("a table has a head")
        };
        let mut widths: Vec<usize> = (0..columns).map(width).collect();
        // The last column is only as wide as its head, because no column follows it.
        widths[columns - 1] = self.rows[0][columns - 1].chars().count();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            let _ = writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | ").trim_end());
            if number == 0 {
                let rules = widths.iter().map(|width| "-".repeat(*width));
                let _ = writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
        out
    }
}
