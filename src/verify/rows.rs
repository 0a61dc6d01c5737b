//! The rows of a page against the contract's keys: which, in which order, of which type.

use std::collections::HashSet;

use jiter::JsonValue;

use super::describe::{describe_extra_key, describe_value};
use super::ledger::Ledger;
use super::response::{Page, Row, text, value};
use crate::contract::{
    AnonymousId, CONTENT_CLOSE, CONTENT_OPEN, ConversationField, ConversationType, Endpoint,
    JsonType, Key, MessageField, MessageType, MessageV2Field, QaField, RowField, StatementId,
};

/// Records what the rows of a page say of the endpoint's keys.
pub(super) fn check(ledger: &mut Ledger, endpoint: &Endpoint, page: &Page) {
    if page.len() == 0 {
        return;
    }
    let keys = endpoint.answer.keys;
    let result = page.rows().try_for_each(|row| check_keys(row, keys));
    ledger.record(StatementId::Keys(endpoint.operation), result);
    for key in keys {
        check_key(ledger, key, page);
    }
}

/// Checks the values of a key: their types, and what they are to each other.
fn check_key(ledger: &mut Ledger, key: &Key, page: &Page) {
    let statement = StatementId::RowKey(key.field);
    if key.is_by_reading() {
        return check_anonymous_id(ledger, statement, page, key.name);
    }
    ledger.record(statement, page.rows().try_for_each(|row| check_value(row, key)));
    let mut texts = page.rows().filter_map(|row| text(row, key.name));
    match key.field {
        RowField::Conversation(ConversationField::ConversationId)
        | RowField::Message(MessageField::MessageId)
        | RowField::MessageV2(MessageV2Field::MessageId)
        | RowField::Qa(QaField::Id) => {
            let mut seen = HashSet::new();
            if !texts.all(|id| seen.insert(id)) {
                ledger.differs(statement, "the same in two rows");
            }
        }
        RowField::Conversation(ConversationField::BotId) => {
            let first = texts.next();
            if texts.any(|agent| Some(agent) != first) {
                ledger.differs(statement, "another in another row");
            }
        }
        RowField::Conversation(ConversationField::CostCredit) => {
            for cost in page.rows().filter_map(|row| value(row, key.name)) {
                let has_point = !matches!(cost, JsonValue::Int(_));
                ledger.check(StatementId::ConversationsDecimalPoint, has_point, "an integer");
            }
        }
        RowField::MessageV2(MessageV2Field::Feedback) => {
            let is_rated_question = |row: &Row| {
                text(row, "role") == Some(MessageType::Question.role())
                    && text(row, key.name).is_some_and(|word| !word.is_empty())
            };
            if page.rows().any(is_rated_question) {
                ledger.differs(statement, "a rating of a question");
            }
        }
        _ => {}
    }
}

/// Checks that a row has the keys that it should, less those that only a reading brings.
fn check_keys(row: &Row, keys: &[Key]) -> Result<(), String> {
    let came: Vec<&str> = row.iter().map(|(name, _)| &**name).collect();
    let always = || keys.iter().filter(|key| !key.is_by_reading()).map(|key| key.name);
    let all = || keys.iter().map(|key| key.name);
    if all().eq(came.iter().copied()) || always().eq(came.iter().copied()) {
        return Ok(());
    }
    if let Some(extra) = came.iter().find(|name| !all().any(|key| key == **name)) {
        return Err(format!("a row has {} as well", describe_extra_key(extra)));
    }
    match always().find(|name| !came.contains(name)) {
        Some(missing) => Err(format!("a row lacks `{missing}`")),
        None => Err("the keys stand in another order, or twice".to_owned()),
    }
}

fn check_value(row: &Row, key: &Key) -> Result<(), String> {
    let Some(value) = value(row, key.name) else { return Err("absent".to_owned()) };
    let is_of_type = match key.json_type {
        JsonType::String => matches!(value, JsonValue::Str(_)),
        JsonType::StringOrNull => matches!(value, JsonValue::Str(_) | JsonValue::Null),
        JsonType::Integer => matches!(value, JsonValue::Int(_)),
        // That it is written with a decimal point is a statement of its own.
        JsonType::Float => matches!(value, JsonValue::Float(_) | JsonValue::Int(_)),
        JsonType::List => is_content(value),
    };
    if !is_of_type {
        return Err(describe_value(value, 4));
    }
    let words = key.words();
    match value {
        JsonValue::Str(text) if !words.is_empty() && !words.contains(&&**text) => {
            Err("another word".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether a value is what `content` of a v2 message holds: the contract's, with some text in it.
fn is_content(value: &JsonValue<'_>) -> bool {
    let template = format!("{CONTENT_OPEN}{CONTENT_CLOSE}");
    let template = JsonValue::parse(template.as_bytes(), false);
    fits(value, &template.expect("the contract's own JSON is right"))
}

/// Whether a value is a template's, where an empty text of the template stands for any.
fn fits(value: &JsonValue<'_>, template: &JsonValue<'_>) -> bool {
    match (value, template) {
        (JsonValue::Str(text), JsonValue::Str(of)) => of.is_empty() || text == of,
        (JsonValue::Array(items), JsonValue::Array(of)) => {
            items.len() == of.len() && items.iter().zip(of.iter()).all(|(item, of)| fits(item, of))
        }
        (JsonValue::Object(pairs), JsonValue::Object(of)) => {
            let mut both = pairs.iter().zip(of.iter());
            pairs.len() == of.len()
                && both.all(|((key, item), (name, of))| key == name && fits(item, of))
        }
        _ => false,
    }
}

/// Checks `anonymous_id`: there or not, the same in all rows; null for the type API only.
fn check_anonymous_id(ledger: &mut Ledger, statement: StatementId, page: &Page, name: &str) {
    let present = page.rows().filter(|row| value(row, name).is_some()).count();
    if present == 0 {
        return ledger.fits(statement, &[AnonymousId::Absent]);
    }
    if present < page.len() {
        return ledger.differs(statement, "some rows have it, others do not");
    }
    let is_right = |row: &Row| {
        let is_api = text(row, "conversation_type") == Some(ConversationType::Api.name());
        match value(row, name) {
            Some(JsonValue::Null) => is_api,
            Some(JsonValue::Str(_)) => !is_api,
            _ => false,
        }
    };
    if page.rows().all(is_right) {
        ledger.fits(statement, &[AnonymousId::Present]);
    } else {
        ledger.differs(statement, "a row of type API has one, or another row has none");
    }
}
