//! Problems of documents: what is wrong, where, and what would be right.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::secrets::SecretFinder;
use super::{Documents, Span, offset};
use crate::redact::{hide_vendor_keys, vendor_keys};
use crate::report::counted;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No document is loaded.
    Error,
    /// The documents are loaded, and the message says what is served instead.
    Warning,
}

/// One mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file, as it was named by the user.
    pub file: String,
    /// The line, from 1; 0 where the file could not be read.
    pub line: usize,
    /// The character in the line, from 1; 0 where the file could not be read.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right, if that is known.
    pub help: Option<String>,
    /// The line itself. Of a long line, only the part around the mistake.
    pub source: String,
    /// Where in the documents the mistake begins, in bytes.
    #[serde(skip)]
    pub(crate) at: u32,
    /// Where in `source` the mistake begins and how wide it is, in columns of a terminal.
    #[serde(skip)]
    pub(crate) mark: (usize, usize),
}

impl Problem {
    /// A file that could not be read at all.
    pub(crate) fn unreadable(file: &str, why: &std::io::Error) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            line: 0,
            column: 0,
            message: format!("cannot be read: {why}"),
            help: None,
            source: String::new(),
            at: 0,
            mark: (0, 0),
        }
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: message`, with `warning: ` before the message of a warning; then the line with a
    /// mark below the place, and the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {}", self.file, self.message);
        }
        let severity = if self.severity == Severity::Warning { "warning: " } else { "" };
        let Self { file, line, column, message, .. } = self;
        writeln!(f, "{file}:{line}:{column}: {severity}{message}")?;
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, " {number} | {}", self.source)?;
        let (before, length) = self.mark;
        write!(f, " {margin} | {}{}", " ".repeat(before), "^".repeat(length.max(1)))?;
        match &self.help {
            Some(help) => write!(f, " {help}"),
            None => Ok(()),
        }
    }
}

/// Every problem of documents that were read together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics {
    /// The problems that are listed, by file and place.
    pub(crate) problems: Vec<Problem>,
    /// The number of errors and of warnings that are not listed.
    pub(crate) more: Count,
}

/// A number of problems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) errors: usize,
    warnings: usize,
}

impl Count {
    fn of(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        }
    }

    pub(crate) fn all(self) -> usize {
        self.errors + self.warnings
    }
}

impl Diagnostics {
    /// Returns the problems as an error if one of them is an error.
    pub(crate) fn or_error(self) -> Result<Self, DocumentError> {
        // Errors are left out of the list only when it is full of errors, so the list is enough.
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        if self.problems.iter().any(is_error) { Err(DocumentError(self)) } else { Ok(self) }
    }

    /// Writes the first `most` problems, and how many there are.
    fn write(&self, f: &mut impl fmt::Write, most: usize) -> fmt::Result {
        let shown = &self.problems[..most.min(self.problems.len())];
        for problem in shown {
            writeln!(f, "{problem}\n")?;
        }
        let mut total = self.more;
        for problem in &self.problems {
            *total.of(problem.severity) += 1;
        }
        let noun = |count: usize, one| counted(count as u64, one);
        match total {
            Count { errors, warnings: 0 } => f.write_str(&noun(errors, "problem"))?,
            Count { errors: 0, warnings } => f.write_str(&noun(warnings, "warning"))?,
            Count { errors, warnings } => {
                write!(f, "{} and {}", noun(errors, "problem"), noun(warnings, "warning"))?;
            }
        }
        if shown.len() < total.all() {
            write!(f, "; the first {} are listed", shown.len())?;
        }
        Ok(())
    }

    /// The first problems, and how many there are.
    #[cfg(feature = "cli")]
    pub(crate) fn summary(&self) -> String {
        const SHOWN: usize = 10;
        let mut text = String::new();
        self.write(&mut text, SHOWN).expect("writing to a string cannot fail");
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, usize::MAX)
    }
}

/// The mistakes of the documents that were read together; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError(pub(crate) Diagnostics);

impl DocumentError {
    /// The mistakes, by file and place. There may be warnings among them.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// How many mistakes there are beyond the listed ones.
    #[must_use]
    pub fn more(&self) -> usize {
        self.0.more.all()
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for DocumentError {}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// Whether a mistake that does not prevent serving is a warning. Otherwise it is an error.
    pub(crate) tolerant: bool,
    found: Vec<Found>,
    listed: Count,
    more: Count,
    /// Parts that are never shown; ascending.
    hidden: Vec<Span>,
}

#[derive(Debug)]
struct Found {
    span: Span,
    severity: Severity,
    message: String,
    help: Option<String>,
}

impl Problems {
    /// The most errors, and the most warnings, that are kept. A broken file of a gigabyte has millions of
    /// errors, and nobody reads them all. A server keeps its warnings for as long as it runs.
    const MOST_ERRORS: usize = 1000;
    const MOST_WARNINGS: usize = 100;

    pub(crate) fn add(&mut self, span: Span, message: impl Into<String>) {
        self.push(Severity::Error, span, || (message.into(), None));
    }

    pub(crate) fn add_with_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Error, span, || (message.into(), Some(help.into())));
    }

    /// Adds a mistake whose message and help take time to build, so they are built only if they are kept.
    pub(crate) fn add_made(&mut self, span: Span, make: impl FnOnce() -> (String, String)) {
        self.push(Severity::Error, span, || {
            let (message, help) = make();
            (message, Some(help))
        });
    }

    /// Adds a mistake that does not prevent serving; `instead` says what is served instead. The message
    /// and the help are built only if they are kept.
    pub(crate) fn warn(
        &mut self,
        span: Span,
        instead: &str,
        make: impl FnOnce() -> (String, Option<String>),
    ) {
        if self.tolerant {
            self.push(Severity::Warning, span, || {
                let (message, help) = make();
                (format!("{message}; {instead}"), help)
            });
        } else {
            self.push(Severity::Error, span, make);
        }
    }

    fn push(
        &mut self,
        severity: Severity,
        span: Span,
        make: impl FnOnce() -> (String, Option<String>),
    ) {
        let listed = self.listed.of(severity);
        let most = match severity {
            Severity::Error => Self::MOST_ERRORS,
            Severity::Warning => Self::MOST_WARNINGS,
        };
        if *listed < most {
            *listed += 1;
            let (message, help) = make();
            self.found.push(Found { span, severity, message, help });
        } else {
            *self.more.of(severity) += 1;
        }
    }

    /// Hides a part of a document in all lines that are shown. Parts must be passed in ascending order.
    pub(crate) fn hide(&mut self, part: Span) {
        self.hidden.push(part);
    }

    /// The number of errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.listed.errors + self.more.errors
    }

    /// Returns the warnings, or all mistakes as an error if there is an error.
    pub(crate) fn finish(self, documents: &Documents) -> Result<Diagnostics, DocumentError> {
        self.into_diagnostics(documents).or_error()
    }

    /// The mistakes with their places, sorted by place.
    pub(crate) fn into_diagnostics(mut self, documents: &Documents) -> Diagnostics {
        self.found.sort_by_key(|found| (found.span.start, found.span.end));
        let mut places = Places::new(documents);
        let mut secrets = SecretFinder::new(&documents.text, 0);
        let mut file_begins = 0;
        let problems = self.found.into_iter().map(|Found { span, severity, message, help }| {
            let (file, line, column) = places.find(span.start);
            if places.file_begins() != file_begins {
                file_begins = places.file_begins();
                secrets = SecretFinder::new(&documents.text, file_begins);
            }
            let (source, mark) = show(places.line(), documents, &span, &self.hidden, &mut secrets);
            let at = span.start;
            let hide = |text: String| hide_vendor_keys(&text).unwrap_or(text);
            let (message, help) = (hide(message), help.map(hide));
            Problem {
                severity,
                file: file.to_owned(),
                line,
                column,
                message,
                help,
                source,
                at,
                mark,
            }
        });
        Diagnostics { problems: problems.collect(), more: self.more }
    }
}

/// Finds the file, line and column of ascending offsets in one pass through the documents.
pub(crate) struct Places<'d> {
    documents: &'d Documents,
    file: usize,
    /// The number and the beginning of the line that was found last, and a place in it with the
    /// number of characters before that place.
    line: usize,
    line_begins: usize,
    at: usize,
    before: usize,
}

impl<'d> Places<'d> {
    pub(crate) fn new(documents: &'d Documents) -> Self {
        let mut places = Self { documents, file: 0, line: 1, line_begins: 0, at: 0, before: 0 };
        places.begin();
        places
    }

    /// Goes to the beginning of the file.
    fn begin(&mut self) {
        let begins = self.file_begins();
        // The byte order mark that some editors write does not count as a character of the line.
        let mark = self.documents.text[begins..].starts_with(b"\xef\xbb\xbf");
        self.line_begins = begins + if mark { 3 } else { 0 };
        (self.line, self.at, self.before) = (1, self.line_begins, 0);
    }

    /// The file, the line and the column of an offset, which must not be before the previous one.
    pub(crate) fn find(&mut self, offset: u32) -> (&'d str, usize, usize) {
        let files = &self.documents.files;
        while offset > files[self.file].1.end && self.file + 1 < files.len() {
            self.file += 1;
            self.begin();
        }
        let to = (offset as usize).max(self.at);
        let text = &self.documents.text[self.at..to];
        if let Some(last) = memchr::memrchr(b'\n', text) {
            self.line += memchr::memchr_iter(b'\n', text).count();
            self.line_begins = self.at + last + 1;
            (self.at, self.before) = (self.line_begins, 0);
        }
        let rest = &self.documents.text[self.at..to.max(self.at)];
        self.before += rest.iter().filter(|byte| begins_char(**byte)).count();
        self.at = to.max(self.at);
        (&files[self.file].0, self.line, 1 + self.before)
    }

    /// Where the file that was found begins.
    fn file_begins(&self) -> usize {
        self.documents.files.get(self.file).map_or(0, |(_, span)| span.start as usize)
    }

    /// Where the line that was found begins and ends.
    fn line(&self) -> (usize, usize) {
        let text = &self.documents.text;
        let end = memchr::memchr(b'\n', &text[self.at..]).map_or(text.len(), |n| self.at + n);
        (self.line_begins, end)
    }
}

const fn begins_char(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// How many characters of a line are shown before a mistake, and from its beginning on.
const SHOWN_BEFORE: usize = 40;
const SHOWN_AFTER: usize = 60;

/// The part of a line around a mistake, and where in it the mistake begins and how wide it is, in
/// columns of a terminal. Control characters become spaces, so that the mark is in the right column.
/// Secrets become stars: the `hidden` parts, values whose keys have the name of a secret, and texts that
/// look like an API key of the vendor.
fn show(
    (begins, ends): (usize, usize),
    documents: &Documents,
    span: &Span,
    hidden: &[Span],
    secrets: &mut SecretFinder<'_>,
) -> (String, (usize, usize)) {
    let text = &documents.text;
    let at = (span.start as usize).clamp(begins, ends);
    let marked = (span.end as usize).clamp(at, ends);
    // A line that fits is shown as a whole. Of a long line, only the part that is shown is read.
    let fits = forwards(text, begins, ends, SHOWN_BEFORE + SHOWN_AFTER) == ends;
    let from = if fits { begins } else { backwards(text, begins, at, SHOWN_BEFORE) };
    let to = if fits { ends } else { forwards(text, at, ends, SHOWN_AFTER) };
    let secrets = secrets.find(from, to);
    // The range is longer than any key, so that a key that begins before the shown part is recognised.
    let around = from.saturating_sub(256)..(to + 256).min(text.len());
    let keys: Vec<_> = vendor_keys(&text[around.clone()])
        .map(|key| around.start + key.start..around.start + key.end)
        .collect();
    let is_hidden = |at: usize| {
        let next = hidden.partition_point(|part| part.end <= offset(at));
        hidden.get(next).is_some_and(|part| part.start <= offset(at))
            || secrets.iter().chain(&keys).any(|part| part.contains(&at))
    };
    let plain = |from: usize, to: usize| -> String {
        let part = documents.original(from, to);
        let mut shown = Vec::new();
        for (at, byte) in (from..).zip(part.iter().copied()) {
            match is_hidden(at) {
                false => shown.push(byte),
                true if begins_char(byte) => shown.push(b'*'),
                true => {}
            }
        }
        String::from_utf8_lossy(&shown).replace(char::is_control, " ")
    };
    let (before, mark) = (plain(from, at), plain(at, marked.min(to)));
    let behind = plain(marked.min(to), to);
    let front = if from > begins { "..." } else { "" };
    let back = if to < ends { "..." } else { "" };
    let source = format!("{front}{before}{mark}{behind}{back}");
    (source.trim_end().to_owned(), (front.len() + before.width(), mark.width()))
}

/// The place `chars` characters before `at`, or `begins`.
fn backwards(text: &[u8], begins: usize, at: usize, chars: usize) -> usize {
    let places = (begins..at).rev().filter(|place| begins_char(text[*place]));
    places.take(chars).last().unwrap_or(at)
}

/// The place `chars` characters after `at`, or `ends`.
fn forwards(text: &[u8], at: usize, ends: usize, chars: usize) -> usize {
    (at..ends).filter(|place| begins_char(text[*place])).nth(chars).unwrap_or(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_built_only_for_problems_that_are_kept() {
        let mut problems = Problems::default();
        let mut made = 0;
        for at in 0..3_000 {
            problems.add_made(at..at + 1, || {
                made += 1;
                ("wrong".to_owned(), "right".to_owned())
            });
        }
        assert_eq!((made, problems.errors()), (Problems::MOST_ERRORS, 3_000));
    }
}
