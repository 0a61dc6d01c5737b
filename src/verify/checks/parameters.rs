//! Every parameter of every endpoint, from the contract's tables: left out, and just outside.

use super::super::client::Stop;
use super::super::run::{FOREVER, Run};
use super::super::seen::{Page, Seen};
use super::messages::NOBODY;
use crate::contract::{Code, ENDPOINTS, Endpoint, Field, Kind, Operation, Param, Presence};

/// Those that tell a reading.
const OF_READINGS: [(Operation, Field); 2] =
    [(Operation::ConversationList, Field::PageSize), (Operation::QaRecords, Field::UserFeedback)];

pub(super) fn of_readings(run: &mut Run<'_>) -> Result<(), Stop> {
    for (of, field) in OF_READINGS {
        if let Some(param) = of.endpoint().param(field) {
            run.unless_silent(|run| each(run, of.endpoint(), param))?;
        }
    }
    Ok(())
}

pub(super) fn of_others(run: &mut Run<'_>) -> Result<(), Stop> {
    for endpoint in ENDPOINTS {
        for param in endpoint.params {
            if !OF_READINGS.contains(&(endpoint.operation, param.field)) {
                run.unless_silent(|run| each(run, endpoint, param))?;
            }
        }
    }
    Ok(())
}

fn each(run: &mut Run<'_>, endpoint: &'static Endpoint, param: &Param) -> Result<(), Stop> {
    let statement = format!("{}.{}", endpoint.id, param.field.name());
    // Limits first: they are what a budget that ends should have told.
    let outside: Vec<String> = match param.kind {
        Kind::Integer { min, max } => {
            let beyond = [min.checked_sub(1), max.checked_add(1)];
            beyond.iter().flatten().map(ToString::to_string).collect()
        }
        // Words are in upper case.
        Kind::ConversationType | Kind::Feedback => {
            param.kind.words().last().map(|word| word.to_lowercase()).into_iter().collect()
        }
        Kind::Text | Kind::Millis => Vec::new(),
    };
    for value in outside {
        let seen = ask(run, endpoint, param, Some(&value))?;
        if param.field == Field::PageSize {
            clamps(run, endpoint, &statement, &value, &seen);
        } else {
            run.refused(&[&statement], &seen, Code::InvalidParameter);
        }
    }
    if param.presence == Presence::Required {
        let seen = ask(run, endpoint, param, None)?;
        match (param.field, accepted(&seen)) {
            (Field::UserFeedback, true) => run.ledger.fits("feedback-absent", &statement, &["all"]),
            (Field::UserFeedback, _) if is_invalid(&seen) => {
                run.ledger.fits("feedback-absent", &statement, &["reject"]);
            }
            _ => {
                run.refused(&[&statement], &seen, Code::InvalidParameter);
            }
        }
    }
    Ok(())
}

/// A right query but for one parameter.
fn ask(
    run: &mut Run<'_>,
    endpoint: &'static Endpoint,
    but: &Param,
    value: Option<&str>,
) -> Result<Seen, Stop> {
    let id = run.known.chat.as_ref().map_or_else(|| NOBODY.to_owned(), |chat| chat.id.clone());
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for param in endpoint.params {
        if param.field == but.field {
            pairs.extend(value.map(|value| (but.field.name(), value.to_owned())));
        } else if param.presence == Presence::Required {
            pairs.push((param.field.name(), right(param, &id)));
        }
    }
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run.get(endpoint.operation, &pairs)
}

fn right(param: &Param, id: &str) -> String {
    match (param.field, param.kind) {
        (Field::ConversationId, _) => id.to_owned(),
        (Field::EndTime, _) => FOREVER.to_owned(),
        (_, Kind::Integer { min, .. }) => min.to_string(),
        (_, Kind::Millis) => "0".to_owned(),
        (_, kind) => kind.words().first().map_or_else(String::new, |word| (*word).to_owned()),
    }
}

/// Whether the parameters were right: rows came, or nobody has such a conversation.
fn accepted(seen: &Seen) -> bool {
    seen.page().is_some() || seen.code() == Some(i64::from(Code::ConversationMissing.number()))
}

fn is_invalid(seen: &Seen) -> bool {
    seen.code() == Some(i64::from(Code::InvalidParameter.number()))
}

/// A `page_size` outside its range: refused, or the nearest bound.
fn clamps(run: &mut Run<'_>, endpoint: &Endpoint, statement: &str, asked: &str, seen: &Seen) {
    let known = match endpoint.operation {
        Operation::ConversationList => &run.known.list,
        Operation::Messages => &run.known.messages,
        Operation::MessagesV2 => &run.known.messages_v2,
        Operation::QaRecords => &run.known.qa,
    };
    let bounds = endpoint.param(Field::PageSize).map(|param| param.kind);
    let size = match (bounds, asked.parse::<i64>()) {
        (Some(Kind::Integer { min, max }), Ok(asked)) => asked.clamp(min, max),
        _ => return,
    };
    let rows = known.as_ref().map_or(0, Page::len).min(usize::try_from(size).unwrap_or_default());
    if is_invalid(seen) {
        run.ledger.fits("page-size", statement, &["reject"]);
    } else if accepted(seen) && seen.page().is_none_or(|page| page.len() == rows) {
        run.ledger.fits("page-size", statement, &["clamp"]);
    } else {
        run.ledger.differs(statement, seen.describe());
    }
}
