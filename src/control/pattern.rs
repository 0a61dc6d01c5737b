//! Request patterns in the form of `WireMock`: which requests are found, counted or removed. A pattern is
//! compared with the request as it was sent, keys included, but shows nothing of it.

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};

use super::Failure;
use super::bodies::read_document;
use super::extract::FromBody;
use crate::document::{At, Fatal, Reader, Span};
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::{Entry, pairs};
use crate::suggest::quoted;
use crate::target::without_sandbox;

/// Every key of a pattern.
pub(crate) const KEYS: &[&str] =
    &["method", "url", "urlPath", "urlPattern", "urlPathPattern", "queryParameters", "headers"];

/// Every condition, and `caseInsensitive`, which goes with the first.
pub(crate) const MATCHERS: &[&str] =
    &["equalTo", "contains", "matches", "doesNotMatch", "absent", "caseInsensitive"];

/// The most headers, and the most parameters, that a pattern may name.
pub(crate) const MOST_NAMES: usize = 100;

/// The longest expression, in bytes.
pub(crate) const MOST_EXPRESSION: usize = 1_000;

/// The sizes, in bytes, that a compiled expression is measured by. The last one is the limit, because the
/// time that matching takes depends on the size.
const SIZES: [usize; 4] = [1 << 10, 4 << 10, 16 << 10, 64 << 10];

/// The limit of the length of a text times the size of the expression that it is compared with. Such a
/// comparison takes some tenths of a second, and cannot be stopped.
const MOST_WORK: usize = 1 << 30;

/// The comparison of a request with a pattern was stopped, because it takes too long or its client has
/// gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stopped;

/// What a request must hold. A field that is not set fits every request.
#[derive(Default)]
pub(crate) struct Pattern {
    /// `None` for `ANY`, too.
    method: Option<String>,
    url: Option<UrlMatcher>,
    query_parameters: Vec<(String, Matcher)>,
    headers: Vec<(String, Matcher)>,
}

/// What the target of a request, or its path alone, must be.
enum UrlMatcher {
    Target(String),
    Path(String),
    TargetMatches(Expression),
    PathMatches(Expression),
}

/// A regular expression that has to match all of a text.
struct Expression {
    regex: Regex,
    /// One of [`SIZES`].
    size: usize,
}

/// What one of the values of a header or parameter must be.
enum Matcher {
    Absent,
    EqualTo { value: String, any_case: bool },
    Contains(String),
    Matches(Expression),
    DoesNotMatch(Expression),
}

impl FromBody for Pattern {
    fn read(_: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let mut pattern = Self::default();
        read_document(body, |reader| pattern.read_from(reader))?;
        Ok(pattern)
    }
}

impl Pattern {
    fn read_from(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), Fatal> {
        let Some(mut keys) = reader.object("a request pattern")? else { return Ok(()) };
        while let Some(At { value: key, span }) = reader.key(&mut keys, KEYS)? {
            // Some clients write `null` for a key that they do not set.
            if reader.null()? {
                continue;
            }
            match key {
                "method" => self.method = read_method(reader)?,
                "queryParameters" => {
                    self.query_parameters = read_names(reader, "parameters by name")?;
                }
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

    /// Whether a request fits. `stop` is asked before each text that is looked at.
    pub(super) fn fits(&self, entry: &Entry, stop: &dyn Fn() -> bool) -> Result<bool, Stopped> {
        if self.method.as_ref().is_some_and(|method| *method != entry.method()) {
            return Ok(false);
        }
        let target = entry.target();
        // A client may take the sandbox's part of the path for a part of the server's address.
        let own = without_sandbox(&target);
        if !self.fits_url(&target, stop)?
            && (own.len() == target.len() || !self.fits_url(own, stop)?)
        {
            return Ok(false);
        }
        for (name, matcher) in &self.headers {
            let of = entry.headers().filter(|(header, _)| header.eq_ignore_ascii_case(name));
            if !matcher.fits(of.map(|(_, value)| String::from_utf8_lossy(value)), stop)? {
                return Ok(false);
            }
        }
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for (name, matcher) in &self.query_parameters {
            let of = pairs(query).filter(|(param, _)| param == name);
            if !matcher.fits(of.map(|(_, value)| value), stop)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits_url(&self, target: &str, stop: &dyn Fn() -> bool) -> Result<bool, Stopped> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        match &self.url {
            None => Ok(true),
            Some(UrlMatcher::Target(url)) => Ok(url == target),
            Some(UrlMatcher::Path(url)) => Ok(url == path),
            Some(UrlMatcher::TargetMatches(expression)) => expression.matches(target, stop),
            Some(UrlMatcher::PathMatches(expression)) => expression.matches(path, stop),
        }
    }
}

impl Expression {
    fn matches(&self, text: &str, stop: &dyn Fn() -> bool) -> Result<bool, Stopped> {
        if text.len().saturating_mul(self.size) > MOST_WORK || stop() {
            return Err(Stopped);
        }
        Ok(self.regex.is_match(text))
    }
}

impl Matcher {
    fn fits<'v>(
        &self,
        values: impl Iterator<Item = Cow<'v, str>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        let mut is_absent = true;
        for value in values {
            is_absent = false;
            let fits = match self {
                Self::Absent => return Ok(false),
                Self::EqualTo { value: wanted, any_case: false } => value == *wanted,
                Self::EqualTo { value: wanted, any_case: true } => {
                    // Texts of very different lengths differ, so a long one is not converted.
                    let is_near = |a: &str, b: &str| a.len() <= b.len().saturating_mul(4);
                    is_near(&value, wanted)
                        && is_near(wanted, &value)
                        && value.to_lowercase() == wanted.to_lowercase()
                }
                Self::Contains(part) => value.contains(part),
                Self::Matches(expression) => expression.matches(&value, stop)?,
                Self::DoesNotMatch(expression) => !expression.matches(&value, stop)?,
            };
            if fits {
                return Ok(true);
            }
        }
        Ok(is_absent && matches!(self, Self::Absent | Self::DoesNotMatch(_)))
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

fn read_url(reader: &mut Reader<'_, '_>, key: &str) -> Result<Option<UrlMatcher>, Fatal> {
    Ok(match key {
        "urlPattern" => read_expression(reader)?.map(UrlMatcher::TargetMatches),
        "urlPathPattern" => read_expression(reader)?.map(UrlMatcher::PathMatches),
        "url" => reader.string()?.map(|url| UrlMatcher::Target(url.value)),
        _ => match reader.string()? {
            Some(At { value, span }) if value.contains('?') => {
                let help = "give the query as queryParameters, or all of it as url";
                reader.problems.add_with_help(span, "a path holds no `?`", help);
                None
            }
            path => path.map(|path| UrlMatcher::Path(path.value)),
        },
    })
}

/// Conditions by the names of headers or parameters.
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

/// Reads one condition.
fn read_matcher(reader: &mut Reader<'_, '_>, name: &Span) -> Result<Option<Matcher>, Fatal> {
    let Some(mut keys) = reader.object(r#"a condition such as {"equalTo": "1"}"#)? else {
        return Ok(None);
    };
    let told = reader.problems.errors();
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
            "matches" => read_expression(reader)?.map(Matcher::Matches),
            "doesNotMatch" => read_expression(reader)?.map(Matcher::DoesNotMatch),
            "contains" => reader.string()?.map(|text| Matcher::Contains(text.value)),
            _ => {
                reader.string()?.map(|At { value, .. }| Matcher::EqualTo { value, any_case: false })
            }
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
    if given == 0 && reader.problems.errors() == told {
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

fn read_expression(reader: &mut Reader<'_, '_>) -> Result<Option<Expression>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    if value.len() > MOST_EXPRESSION {
        let message = format!("an expression of more than {MOST_EXPRESSION} bytes");
        reader.problems.add(span, message);
        return Ok(None);
    }
    let compiled = compile(&value).map_err(|error| {
        let message = format!("the expression does not compile: {error}");
        let help = "there are no lookarounds and no backreferences";
        reader.problems.add_with_help(span, message, help);
    });
    Ok(compiled.ok())
}

fn compile(text: &str) -> Result<Expression, regex_lite::Error> {
    let [.., most] = SIZES;
    // The expression is compiled without the group first, so that it cannot close the group itself.
    build(text, most)?;
    // With `(?x)` it may end in a comment, which would include the closing bracket without the line break.
    build_smallest(&format!(r"\A(?:{text})\z"))
        .or_else(|_| build_smallest(&format!("\\A(?:{text}\n)\\z")))
}

fn build_smallest(text: &str) -> Result<Expression, regex_lite::Error> {
    let [smaller @ .., most] = SIZES;
    let fitting = smaller.into_iter().find_map(|size| Some((build(text, size).ok()?, size)));
    let (regex, size) = match fitting {
        Some(fitting) => fitting,
        None => (build(text, most)?, most),
    };
    Ok(Expression { regex, size })
}

fn build(text: &str, size: usize) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(text).size_limit(size).build()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::cell::Cell;

    use super::{Matcher, Stopped, compile};

    #[test]
    fn matching_stops_before_the_next_text_when_it_is_told_to() {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        let matcher = Matcher::Matches(compile("a*b").unwrap());
        let values = || (0..100).map(|_| Cow::Borrowed("aaa"));
        assert_eq!(matcher.fits(values(), &stop), Err(Stopped));
        assert_eq!(asked.get(), 4);
        assert_eq!(matcher.fits(values(), &|| false), Ok(false));
    }

    #[test]
    fn a_long_text_is_not_held_against_a_large_expression() {
        let text = "a".repeat(126_000);
        let large = compile(&("(a|a)*b|".repeat(120) + "a*")).unwrap();
        assert_eq!(large.matches(&text, &|| false), Err(Stopped));
        assert_eq!(large.matches("aaa", &|| false), Ok(true));
        let small = compile("(a|a)*").unwrap();
        assert_eq!(small.matches(&text, &|| false), Ok(true));
    }
}
