//! What is wrong in a document, where, and what would be right.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::{Documents, Span};

/// One mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 where the file could not be read.
    pub line: usize,
    /// The character in the line, from 1; 0 where the file could not be read.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right, where more can be said.
    pub help: Option<String>,
    /// The line itself, cut around the place where it is long.
    pub source: String,
    /// Where in `source` the mistake begins and how wide it is, in columns of a terminal.
    #[serde(skip)]
    pub(crate) mark: (usize, usize),
}

impl fmt::Display for Problem {
    /// `file:line:column: message`, the line with a mark below the place, and the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {}", self.file, self.message);
        }
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
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

/// Every mistake of the documents that were read together; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    pub(crate) problems: Vec<Problem>,
    /// How many more there are than are listed.
    pub(crate) more: usize,
}

impl DocumentError {
    /// The mistakes, by file and place.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many mistakes there are beyond the listed ones.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// A file that could not be read at all.
    pub(crate) fn unreadable(file: &str, why: &std::io::Error) -> Problem {
        Problem {
            file: file.to_owned(),
            line: 0,
            column: 0,
            message: format!("cannot be read: {why}"),
            help: None,
            source: String::new(),
            mark: (0, 0),
        }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}\n")?;
        }
        let count = self.problems.len() + self.more;
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{count} {noun}")?;
        if self.more > 0 {
            write!(f, ", the first {} listed", self.problems.len())?;
        }
        Ok(())
    }
}

impl std::error::Error for DocumentError {}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<(Span, String, Option<String>)>,
    more: usize,
}

impl Problems {
    /// So many are kept: nobody reads more, and a broken file of a gigabyte has millions.
    const MOST: usize = 1000;

    pub(crate) fn add(&mut self, span: Span, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    pub(crate) fn add_with_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(span, message.into(), Some(help.into()));
    }

    fn push(&mut self, span: Span, message: String, help: Option<String>) {
        if self.found.len() < Self::MOST {
            self.found.push((span, message, help));
        } else {
            self.more += 1;
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.found.len() + self.more
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The mistakes with their places, by place.
    pub(crate) fn into_error(mut self, documents: &Documents) -> DocumentError {
        self.found.sort_by_key(|(span, ..)| (span.start, span.end));
        let problems = self
            .found
            .into_iter()
            .map(|(span, message, help)| locate(documents, &span, message, help));
        DocumentError { problems: problems.collect(), more: self.more }
    }
}

/// The longest part of a line that is shown, in characters.
const SHOWN: usize = 100;

fn locate(documents: &Documents, span: &Span, message: String, help: Option<String>) -> Problem {
    let (file, text, begins) = documents.file(span.start);
    let at = (span.start - begins) as usize;
    let end = (span.end.max(span.start) - begins) as usize;
    let line_begins = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = text[at..].iter().position(|byte| *byte == b'\n');
    let line_ends = rest.map_or(text.len(), |length| at + length);
    let chars = |from: usize, to: usize| String::from_utf8_lossy(&text[from..to]).chars().count();
    let before = chars(line_begins, at);
    let marked = chars(at, end.clamp(at, line_ends));
    let whole = String::from_utf8_lossy(&text[line_begins..line_ends]);
    let (source, mark) = shorten(whole.trim_end(), before, marked);
    #[allow(clippy::naive_bytecount, reason = "a few diagnostics, once")]
    let line = 1 + text[..at].iter().filter(|byte| **byte == b'\n').count();
    Problem { file: file.to_owned(), line, column: 1 + before, message, help, source, mark }
}

/// The part of a line around some of its characters, and where in it they begin and how wide they
/// are, in columns of a terminal. Control characters become spaces, so that the mark stands right.
fn shorten(line: &str, before: usize, marked: usize) -> (String, (usize, usize)) {
    let line: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let skip = if line.len() <= SHOWN {
        0
    } else {
        before.saturating_sub(SHOWN / 3).min(line.len() - SHOWN)
    };
    let text = |from: usize, to: usize| -> String {
        line.iter().take(to.min(skip + SHOWN)).skip(from).collect()
    };
    let front = if skip > 0 { "..." } else { "" };
    let back = if skip + SHOWN < line.len() { "..." } else { "" };
    let mark = (
        front.len() + text(skip, before).width() + before.saturating_sub(line.len()),
        text(before, before + marked).width(),
    );
    (format!("{front}{}{back}", text(skip, line.len())), mark)
}
