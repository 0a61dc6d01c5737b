//! Every statement of the contract: those of the table [`rows`], and one for each row of the other
//! tables.

mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use rows::StatementId;

use super::{
    COMMON_ERRORS, CONVERSATION_TYPES, Code, ENDPOINTS, Endpoint, ErrorRow, Field, Operation,
    Param, ReadingId, RowField, Source,
};
use super::{ConversationField, QaField};

/// One rule of the contract.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its name.
    pub id: StatementId,
    /// The rule as a sentence, for the default value of its reading.
    pub says: Cow<'static, str>,
    /// Where it comes from.
    pub source: Source,
    /// The reading that changes it, if one does.
    pub reading: Option<ReadingId>,
}

/// A row of a table of an endpoint, or of a table that all endpoints share. Values exist only for rows
/// that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableRow<T> {
    operation: Option<Operation>,
    of: T,
}

impl StatementId {
    /// Whether it is a row of one of the contract's tables. The text of such a statement does not repeat its
    /// name.
    #[cfg(any(feature = "cli", test))]
    pub(crate) const fn is_of_table(self) -> bool {
        matches!(self, Self::Param(_) | Self::RowKey(_) | Self::Error(_) | Self::Channel(_))
    }

    /// The statement of an endpoint's parameter.
    ///
    /// # Panics
    ///
    /// If the endpoint has no such parameter. A constant does not compile then.
    pub(crate) const fn param(operation: Operation, field: Field) -> Self {
        let params = operation.endpoint().params;
        let mut at = 0;
        while params[at].field as u8 != field as u8 {
            at += 1;
        }
        Self::Param(TableRow { operation: Some(operation), of: field })
    }

    /// The statement of a code with the message of an endpoint, or with the message that all endpoints share.
    ///
    /// # Panics
    ///
    /// If the table has no such code. A constant does not compile then.
    pub(crate) const fn error(operation: Option<Operation>, code: Code) -> Self {
        let errors = match operation {
            Some(operation) => operation.endpoint().errors,
            None => COMMON_ERRORS,
        };
        let mut at = 0;
        while errors[at].code as u8 != code as u8 {
            at += 1;
        }
        Self::Error(TableRow { operation, of: code })
    }
}

impl Statement {
    /// The tests of the statement, separated by `, `: for each the module in `tests/it/api` and the function.
    #[cfg(feature = "cli")]
    pub(crate) fn held_by(&self) -> String {
        let lines = include_str!("../../../tests/it/statements.txt").lines();
        let id = self.id.to_string();
        let tests = lines.skip_while(|line| **line != id).skip(1);
        let tests = tests.map_while(|line| line.strip_prefix("  "));
        tests.collect::<Vec<_>>().join(", ")
    }
}

/// The subjects of statements with their titles, in the order of [`statements`].
pub const SUBJECTS: &[(&str, &str)] = &[
    ("everywhere", "Every endpoint"),
    ("conversations", "GET /v1/bot/conversation/page"),
    ("messages", "GET /v1/messages"),
    ("messages-v2", "GET /v2/messages"),
    ("qa", "GET /v1/message/qa/record/page"),
    ("records", "Consistency between endpoints"),
    ("channel", "Channels"),
    ("emulator", "The emulator"),
];

/// Every statement of the contract, by subject.
///
/// ```
/// use gptbots_mock::contract::{self, ReadingId};
///
/// let all = contract::statements();
/// let page_size = all.iter().find(|one| one.id.to_string() == "qa.page_size").unwrap();
/// assert_eq!(page_size.says, "required; 10 to 100");
/// assert_eq!(page_size.reading, Some(ReadingId::PageSize));
/// ```
#[must_use]
pub fn statements() -> Vec<Statement> {
    let mut all = Vec::new();
    for (subject, _) in SUBJECTS {
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.id == *subject);
        if let Some(endpoint) = endpoint {
            all.extend(endpoint.params.iter().map(|param| of_param(endpoint, param)));
            all.extend(of_answer(endpoint));
        }
        all.extend(behaviours(subject));
        match (*subject, endpoint) {
            ("everywhere", _) => all.extend(of_errors(None, COMMON_ERRORS)),
            ("channel", _) => all.extend(of_channels()),
            (_, Some(endpoint)) => {
                all.extend(of_errors(Some(endpoint.operation), endpoint.errors));
            }
            (_, None) => {}
        }
    }
    all
}

/// The statements about a subject that are not in any other table.
pub(crate) fn behaviours(subject: &str) -> impl Iterator<Item = Statement> {
    let rows = rows::ROWS.iter().filter(move |row| row.id.subject() == subject).cloned();
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
        id: StatementId::ErrorStatus,
        says: format!("the HTTP status of a code is {by_status}").into(),
        source: Code::STATUS_SOURCE,
        reading: Some(ReadingId::ErrorStatus),
    }
}

fn of_param(endpoint: &Endpoint, param: &Param) -> Statement {
    Statement {
        id: StatementId::param(endpoint.operation, param.field),
        says: param.says().into(),
        source: param.source,
        reading: match param.field {
            Field::PageSize => Some(ReadingId::PageSize),
            Field::UserFeedback => Some(ReadingId::FeedbackAbsent),
            _ => None,
        },
    }
}

fn of_answer(endpoint: &'static Endpoint) -> impl Iterator<Item = Statement> {
    let rows = endpoint.answer.rows_name();
    let all = Statement {
        id: StatementId::Keys(endpoint.operation),
        says: format!("the rows are in `{rows}`; each row has exactly these keys, in this order")
            .into(),
        source: endpoint.source,
        reading: None,
    };
    let each = endpoint.answer.keys.iter().map(|key| Statement {
        id: StatementId::RowKey(key.field),
        says: format!("{}; {}", key.json_type.name(), key.about).into(),
        source: key.source,
        reading: match key.field {
            RowField::Conversation(ConversationField::AnonymousId) => Some(ReadingId::AnonymousId),
            RowField::Qa(QaField::QTime) => Some(ReadingId::QaTime),
            _ => None,
        },
    });
    std::iter::once(all).chain(each)
}

fn of_errors(
    operation: Option<Operation>,
    rows: &[ErrorRow],
) -> impl Iterator<Item = Statement> + use<'_> {
    rows.iter().map(move |row| Statement {
        id: StatementId::error(operation, row.code),
        says: format!("`{}`", row.message).into(),
        source: row.source,
        reading: match row.code {
            Code::AgentDeleted => Some(ReadingId::Wording),
            Code::PageExceedsTotal => Some(ReadingId::PagePastEnd),
            _ => None,
        },
    })
}

fn of_channels() -> impl Iterator<Item = Statement> {
    CONVERSATION_TYPES.iter().map(|(value, meaning, source)| Statement {
        id: StatementId::Channel(*value),
        says: (*meaning).into(),
        source: *source,
        reading: None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn an_id_of_a_table_can_be_made_only_where_the_table_has_the_row() {
        let stated: HashSet<StatementId> = statements().iter().map(|one| one.id).collect();
        let mut made = HashSet::new();
        for operation in ENDPOINTS.iter().map(|endpoint| Some(endpoint.operation)).chain([None]) {
            for code in Code::ALL.into_iter().chain(Code::OF_HTTP) {
                made.extend(catch_unwind(|| StatementId::error(operation, code)));
            }
            let fields = ENDPOINTS.iter().flat_map(|endpoint| endpoint.params).map(|row| row.field);
            for (operation, field) in
                operation.into_iter().flat_map(|of| fields.clone().map(move |field| (of, field)))
            {
                made.extend(catch_unwind(|| StatementId::param(operation, field)));
            }
        }
        let of_tables =
            |id: &&StatementId| matches!(id, StatementId::Param(_) | StatementId::Error(_));
        assert_eq!(made.iter().collect::<HashSet<_>>(), stated.iter().filter(of_tables).collect());
    }

    /// A report shows statements without their ids, and rows of tables with their names.
    #[test]
    fn a_statement_of_no_table_is_a_whole_sentence() {
        let verbs = "is are has have may needs gets comes come answers matches look give says use belongs \
                     decreases contain";
        let verbs: HashSet<&str> = verbs.split_whitespace().collect();
        for one in statements() {
            let mut words = one.says.split([' ', ',', ';', ':']);
            let begins_with_verb = words.next().is_some_and(|word| verbs.contains(word));
            let has_verb = words.any(|word| verbs.contains(word));
            assert!(
                one.id.is_of_table() || (has_verb && !begins_with_verb),
                "{}: {}",
                one.id,
                one.says
            );
        }
    }

    #[test]
    fn the_rows_of_readings_stand_in_the_order_of_their_ids() {
        let in_order = super::super::READINGS.iter().all(|row| row.id.name() == row.name);
        assert!(in_order);
    }
}
