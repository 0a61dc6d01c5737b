//! The Q&A list.

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::known::LEAST_MILLISECONDS;
use super::super::run::{Pair, Run};
use super::super::seen::{Page, Seen};
use super::{ALWAYS, FAR, NO_ROWS, filtered};
use crate::contract::{Feedback, Operation};

fn ask(run: &mut Run<'_>, rating: &str, page: &str, size: &str) -> Result<Seen, Stop> {
    let mut pairs: Vec<Pair<'_>> = vec![("user_feedback", rating)];
    pairs.extend(ALWAYS);
    pairs.extend([("page", page), ("page_size", size)]);
    run.get(Operation::QaRecords, &pairs)
}

pub(super) fn first(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = ask(run, "ALL", "1", "100")?;
    if !run.answered(&["qa.total"], &seen) {
        return Ok(());
    }
    let Seen::Page(page) = seen else { return Ok(()) };
    match (&page.total, page.total_number()) {
        (None, _) => run.ledger.fits("qa-total", "qa.total", &["absent"]),
        (Some(JsonValue::Int(_)), Some(total))
            if (total == page.len() || total > page.len() && !page.is_whole())
                && page.keys.last().is_some_and(|key| key == "total") =>
        {
            run.ledger.fits("qa-total", "qa.total", &["present"]);
        }
        _ => run.ledger.differs("qa.total", "a total that is no count, or not the last".to_owned()),
    }
    time(run, &page);
    order(run, &page);
    run.known.qa = Some(page);
    Ok(())
}

fn time(run: &mut Run<'_>, page: &Page) {
    let times = page.numbers("q_time");
    let long = times.iter().filter(|time| **time >= LEAST_MILLISECONDS).count();
    let is_in_order = times.is_sorted() || times.is_sorted_by(|a, b| a >= b);
    match long {
        _ if times.is_empty() => run.ledger.untold("qa-time", NO_ROWS),
        0 => run.ledger.fits("qa-time", "qa.row.q_time", &["seconds"]),
        // The short ones are of before 1973, where they stand in their place.
        _ if long == times.len() || is_in_order => {
            run.ledger.fits("qa-time", "qa.row.q_time", &["milliseconds"]);
        }
        _ => run.ledger.differs("qa.row.q_time", "some in seconds, some not".to_owned()),
    }
}

fn order(run: &mut Run<'_>, page: &Page) {
    let times = page.numbers("q_time");
    let rises = times.is_sorted();
    let falls = times.is_sorted_by(|a, b| a >= b);
    match (rises, falls) {
        (true, true) => {
            run.ledger.untold("qa-order", "no two questions have different times");
            run.ledger.untried("qa.order", "no two questions have different times");
        }
        (true, false) => run.ledger.fits("qa-order", "qa.order", &["oldest-first"]),
        (false, true) => run.ledger.fits("qa-order", "qa.order", &["newest-first"]),
        (false, false) => run.ledger.differs("qa.order", "neither way by time".to_owned()),
    }
    if run.ledger.values("qa-time") != ["milliseconds"] {
        return run.ledger.untried("qa.ties", "q_time shows no milliseconds");
    }
    let ids = page.texts("id");
    let newest_first = run.ledger.values("qa-order") == ["newest-first"];
    let mut level = times.windows(2).zip(ids.windows(2)).filter(|(times, _)| times[0] == times[1]);
    let right = |ids: &[&str]| (ids[0] < ids[1]) != newest_first;
    match level.next() {
        None => run.ledger.untried("qa.ties", "no two have the same time"),
        Some(first) => {
            let all = std::iter::once(first).chain(level).all(|(_, ids)| right(ids));
            let came = if all { Ok(()) } else { Err("another order of the ids".to_owned()) };
            run.ledger.found("qa.ties", came);
        }
    }
}

pub(super) fn past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = ask(run, "ALL", FAR, "100")?;
    super::past_end(run, "qa.past-end", &seen, "empty");
    Ok(())
}

/// Each rating shows those rows of the whole list that have it, in their order.
pub(super) fn ratings(run: &mut Run<'_>) -> Result<(), Stop> {
    for rating in Feedback::ALL.map(Feedback::name) {
        let seen = ask(run, rating, "1", "100")?;
        if !run.answered(&["qa.user_feedback"], &seen) {
            continue;
        }
        let (Some(page), Some(all)) = (seen.page(), &run.known.qa) else { continue };
        let came = filtered(page, all, "id", "user_feedback", rating);
        run.ledger.found("qa.user_feedback", came.clone());
        run.ledger.found("records.all", came);
    }
    Ok(())
}

/// Page 2 of ten goes on where page 1 ends.
pub(super) fn second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(all) = &run.known.qa else { return Ok(()) };
    let expected: Vec<String> =
        all.texts("id").into_iter().skip(10).take(10).map(str::to_owned).collect();
    if expected.is_empty() {
        return Ok(());
    }
    let seen = ask(run, "ALL", "2", "10")?;
    if run.answered(&["records.pages"], &seen) {
        let ids = seen.page().map(|page| page.texts("id")).unwrap_or_default();
        let came = if ids == expected {
            Ok(())
        } else {
            Err("page 2 is not the rows after page 1".to_owned())
        };
        run.ledger.found("records.pages", came);
    }
    Ok(())
}
