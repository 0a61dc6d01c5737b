//! The readings, or behaviour options: behaviours that are uncertain because sources disagree, and that
//! clients depend on. Each has a default and can be changed, so that a client can be tested with every
//! value.

use std::fmt;

macro_rules! readings {
    ($(
        $(#[doc = $doc:literal])*
        $type:ident $field:ident $name:literal affects $affects:literal why $why:literal {
            $(#[doc = $first_about:literal])* $first:ident $first_word:literal,
            $($(#[doc = $about:literal])* $value:ident $word:literal,)*
        }
    )*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub enum $type {
                #[default]
                $(#[doc = $first_about])* $first,
                $($(#[doc = $about])* $value,)*
            }

            impl sealed::Sealed for $type {}

            impl Reading for $type {
                const ID: ReadingId = ReadingId::$type;

                fn apply(self, readings: &mut Readings) {
                    readings.$field = self;
                }

                fn word(self) -> &'static str {
                    match self {
                        Self::$first => $first_word,
                        $(Self::$value => $word,)*
                    }
                }
            }
        )*

        /// Which reading, in the order of [`READINGS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ReadingId { $($(#[doc = $doc])* $type,)* }

        /// The value of every reading. [`Readings::default`] has the values that are most likely those of the
        /// real service.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Readings {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        impl Readings {
            /// Sets a reading by its name and value on the command line.
            ///
            /// # Errors
            ///
            /// If the name or the value is unknown. The error suggests the nearest known one.
            ///
            /// ```
            /// use gptbots_mock::contract::{QaTime, Readings};
            ///
            /// let mut readings = Readings::default();
            /// readings.set("qa-time", "milliseconds").unwrap();
            /// assert_eq!(readings.qa_time, QaTime::Milliseconds);
            ///
            /// let error = readings.set("qa-tme", "seconds").unwrap_err();
            /// assert!(error.to_string().contains("did you mean `qa-time`?"));
            /// ```
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), ReadingError> {
                match (name, value) {
                    $(
                        ($name, $first_word) => self.$field = $type::$first,
                        $(($name, $word) => self.$field = $type::$value,)*
                    )*
                    _ => return Err(ReadingError::new(name, value)),
                }
                Ok(())
            }

            /// The name and value of every reading, as on the command line.
            ///
            /// ```
            /// use gptbots_mock::contract::Readings;
            ///
            /// let readings = Readings::default();
            /// assert_eq!(readings.words().next(), Some(("error-status", "mapped")));
            /// ```
            pub fn words(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
                [$(($name, self.$field.word()),)*].into_iter()
            }
        }

        /// Every reading, as `gptbots-mock readings` lists them.
        pub const READINGS: &[ReadingRow] = &[$(ReadingRow {
            id: ReadingId::$type,
            name: $name,
            values: &[
                ($first_word, concat!($($first_about),*)),
                $(($word, concat!($($about),*)),)*
            ],
            affects: $affects,
            why: $why,
        },)*];
    };
}

readings! {
    /// The HTTP status of the codes in the vendor's pages.
    ErrorStatus error_status "error-status" affects "every endpoint"
    why "no vendor doc gives the HTTP status of a code; clients look at `code` only when the status \
         is not 2xx" {
        /// 400 or 401, depending on the code
        Mapped "mapped",
        /// 200; only 404, 405, 429 and 500 are not changed
        Ok "ok",
    }
    /// The JSON type of `total` in the responses of both messages endpoints.
    MessagesTotal messages_total "messages-total" affects "v1 messages, v2 messages"
    why "the table of the vendor doc says string, its example shows a number" {
        /// `"total":100`
        Number "number",
        /// `"total":"100"`
        String "string",
    }
    /// The order of v1 messages.
    MessagesOrder messages_order "messages-order" affects "v1 messages"
    why "only the example of the vendor doc shows an order" {
        /// in the order of the chain, as in the example
        OldestFirst "oldest-first",
        /// the exact reverse order
        NewestFirst "newest-first",
    }
    /// The order of v2 messages.
    V2MessagesOrder v2_messages_order "v2-messages-order" affects "v2 messages"
    why "no vendor doc says it; two public clients sort the messages in ascending order themselves" {
        /// the exact reverse order of the chain
        NewestFirst "newest-first",
        /// in the order of the chain
        OldestFirst "oldest-first",
    }
    /// The unit of `q_time`.
    QaTime qa_time "qa-time" affects "Q&A list"
    why "the example of the vendor doc has ten digits, although its window is in milliseconds; filter \
         and order use milliseconds with both values" {
        /// ten digits, as in the example
        Seconds "seconds",
        /// thirteen digits, as in the window
        Milliseconds "milliseconds",
    }
    /// The order of the Q&A list.
    QaOrder qa_order "qa-order" affects "Q&A list"
    why "only the example of the vendor doc shows an order" {
        /// oldest question first, as in the example
        OldestFirst "oldest-first",
        /// the exact reverse order
        NewestFirst "newest-first",
    }
    /// Whether the Q&A list has a `total`.
    QaTotal qa_total "qa-total" affects "Q&A list"
    why "no version of the vendor doc has one, although the other endpoints have one" {
        /// no total: a client requests pages until one is not full
        Absent "absent",
        /// `"total":N` as the last key, the number of all matches
        Present "present",
    }
    /// The response to a Q&A query without `user_feedback`.
    FeedbackAbsent feedback_absent "feedback-absent" affects "Q&A list"
    why "the vendor doc says that it is required; a lenient server could treat it as ALL" {
        /// refused as a missing parameter
        Reject "reject",
        /// treated as ALL
        All "all",
    }
    /// The response to an integer `page_size` outside its range.
    PageSize page_size "page-size" affects "every endpoint"
    why "the vendor docs give ranges, but do not say what happens outside them" {
        /// refused as an invalid parameter
        Reject "reject",
        /// replaced by the nearest bound
        Clamp "clamp",
    }
    /// The response to a page after the last one.
    PagePastEnd page_past_end "page-past-end" affects "every endpoint"
    why "the error is in the tables of both messages docs and missing in the others" {
        /// an error for messages, no rows for both lists
        Documented "documented",
        /// no rows at every endpoint
        Empty "empty",
        /// an error at every endpoint
        Error "error",
    }
    /// What `total` of the conversation list counts.
    ListTotal list_total "list-total" affects "conversation list"
    why "\"Number of conversations returned\" is ambiguous; every public client uses it as the number \
         of all matches" {
        /// all matches over all pages
        All "all",
        /// the rows on this page
        Page "page",
    }
    /// Whether a conversation has a ninth key, `anonymous_id`.
    AnonymousId anonymous_id "anonymous-id" affects "conversation list"
    why "newer versions of the vendor doc have it, that of 2025-10-20 does not" {
        /// eight keys
        Absent "absent",
        /// nine keys: null for type API, else a string
        Present "present",
    }
    /// The noun in the message about a deleted agent.
    Wording wording "wording" affects "every endpoint"
    why "the earlier vendor docs say Bot, the newer ones say Agent" {
        /// Agent, as in `Agent deleted`
        Agent "agent",
        /// Bot instead of Agent, as in `Bot deleted`
        Bot "bot",
    }
}

/// A value of one reading, such as [`QaTime::Milliseconds`].
pub trait Reading: sealed::Sealed {
    /// Which reading it is a value of.
    const ID: ReadingId;

    /// Sets it in a set of readings.
    fn apply(self, readings: &mut Readings);

    /// Its value on the command line.
    fn word(self) -> &'static str;
}

mod sealed {
    pub trait Sealed: Copy {}
}

impl ReadingId {
    /// The name on the command line.
    ///
    /// ```
    /// use gptbots_mock::contract::ReadingId;
    ///
    /// assert_eq!(ReadingId::QaTime.name(), "qa-time");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        READINGS[self as usize].name
    }
}

/// A reading, as `gptbots-mock readings` lists it.
#[derive(Clone, Copy, Debug)]
pub struct ReadingRow {
    /// Which reading.
    pub id: ReadingId,
    /// The name on the command line.
    pub name: &'static str,
    /// Its values with the effect of each, the default first.
    pub values: &'static [(&'static str, &'static str)],
    /// The endpoints that it affects.
    pub affects: &'static str,
    /// Why the behaviour is uncertain.
    pub why: &'static str,
}

impl ReadingRow {
    /// The word of the default.
    #[must_use]
    pub const fn default(&self) -> &'static str {
        self.values[0].0
    }
}

/// An unknown name or value of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingError(String);

impl ReadingError {
    fn new(name: &str, value: &str) -> Self {
        let (what, got, right): (_, _, Vec<_>) = match READINGS.iter().find(|r| r.name == name) {
            None => ("reading".to_owned(), name, READINGS.iter().map(|r| r.name).collect()),
            Some(row) => (
                format!("value for reading `{name}`"),
                value,
                row.values.iter().map(|(word, _)| *word).collect(),
            ),
        };
        let hint = crate::suggest::nearest(got, right.iter().copied())
            .map(|word| format!("; did you mean `{word}`?"))
            .unwrap_or_default();
        Self(format!(
            "unknown {what}: `{}`{hint} (one of {})",
            got.escape_debug(),
            right.join(", ")
        ))
    }
}

impl fmt::Display for ReadingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadingError {}
