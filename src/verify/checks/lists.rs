//! The conversation list.

use super::super::client::Stop;
use super::super::known::Chat;
use super::super::run::Run;
use super::super::seen::{Page, Seen, text};
use super::{FAR, NO_CONVERSATION, NO_ROWS, begins, list};
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
                _ => format!("a query of everything is refused: {}", refusal.describe()),
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
    run.known.list = Some(page);
    Ok(())
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
    let mut equal = times.windows(2).zip(ids.windows(2)).filter(|(times, _)| times[0] == times[1]);
    match equal.next() {
        None => run.ledger.untried("conversations.ties", "no two have the same time"),
        Some(first) => {
            let right = std::iter::once(first).chain(equal).all(|(_, ids)| ids[0] < ids[1]);
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
    let (rows, of_all) = (all.len(), all.total_number());
    if !run.answered(&[statement], &seen) {
        return Ok(());
    }
    let Some(page) = seen.page() else { return Ok(()) };
    match (page.total_number(), &page.total) {
        (Some(_), Some(jiter::JsonValue::Int(_))) if rows < 2 => {
            run.ledger.untold("list-total", NO_ROWS);
        }
        (Some(1), Some(jiter::JsonValue::Int(_))) => {
            run.ledger.fits("list-total", statement, &["page"]);
        }
        (Some(total), Some(jiter::JsonValue::Int(_))) if Some(total) == of_all && total >= rows => {
            run.ledger.fits("list-total", statement, &["all"]);
        }
        _ => run.ledger.differs(statement, "a total that is neither".to_owned()),
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
    for (name, statement) in [
        ("user_id", "conversations.user_id"),
        ("conversation_type", "conversations.conversation_type"),
    ] {
        let Some(all) = &run.known.list else { return Ok(()) };
        let Some(value) = all.rows().next().and_then(|row| text(row, name)) else {
            run.ledger.untried(statement, NO_ROWS);
            continue;
        };
        let (value, expected) = (value.to_owned(), matching(all, name, value));
        let seen = list(run, "1", "100", &[(name, &value)])?;
        // Values are sent with every letter encoded that may be.
        if run.answered(&[statement, "everywhere.encoding"], &seen) {
            let Some(page) = seen.page() else { continue };
            let only = page.rows().all(|row| text(row, name) == Some(&value));
            let wide = || Err("rows that do not match".to_owned());
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            let came =
                if only { begins(&page.texts("conversation_id"), &expected) } else { wide() };
            run.ledger.found(statement, came);
        }
    }
    let other = list(run, "1", "1", &[("user_id", "nobody-has-this-id")])?;
    if run.answered(&["conversations.user_id"], &other) {
        let none = other.page().is_some_and(|page| page.len() == 0);
        let came = if none { Ok(()) } else { Err("rows of other users".to_owned()) };
        run.ledger.found("conversations.user_id", came);
    }
    space(run)
}

fn matching(all: &Page, name: &str, value: &str) -> Vec<String> {
    let fits = all.rows().filter(|row| text(row, name) == Some(value));
    fits.filter_map(|row| text(row, "conversation_id").map(str::to_owned)).collect()
}

/// `SPACE` is a channel like any other.
fn space(run: &mut Run<'_>) -> Result<(), Stop> {
    let name = ConversationType::Space.name();
    let seen = list(run, "1", "100", &[("conversation_type", name)])?;
    if run.answered(&["conversations.space", "channel.SPACE"], &seen) {
        let Some(page) = seen.page() else { return Ok(()) };
        let only = page.texts("conversation_type").iter().all(|kind| *kind == name);
        let came = if only { Ok(()) } else { Err("rows of other types".to_owned()) };
        run.ledger.found("conversations.space", came);
        run.ledger.found("records.all", Ok(()));
    }
    Ok(())
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
            if right { Ok(()) } else { Err("page 2 is not the rows after page 1".to_owned()) };
        run.ledger.found("records.pages", came);
    }
    Ok(())
}
