//! Checks every parameter of the contract's tables: without it, and with a value just outside its range.

use super::super::client::Stop;
use super::super::response::{Page, ParsedResponse};
use super::super::run::Run;
use crate::contract::{
    Code, ENDPOINTS, Endpoint, FeedbackAbsent, Field, Kind, Operation, PageSize, Param, Presence,
    StatementId,
};

/// The parameters that show a reading.
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
    let (operation, field) = (endpoint.operation, param.field);
    let statement = StatementId::param(operation, field);
    let right = |run: &Run<'_>| run.query(operation, "1", "10");
    // We try limits first, because they matter more than missing parameters if the budget ends early.
    match param.kind {
        Kind::Integer { min, max } => {
            for value in [min.checked_sub(1), max.checked_add(1)].into_iter().flatten() {
                let response = run.get(&right(run).with(field, value.to_string()))?;
                if field == Field::PageSize {
                    let bound = value.clamp(min, max);
                    record_page_size(run, operation, statement, bound, &response);
                } else {
                    run.expect_refusal(&[statement], &response, Code::InvalidParameter);
                }
            }
        }
        Kind::ConversationType | Kind::Feedback => {
            let words = param.kind.words();
            // Words are in upper case.
            let value = words.last().expect("a filter has words").to_lowercase();
            let response = run.get(&right(run).with(field, value))?;
            run.expect_refusal(&[statement], &response, Code::InvalidParameter);
        }
        Kind::Text | Kind::Millis => {}
    }
    if param.presence == Presence::Required {
        let response = run.get(&right(run).without(field))?;
        if field != Field::UserFeedback {
            run.expect_refusal(&[statement], &response, Code::InvalidParameter);
        } else if is_accepted(&response) {
            run.ledger.fits(statement, &[FeedbackAbsent::All]);
        } else if run.expect_refusal(&[statement], &response, Code::InvalidParameter) {
            run.ledger.fits(statement, &[FeedbackAbsent::Reject]);
        }
    }
    Ok(())
}

/// Whether the parameters were accepted: the response has rows, or the conversation does not exist.
fn is_accepted(response: &ParsedResponse) -> bool {
    response.page().is_some() || response.code() == Some(Code::ConversationMissing)
}

/// Records the response to a `page_size` outside its range: refused, or replaced by the nearest bound.
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
