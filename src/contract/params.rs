//! The parameters: which there are, what each accepts, and why a value is refused.

use std::ops::Range;

use super::values::{CONVERSATION_TYPES, NO_FILTER};
use super::{ConversationType, Feedback, Source};

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident $name:literal;)*) => {
        /// A parameter of the vendor's. Its name stands here and nowhere else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $field,)* }

        impl Field {
            /// How many there are.
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
    /// First instant of the window, inclusive.
    StartTime "start_time";
    /// Last instant of the window, inclusive.
    EndTime "end_time";
    /// Number of the page, from 1.
    Page "page";
    /// Rows per page.
    PageSize "page_size";
    /// The conversation whose messages are asked for.
    ConversationId "conversation_id";
    /// Rating filter of the Q&A list.
    UserFeedback "user_feedback";
}

/// Whether a parameter has to be there. An empty value counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Absent is 40000.
    Required,
    /// Absent is unrestricted.
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
    /// An instant in milliseconds since 1970-01-01 UTC; any signed 64-bit integer.
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
    /// The accepted words of an enum, in the page's order; empty for other kinds.
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

    /// What is right, for a person: `10 to 100`.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::ConversationType | Self::Feedback => {
                format!("one of {}", self.words().join(", "))
            }
            Self::Text => "a text".to_owned(),
            Self::Millis => "an integer, milliseconds since 1970-01-01 UTC".to_owned(),
            Self::Integer { min, max: i64::MAX } => format!("an integer from {min}"),
            Self::Integer { min, max } => format!("{min} to {max}"),
        }
    }

    /// A whole example, where what is right does not show how it looks.
    pub(crate) fn example(self) -> Option<&'static str> {
        matches!(self, Self::Millis).then_some("write 1760918400000 for 2025-10-20T00:00:00Z")
    }

    /// Whether a value, decoded, is one that it accepts.
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

    /// Whether two values, decoded, ask for the same: numbers are compared as numbers, so `03` is `3`,
    /// and everything else byte by byte.
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
    // `parse` takes a `+`, too.
    if value.starts_with('+') { None } else { value.parse().ok() }
}

/// A row of a page's table of parameters.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Which parameter.
    pub field: Field,
    /// What it accepts.
    pub kind: Kind,
    /// Whether it has to be there.
    pub presence: Presence,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Where it comes from that it is there, whether it has to be, and its range.
    pub source: Source,
}

impl Param {
    /// Whether it has to be there, and what it accepts: what its source stands for.
    pub(crate) fn says(&self) -> String {
        let required = if self.presence == Presence::Required { "required" } else { "optional" };
        let accepts = match self.kind {
            // Each channel has a source of its own.
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
