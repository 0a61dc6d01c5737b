//! Every parameter of every endpoint, from the contract's tables: left out, and just outside.

use super::super::client::Stop;
use super::super::response::{Page, ParsedResponse};
use super::super::run::{FOREVER, Run};
use super::messages::UNKNOWN_ID;
use crate::contract::{
    Code, ENDPOINTS, Endpoint, FeedbackAbsent, Field, Kind, Operation, PageSize, Param, Presence,
    StatementId,
};

/// Those that show a reading.
const OF_READINGS: [(Operation, Field); 2] =
    [(Operation::ConversationList, Field::PageSize), (Operation::QaRecords, Field::UserFeedback)];

pub(super) fn check_those_of_readings(run: &mut Run<'_>) -> Result<(), Stop> {
    check_where(run, |of, field| OF_READINGS.contains(&(of, field)))
}

pub(super) fn check_others(run: &mut Run<'_>) -> Result<(), Stop> {
    check_where(run, |of, field| !OF_READINGS.contains(&(of, field)))
}

fn check_where(run: &mut Run<'_>, is: impl Fn(Operation, Field) -> bool) -> Result<(), Stop> {
    for endpoint in ENDPOINTS {
        for param in endpoint.params.iter().filter(|it| is(endpoint.operation, it.field)) {
            run.unless_unanswered(|run| check(run, endpoint, param))?;
        }
    }
    Ok(())
}

fn check(run: &mut Run<'_>, endpoint: &'static Endpoint, param: &Param) -> Result<(), Stop> {
    let statement = StatementId::param(endpoint.operation, param.field);
    // Limits first: they are what a budget that ends should have told.
    match param.kind {
        Kind::Integer { min, max } => {
            for value in [min.checked_sub(1), max.checked_add(1)].into_iter().flatten() {
                let response = ask(run, endpoint, param, Some(&value.to_string()))?;
                if param.field == Field::PageSize {
                    let bound = value.clamp(min, max);
                    record_page_size(run, endpoint.operation, statement, bound, &response);
                } else {
                    run.expect_refusal(&[statement], &response, Code::InvalidParameter);
                }
            }
        }
        Kind::ConversationType | Kind::Feedback => {
            let words = param.kind.words();
            // Words are in upper case.
            let value = words.last().expect("a filter has words").to_lowercase();
            let response = ask(run, endpoint, param, Some(&value))?;
            run.expect_refusal(&[statement], &response, Code::InvalidParameter);
        }
        Kind::Text | Kind::Millis => {}
    }
    if param.presence == Presence::Required {
        let response = ask(run, endpoint, param, None)?;
        if param.field != Field::UserFeedback {
            run.expect_refusal(&[statement], &response, Code::InvalidParameter);
        } else if is_accepted(&response) {
            run.ledger.fits(statement, &[FeedbackAbsent::All]);
        } else if run.expect_refusal(&[statement], &response, Code::InvalidParameter) {
            run.ledger.fits(statement, &[FeedbackAbsent::Reject]);
        }
    }
    Ok(())
}

/// Asks with a query that is right but for one parameter.
fn ask(
    run: &mut Run<'_>,
    endpoint: &'static Endpoint,
    but: &Param,
    value: Option<&str>,
) -> Result<ParsedResponse, Stop> {
    let conversation = run.samples.conversation.as_ref();
    let id = conversation.map_or(UNKNOWN_ID, |conversation| &conversation.id).to_owned();
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for param in endpoint.params {
        if param.field == but.field {
            pairs.extend(value.map(|value| (but.field.name(), value.to_owned())));
        } else if param.presence == Presence::Required {
            pairs.push((param.field.name(), right_value(param, &id)));
        }
    }
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run.get(endpoint.operation, &pairs)
}

fn right_value(param: &Param, id: &str) -> String {
    match (param.field, param.kind) {
        (Field::ConversationId, _) => id.to_owned(),
        (Field::EndTime, _) => FOREVER.to_owned(),
        (_, Kind::Integer { min, .. }) => min.to_string(),
        (_, Kind::Millis) => "0".to_owned(),
        (_, kind) => {
            let words = kind.words();
            (*words.first().expect("what is required is an id, a number, a time or a word"))
                .to_owned()
        }
    }
}

/// Whether the parameters were right: rows came, or nobody has such a conversation.
fn is_accepted(response: &ParsedResponse) -> bool {
    response.page().is_some() || response.code() == Some(Code::ConversationMissing)
}

/// Records what became of a `page_size` outside its range: refused, or taken as the nearest bound.
fn record_page_size(
    run: &mut Run<'_>,
    operation: Operation,
    statement: StatementId,
    bound: i64,
    response: &ParsedResponse,
) {
    let bound = usize::try_from(bound).expect("a page has a positive number of rows");
    let rows = run.samples.page(operation).map_or(0, Page::len).min(bound);
    if response.code() == Some(Code::InvalidParameter) {
        run.ledger.fits(statement, &[PageSize::Reject]);
    } else if is_accepted(response) && response.page().is_none_or(|page| page.len() == rows) {
        run.ledger.fits(statement, &[PageSize::Clamp]);
    } else {
        run.ledger.differs(statement, response.describe());
    }
}
