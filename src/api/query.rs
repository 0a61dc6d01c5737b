//! The second extractor: the parameters of the query string, checked in the order of the endpoint's
//! table.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::RequestContext;
use super::refusal::Refusal;
use crate::contract::{
    Endpoint, FeedbackAbsent, FeedbackFilter, Field, Kind, PageSize, Param, Presence, Readings,
    TypeFilter, integer,
};
use crate::target::{decode, split_once};

/// The checked parameters of a request. All endpoints share this struct; a parameter that an endpoint
/// does not have keeps its default.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) conversation_type: TypeFilter,
    pub(super) user_id: Option<String>,
    /// Both ends inclusive; milliseconds since 1970-01-01 UTC.
    pub(super) window: (i64, i64),
    /// From 1.
    pub(super) page: u64,
    /// From 1.
    pub(super) page_size: u64,
    pub(super) conversation_id: String,
    pub(super) user_feedback: FeedbackFilter,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let RequestContext { sandbox, endpoint, .. } = RequestContext::of(head);
        Self::read(endpoint, head.uri.query().unwrap_or(""), &sandbox.settings.readings)
    }
}

impl Query {
    /// Checks the parameters in the order of the endpoint's table, then the window.
    fn read(
        endpoint: &'static Endpoint,
        query: &str,
        readings: &Readings,
    ) -> Result<Self, Refusal> {
        let raw = RawParams::read(endpoint, query);
        let mut checked = Self {
            conversation_type: None,
            user_id: None,
            window: (i64::MIN, i64::MAX),
            page: 1,
            page_size: 1,
            conversation_id: String::new(),
            user_feedback: None,
        };
        for param in endpoint.params {
            checked.check(param, &raw, readings)?;
        }
        match checked.window {
            (start, end) if start > end => Err(Refusal::WindowEndsBeforeStart { start, end }),
            _ => Ok(checked),
        }
    }

    /// Checks one parameter and keeps its value.
    fn check(
        &mut self,
        param: &'static Param,
        raw: &RawParams<'_>,
        readings: &Readings,
    ) -> Result<(), Refusal> {
        let Some(value) = raw.value(param)? else {
            let lenient = param.field == Field::UserFeedback
                && readings.feedback_absent == FeedbackAbsent::All;
            return match param.presence {
                Presence::Required if !lenient => Err(Refusal::MissingParam(param)),
                Presence::Required | Presence::Optional => Ok(()),
            };
        };
        let wrong = || Refusal::WrongParam(param, value.to_string());
        match param.field {
            Field::ConversationType => {
                self.conversation_type = Kind::type_filter(&value).ok_or_else(wrong)?;
            }
            Field::UserFeedback => {
                self.user_feedback = Kind::feedback_filter(&value).ok_or_else(wrong)?;
            }
            Field::StartTime => self.window.0 = integer(&value).ok_or_else(wrong)?,
            Field::EndTime => self.window.1 = integer(&value).ok_or_else(wrong)?,
            Field::Page => self.page = within(param, &value, false).ok_or_else(wrong)?,
            Field::PageSize => {
                let clamp = readings.page_size == PageSize::Clamp;
                self.page_size = within(param, &value, clamp).ok_or_else(wrong)?;
            }
            Field::UserId => self.user_id = Some(value.into_owned()),
            Field::ConversationId => self.conversation_id = value.into_owned(),
        }
        Ok(())
    }
}

/// An integer within the bounds of its row. With `clamp`, an integer outside becomes the nearest bound.
fn within(param: &Param, value: &str, clamp: bool) -> Option<u64> {
    let Kind::Integer { min, max } = param.kind else { return None };
    let number = integer(value)?;
    let bounded = number.clamp(min, max);
    if bounded == number || clamp { u64::try_from(bounded).ok() } else { None }
}

/// The values of the endpoint's parameters in the query string, still encoded, by field.
pub(super) struct RawParams<'a>([Occurrences<'a>; Field::COUNT]);

/// How often a parameter occurs.
#[derive(Clone, Copy)]
enum Occurrences<'a> {
    None,
    One(&'a str),
    Several,
}

impl<'a> RawParams<'a> {
    pub(super) fn read(endpoint: &Endpoint, query: &'a str) -> Self {
        let mut values = [Occurrences::None; Field::COUNT];
        let mut rest = Some(query);
        while let Some(query) = rest {
            let (pair, others) = split_once(query, b'&');
            rest = others;
            let (name, value) = split_once(pair, b'=');
            let (name, value) = (decode(name), value.unwrap_or(""));
            let param = endpoint.params.iter().find(|p| name.as_deref() == Some(p.field.name()));
            // An unknown parameter is ignored, whatever its value is.
            let Some(param) = param else { continue };
            let occurrences = &mut values[param.field as usize];
            *occurrences = match occurrences {
                Occurrences::None => Occurrences::One(value),
                Occurrences::One(_) | Occurrences::Several => Occurrences::Several,
            };
        }
        Self(values)
    }

    /// The decoded value of a parameter; `None` where it is absent, empty, repeated or not UTF-8.
    pub(super) fn get(&self, field: Field) -> Option<Cow<'a, str>> {
        match self.0[field as usize] {
            Occurrences::One(raw) => decode(raw).filter(|text| !text.is_empty()),
            Occurrences::None | Occurrences::Several => None,
        }
    }

    /// The decoded value; `None` where it is absent or empty.
    fn value(&self, param: &'static Param) -> Result<Option<Cow<'a, str>>, Refusal> {
        match self.0[param.field as usize] {
            Occurrences::None => Ok(None),
            Occurrences::Several => Err(Refusal::RepeatedParam(param)),
            Occurrences::One(raw) => {
                let text =
                    decode(raw).ok_or_else(|| Refusal::ParamNotUtf8(param, raw.to_owned()))?;
                Ok(Some(text).filter(|text| !text.is_empty()))
            }
        }
    }
}

/// Every decoded parameter name of a query string.
pub(super) fn names(query: &str) -> impl Iterator<Item = Cow<'_, str>> {
    query.split('&').filter_map(|pair| decode(split_once(pair, b'=').0))
}
