//! The rows of a page against the contract's keys: which, in which order, of which type.

use std::collections::HashSet;

use jiter::JsonValue;

use super::ledger::Ledger;
use super::seen::{Object, Page, text};
use super::shape::{key, of_value};
use crate::contract::{
    BY_READING, CONTENT_CLOSE, CONTENT_OPEN, ConversationType, Endpoint, JsonType, MessageType,
    words,
};

fn is_by_reading(name: &str) -> bool {
    BY_READING.contains(&name)
}

/// Notes what the rows of a page say of the endpoint's keys.
pub(super) fn check(ledger: &mut Ledger, endpoint: &Endpoint, page: &Page) {
    if page.len() == 0 {
        return;
    }
    let keys: Vec<_> = endpoint.answer.keys();
    let statement = format!("{}.keys", endpoint.id);
    let names: Vec<&str> = keys.iter().map(|(name, ..)| *name).collect();
    let came = page.rows().try_for_each(|row| right_keys(row, &names));
    ledger.found(&statement, came);
    for (name, json_type, ..) in &keys {
        let statement = format!("{}.row.{name}", endpoint.id);
        if is_by_reading(name) {
            reading(ledger, &statement, page, name);
            continue;
        }
        let came = page.rows().try_for_each(|row| right_value(row, name, *json_type));
        ledger.found(&statement, came);
    }
    together(ledger, endpoint, page);
}

/// What rows are to each other, and what the values of the endpoint's own keys are beside their type.
fn together(ledger: &mut Ledger, endpoint: &Endpoint, page: &Page) {
    let keys = endpoint.answer.keys();
    let statement = |name: &str| {
        // A row may bring keys that are another endpoint's; of those nothing is said here.
        let is_own = keys.iter().any(|(key, ..)| *key == name);
        is_own.then(|| format!("{}.row.{name}", endpoint.id))
    };
    let texts = |name: &str| page.rows().filter_map(|row| text(row, name)).collect::<Vec<_>>();
    for name in ["conversation_id", "message_id", "id"] {
        let Some(statement) = statement(name) else { continue };
        let all = texts(name);
        let unique: HashSet<_> = all.iter().collect();
        if unique.len() < all.len() {
            ledger.differs(&statement, "the same in two rows".to_owned());
        }
    }
    if let Some(statement) = statement("bot_id") {
        let agents = texts("bot_id");
        if agents.iter().any(|agent| *agent != agents[0]) {
            ledger.differs(&statement, "another in another row".to_owned());
        }
    }
    if statement("cost_credit").is_some() {
        let costs = page.rows().filter_map(|row| super::seen::value(row, "cost_credit"));
        for cost in costs {
            let is_whole = matches!(cost, JsonValue::Int(_));
            let came = if is_whole { Err("an integer".to_owned()) } else { Ok(()) };
            ledger.found("conversations.decimal-point", came);
        }
    }
    if let Some(statement) = statement("feedback") {
        let is_rated = |row: &Object| {
            text(row, "role") == Some(MessageType::Question.role())
                && text(row, "feedback").is_some_and(|word| !word.is_empty())
        };
        if page.rows().any(is_rated) {
            ledger.differs(&statement, "a rating of a question".to_owned());
        }
    }
}

/// Whether a row has the keys that it should, less those that only a reading brings.
fn right_keys(row: &Object, names: &[&str]) -> Result<(), String> {
    let came: Vec<&str> = row.iter().map(|(name, _)| &**name).collect();
    let without: Vec<&&str> = names.iter().filter(|name| !is_by_reading(name)).collect();
    if came == names || came.iter().eq(without.iter().copied()) {
        return Ok(());
    }
    if let Some(more) = came.iter().find(|name| !names.contains(name)) {
        return Err(format!("a row has {} as well", key(more)));
    }
    match without.iter().find(|name| !came.contains(name)) {
        Some(missing) => Err(format!("a row lacks `{missing}`")),
        None => Err("the keys stand in another order, or twice".to_owned()),
    }
}

fn right_value(row: &Object, name: &str, json_type: JsonType) -> Result<(), String> {
    let Some(value) = super::seen::value(row, name) else { return Err("absent".to_owned()) };
    let of_type = match json_type {
        JsonType::String => matches!(value, JsonValue::Str(_)),
        JsonType::StringOrNull => matches!(value, JsonValue::Str(_) | JsonValue::Null),
        JsonType::Integer => matches!(value, JsonValue::Int(_)),
        // That it is written with a decimal point is a statement of its own.
        JsonType::Float => matches!(value, JsonValue::Float(_) | JsonValue::Int(_)),
        JsonType::List => is_content(value),
    };
    if !of_type {
        return Err(of_value(value, 4));
    }
    let words = words(name);
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
    JsonValue::parse(template.as_bytes(), false).is_ok_and(|template| fits(value, &template))
}

/// Whether a value is a template's, where an empty text of the template stands for any.
fn fits(value: &JsonValue<'_>, template: &JsonValue<'_>) -> bool {
    match (value, template) {
        (JsonValue::Str(text), JsonValue::Str(of)) => of.is_empty() || text == of,
        (JsonValue::Array(items), JsonValue::Array(of)) => {
            items.len() == of.len() && items.iter().zip(of.iter()).all(|(item, of)| fits(item, of))
        }
        (JsonValue::Object(pairs), JsonValue::Object(of)) => {
            let both = pairs.iter().zip(of.iter());
            pairs.len() == of.len()
                && both.into_iter().all(|((key, item), (name, of))| key == name && fits(item, of))
        }
        _ => false,
    }
}

/// `anonymous_id`: there or not, the same in all rows; null for the type API only.
fn reading(ledger: &mut Ledger, statement: &str, page: &Page, name: &str) {
    let there = page.rows().filter(|row| row.iter().any(|(key, _)| key == name)).count();
    if there == 0 {
        return ledger.fits("anonymous-id", statement, &["absent"]);
    }
    if there < page.len() {
        return ledger.differs(statement, "some rows have it, others do not".to_owned());
    }
    let right = |row: &Object| {
        let is_api = text(row, "conversation_type") == Some(ConversationType::Api.name());
        match super::seen::value(row, name) {
            Some(JsonValue::Null) => is_api,
            Some(JsonValue::Str(_)) => !is_api,
            _ => false,
        }
    };
    if page.rows().all(right) {
        ledger.fits("anonymous-id", statement, &["present"]);
    } else {
        ledger.differs(statement, "a row of type API has one, or another row has none".to_owned());
    }
}
