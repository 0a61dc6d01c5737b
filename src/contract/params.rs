//! The parameters, and the values that each accepts.

use std::ops::Range;

use super::values::{CONVERSATION_TYPES, NO_FILTER};
use super::{ConversationType, Feedback, Source};

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident $name:literal;)*) => {
        /// A parameter of the vendor's API. Its name is defined only here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $field,)* }

        impl Field {
            /// The number of parameters.
            pub const COUNT: usize = [$($name),*].len();

            /// Every parameter.
            pub(crate) const ALL: [Self; Self::COUNT] = [$(Self::$field),*];

            /// The name in the query string.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$field => $name),* }
            }
        }
    };
}

fields! {
    /// Channel filter of the conversation list.
    ConversationType "conversation_type";
    /// User filter of the conversation list.
    UserId "user_id";
    /// Start of the time window, inclusive.
    StartTime "start_time";
    /// End of the time window, inclusive.
    EndTime "end_time";
    /// Number of the page, from 1.
    Page "page";
    /// Rows per page.
    PageSize "page_size";
    /// The conversation whose messages are requested.
    ConversationId "conversation_id";
    /// Rating filter of the Q&A list.
    UserFeedback "user_feedback";
}

/// Whether a parameter is required. An empty value counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A request without it is refused with 40000.
    Required,
    /// A request without it is not restricted by it.
    Optional,
}

/// What a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ALL` or a [`ConversationType`], in upper case.
    ConversationType,
    /// `ALL` or a [`Feedback`], in upper case.
    Feedback,
    /// Any text of at least one byte.
    Text,
    /// A time in milliseconds since 1970-01-01 UTC; any signed 64-bit integer.
    Millis,
    /// A whole number within both bounds.
    Integer {
        /// The smallest accepted value.
        min: i64,
        /// The largest accepted value.
        max: i64,
    },
}

/// The times of the years 2001 to 2286, in seconds since 1970-01-01 UTC. In milliseconds, such a number is a time
/// of the first months of 1970, so a client that sends it has probably mistaken the unit.
pub(crate) const SECONDS: Range<i64> = 1_000_000_000..10_000_000_000;

impl Kind {
    /// The accepted words of an enum, in the order of the vendor's page; empty for other kinds.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let all = std::iter::once(NO_FILTER);
        match self {
            Self::ConversationType => {
                all.chain(CONVERSATION_TYPES.iter().map(|(value, ..)| value.name())).collect()
            }
            Self::Feedback => all.chain(Feedback::ALL.iter().map(|value| value.name())).collect(),
            Self::Text | Self::Millis | Self::Integer { .. } => Vec::new(),
        }
    }

    /// Describes the accepted values for a person: `10 to 100`.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::ConversationType | Self::Feedback => {
                format!("one of {}", self.words().join(", "))
            }
            Self::Text => "a non-empty string".to_owned(),
            Self::Millis => "an integer, milliseconds since 1970-01-01 UTC".to_owned(),
            Self::Integer { min, max: i64::MAX } => format!("an integer of at least {min}"),
            Self::Integer { min, max } => format!("{min} to {max}"),
        }
    }

    /// An example of a value, where [`expected`](Self::expected) does not show what it looks like.
    pub(crate) fn example(self) -> Option<&'static str> {
        matches!(self, Self::Millis).then_some("for example, 2025-10-20T00:00:00Z is 1760918400000")
    }

    /// Whether a decoded value is accepted.
    pub(crate) fn accepts(self, value: &str) -> bool {
        match self {
            Self::ConversationType | Self::Feedback => self.words().contains(&value),
            Self::Text => !value.is_empty(),
            Self::Millis => integer(value).is_some(),
            Self::Integer { min, max } => {
                integer(value).is_some_and(|number| (min..=max).contains(&number))
            }
        }
    }

    /// Whether two decoded values mean the same. Numbers are compared as numbers, so `03` is `3`; everything
    /// else is compared byte by byte.
    pub(crate) fn is_same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Millis | Self::Integer { .. } => {
                integer(one).is_some_and(|number| integer(other) == Some(number))
            }
            Self::ConversationType | Self::Feedback | Self::Text => one == other,
        }
    }

    /// The type that a filter names. `None`: not a word of the filter.
    pub(crate) fn type_filter(word: &str) -> Option<super::TypeFilter> {
        if word == NO_FILTER { Some(None) } else { ConversationType::from_name(word).map(Some) }
    }

    /// The rating that a filter names. `None`: not a word of the filter.
    pub(crate) fn feedback_filter(word: &str) -> Option<super::FeedbackFilter> {
        if word == NO_FILTER { Some(None) } else { Feedback::from_name(word).map(Some) }
    }
}

/// An optional `-`, then ASCII digits; what fits a signed 64-bit integer.
pub(crate) fn integer(value: &str) -> Option<i64> {
    // `parse` also accepts a `+`.
    if value.starts_with('+') { None } else { value.parse().ok() }
}

/// A row of the table of parameters in a vendor's page.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Which parameter.
    pub field: Field,
    /// What it accepts.
    pub kind: Kind,
    /// Whether it is required.
    pub presence: Presence,
    /// What it does, in a few words.
    pub about: &'static str,
    /// The source of its name, its presence and its range.
    pub source: Source,
}

impl Param {
    /// Whether it is required, and what it accepts: the facts that its source covers.
    pub(crate) fn says(&self) -> String {
        let required = if self.presence == Presence::Required { "required" } else { "optional" };
        let accepts = match self.kind {
            // Each channel has its own source.
            Kind::ConversationType => "ALL or a channel".to_owned(),
            kind => kind.expected(),
        };
        format!("{required}; {accepts}")
    }
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
