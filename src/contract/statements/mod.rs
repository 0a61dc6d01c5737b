//! Every statement of the contract: those that stand in a table of their own ([`rows`]), and one
//! for each row of the other tables.

mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{
    Answer, COMMON_ERRORS, CONVERSATION_TYPES, Code, ENDPOINTS, Endpoint, ErrorRow, Field, Param,
    Presence, Source, Status, page,
};

/// One thing that the contract says.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its name: what it is about, and which of that: `conversations.page_size`.
    pub id: Cow<'static, str>,
    /// What it says, with the default of its reading.
    pub says: Cow<'static, str>,
    /// Where it comes from.
    pub source: Source,
    /// The reading that changes it, if one does.
    pub reading: Option<&'static str>,
    /// The tests that hold it, by `, `: each a module of `tests/it/api`, and a function.
    pub test: Cow<'static, str>,
}

impl Statement {
    /// What it is about: the [`Endpoint::id`], `everywhere`, `records`, `channel` or `emulator`.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.id.split_once('.').map_or(&*self.id, |(subject, _)| subject)
    }
}

/// What statements are about, in the order of [`statements`], each with its title.
pub const SUBJECTS: &[(&str, &str)] = &[
    ("everywhere", "Every endpoint"),
    ("conversations", "GET /v1/bot/conversation/page"),
    ("messages", "GET /v1/messages"),
    ("messages-v2", "GET /v2/messages"),
    ("qa", "GET /v1/message/qa/record/page"),
    ("records", "Between the endpoints"),
    ("channel", "Channels"),
    ("emulator", "The emulator"),
];

/// Everything that the contract says, by subject.
///
/// ```
/// use gptbots_mock::contract;
///
/// let all = contract::statements();
/// let page_size = all.iter().find(|one| one.id == "qa.page_size").unwrap();
/// assert_eq!(page_size.says, "required; 10 to 100");
/// assert_eq!(page_size.reading, Some("page-size"));
/// ```
#[must_use]
pub fn statements() -> Vec<Statement> {
    let mut all = Vec::new();
    for (subject, _) in SUBJECTS {
        if let Some(endpoint) = ENDPOINTS.iter().find(|endpoint| endpoint.id == *subject) {
            all.extend(endpoint.params.iter().map(|param| of_param(endpoint, param)));
            all.push(of_answer(endpoint));
            all.extend(of_keys(endpoint.id, &endpoint.answer));
        }
        all.extend(behaviours(subject));
        match *subject {
            "everywhere" => all.extend(COMMON_ERRORS.iter().map(|row| of_error(subject, row))),
            "channel" => all.extend(of_channels()),
            endpoint => {
                let found = ENDPOINTS.iter().find(|row| row.id == endpoint);
                let errors = found.map_or(&[][..], |endpoint| endpoint.errors);
                all.extend(errors.iter().map(|row| of_error(subject, row)));
            }
        }
    }
    all
}

/// What no other table says of a subject.
pub(crate) fn behaviours(subject: &str) -> impl Iterator<Item = Statement> {
    let rows = rows::ROWS.iter().filter(move |row| row.subject() == subject).cloned();
    rows.chain((subject == "everywhere").then(error_status))
}

/// The HTTP status of every code.
fn error_status() -> Statement {
    let mut codes = BTreeMap::<u16, Vec<String>>::new();
    for code in Code::ALL.into_iter().chain(Code::OF_HTTP) {
        codes.entry(code.http_status()).or_default().push(code.number().to_string());
    }
    let by_status =
        codes.iter().map(|(status, codes)| format!("{status} for {}", codes.join(", ")));
    let by_status = by_status.collect::<Vec<_>>().join("; ");
    Statement {
        id: "everywhere.error-status".into(),
        says: format!("HTTP {by_status}").into(),
        source: Code::STATUS_SOURCE,
        reading: Some("error-status"),
        test: STATUS_TESTS.into(),
    }
}

const STATUS_TESTS: &str = "readings::error_status_mapped_answers_400_and_401, \
                            vendor_errors::everywhere_40008, vendor_errors::everywhere_50000, \
                            vendor_errors::everywhere_404, vendor_errors::everywhere_405, \
                            vendor_errors::everywhere_400, vendor_errors::everywhere_501";

fn of_param(endpoint: &Endpoint, param: &Param) -> Statement {
    let presence = match param.presence {
        Presence::Required => format!("{}_needs_each", of_tests(endpoint.id)),
        Presence::Optional => "an_optional_parameter_may_be_left_out".to_owned(),
    };
    let reading = match param.field {
        Field::PageSize => Some("page-size"),
        Field::UserFeedback => Some("feedback-absent"),
        _ => None,
    };
    Statement {
        id: format!("{}.{}", endpoint.id, param.field.name()).into(),
        says: param.says().into(),
        source: param.source,
        reading,
        test: format!("{}, vendor_queries::{presence}", param.test).into(),
    }
}

/// A subject as the names of tests have it.
fn of_tests(subject: &str) -> String {
    subject.replace('-', "_")
}

fn of_answer(endpoint: &Endpoint) -> Statement {
    let rows = endpoint.answer.rows_name();
    Statement {
        id: format!("{}.keys", endpoint.id).into(),
        says: format!("rows in `{rows}`, each with its keys in this order and no others").into(),
        source: endpoint.source,
        reading: None,
        test: endpoint.answer.test.into(),
    }
}

fn of_keys(endpoint: &str, answer: &'static Answer) -> impl Iterator<Item = Statement> {
    answer.keys().into_iter().map(move |(name, json_type, about, source)| {
        let reading = match name {
            "anonymous_id" => Some("anonymous-id"),
            "q_time" => Some("qa-time"),
            _ => None,
        };
        let test = match (test_of_key(name), name) {
            (Some(test), "anonymous_id") => test.into(),
            (Some(test), _) => format!("{}, {test}", answer.test).into(),
            (None, _) => answer.test.into(),
        };
        Statement {
            id: format!("{endpoint}.row.{name}").into(),
            says: format!("{}; {about}", json_type.name()).into(),
            source,
            reading,
            test,
        }
    })
}

/// What holds the meaning of a key, where the page's example does not show it.
fn test_of_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "recent_chat_time" | "message_count" => {
            "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest"
        }
        "subject" => "consistency::a_subject_is_the_first_question_or_empty",
        "conversation_type" | "convo_type" | "user_feedback" => {
            "consistency::no_record_is_of_type_all"
        }
        "anonymous_id" => "readings::anonymous_id_is_absent_or_the_ninth_key",
        "message_id" => {
            "consistency::ids_have_the_documented_forms_and_are_unique, \
             consistency::v2_is_v1_backwards"
        }
        "parent_message_id" => "messages::each_parent_is_the_message_before",
        "feedback" => "messages::v2_shows_how_an_answer_was_rated",
        "role" => "messages::questions_are_the_users_and_answers_the_assistants",
        "content" => "messages::a_v2_message_is_written_key_by_key",
        "q_time" => "readings::qa_time_is_in_seconds_or_milliseconds",
        "q" | "a" | "convo_id" => {
            "consistency::qa_rows_are_exactly_the_questions_answered_right_after"
        }
        _ => return None,
    })
}

fn of_error(subject: &str, row: &ErrorRow) -> Statement {
    let number = row.code.number();
    let (reading, test) = match row.code {
        Code::AgentDeleted => (Some("wording"), None),
        Code::PageExceedsTotal if row.is_by_reading() => {
            (Some("page-past-end"), Some("page_readings::page_past_end_error_refuses_everywhere"))
        }
        Code::PageExceedsTotal => (Some("page-past-end"), None),
        _ => (None, None),
    };
    let test = test.map_or_else(
        || format!("vendor_errors::{}_{number}", of_tests(subject)).into(),
        Cow::Borrowed,
    );
    Statement {
        id: format!("{subject}.{number}").into(),
        says: format!("`{}`", row.message).into(),
        source: row.source,
        reading,
        test,
    }
}

fn of_channels() -> impl Iterator<Item = Statement> {
    CONVERSATION_TYPES.iter().map(|(value, meaning, source)| {
        let test = match (source.status, source.from) {
            (Status::Documented, page::LIST_NEW) => {
                "vendor::the_channels_of_newer_pages_are_accepted"
            }
            (Status::Documented, _) => "vendor::the_channels_of_the_pages_are_accepted",
            _ => "vendor::the_channels_of_the_vendors_software_are_accepted",
        };
        Statement {
            id: format!("channel.{}", value.name()).into(),
            says: (*meaning).into(),
            source: *source,
            reading: None,
            test: test.into(),
        }
    })
}
