//! Compares the rows of a page with the contract: their keys, the order of the keys, and the types.

use std::collections::HashSet;

use jiter::JsonValue;

use super::describe::{describe_extra_key, describe_value};
use super::ledger::Ledger;
use super::response::{Page, Row, text, value};
use crate::contract::{
    AnonymousId, CONTENT_CLOSE, CONTENT_OPEN, ConversationField, ConversationType, Endpoint,
    JsonType, Key, MessageField, MessageType, MessageV2Field, QaField, RowField, StatementId,
};

/// Records what the rows of a page show about the endpoint's keys.
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

/// Checks the values of a key: their types, and whether they must be equal or distinct.
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
                ledger.differs(statement, "the same value in two rows");
            }
        }
        RowField::Conversation(ConversationField::BotId) => {
            let first = texts.next();
            if texts.any(|agent| Some(agent) != first) {
                ledger.differs(statement, "different values in different rows");
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

/// Checks that a row has the right keys. Keys that depend on a reading are optional.
fn check_keys(row: &Row, keys: &[Key]) -> Result<(), String> {
    let came: Vec<&str> = row.iter().map(|(name, _)| &**name).collect();
    let always = || keys.iter().filter(|key| !key.is_by_reading()).map(|key| key.name);
    let all = || keys.iter().map(|key| key.name);
    if all().eq(came.iter().copied()) || always().eq(came.iter().copied()) {
        return Ok(());
    }
    if let Some(extra) = came.iter().find(|name| !all().any(|key| key == **name)) {
        return Err(format!("a row also has {}", describe_extra_key(extra)));
    }
    match always().find(|name| !came.contains(name)) {
        Some(missing) => Err(format!("a row has no `{missing}`")),
        None => Err("the keys are in another order, or duplicated".to_owned()),
    }
}

fn check_value(row: &Row, key: &Key) -> Result<(), String> {
    let Some(value) = value(row, key.name) else { return Err("absent".to_owned()) };
    let is_of_type = match key.json_type {
        JsonType::String => matches!(value, JsonValue::Str(_)),
        JsonType::StringOrNull => matches!(value, JsonValue::Str(_) | JsonValue::Null),
        JsonType::Integer => matches!(value, JsonValue::Int(_)),
        // The decimal point has a statement of its own.
        JsonType::Float => matches!(value, JsonValue::Float(_) | JsonValue::Int(_)),
        JsonType::List => is_content(value),
    };
    if !is_of_type {
        return Err(describe_value(value, 4));
    }
    let words = key.words();
    match value {
        JsonValue::Str(text) if !words.is_empty() && !words.contains(&&**text) => {
            Err("a word that is not documented".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether a value has the shape that the contract gives for `content` of a v2 message, with any text in it.
fn is_content(value: &JsonValue<'_>) -> bool {
    let template = format!("{CONTENT_OPEN}{CONTENT_CLOSE}");
    let template = JsonValue::parse(template.as_bytes(), false);
    fits(value, &template.expect("the contract's own JSON is right"))
}

/// Whether a value matches a template. An empty text in the template matches any text.
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

/// Checks `anonymous_id`: all rows have it or none has; it is null for the type API only.
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
        ledger.differs(statement, "a row of type API has a value, or another row has none");
    }
}
