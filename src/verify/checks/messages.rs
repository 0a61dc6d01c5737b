//! The messages of one conversation, v1 and v2.

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::known::Chat;
use super::super::run::Run;
use super::super::seen::{Page, Seen, text};
use super::{FAR, NO_CONVERSATION, NO_ROWS, begins};
use crate::contract::{Code, Feedback, MessageType, Operation};

/// An id that nobody's conversation has.
pub(super) const NOBODY: &str = "ffffffffffffffffffffffff";

fn ask(run: &mut Run<'_>, of: Operation, id: &str, page: &str, size: &str) -> Result<Seen, Stop> {
    run.get(of, &[("conversation_id", id), ("page", page), ("page_size", size)])
}

pub(super) fn v1(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(chat) = run.known.chat.clone() else {
        for statement in ["messages.total", "messages.order", "messages.chain", "messages.time"] {
            run.ledger.untried(statement, NO_CONVERSATION);
        }
        return Ok(());
    };
    let seen = ask(run, Operation::Messages, &chat.id, "1", "100")?;
    if !run.answered(&["messages.total"], &seen) {
        return Ok(());
    }
    let Seen::Page(page) = seen else { return Ok(()) };
    total(run, "messages.total", &page);
    let is_whole = page.total_number() == Some(page.len());
    let chain = chain(run, "messages-order", "messages.order", &page);
    let linked = chain.is_some_and(|newest_first| {
        let ids = along(&page, "parent_message_id", newest_first);
        !is_whole || ids.first().is_some_and(|first| first.is_empty())
    });
    let came = if linked || page.len() < 2 { Ok(()) } else { Err("not a chain".to_owned()) };
    run.ledger.found("messages.chain", came);
    times(run, &page, chain == Some(true));
    let first = along(&page, "message_type", chain == Some(true)).first().copied();
    if is_whole && first == Some(MessageType::Answer.name()) {
        run.ledger.holds("messages.first");
    } else {
        run.ledger
            .untried("messages.first", "the conversation that was looked at begins otherwise");
    }
    counts(run, &chat, &page, is_whole);
    run.known.messages = Some(page);
    Ok(())
}

/// What the list says of a conversation, its messages say, too.
fn counts(run: &mut Run<'_>, chat: &Chat, page: &Page, is_whole: bool) {
    let total = page.total_number().and_then(|total| i64::try_from(total).ok());
    let came = if total == Some(chat.count) { Ok(()) } else { Err("another number".to_owned()) };
    run.ledger.found("records.message-count", came);
    if is_whole {
        let newest = page.numbers("create_time").into_iter().max();
        let came = if newest == Some(chat.time) { Ok(()) } else { Err("another time".to_owned()) };
        run.ledger.found("records.recent-chat-time", came);
    } else {
        run.ledger.untried("records.recent-chat-time", "no conversation fits on a page");
    }
}

/// The total: its type is a reading; it counts all messages, so at least those of the page.
fn total(run: &mut Run<'_>, statement: &str, page: &Page) {
    match (&page.total, page.total_number()) {
        (Some(JsonValue::Int(_)), Some(total)) if total >= page.len() => {
            run.ledger.fits("messages-total", statement, &["number"]);
        }
        (Some(JsonValue::Str(_)), Some(total)) if total >= page.len() => {
            run.ledger.fits("messages-total", statement, &["string"]);
        }
        (None, _) => run.ledger.differs(statement, "no total".to_owned()),
        _ => run.ledger.differs(statement, "a total that counts less than the page".to_owned()),
    }
}

/// Which way the chain goes: whether the newest message comes first. `None`: it is none.
fn chain(run: &mut Run<'_>, reading: &'static str, statement: &str, page: &Page) -> Option<bool> {
    let (ids, parents) = (page.texts("message_id"), page.texts("parent_message_id"));
    if ids.len() < 2 {
        run.ledger.untold(reading, "no conversation has two messages");
        run.ledger.untried(statement, "no conversation has two messages");
        return None;
    }
    if ids.iter().zip(&parents[1..]).all(|(id, parent)| id == parent) {
        run.ledger.fits(reading, statement, &["oldest-first"]);
        Some(false)
    } else if ids[1..].iter().zip(&parents).all(|(id, parent)| id == parent) {
        run.ledger.fits(reading, statement, &["newest-first"]);
        Some(true)
    } else {
        run.ledger.differs(statement, "neither way along a chain".to_owned());
        None
    }
}

/// One text of every message, oldest first.
fn along<'p>(page: &'p Page, name: &str, newest_first: bool) -> Vec<&'p str> {
    let mut texts = page.texts(name);
    if newest_first {
        texts.reverse();
    }
    texts
}

fn times(run: &mut Run<'_>, page: &Page, newest_first: bool) {
    let mut times = page.numbers("create_time");
    if newest_first {
        times.reverse();
    }
    let came = if times.is_sorted() { Ok(()) } else { Err("a time that falls".to_owned()) };
    run.ledger.found("messages.time", came);
}

pub(super) fn v2(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(chat) = run.known.chat.clone() else { return Ok(()) };
    let seen = ask(run, Operation::MessagesV2, &chat.id, "1", "100")?;
    if !run.answered(&["messages-v2.total"], &seen) {
        return Ok(());
    }
    let Seen::Page(page) = seen else { return Ok(()) };
    total(run, "messages-v2.total", &page);
    let newest_first = chain(run, "v2-messages-order", "messages-v2.order", &page);
    if let (Some(v1), Some(newest_first)) = (&run.known.messages, newest_first) {
        let v1_newest_first = run.ledger.values("messages-order") == ["newest-first"];
        let whole = v1.total_number() == Some(v1.len());
        let same =
            |name: &str| along(v1, name, v1_newest_first) == along(&page, name, newest_first);
        if whole {
            let right = same("message_id") && same("parent_message_id") && same_texts(v1, &page);
            let came = if right { Ok(()) } else { Err("other messages than v1".to_owned()) };
            run.ledger.found("messages-v2.same", came);
        } else {
            run.ledger.untried("messages-v2.same", "no conversation fits on a page");
        }
    }
    run.known.messages_v2 = Some(page);
    Ok(())
}

/// Whether v1's texts, authors and times are those of v2, message by message.
fn same_texts(v1: &Page, v2: &Page) -> bool {
    v1.rows().all(|old| {
        let id = text(old, "message_id");
        v2.rows().find(|new| text(new, "message_id") == id).is_some_and(|new| {
            let kind =
                MessageType::ALL.iter().find(|kind| Some(kind.name()) == text(old, "message_type"));
            super::super::seen::number(old, "create_time")
                == super::super::seen::number(new, "create_time")
                && kind.map(|kind| kind.role()) == text(new, "role")
                && text(old, "text") == content_text(new)
        })
    })
}

/// The text inside `content`.
fn content_text(row: &super::super::seen::Object) -> Option<&str> {
    let mut value = super::super::seen::value(row, "content")?;
    // A list, an object, a list, an object: the last value of each holds what is inside.
    loop {
        value = match value {
            JsonValue::Array(items) => items.last()?,
            JsonValue::Object(pairs) => &pairs.last()?.1,
            JsonValue::Str(text) => return Some(text),
            _ => return None,
        };
    }
}

/// The rating of a message as the Q&A list spells it.
pub(super) fn rating(v2: &Page, message_id: &str) -> Option<&'static str> {
    let row = v2.rows().find(|row| text(row, "message_id") == Some(message_id))?;
    let word = text(row, "feedback")?;
    Feedback::ALL.into_iter().find(|rating| rating.v2_name() == word).map(Feedback::name)
}

pub(super) fn v1_past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    far(run, Operation::Messages)
}

pub(super) fn v2_past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    far(run, Operation::MessagesV2)
}

fn far(run: &mut Run<'_>, of: Operation) -> Result<(), Stop> {
    let statement = format!("{}.past-end", of.id());
    let Some(chat) = run.known.chat.clone() else {
        run.ledger.untried(&statement, NO_CONVERSATION);
        return Ok(());
    };
    let seen = ask(run, of, &chat.id, FAR, "100")?;
    super::past_end(run, &statement, &seen, "error");
    Ok(())
}

/// A conversation that nobody has.
pub(super) fn unknown(run: &mut Run<'_>) -> Result<(), Stop> {
    for of in [Operation::Messages, Operation::MessagesV2] {
        let seen = ask(run, of, NOBODY, "1", "1")?;
        let statements = [
            format!("{}.conversation_id", of.id()),
            format!("{}.{}", of.id(), Code::ConversationMissing.number()),
        ];
        let statements = statements.each_ref().map(String::as_str);
        run.refused(&statements, &seen, Code::ConversationMissing);
    }
    Ok(())
}

/// Page 2 of one message each goes on where page 1 ends.
pub(super) fn second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let (Some(chat), Some(all)) = (run.known.chat.clone(), &run.known.messages) else {
        return Ok(());
    };
    let Some(second) = all.texts("message_id").get(1).map(|id| (*id).to_owned()) else {
        run.ledger.untried("records.pages", NO_ROWS);
        return Ok(());
    };
    let seen = ask(run, Operation::Messages, &chat.id, "2", "1")?;
    if run.answered(&["records.pages"], &seen) {
        let ids = seen.page().map(|page| page.texts("message_id")).unwrap_or_default();
        let came = if ids.len() == 1 { begins(&ids, &[&second]) } else { Err("no row".to_owned()) };
        run.ledger.found("records.pages", came);
    }
    Ok(())
}

/// Page 1 of a conversation without messages, if there is one.
pub(super) fn of_empty(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = "messages.empty-conversation";
    let Some(chat) = run.known.list.as_ref().and_then(Chat::empty) else {
        run.ledger.untried(statement, "no conversation on the first page is empty");
        return Ok(());
    };
    let seen = ask(run, Operation::Messages, &chat.id, "1", "1")?;
    if run.answered(&[statement], &seen) {
        let none = seen.page().is_some_and(|page| page.len() == 0);
        run.ledger.found(statement, if none { Ok(()) } else { Err(seen.describe()) });
    }
    Ok(())
}
