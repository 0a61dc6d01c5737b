//! Checks of the Q&A list.

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::response::Page;
use super::super::run::Run;
use super::super::samples::LEAST_MILLISECONDS;
use super::{
    FAR, NO_ROWS, check_filtered, directions, record_past_end, record_ties, second_page_ids,
};
use crate::contract::{
    Feedback, Field, Operation, PagePastEnd, QaField, QaOrder, QaTime, QaTotal, ReadingId,
    RowField, StatementId,
};

const LIST: Operation = Operation::QaRecords;
const Q_TIME: StatementId = StatementId::RowKey(RowField::Qa(QaField::QTime));
const RATING: StatementId = StatementId::param(LIST, Field::UserFeedback);

pub(super) fn check_first_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::QaTotal;
    let response = run.get(&run.query(LIST, "1", "100"))?;
    let Some(page) = run.expect_page(&[statement], response) else { return Ok(()) };
    let is_last = page.keys.last().is_some_and(|key| key == "total");
    match page.total {
        None => run.ledger.fits(statement, &[QaTotal::Absent]),
        Some(JsonValue::Int(_)) if page.is_total_right() && is_last => {
            run.ledger.fits(statement, &[QaTotal::Present]);
        }
        _ => run.ledger.differs(statement, "a total that is not a count, or not the last key"),
    }
    let times = page.integers("q_time");
    record_unit(run, &times);
    record_order(run, &page, &times);
    run.samples.keep(LIST, page);
    Ok(())
}

/// Records the unit of the times.
fn record_unit(run: &mut Run<'_>, times: &[i64]) {
    let long = times.iter().filter(|time| **time >= LEAST_MILLISECONDS).count();
    let (rises, falls) = directions(times);
    match long {
        _ if times.is_empty() => run.ledger.unknown(ReadingId::QaTime, NO_ROWS),
        0 => run.ledger.fits(Q_TIME, &[QaTime::Seconds]),
        // Short numbers in order among long ones are times before 1973.
        _ if long == times.len() || rises || falls => {
            run.ledger.fits(Q_TIME, &[QaTime::Milliseconds]);
        }
        _ => run.ledger.differs(Q_TIME, "some times in seconds, some not"),
    }
}

fn record_order(run: &mut Run<'_>, page: &Page, times: &[i64]) {
    let statement = StatementId::QaOrder;
    match directions(times) {
        (true, true) => {
            let why = "all questions have the same time";
            run.ledger.unknown(ReadingId::QaOrder, why);
            run.ledger.not_tried(statement, why);
        }
        (true, false) => run.ledger.fits(statement, &[QaOrder::OldestFirst]),
        (false, true) => run.ledger.fits(statement, &[QaOrder::NewestFirst]),
        (false, false) => run.ledger.differs(statement, "questions that are not sorted by time"),
    }
    if !run.ledger.shows(QaTime::Milliseconds) {
        return run.ledger.not_tried(StatementId::QaTies, "q_time has no milliseconds");
    }
    let is_reversed = run.ledger.shows(QaOrder::NewestFirst);
    record_ties(run, StatementId::QaTies, times, &page.texts("id"), is_reversed);
}

pub(super) fn check_past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    let response = run.get(&run.query(LIST, FAR, "100"))?;
    record_past_end(run, StatementId::QaPastEnd, &response, PagePastEnd::Empty);
    Ok(())
}

/// Each rating must show the rows of the whole list that have it, in the same order.
pub(super) fn check_ratings(run: &mut Run<'_>) -> Result<(), Stop> {
    for rating in Feedback::ALL.map(Feedback::name) {
        let response = run.get(&run.query(LIST, "1", "100").with(Field::UserFeedback, rating))?;
        let Some(page) = run.expect_page(&[RATING], response) else { continue };
        let Some(all) = run.samples.page(LIST) else { continue };
        let result = check_filtered(&page, all, "id", "user_feedback", rating);
        run.ledger.record(RATING, result.clone());
        run.ledger.record(StatementId::RecordsAll, result);
    }
    Ok(())
}

/// Page 2 must continue where page 1 ends, with ten rows per page.
pub(super) fn check_second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let known = run.samples.page(LIST);
    let Some(expected) = second_page_ids(known, "id", 10) else { return Ok(()) };
    let statement = StatementId::RecordsPages;
    let response = run.get(&run.query(LIST, "2", "10"))?;
    if let Some(page) = run.expect_page(&[statement], response) {
        let is_right = page.texts("id") == expected;
        run.ledger.check(statement, is_right, "page 2 does not continue after page 1");
    }
    Ok(())
}
