//! The conversation list.

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::known::{self, Chat};
use super::super::run::Run;
use super::super::seen::{FULL, Page, Seen, text};
use super::{FAR, NO_CONVERSATION, NO_ROWS, channels, filtered, list};
use crate::contract::{Code, ConversationType};

/// The first request: whether this is the API at all, and what there is to ask for.
pub(super) fn first(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = list(run, "1", "100", &[])?;
    let page = match seen {
        Seen::Page(page) => page,
        Seen::Refusal(ref refusal) => {
            let why = match refusal.code {
                code if code == i64::from(Code::AuthenticationFailed.number()) => {
                    "the key is refused".to_owned()
                }
                code if code == i64::from(Code::AgentDeleted.number()) => {
                    "the key is that of a deleted agent; give it as --deleted-key, and another \
                     one as --key"
                        .to_owned()
                }
                code => {
                    if code == i64::from(Code::InvalidParameter.number()) {
                        run.ledger.differs("everywhere.parameters", refusal.describe());
                    }
                    let hint = if code == i64::from(Code::NotFound.number()) {
                        "; --against names what stands before /v1"
                    } else {
                        ""
                    };
                    format!("a query of everything is refused: {}{hint}", refusal.describe())
                }
            };
            return Err(Stop::Lost(why));
        }
        Seen::Else(shape) => return Err(Stop::Lost(format!("this is not the API: {shape}"))),
    };
    for statement in ["everywhere.authentication", "everywhere.parameters"] {
        run.ledger.holds(statement);
    }
    order(run, &page);
    for kind in page.texts("conversation_type") {
        if ConversationType::from_name(kind).is_some() {
            run.ledger.holds(&format!("channel.{kind}"));
        }
    }
    if page.len() == 0 {
        run.ledger.untold("anonymous-id", NO_ROWS);
    }
    run.known.chat = Chat::choose(&page);
    if run.known.chat.is_none() {
        for reading in ["messages-total", "messages-order", "v2-messages-order"] {
            run.ledger.untold(reading, NO_CONVERSATION);
        }
    }
    let window = known::until(&page);
    run.known.list = Some(page);
    match window {
        Some((until, leaves_out)) => over(run, until, leaves_out),
        None => Ok(()),
    }
}

/// Keeps to the conversations of the page that are over: what goes on meanwhile would change answers.
/// Where others are left out, these are asked for anew, for their total.
fn over(run: &mut Run<'_>, until: String, leaves_out: bool) -> Result<(), Stop> {
    run.known.until = Some(until);
    if !leaves_out {
        return Ok(());
    }
    match list(run, "1", "100", &[]) {
        Ok(Seen::Page(over)) if over.len() > 0 => {
            run.known.chat = Chat::choose(&over);
            run.known.list = Some(over);
            Ok(())
        }
        Ok(other) => {
            run.ledger.differs("conversations.end_time", other.describe());
            Err(Stop::Lost("a window that ends at a conversation does not hold it".to_owned()))
        }
        Err(stop) => {
            // What is known is of the open window, so that is what is asked for.
            run.known.until = None;
            Err(stop)
        }
    }
}

fn order(run: &mut Run<'_>, page: &Page) {
    let times = page.numbers("recent_chat_time");
    let ids = page.texts("conversation_id");
    if page.len() < 2 {
        return run.ledger.untried("conversations.order", NO_ROWS);
    }
    let falls = times.windows(2).all(|pair| pair[0] >= pair[1]);
    let came = if falls { Ok(()) } else { Err("a later time after an earlier one".to_owned()) };
    run.ledger.found("conversations.order", came);
    let mut level = times.windows(2).zip(ids.windows(2)).filter(|(times, _)| times[0] == times[1]);
    match level.next() {
        None => run.ledger.untried("conversations.ties", "no two have the same time"),
        Some(first) => {
            let right = std::iter::once(first).chain(level).all(|(_, ids)| ids[0] < ids[1]);
            let came = if right { Ok(()) } else { Err("another order of the ids".to_owned()) };
            run.ledger.found("conversations.ties", came);
        }
    }
}

/// Page 1 of one row: what `total` counts.
pub(super) fn total(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = "conversations.total";
    let seen = list(run, "1", "1", &[])?;
    let Some(all) = &run.known.list else { return Ok(()) };
    let (rows, of_all, is_whole) = (all.len(), all.total_number(), all.is_whole());
    if !run.answered(&[statement], &seen) {
        return Ok(());
    }
    let Some(page) = seen.page() else { return Ok(()) };
    if page.len() != rows.min(1) {
        let came = format!("{} rows where 1 was asked for", page.len());
        run.ledger.differs("conversations.page_size", came);
    }
    let Some(JsonValue::Int(_)) = page.total else {
        run.ledger.differs(statement, "a total that is no number, or none".to_owned());
        return Ok(());
    };
    let of_page = page.total_number() == Some(page.len()) && of_all == Some(rows);
    let counts_all = if is_whole { of_all == Some(rows) } else { of_all >= Some(rows) };
    match page.total_number() {
        _ if of_page && rows < 2 => run.ledger.untold("list-total", NO_ROWS),
        _ if of_page => run.ledger.fits("list-total", statement, &["page"]),
        total if total == of_all && counts_all => {
            run.ledger.fits("list-total", statement, &["all"]);
            return last_page(run, of_all.unwrap_or_default());
        }
        _ => run
            .ledger
            .differs(statement, "a total that counts neither all matches nor this page".to_owned()),
    }
    Ok(())
}

/// Where the rows fill more than a page, the last page that a total promises has what is left.
fn last_page(run: &mut Run<'_>, total: usize) -> Result<(), Stop> {
    if total < FULL {
        return Ok(());
    }
    let pages = total.div_ceil(FULL);
    let seen = list(run, &pages.to_string(), "100", &[])?;
    let left = total - (pages - 1) * FULL;
    if seen.page().is_none_or(|page| page.len() != left) {
        let came = format!("{}, where the total leaves {left} rows", seen.describe());
        run.ledger.differs("conversations.total", came);
    }
    Ok(())
}

pub(super) fn past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = "conversations.past-end";
    let seen = list(run, FAR, "100", &[])?;
    super::past_end(run, statement, &seen, "empty");
    let by_page = run.ledger.values("list-total") == ["page"];
    let all = run.known.list.as_ref().and_then(Page::total_number);
    let true_total = if by_page { Some(0) } else { all };
    if seen.page().is_some_and(|page| page.total_number() != true_total) {
        run.ledger.differs(statement, "another total than page 1".to_owned());
    }
    Ok(())
}

/// A filter shows those rows of the whole list that it lets through, in their order.
pub(super) fn filters(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = "conversations.user_id";
    let first = |name: &str| {
        let row = run.known.list.as_ref()?.rows().next()?;
        text(row, name).map(str::to_owned)
    };
    let (user, channel) = (first("user_id"), first("conversation_type"));
    if let Some(user) = user {
        let seen = list(run, "1", "100", &[("user_id", &user)])?;
        if run.answered(&[statement], &seen) {
            let (Some(page), Some(all)) = (seen.page(), &run.known.list) else { return Ok(()) };
            let came = filtered(page, all, "conversation_id", "user_id", &user);
            run.ledger.found(statement, came);
        }
    } else {
        run.ledger.untried(statement, NO_ROWS);
    }
    let other = list(run, "1", "1", &[("user_id", "nobody-has-this-id")])?;
    if run.answered(&[statement], &other) {
        let none = other.page().is_some_and(|page| page.len() == 0);
        let came = if none { Ok(()) } else { Err("rows of other users".to_owned()) };
        run.ledger.found(statement, came);
    }
    let (filter, space) = ("conversations.conversation_type", ConversationType::Space.name());
    match channel.filter(|name| ConversationType::from_name(name).is_some()) {
        // `SPACE` is a channel like any other.
        Some(name) if name == space => {
            return channels::one(run, space, &[filter, "conversations.space"]);
        }
        Some(name) => channels::one(run, &name, &[filter])?,
        None => run.ledger.untried(filter, NO_ROWS),
    }
    channels::one(run, space, &["conversations.space"])
}

/// Page 2 of one row each goes on where page 1 ends.
pub(super) fn second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(all) = &run.known.list else { return Ok(()) };
    let ids = all.texts("conversation_id");
    let Some(second) = ids.get(1).map(|id| (*id).to_owned()) else {
        run.ledger.untried("records.pages", NO_ROWS);
        return Ok(());
    };
    let seen = list(run, "2", "1", &[])?;
    if run.answered(&["records.pages"], &seen) {
        let right = seen.page().is_some_and(|page| page.texts("conversation_id") == [second]);
        let came =
            if right { Ok(()) } else { Err("page 2 is not the row after page 1".to_owned()) };
        run.ledger.found("records.pages", came);
    }
    Ok(())
}
