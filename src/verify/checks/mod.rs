//! The checks, the most informative ones first: which readings a server shows, then what the vendor's pages
//! document, then what is assumed, and the channels with the rest of the budget.

mod access;
mod channels;
mod lists;
mod messages;
mod pairs;
mod parameters;
mod qa;
mod requests;

use super::client::Stop;
use super::response::{Page, ParsedResponse, text};
use super::run::Run;
use crate::contract::{Code, PagePastEnd, StatementId};

type Check = fn(&mut Run<'_>) -> Result<(), Stop>;

/// Every check. A check may use the results of the ones before it.
pub(super) const CHECKS: &[Check] = &[
    lists::check_first_page,
    lists::check_total,
    lists::check_past_end,
    messages::check_v1,
    messages::check_v1_past_end,
    messages::check_v2,
    messages::check_v2_past_end,
    qa::check_first_page,
    qa::check_past_end,
    parameters::check_those_of_readings,
    access::check_deleted_agent,
    access::check_no_key,
    messages::check_unknown_conversation,
    lists::check_filters,
    lists::check_second_page,
    messages::check_second_page,
    qa::check_ratings,
    qa::check_second_page,
    pairs::check,
    parameters::check_others,
    requests::check_encoding,
    requests::check_queries,
    requests::check_integers,
    requests::check_windows,
    requests::check_paths,
    requests::check_order,
    access::check_headers,
    messages::check_empty_conversation,
    channels::check_all,
];

/// A page number far after the last page of any list.
const FAR: &str = "1000000";

/// Records which values of `page-past-end` fit the response to a page past the end. `documented` goes
/// with `usual`, which is `empty` on the lists and `error` on messages.
fn record_past_end(
    run: &mut Run<'_>,
    statement: StatementId,
    response: &ParsedResponse,
    usual: PagePastEnd,
) {
    let shown = match response {
        ParsedResponse::Page(page) if page.len() == 0 => PagePastEnd::Empty,
        other if other.code() == Some(Code::PageExceedsTotal) => PagePastEnd::Error,
        other => return run.ledger.differs(statement, other.describe()),
    };
    if shown == usual {
        run.ledger.fits(statement, &[PagePastEnd::Documented, shown]);
    } else {
        run.ledger.fits(statement, &[shown]);
    }
}

/// Records whether rows of the same time are in the order of their ids, or in the reverse order.
fn record_ties(
    run: &mut Run<'_>,
    statement: StatementId,
    times: &[i64],
    ids: &[&str],
    is_reversed: bool,
) {
    let pairs = times.windows(2).zip(ids.windows(2));
    let mut level = pairs.filter(|(times, _)| times[0] == times[1]).map(|(_, ids)| ids).peekable();
    if level.peek().is_none() {
        return run.ledger.not_tried(statement, "no two rows have the same time");
    }
    let is_right = level.all(|ids| (ids[0] < ids[1]) != is_reversed);
    run.ledger.check(statement, is_right, "a different order of the ids");
}

/// The ids that page 2 has where a page has `size` rows, taken from a longer first page.
fn second_page_ids(known: Option<&Page>, id: &str, size: usize) -> Option<Vec<String>> {
    let ids = known?.texts(id).into_iter().skip(size).take(size);
    let ids: Vec<_> = ids.map(str::to_owned).collect();
    (!ids.is_empty()).then_some(ids)
}

/// Checks that rows are those of a known page that have a value, in the same order. If the known page is
/// full, more rows may follow.
fn check_filtered(
    page: &Page,
    known: &Page,
    id: &str,
    name: &str,
    value: &str,
) -> Result<(), String> {
    if page.texts(name).iter().any(|other| *other != value) {
        return Err("rows that do not match the filter".to_owned());
    }
    let fits = known.rows().filter(|row| text(row, name) == Some(value));
    let expected: Vec<&str> = fits.filter_map(|row| text(row, id)).collect();
    let rows = page.texts(id);
    if known.is_whole() && rows.len() > expected.len() {
        return Err("rows that the list without a filter does not have".to_owned());
    }
    if rows.len() < expected.len() {
        return Err(format!("{} rows instead of {}", rows.len(), expected.len()));
    }
    check_same(&rows[..expected.len()], &expected)
}

/// Checks that rows are the expected ones, by a text that identifies each.
fn check_same(rows: &[&str], expected: &[&str]) -> Result<(), String> {
    if rows == expected { Ok(()) } else { Err("other rows, or another order".to_owned()) }
}

/// Whether values never fall, and whether they never rise.
fn directions(values: &[i64]) -> (bool, bool) {
    (values.is_sorted(), values.is_sorted_by(|one, next| one >= next))
}

/// Why a check has nothing to compare.
const NO_CONVERSATION: &str = "the agent has no conversation with messages";
const NO_ROWS: &str = "the agent has too few records";
