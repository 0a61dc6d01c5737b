//! Checks of the conversation list.

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::query::unknown_user;
use super::super::response::{FULL, Page, ParsedResponse, text};
use super::super::run::Run;
use super::super::samples::{Conversation, window_end};
use super::{
    FAR, NO_CONVERSATION, NO_ROWS, channels, check_filtered, directions, record_past_end,
    record_ties, second_page_ids,
};
use crate::contract::{
    Code, ConversationType, Field, ListTotal, Operation, PagePastEnd, ReadingId, StatementId,
};

const LIST: Operation = Operation::ConversationList;
const CHANNEL: StatementId = StatementId::param(LIST, Field::ConversationType);
const USER: StatementId = StatementId::param(LIST, Field::UserId);
const END_TIME: StatementId = StatementId::param(LIST, Field::EndTime);
const PAGE_SIZE: StatementId = StatementId::param(LIST, Field::PageSize);

/// The first request shows whether the server is the API at all, and selects the records for the others.
pub(super) fn check_first_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let response = run.get(&run.query(LIST, "1", "100"))?;
    let code = response.code();
    let page = match response {
        ParsedResponse::Page(page) => page,
        ParsedResponse::Refusal(refusal) => {
            let refused = format!("a query for all records is refused: {}", refusal.describe());
            return Err(Stop::ServerUnusable(match code {
                Some(Code::AuthenticationFailed) => "the key is refused".to_owned(),
                Some(Code::AgentDeleted) => "the key belongs to a deleted agent; pass it as \
                                             --deleted-key, and another key as --key"
                    .to_owned(),
                Some(Code::InvalidParameter) => {
                    run.ledger.differs(StatementId::Parameters, refusal.describe());
                    refused
                }
                Some(Code::NotFound) => {
                    format!("{refused}; --against must be the URL without /v1")
                }
                _ => refused,
            }));
        }
        ParsedResponse::Other(shape) => {
            return Err(Stop::ServerUnusable(format!("this is not the API: {shape}")));
        }
    };
    run.ledger.holds(StatementId::Authentication);
    run.ledger.holds(StatementId::Parameters);
    record_order(run, &page);
    for name in page.texts("conversation_type") {
        if let Some(channel) = ConversationType::from_name(name) {
            run.ledger.holds(StatementId::Channel(channel));
        }
    }
    if page.len() == 0 {
        run.ledger.unknown(ReadingId::AnonymousId, NO_ROWS);
    }
    let window = window_end(&page);
    keep(run, page);
    if run.samples.conversation.is_none() {
        for reading in
            [ReadingId::MessagesTotal, ReadingId::MessagesOrder, ReadingId::V2MessagesOrder]
        {
            run.ledger.unknown(reading, NO_CONVERSATION);
        }
    }
    match window {
        Some((window_end, leaves_out)) => end_window(run, window_end, leaves_out),
        None => Ok(()),
    }
}

/// Keeps the first page, and chooses the conversation whose messages are requested.
fn keep(run: &mut Run<'_>, page: Page) {
    run.samples.conversation = Conversation::choose(&page);
    run.samples.keep(LIST, page);
}

/// Ends the window of all further requests after the conversations that have ended, because the others
/// could change responses. If the window leaves any out, we request the page again, for its total.
fn end_window(run: &mut Run<'_>, window_end: String, leaves_out: bool) -> Result<(), Stop> {
    run.samples.window_end = Some(window_end);
    if !leaves_out {
        return Ok(());
    }
    match run.get(&run.query(LIST, "1", "100")) {
        Ok(ParsedResponse::Page(page)) if page.len() > 0 => {
            keep(run, page);
            Ok(())
        }
        Ok(other) => {
            run.ledger.differs(END_TIME, other.describe());
            let why = "a window that ends just after a conversation does not contain it";
            Err(Stop::ServerUnusable(why.to_owned()))
        }
        Err(stop) => {
            // The page that we keep is of the open window, so further requests use that window, too.
            run.samples.window_end = None;
            Err(stop)
        }
    }
}

fn record_order(run: &mut Run<'_>, page: &Page) {
    if page.len() < 2 {
        return run.ledger.not_tried(StatementId::ConversationsOrder, NO_ROWS);
    }
    let times = page.integers("recent_chat_time");
    let (_, falls) = directions(&times);
    let statement = StatementId::ConversationsOrder;
    run.ledger.check(statement, falls, "a later time after an earlier one");
    let ids = page.texts("conversation_id");
    record_ties(run, StatementId::ConversationsTies, &times, &ids, false);
}

/// Page 1 of one row shows what `total` counts.
pub(super) fn check_total(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::ConversationsTotal;
    let response = run.get(&run.query(LIST, "1", "1"))?;
    let Some(all) = run.samples.list() else { return Ok(()) };
    let (rows, of_all, counts_all) = (all.len(), all.total_number(), all.is_total_right());
    let Some(page) = run.expect_page(&[statement], response) else { return Ok(()) };
    if page.len() != rows.min(1) {
        run.ledger.differs(PAGE_SIZE, format!("{} rows instead of 1", page.len()));
    }
    let Some(JsonValue::Int(_)) = page.total else {
        run.ledger.differs(statement, "a total that is not a number, or no total");
        return Ok(());
    };
    let counts_page = page.total_number() == Some(page.len()) && of_all == Some(rows);
    match of_all {
        _ if counts_page && rows < 2 => run.ledger.unknown(ReadingId::ListTotal, NO_ROWS),
        _ if counts_page => run.ledger.fits(statement, &[ListTotal::Page]),
        Some(total) if page.total_number() == of_all && counts_all => {
            run.ledger.fits(statement, &[ListTotal::All]);
            return check_last_page(run, total);
        }
        _ => {
            let came = "a total that counts neither all matches nor this page";
            run.ledger.differs(statement, came);
        }
    }
    Ok(())
}

/// Where the rows fill more than one page, the last page by the total must have the remaining rows.
fn check_last_page(run: &mut Run<'_>, total: usize) -> Result<(), Stop> {
    if total < FULL {
        return Ok(());
    }
    let pages = total.div_ceil(FULL);
    let response = run.get(&run.query(LIST, &pages.to_string(), "100"))?;
    let left = total - (pages - 1) * FULL;
    if response.page().is_none_or(|page| page.len() != left) {
        let came = format!("{}; by the total, it must have {left} rows", response.describe());
        run.ledger.differs(StatementId::ConversationsTotal, came);
    }
    Ok(())
}

pub(super) fn check_past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::ConversationsPastEnd;
    let response = run.get(&run.query(LIST, FAR, "100"))?;
    record_past_end(run, statement, &response, PagePastEnd::Empty);
    let all = run.samples.list().and_then(Page::total_number);
    let true_total = if run.ledger.shows(ListTotal::Page) { Some(0) } else { all };
    if response.page().is_some_and(|page| page.total_number() != true_total) {
        run.ledger.differs(statement, "a total that differs from page 1");
    }
    Ok(())
}

/// A filter must show the matching rows of the whole list, in the same order.
pub(super) fn check_filters(run: &mut Run<'_>) -> Result<(), Stop> {
    let first = |name: &str| {
        let row = run.samples.list()?.rows().next()?;
        text(row, name).map(str::to_owned)
    };
    let (user, channel) = (first("user_id"), first("conversation_type"));
    if let Some(user) = user {
        let response = run.get(&run.query(LIST, "1", "100").with(Field::UserId, &user))?;
        if let Some(page) = run.expect_page(&[USER], response) {
            let Some(all) = run.samples.list() else { return Ok(()) };
            let result = check_filtered(&page, all, "conversation_id", "user_id", &user);
            run.ledger.record(USER, result);
        }
    } else {
        run.ledger.not_tried(USER, NO_ROWS);
    }
    let user = unknown_user(run.samples.list());
    let query = run.query(LIST, "1", "1").with(Field::UserId, user);
    let response = run.get(&query)?;
    if let Some(page) = run.expect_page(&[USER], response) {
        run.ledger.check(USER, page.len() == 0, "rows of other users");
    }
    let of_space = StatementId::ConversationsSpace;
    match channel.and_then(|name| ConversationType::from_name(&name)) {
        // `SPACE` is a channel like any other.
        Some(ConversationType::Space) => {
            return channels::check(run, ConversationType::Space, &[CHANNEL, of_space]);
        }
        Some(channel) => channels::check(run, channel, &[CHANNEL])?,
        None => run.ledger.not_tried(CHANNEL, NO_ROWS),
    }
    channels::check(run, ConversationType::Space, &[of_space])
}

/// Page 2 must continue where page 1 ends, with one row per page.
pub(super) fn check_second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::RecordsPages;
    let Some(expected) = second_page_ids(run.samples.list(), "conversation_id", 1) else {
        run.ledger.not_tried(statement, NO_ROWS);
        return Ok(());
    };
    let response = run.get(&run.query(LIST, "2", "1"))?;
    if let Some(page) = run.expect_page(&[statement], response) {
        let is_right = page.texts("conversation_id") == expected;
        run.ledger.check(statement, is_right, "page 2 does not continue after page 1");
    }
    Ok(())
}
