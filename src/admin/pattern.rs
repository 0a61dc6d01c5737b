//! Request patterns, as `WireMock` writes them: what a request must hold to be found, counted or
//! removed. A request is held against what it really sent; nothing of it is shown here.

use regex_lite::{Regex, RegexBuilder};

use super::Failure;
use super::settings::read_document;
use crate::document::{At, Fatal, Reader, Span, quoted};
use crate::http::without_sandbox;
use crate::journal::{Entry, pairs};

/// Every key of a pattern.
pub(super) const KEYS: &[&str] =
    &["method", "url", "urlPath", "urlPattern", "urlPathPattern", "queryParameters", "headers"];

/// Every condition, and a word that goes with the first.
pub(super) const MATCHERS: &[&str] =
    &["equalTo", "contains", "matches", "doesNotMatch", "absent", "caseInsensitive"];

/// So many headers and parameters a pattern may name.
pub(super) const MOST_NAMES: usize = 100;

/// An expression may be so long, and so large once it is compiled, in bytes: matching takes time
/// by its size.
pub(super) const MOST_EXPRESSION: usize = 1_000;
const MOST_COMPILED: usize = 64 << 10;

/// What a request must hold.
#[derive(Default)]
pub(super) struct Pattern {
    /// `None`: any.
    method: Option<String>,
    url: Option<Url>,
    query: Vec<(String, Matcher)>,
    headers: Vec<(String, Matcher)>,
}

enum Url {
    Whole(String),
    Path(String),
    WholeMatches(Regex),
    PathMatches(Regex),
}

/// What one of the values of a header or parameter must be.
enum Matcher {
    Absent,
    EqualTo { value: String, any_case: bool },
    Contains(String),
    Matches(Regex),
    DoesNotMatch(Regex),
}

impl Pattern {
    /// Reads the whole of a body.
    pub(super) fn read(body: Vec<u8>) -> Result<Self, Failure> {
        let mut pattern = Self::default();
        read_document(body, |reader, _| pattern.read_from(reader))?;
        Ok(pattern)
    }

    fn read_from(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), Fatal> {
        let Some(mut keys) = reader.object("a request pattern")? else { return Ok(()) };
        while let Some(At { value: key, span }) = reader.key(&mut keys, KEYS)? {
            // Some clients write what they do not set as `null`.
            if reader.null()? {
                continue;
            }
            match key {
                "method" => self.method = read_method(reader)?,
                "queryParameters" => self.query = read_names(reader, "parameters by name")?,
                "headers" => self.headers = read_names(reader, "headers by name")?,
                _ => {
                    let url = read_url(reader, key)?;
                    if self.url.is_some() {
                        let message = format!("{key} beside another of the url's keys");
                        let help = "give one of url, urlPath, urlPattern, urlPathPattern";
                        reader.problems.add_with_help(span, message, help);
                    }
                    self.url = url.or(self.url.take());
                }
            }
        }
        Ok(())
    }

    pub(super) fn fits(&self, entry: &Entry) -> bool {
        let target = entry.target();
        let headers = |name: &str| {
            let of = entry.headers().filter(|(header, _)| header.eq_ignore_ascii_case(name));
            of.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
        };
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let params = |name: &str| {
            let of = pairs(query).filter(|(param, _)| param == name);
            of.map(|(_, value)| value.into_owned()).collect::<Vec<_>>()
        };
        self.method.as_ref().is_none_or(|method| *method == entry.method())
            // A sandbox in the path is the address of the server, as far as a client knows.
            && self.url.as_ref().is_none_or(|url| {
                let own = without_sandbox(&target);
                url.fits(&target) || (own.len() < target.len() && url.fits(own))
            })
            && self.headers.iter().all(|(name, matcher)| matcher.fits(&headers(name)))
            && self.query.iter().all(|(name, matcher)| matcher.fits(&params(name)))
    }
}

impl Url {
    fn fits(&self, target: &str) -> bool {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        match self {
            Self::Whole(url) => url == target,
            Self::Path(url) => url == path,
            Self::WholeMatches(url) => url.is_match(target),
            Self::PathMatches(url) => url.is_match(path),
        }
    }
}

impl Matcher {
    fn fits(&self, values: &[String]) -> bool {
        let any = |fits: &dyn Fn(&str) -> bool| values.iter().any(|value| fits(value));
        match self {
            Self::Absent => values.is_empty(),
            Self::EqualTo { value, any_case: false } => any(&|sent| sent == value),
            Self::EqualTo { value, any_case: true } => {
                let value = value.to_lowercase();
                any(&|sent| sent.to_lowercase() == value)
            }
            Self::Contains(part) => any(&|sent| sent.contains(part)),
            Self::Matches(regex) => any(&|sent| regex.is_match(sent)),
            Self::DoesNotMatch(regex) => values.is_empty() || any(&|sent| !regex.is_match(sent)),
        }
    }
}

fn read_method(reader: &mut Reader<'_, '_>) -> Result<Option<String>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    let upper = value.to_ascii_uppercase();
    if upper != value {
        let message = format!("no request has the method {}", quoted(&value));
        reader.problems.add_with_help(span, message, format!("write {}", quoted(&upper)));
    }
    Ok(Some(upper).filter(|method| method != "ANY"))
}

fn read_url(reader: &mut Reader<'_, '_>, key: &str) -> Result<Option<Url>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    if key == "urlPath" && value.contains('?') {
        let help = "give the query as queryParameters, or all of it as url";
        reader.problems.add_with_help(span, "a path holds no `?`", help);
        return Ok(None);
    }
    Ok(match key {
        "url" => Some(Url::Whole(value)),
        "urlPath" => Some(Url::Path(value)),
        "urlPattern" => expression(reader, &value, &span).map(Url::WholeMatches),
        _ => expression(reader, &value, &span).map(Url::PathMatches),
    })
}

/// What is asked of headers or of parameters, by their names.
fn read_names(reader: &mut Reader<'_, '_>, what: &str) -> Result<Vec<(String, Matcher)>, Fatal> {
    let mut names = Vec::new();
    let Some(mut keys) = reader.object(what)? else { return Ok(names) };
    while let Some(At { value: name, span }) = reader.name(&mut keys)? {
        if names.len() >= MOST_NAMES {
            reader.problems.add(span, format!("more than {MOST_NAMES} names"));
            reader.skip()?;
        } else if let Some(matcher) = read_matcher(reader, &span)? {
            names.push((name, matcher));
        }
    }
    Ok(names)
}

/// One condition; what is wrong with it is told.
fn read_matcher(reader: &mut Reader<'_, '_>, name: &Span) -> Result<Option<Matcher>, Fatal> {
    let Some(mut keys) = reader.object(r#"a condition such as {"equalTo": "1"}"#)? else {
        return Ok(None);
    };
    let told = reader.problems.count();
    let mut found = None;
    let mut given = 0;
    let mut any_case = None;
    while let Some(At { value: key, span }) = reader.key(&mut keys, MATCHERS)? {
        if key == "caseInsensitive" {
            any_case = reader.boolean()?.map(|at| (at.value, span));
            continue;
        }
        given += 1;
        found = match key {
            "absent" => read_absent(reader)?,
            _ => read_text(reader, key)?,
        };
        if given > 1 {
            reader.problems.add_with_help(span, "a second condition", "give one");
        }
    }
    match (&mut found, any_case) {
        (Some(Matcher::EqualTo { any_case, .. }), Some((value, _))) => *any_case = value,
        (Some(_), Some((_, span))) => {
            let help = "in an expression, write (?i)";
            reader.problems.add_with_help(span, "caseInsensitive goes with equalTo only", help);
        }
        _ => {}
    }
    if given == 0 && reader.problems.count() == told {
        let help = format!("give one of {}", MATCHERS[..MATCHERS.len() - 1].join(", "));
        reader.problems.add_with_help(name.clone(), "a name without a condition", help);
    }
    Ok(found)
}

fn read_absent(reader: &mut Reader<'_, '_>) -> Result<Option<Matcher>, Fatal> {
    // Some clients write it as a text.
    if reader.is_string()? {
        reader.skip()?;
        return Ok(Some(Matcher::Absent));
    }
    let Some(At { value, span }) = reader.boolean()? else { return Ok(None) };
    if !value {
        let help = r#"for one that is there, write {"matches": ".*"}"#;
        reader.problems.add_with_help(span, "absent is true or is left out", help);
    }
    Ok(Some(Matcher::Absent))
}

fn read_text(reader: &mut Reader<'_, '_>, key: &str) -> Result<Option<Matcher>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    Ok(match key {
        "equalTo" => Some(Matcher::EqualTo { value, any_case: false }),
        "contains" => Some(Matcher::Contains(value)),
        "matches" => expression(reader, &value, &span).map(Matcher::Matches),
        _ => expression(reader, &value, &span).map(Matcher::DoesNotMatch),
    })
}

/// A regular expression that has to match all of a text.
fn expression(reader: &mut Reader<'_, '_>, text: &str, span: &Span) -> Option<Regex> {
    if text.len() > MOST_EXPRESSION {
        let message = format!("an expression of more than {MOST_EXPRESSION} bytes");
        reader.problems.add(span.clone(), message);
        return None;
    }
    let compile = |text: &str| RegexBuilder::new(text).size_limit(MOST_COMPILED).build();
    // By itself first, so that no bracket of its own closes the one around it.
    let compiled = compile(text).and_then(|_| compile(&format!(r"\A(?:{text})\z")));
    compiled
        .map_err(|error| {
            let message = format!("the expression does not compile: {error}");
            let help = "there are no lookarounds and no backreferences";
            reader.problems.add_with_help(span.clone(), message, help);
        })
        .ok()
}
