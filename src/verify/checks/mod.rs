//! The checks, in the order of what they tell: first which readings a server shows, then what the
//! pages document, then what is assumed, and the channels with whatever is left of the budget.

mod access;
mod channels;
mod lists;
mod messages;
mod pairs;
mod parameters;
mod qa;
mod requests;

use super::client::Stop;
use super::run::{FOREVER, Pair, Run};
use super::seen::{Page, Seen, text};
use crate::contract::Operation;

type Check = fn(&mut Run<'_>) -> Result<(), Stop>;

/// Every check. Each may use what those before it found.
pub(super) const CHECKS: &[Check] = &[
    lists::first,
    lists::total,
    lists::past_end,
    messages::v1,
    messages::v1_past_end,
    messages::v2,
    messages::v2_past_end,
    qa::first,
    qa::past_end,
    parameters::of_readings,
    access::deleted,
    access::no_key,
    messages::unknown,
    lists::filters,
    lists::second_page,
    messages::second_page,
    qa::ratings,
    qa::second_page,
    pairs::of_conversation,
    parameters::of_others,
    requests::encoding,
    requests::queries,
    requests::integers,
    requests::windows,
    requests::paths,
    requests::order,
    access::headers,
    messages::of_empty,
    channels::every,
];

/// A window that holds everything.
const ALWAYS: [Pair<'static>; 2] = [("start_time", "0"), ("end_time", FOREVER)];

/// A page far behind the last one of anything.
const FAR: &str = "1000000";

/// The list of all conversations.
fn list(run: &mut Run<'_>, page: &str, size: &str, more: &[Pair<'_>]) -> Result<Seen, Stop> {
    let mut pairs = vec![("conversation_type", "ALL")];
    if more.iter().any(|(name, _)| *name == "conversation_type") {
        pairs.clear();
    }
    if !more.iter().any(|(name, _)| *name == "start_time") {
        pairs.extend(ALWAYS);
    }
    pairs.extend([("page", page), ("page_size", size)]);
    pairs.extend(more);
    run.get(Operation::ConversationList, &pairs)
}

/// What a page past the end says: which values of the reading fit.
fn past_end(run: &mut Run<'_>, statement: &str, seen: &Seen, documented: &'static str) {
    // `documented` is in company of `empty` on the lists, of `error` on messages.
    let reading = "page-past-end";
    let code = i64::from(crate::contract::Code::PageExceedsTotal.number());
    match seen {
        Seen::Page(page) if page.len() == 0 => {
            let fits: &[_] =
                if documented == "empty" { &["documented", "empty"] } else { &["empty"] };
            run.ledger.fits(reading, statement, fits);
        }
        Seen::Refusal(refusal) if refusal.code == code => {
            let fits: &[_] =
                if documented == "error" { &["documented", "error"] } else { &["error"] };
            run.ledger.fits(reading, statement, fits);
        }
        other => run.ledger.differs(statement, other.describe()),
    }
}

/// Whether rows are those of a known page that have a value, in their order. Where the known page is
/// full, rows may follow that it had no place for.
fn filtered(page: &Page, known: &Page, id: &str, name: &str, value: &str) -> Result<(), String> {
    if page.texts(name).iter().any(|other| *other != value) {
        return Err("rows that the filter should not let through".to_owned());
    }
    let fits = known.rows().filter(|row| text(row, name) == Some(value));
    let expected: Vec<&str> = fits.filter_map(|row| text(row, id)).collect();
    let rows = page.texts(id);
    if known.is_whole() && rows.len() > expected.len() {
        return Err("rows that are not among all".to_owned());
    }
    if rows.len() < expected.len() {
        return Err(format!("{} rows where {} match", rows.len(), expected.len()));
    }
    same(&rows[..expected.len()], &expected)
}

/// Whether rows are the expected ones, by a text that names each.
fn same(rows: &[&str], expected: &[&str]) -> Result<(), String> {
    if rows == expected { Ok(()) } else { Err("other rows, or in another order".to_owned()) }
}

/// Why there is nothing to look at.
const NO_CONVERSATION: &str = "the agent has no conversation with messages";
const NO_ROWS: &str = "the agent has too few records";
