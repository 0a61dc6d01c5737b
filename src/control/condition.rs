//! Conditions of request patterns, in the format of `WireMock`: requirements on a value, or on one of
//! several values.

use std::borrow::Cow;

use regex_lite::{Captures, Regex, RegexBuilder};

use crate::document::{At, Fatal, Reader, Span};

/// Every condition on the values of a header or parameter, and `caseInsensitive`, which modifies
/// `equalTo`. The last two conditions apply to all values together.
pub(crate) const VALUES_MATCHERS: &[&str] = &[
    "equalTo",
    "contains",
    "doesNotContain",
    "matches",
    "doesNotMatch",
    "absent",
    "anything",
    "not",
    "and",
    "or",
    ANY_CASE,
    "hasExactly",
    "includes",
];

/// Every condition on one value, and `caseInsensitive`.
pub(crate) const MATCHERS: &[&str] = VALUES_MATCHERS.split_at(VALUES_MATCHERS.len() - 2).0;

/// The key that is not a condition by itself.
const ANY_CASE: &str = "caseInsensitive";

/// The most conditions that may be nested in other conditions of a pattern.
pub(crate) const MOST_NESTED: usize = 100;

/// The longest expression, in bytes.
pub(crate) const MOST_EXPRESSION: usize = 1_000;

/// The sizes, in bytes, that a compiled expression is measured by. The last one is the limit, because the
/// time that matching takes depends on the size.
const SIZES: [usize; 4] = [1 << 10, 4 << 10, 16 << 10, 64 << 10];

/// The limit of the product of a text's length and the size of the expression that it is compared with. A
/// comparison at the limit takes some tenths of a second, and cannot be stopped.
const MOST_WORK: usize = 1 << 30;

/// The distance of two texts is computed from this number of characters, because the time grows with its
/// square.
const MOST_COMPARED: usize = 256;

/// The comparison of a request with a pattern was stopped, because it takes too long or the client has
/// disconnected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stopped;

/// How requests are compared with a pattern.
#[derive(Clone, Copy)]
pub(super) struct Search<'s> {
    /// Whether to stop. It is called before each comparison of a text.
    pub(super) stop: &'s dyn Fn() -> bool,
    /// Whether to measure how similar texts are. Otherwise different texts have the greatest distance.
    pub(super) measures: bool,
}

/// A regular expression that has to match all of a text.
pub(super) struct Expression {
    regex: Regex,
    /// One of [`SIZES`].
    size: usize,
}

/// A condition on a value. `None` stands for a missing value.
pub(super) enum Condition {
    Absent,
    Anything,
    EqualTo { value: String, any_case: bool },
    Contains(String),
    DoesNotContain(String),
    Matches(Expression),
    DoesNotMatch(Expression),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// A condition on the values of a header or parameter.
pub(super) enum ValuesCondition {
    /// One of them fits.
    One(Condition),
    /// There are as many values as conditions, and each condition fits one of them.
    Exactly(Vec<Condition>),
    /// Each condition fits one of them.
    Includes(Vec<Condition>),
}

impl Expression {
    pub(super) fn matches(&self, text: &str, stop: &dyn Fn() -> bool) -> Result<bool, Stopped> {
        self.check(text, stop)?;
        Ok(self.regex.is_match(text))
    }

    pub(super) fn captures<'t>(
        &self,
        text: &'t str,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Captures<'t>>, Stopped> {
        self.check(text, stop)?;
        Ok(self.regex.captures(text))
    }

    fn check(&self, text: &str, stop: &dyn Fn() -> bool) -> Result<(), Stopped> {
        let takes_long = text.len().saturating_mul(self.size) > MOST_WORK;
        if takes_long || stop() { Err(Stopped) } else { Ok(()) }
    }
}

impl Condition {
    fn fits(&self, value: Option<&str>, stop: &dyn Fn() -> bool) -> Result<bool, Stopped> {
        Ok(match (self, value) {
            (Self::Anything, _) | (Self::DoesNotContain(_) | Self::DoesNotMatch(_), None) => true,
            (Self::Absent, value) => value.is_none(),
            (Self::Not(other), value) => !other.fits(value, stop)?,
            (Self::And(all), value) => {
                for each in all {
                    if !each.fits(value, stop)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Or(any), value) => {
                for each in any {
                    if each.fits(value, stop)? {
                        return Ok(true);
                    }
                }
                false
            }
            (_, None) => false,
            (Self::EqualTo { value: wanted, any_case: false }, Some(value)) => value == wanted,
            (Self::EqualTo { value: wanted, any_case: true }, Some(value)) => {
                // Texts of very different lengths differ, so a long one is not converted.
                let is_near = |a: &str, b: &str| a.len() <= b.len().saturating_mul(4);
                is_near(value, wanted)
                    && is_near(wanted, value)
                    && value.to_lowercase() == wanted.to_lowercase()
            }
            (Self::Contains(part), Some(value)) => value.contains(part),
            (Self::DoesNotContain(part), Some(value)) => !value.contains(part),
            (Self::Matches(expression), Some(value)) => expression.matches(value, stop)?,
            (Self::DoesNotMatch(expression), Some(value)) => !expression.matches(value, stop)?,
        })
    }

    /// How far a value is from the condition: 0 if it fits, 1 if nothing is similar.
    pub(super) fn distance(&self, value: Option<&str>, search: Search) -> Result<f64, Stopped> {
        if self.fits(value, search.stop)? {
            return Ok(0.0);
        }
        match (self, value) {
            _ if !search.measures => Ok(1.0),
            (Self::EqualTo { value: wanted, .. }, Some(value)) => Ok(text_distance(wanted, value)),
            (Self::And(all), value) => mean(all.iter().map(|each| each.distance(value, search))),
            (Self::Or(any), value) => nearest(any.iter().map(|each| each.distance(value, search))),
            _ => Ok(1.0),
        }
    }

    /// The distance of the nearest value. An empty list is compared like a missing value.
    pub(super) fn distance_to_any<'v>(
        &self,
        values: impl Iterator<Item = Cow<'v, str>>,
        search: Search,
    ) -> Result<f64, Stopped> {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return self.distance(None, search);
        }
        nearest(values.map(|value| self.distance(Some(&value), search)))
    }
}

impl ValuesCondition {
    pub(super) fn distance<'v>(
        &self,
        values: impl Iterator<Item = Cow<'v, str>>,
        search: Search,
    ) -> Result<f64, Stopped> {
        let all = match self {
            Self::One(condition) => return condition.distance_to_any(values, search),
            Self::Exactly(all) | Self::Includes(all) => all,
        };
        let values: Vec<_> = values.collect();
        let is_right = match self {
            Self::Exactly(_) => values.len() == all.len(),
            _ => !values.is_empty(),
        };
        let each = all.iter().map(|each| each.distance_to_any(values.iter().cloned(), search));
        mean(each.chain([Ok(f64::from(u8::from(!is_right)))]))
    }
}

/// The least distance; 1 if there is none. A distance of 0 ends the search.
fn nearest(distances: impl Iterator<Item = Result<f64, Stopped>>) -> Result<f64, Stopped> {
    let mut least = 1.0_f64;
    for distance in distances {
        least = least.min(distance?);
        if least == 0.0 {
            break;
        }
    }
    Ok(least)
}

/// The mean of distances; 0 if there is none.
pub(super) fn mean(distances: impl Iterator<Item = Result<f64, Stopped>>) -> Result<f64, Stopped> {
    let (mut sum, mut count) = (0.0, 0.0);
    for distance in distances {
        sum += distance?;
        count += 1.0;
    }
    Ok(if count > 0.0 { sum / count } else { 0.0 })
}

/// The distance of two different texts: the edit distance divided by the length of the longer text.
pub(super) fn text_distance(one: &str, other: &str) -> f64 {
    let begin = |text: &str| text.chars().take(MOST_COMPARED).collect::<String>();
    let likeness = strsim::normalized_levenshtein(&begin(one), &begin(other));
    // The texts may differ only after the compared part.
    (1.0 - likeness).max(f64::EPSILON)
}

/// Reads one condition on a value. `nested` counts the nested conditions of the pattern.
pub(super) fn read_condition(
    reader: &mut Reader<'_, '_>,
    name: &Span,
    nested: &mut usize,
) -> Result<Option<Condition>, Fatal> {
    let read = read_one_of(reader, MATCHERS, name, nested)?;
    Ok(read.and_then(|read| match read {
        ValuesCondition::One(condition) => Some(condition),
        ValuesCondition::Exactly(_) | ValuesCondition::Includes(_) => None,
    }))
}

/// Reads one condition on the values of a header or parameter.
pub(super) fn read_values_condition(
    reader: &mut Reader<'_, '_>,
    name: &Span,
    nested: &mut usize,
) -> Result<Option<ValuesCondition>, Fatal> {
    read_one_of(reader, VALUES_MATCHERS, name, nested)
}

fn read_one_of(
    reader: &mut Reader<'_, '_>,
    known: &[&str],
    name: &Span,
    nested: &mut usize,
) -> Result<Option<ValuesCondition>, Fatal> {
    let Some(mut keys) = reader.object(r#"a condition such as {"equalTo": "1"}"#)? else {
        return Ok(None);
    };
    let told = reader.problems.errors();
    let mut found = None;
    let mut given = 0;
    let mut any_case = None;
    while let Some(At { value: key, span }) = reader.key(&mut keys, known)? {
        if key == ANY_CASE {
            any_case = reader.boolean()?.map(|at| (at.value, span));
            continue;
        }
        given += 1;
        found = match key {
            "hasExactly" => read_list(reader, &span, nested)?.map(ValuesCondition::Exactly),
            "includes" => read_list(reader, &span, nested)?.map(ValuesCondition::Includes),
            _ => read_by_key(reader, key, &span, nested)?.map(ValuesCondition::One),
        };
        if given > 1 {
            let help = "give one, or combine them by \"and\" or \"or\"";
            reader.problems.add_with_help(span, "more than one condition", help);
        }
    }
    match (&mut found, any_case) {
        (Some(ValuesCondition::One(Condition::EqualTo { any_case, .. })), Some((value, _))) => {
            *any_case = value;
        }
        (Some(_), Some((_, span))) => {
            let help = "in a regular expression, write (?i)";
            reader.problems.add_with_help(span, "caseInsensitive needs equalTo", help);
        }
        _ => {}
    }
    if given == 0 && reader.problems.errors() == told {
        let conditions: Vec<_> = known.iter().copied().filter(|key| *key != ANY_CASE).collect();
        let help = format!("give one of {}", conditions.join(", "));
        reader.problems.add_with_help(name.clone(), "this name has no condition", help);
    }
    Ok(found)
}

fn read_by_key(
    reader: &mut Reader<'_, '_>,
    key: &str,
    span: &Span,
    nested: &mut usize,
) -> Result<Option<Condition>, Fatal> {
    Ok(match key {
        "absent" => read_absent(reader)?,
        "anything" => {
            reader.skip()?;
            Some(Condition::Anything)
        }
        "matches" => read_expression(reader)?.map(Condition::Matches),
        "doesNotMatch" => read_expression(reader)?.map(Condition::DoesNotMatch),
        "contains" => reader.string()?.map(|text| Condition::Contains(text.value)),
        "doesNotContain" => reader.string()?.map(|text| Condition::DoesNotContain(text.value)),
        "not" => read_nested(reader, span, nested)?.map(|other| Condition::Not(Box::new(other))),
        "and" => read_list(reader, span, nested)?.map(Condition::And),
        "or" => read_list(reader, span, nested)?.map(Condition::Or),
        _ => reader.string()?.map(|At { value, .. }| Condition::EqualTo { value, any_case: false }),
    })
}

/// Reads a condition inside another one.
fn read_nested(
    reader: &mut Reader<'_, '_>,
    span: &Span,
    nested: &mut usize,
) -> Result<Option<Condition>, Fatal> {
    *nested += 1;
    if *nested <= MOST_NESTED {
        return read_condition(reader, span, nested);
    }
    if *nested == MOST_NESTED + 1 {
        let message = format!("there are more than {MOST_NESTED} nested conditions");
        reader.problems.add(span.clone(), message);
    }
    reader.skip()?;
    Ok(None)
}

/// Reads a list of conditions inside another one.
fn read_list(
    reader: &mut Reader<'_, '_>,
    span: &Span,
    nested: &mut usize,
) -> Result<Option<Vec<Condition>>, Fatal> {
    let mut conditions = Vec::new();
    let told = reader.problems.errors();
    reader.array("conditions", |reader| {
        conditions.extend(read_nested(reader, span, nested)?);
        Ok(())
    })?;
    if conditions.is_empty() && reader.problems.errors() == told {
        reader.problems.add(span.clone(), "the list of conditions is empty");
    }
    Ok(Some(conditions).filter(|conditions| !conditions.is_empty()))
}

fn read_absent(reader: &mut Reader<'_, '_>) -> Result<Option<Condition>, Fatal> {
    // Some clients send a string instead of `true`.
    if reader.is_string()? {
        reader.skip()?;
        return Ok(Some(Condition::Absent));
    }
    let Some(At { value, span }) = reader.boolean()? else { return Ok(None) };
    if !value {
        let help = r#"for any value, write {"matches": ".*"}"#;
        reader.problems.add_with_help(span, "absent must be true", help);
    }
    Ok(Some(Condition::Absent))
}

pub(super) fn read_expression(reader: &mut Reader<'_, '_>) -> Result<Option<Expression>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    if value.len() > MOST_EXPRESSION {
        let message = format!("the expression has more than {MOST_EXPRESSION} bytes");
        reader.problems.add(span, message);
        return Ok(None);
    }
    let compiled = compile(&value).map_err(|error| {
        let message = format!("the expression does not compile: {error}");
        let help = "lookarounds and backreferences are not supported";
        reader.problems.add_with_help(span, message, help);
    });
    Ok(compiled.ok())
}

pub(super) fn compile(text: &str) -> Result<Expression, regex_lite::Error> {
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

    use super::{Condition, Search, Stopped, compile};

    #[test]
    fn matching_stops_before_the_next_text_when_stop_returns_true() {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        let condition = Condition::Matches(compile("a*b").unwrap());
        let values = || (0..100).map(|_| Cow::Borrowed("aaa"));
        let search = |stop| Search { stop, measures: false };
        assert_eq!(condition.distance_to_any(values(), search(&stop)), Err(Stopped));
        assert_eq!(asked.get(), 4);
        assert_eq!(condition.distance_to_any(values(), search(&|| false)), Ok(1.0));
    }

    #[test]
    fn a_long_text_is_not_compared_with_a_large_expression() {
        let text = "a".repeat(126_000);
        let large = compile(&("(a|a)*b|".repeat(120) + "a*")).unwrap();
        assert_eq!(large.matches(&text, &|| false), Err(Stopped));
        assert_eq!(large.matches("aaa", &|| false), Ok(true));
        let small = compile("(a|a)*").unwrap();
        assert_eq!(small.matches(&text, &|| false), Ok(true));
    }
}
