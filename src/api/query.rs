//! The query string: read once, checked row by row against the endpoint's table.

use std::borrow::Cow;

use super::hints;
use super::refusal::{Refusal, quote};
use crate::contract::{
    Endpoint, FeedbackAbsent, FeedbackFilter, Field, Kind, PageSize, Param, Presence, Readings,
    TypeFilter,
};
use crate::target::{decode, split_once};

/// The parameters of a request, checked. One struct for all endpoints: a field that an endpoint
/// does not have keeps its default.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) conversation_type: TypeFilter,
    pub(super) user_id: Option<Cow<'a, str>>,
    /// Both ends inclusive; milliseconds since 1970-01-01 UTC.
    pub(super) window: (i64, i64),
    /// From 1.
    pub(super) page: u64,
    /// From 1.
    pub(super) page_size: u64,
    pub(super) conversation_id: Cow<'a, str>,
    pub(super) user_feedback: FeedbackFilter,
}

impl<'a> Query<'a> {
    /// Checks the parameters in the order of the endpoint's table, then the window.
    pub(super) fn read(
        endpoint: &'a Endpoint,
        query: &'a str,
        readings: &Readings,
    ) -> Result<Self, Refusal> {
        let given = Given::read(endpoint, query);
        let mut checked = Self {
            conversation_type: None,
            user_id: None,
            window: (i64::MIN, i64::MAX),
            page: 1,
            page_size: 1,
            conversation_id: Cow::Borrowed(""),
            user_feedback: None,
        };
        for param in endpoint.params {
            checked.take(param, &given, readings).map_err(Refusal::Parameter)?;
        }
        if checked.window.0 > checked.window.1 {
            let (start, end) = checked.window;
            let (first, last) = (Field::StartTime.name(), Field::EndTime.name());
            let hint = hints::values::window(start, end, last);
            return Err(Refusal::Parameter(format!(
                "{first} must not be after {last}, got {start} and {end}{hint}"
            )));
        }
        Ok(checked)
    }

    /// Checks one parameter and keeps its value.
    fn take(
        &mut self,
        param: &Param,
        given: &Given<'a>,
        readings: &Readings,
    ) -> Result<(), String> {
        let Some(value) = given.value(param)? else {
            let lenient = param.field == Field::UserFeedback
                && readings.feedback_absent == FeedbackAbsent::All;
            return match param.presence {
                Presence::Required if !lenient => Err(format!(
                    "{} is missing; it must be {}{}",
                    param.field.name(),
                    param.kind.expected(),
                    hints::names::meant(given.endpoint, param.field, given.query)
                )),
                Presence::Required | Presence::Optional => Ok(()),
            };
        };
        let refused = || refused(given.endpoint, param, &value);
        match param.field {
            Field::ConversationType => {
                self.conversation_type = Kind::type_filter(&value).ok_or_else(refused)?;
            }
            Field::UserFeedback => {
                self.user_feedback = Kind::feedback_filter(&value).ok_or_else(refused)?;
            }
            Field::StartTime => self.window.0 = integer(&value).ok_or_else(refused)?,
            Field::EndTime => self.window.1 = integer(&value).ok_or_else(refused)?,
            Field::Page => self.page = within(param, &value, false).ok_or_else(refused)?,
            Field::PageSize => {
                let clamp = readings.page_size == PageSize::Clamp;
                self.page_size = within(param, &value, clamp).ok_or_else(refused)?;
            }
            Field::UserId => self.user_id = Some(value),
            Field::ConversationId => self.conversation_id = value,
        }
        Ok(())
    }
}

/// `page_size must be 10 to 100, got 5`, and what may have been meant.
fn refused(endpoint: &Endpoint, param: &Param, value: &str) -> String {
    let (name, got) = (param.field.name(), quote(value.as_bytes()));
    let hint = hints::values::meant(endpoint, param, value);
    format!("{name} must be {}, got {got}{hint}", param.kind.expected())
}

/// An optional `-`, then ASCII digits; what fits a signed 64-bit integer.
fn integer(value: &str) -> Option<i64> {
    // `parse` takes a `+`, too.
    if value.starts_with('+') { None } else { value.parse().ok() }
}

/// An integer within the bounds of its row, or moved to the nearest one.
fn within(param: &Param, value: &str, clamp: bool) -> Option<u64> {
    let Kind::Integer { min, max } = param.kind else { return None };
    let number = integer(value)?;
    let bounded = number.clamp(min, max);
    if bounded == number || clamp { u64::try_from(bounded).ok() } else { None }
}

/// What the query string gives for each known parameter, still encoded.
struct Given<'a> {
    endpoint: &'a Endpoint,
    query: &'a str,
    values: [Times<'a>; Field::COUNT],
}

/// How often a parameter was given.
#[derive(Clone, Copy)]
enum Times<'a> {
    Never,
    Once(&'a str),
    Often,
}

impl<'a> Given<'a> {
    fn read(endpoint: &'a Endpoint, query: &'a str) -> Self {
        let mut values = [Times::Never; Field::COUNT];
        let mut rest = Some(query);
        while let Some(query) = rest {
            let (pair, others) = split_once(query, b'&');
            rest = others;
            let (name, value) = split_once(pair, b'=');
            let (name, value) = (decode(name), value.unwrap_or(""));
            let param = endpoint.params.iter().find(|p| name.as_deref() == Some(p.field.name()));
            // An unknown parameter is ignored, whatever it holds.
            let Some(param) = param else { continue };
            let times = &mut values[param.field as usize];
            *times = match times {
                Times::Never => Times::Once(value),
                Times::Once(_) | Times::Often => Times::Often,
            };
        }
        Self { endpoint, query, values }
    }

    /// The decoded value; `None` where it is absent or empty.
    fn value(&self, param: &Param) -> Result<Option<Cow<'a, str>>, String> {
        let name = param.field.name();
        let raw = match self.values[param.field as usize] {
            Times::Never => return Ok(None),
            Times::Often => return Err(format!("{name} is given twice; send it once")),
            Times::Once(raw) => raw,
        };
        let text = decode(raw).ok_or_else(|| {
            format!("{name} must be UTF-8, percent-encoded, got {}", quote(raw.as_bytes()))
        })?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// Every name that a query string gives a value, decoded.
pub(super) fn names(query: &str) -> impl Iterator<Item = Cow<'_, str>> {
    query.split('&').filter_map(|pair| decode(split_once(pair, b'=').0))
}

#[cfg(test)]
mod tests {
    use super::integer;

    #[test]
    fn integers_are_plain() {
        assert_eq!(integer("007"), Some(7));
        assert_eq!(integer("-0"), Some(0));
        for odd in ["", "-", "+1", " 1", "1 ", "1.0", "1e3", "٣", "--1", "9223372036854775808"] {
            assert_eq!(integer(odd), None, "{odd:?}");
        }
    }
}
