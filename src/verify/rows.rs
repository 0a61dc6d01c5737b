//! The rows of a page against the contract's keys: which, in which order, of which type.

use jiter::JsonValue;

use super::ledger::Ledger;
use super::seen::{Object, Page, text};
use super::shape::{key, of_value};
use crate::contract::{
    ConversationType, Endpoint, Feedback, JsonType, MessageType, is_by_reading, is_content,
};

/// Keys whose values are words of the contract's, or say nothing of anyone.
pub(super) fn is_public(name: &str) -> bool {
    words(name).is_some() || matches!(name, "message_count" | "cost_credit")
}

/// The words that a value may be.
fn words(name: &str) -> Option<Vec<&'static str>> {
    Some(match name {
        "conversation_type" | "convo_type" => return Some(Vec::new()),
        "user_feedback" => Feedback::ALL.map(Feedback::name).to_vec(),
        "feedback" => Feedback::ALL.map(Feedback::v2_name).to_vec(),
        "message_type" => MessageType::ALL.map(MessageType::name).to_vec(),
        "role" => MessageType::ALL.map(MessageType::role).to_vec(),
        _ => return None,
    })
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
        JsonType::Float => matches!(value, JsonValue::Float(_)),
        JsonType::List => is_content(value),
    };
    if !of_type {
        return Err(of_value(value, 4));
    }
    let (Some(words), JsonValue::Str(text)) = (words(name), value) else { return Ok(()) };
    // The channels have statements of their own, one each.
    let is_word = words.contains(&&**text)
        || (words.is_empty() && ConversationType::from_name(text).is_some());
    if is_word { Ok(()) } else { Err("another word".to_owned()) }
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
