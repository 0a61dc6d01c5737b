//! The messages of one conversation, v1 and v2.

use std::collections::HashMap;

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::known::Chat;
use super::super::run::Run;
use super::super::seen::{FULL, Object, Page, Seen, number, text, value};
use super::{FAR, NO_CONVERSATION, NO_ROWS, same};
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
    let chain = chain(&page);
    order(run, "messages-order", "messages.order", &page, chain.as_deref());
    let rows: Vec<_> = page.rows().collect();
    let first = linked(run, "messages", &page, &rows, chain.as_deref());
    if page.is_whole()
        && first.and_then(|first| text(first, "message_type")) == Some(MessageType::Answer.name())
    {
        run.ledger.holds("messages.first");
    } else {
        run.ledger
            .untried("messages.first", "the conversation that was looked at begins otherwise");
    }
    counts(run, &chat, &page);
    subject(run, &chat, &rows);
    run.known.messages = Some(page);
    Ok(())
}

/// Whether the rows are a chain along which time never falls, and its first row.
fn linked<'r>(
    run: &mut Run<'_>,
    subject: &str,
    page: &Page,
    rows: &[&'r Object],
    chain: Option<&[usize]>,
) -> Option<&'r Object> {
    let first = chain.and_then(<[usize]>::first).map(|first| rows[*first]);
    let is_linked = first.is_some_and(|first| {
        !page.is_whole() || text(first, "parent_message_id").is_some_and(str::is_empty)
    });
    let came = if is_linked || rows.is_empty() { Ok(()) } else { Err("not a chain".to_owned()) };
    run.ledger.found(&format!("{subject}.chain"), came);
    if let Some(chain) = chain {
        let times: Vec<_> = chain.iter().map(|place| number(rows[*place], "create_time")).collect();
        let came = if times.is_sorted() { Ok(()) } else { Err("a time that falls".to_owned()) };
        run.ledger.found(&format!("{subject}.time"), came);
    }
    first
}

/// The subject is the first question, or empty.
fn subject(run: &mut Run<'_>, chat: &Chat, rows: &[&Object]) {
    let is_question =
        |row: &&&Object| text(row, "message_type") == Some(MessageType::Question.name());
    let mut questions = rows.iter().filter(is_question).filter_map(|row| text(row, "text"));
    let is_one = questions.any(|question| question == chat.subject);
    let came =
        if chat.subject.is_empty() || is_one { Ok(()) } else { Err("another text".to_owned()) };
    run.ledger.found("records.subject", came);
}

/// What the list says of a conversation, its messages say, too.
fn counts(run: &mut Run<'_>, chat: &Chat, page: &Page) {
    let total = page.total_number().and_then(|total| i64::try_from(total).ok());
    if total.is_some() {
        let same = total == Some(chat.count);
        let came = if same { Ok(()) } else { Err("another number".to_owned()) };
        run.ledger.found("records.message-count", came);
    }
    if page.is_whole() {
        let newest = page.numbers("create_time").into_iter().max();
        let came = if newest == Some(chat.time) { Ok(()) } else { Err("another time".to_owned()) };
        run.ledger.found("records.recent-chat-time", came);
    } else {
        run.ledger.untried("records.recent-chat-time", "no conversation fits on a page");
    }
}

/// The total: its type is a reading; it counts all messages, so those of a page that is not full.
fn total(run: &mut Run<'_>, statement: &str, page: &Page) {
    let counts = |total: usize| total == page.len() || total > page.len() && !page.is_whole();
    match (&page.total, page.total_number()) {
        (Some(JsonValue::Int(_)), Some(total)) if counts(total) => {
            run.ledger.fits("messages-total", statement, &["number"]);
        }
        (Some(JsonValue::Str(_)), Some(total)) if counts(total) => {
            run.ledger.fits("messages-total", statement, &["string"]);
        }
        (None, _) => run.ledger.differs(statement, "no total".to_owned()),
        _ => run
            .ledger
            .differs(statement, "a total that does not count the messages that came".to_owned()),
    }
}

/// The places of the rows along their chain, wherever they stand. `None`: they are no chain.
pub(super) fn chain(page: &Page) -> Option<Vec<usize>> {
    let (ids, parents) = (page.texts("message_id"), page.texts("parent_message_id"));
    let after: HashMap<&str, usize> =
        parents.iter().enumerate().map(|(place, parent)| (*parent, place)).collect();
    let mut next = parents.iter().position(|parent| !ids.contains(parent));
    let mut chain = Vec::new();
    while let Some(place) = next.filter(|_| chain.len() < ids.len()) {
        chain.push(place);
        next = after.get(ids[place]).copied();
    }
    (chain.len() == ids.len() && after.len() == ids.len()).then_some(chain)
}

/// Which way the rows stand along the chain, or by time where they are none.
fn order(
    run: &mut Run<'_>,
    reading: &'static str,
    statement: &str,
    page: &Page,
    chain: Option<&[usize]>,
) {
    if page.len() < 2 {
        run.ledger.untold(reading, "no conversation has two messages");
        return run.ledger.untried(statement, "no conversation has two messages");
    }
    let times = page.numbers("create_time");
    let (rises, falls) = match chain {
        Some(chain) => (chain.is_sorted(), chain.is_sorted_by(|a, b| a > b)),
        None => (times.is_sorted(), times.is_sorted_by(|a, b| a >= b)),
    };
    match (rises, falls) {
        (true, true) => run.ledger.untried(statement, "all messages have the same time"),
        (true, false) => run.ledger.fits(reading, statement, &["oldest-first"]),
        (false, true) => run.ledger.fits(reading, statement, &["newest-first"]),
        (false, false) => run.ledger.differs(statement, "neither way along the chain".to_owned()),
    }
}

pub(super) fn v2(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(chat) = run.known.chat.clone() else { return Ok(()) };
    let seen = ask(run, Operation::MessagesV2, &chat.id, "1", "100")?;
    if !run.answered(&["messages-v2.total"], &seen) {
        return Ok(());
    }
    let Seen::Page(page) = seen else { return Ok(()) };
    total(run, "messages-v2.total", &page);
    let chain = chain(&page);
    order(run, "v2-messages-order", "messages-v2.order", &page, chain.as_deref());
    let rows: Vec<_> = page.rows().collect();
    linked(run, "messages-v2", &page, &rows, chain.as_deref());
    if let Some(v1) = &run.known.messages {
        if v1.is_whole() {
            let right = page.len() == v1.len() && same_messages(v1, &page);
            let came = if right { Ok(()) } else { Err("other messages than v1".to_owned()) };
            run.ledger.found("messages-v2.same", came);
        } else {
            run.ledger.untried("messages-v2.same", "no conversation fits on a page");
        }
    }
    run.known.messages_v2 = Some(page);
    Ok(())
}

/// Whether v1's parents, texts, authors and times are those of v2, message by message.
fn same_messages(v1: &Page, v2: &Page) -> bool {
    v1.rows().all(|old| {
        let id = text(old, "message_id");
        v2.rows().find(|new| text(new, "message_id") == id).is_some_and(|new| {
            let kind =
                MessageType::ALL.iter().find(|kind| Some(kind.name()) == text(old, "message_type"));
            number(old, "create_time") == number(new, "create_time")
                && text(old, "parent_message_id") == text(new, "parent_message_id")
                && kind.map(|kind| kind.role()) == text(new, "role")
                && text(old, "text") == content_text(new)
        })
    })
}

/// The text inside `content`.
fn content_text(row: &Object) -> Option<&str> {
    let mut inside = value(row, "content")?;
    // A list, an object, a list, an object: the last value of each holds what is inside.
    loop {
        inside = match inside {
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
    let known = match of {
        Operation::Messages => &run.known.messages,
        _ => &run.known.messages_v2,
    };
    // The first page that is behind the last one.
    let total = known.as_ref().and_then(Page::total_number);
    let page = total.map_or(FAR.to_owned(), |total| (total.div_ceil(FULL) + 1).to_string());
    let seen = ask(run, of, &chat.id, &page, "100")?;
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
    let Some(chat) = run.known.chat.clone() else { return Ok(()) };
    for of in [Operation::Messages, Operation::MessagesV2] {
        let known = match of {
            Operation::Messages => &run.known.messages,
            _ => &run.known.messages_v2,
        };
        let second = known.as_ref().and_then(|all| all.texts("message_id").get(1).copied());
        let Some(second) = second.map(str::to_owned) else {
            run.ledger.untried("records.pages", NO_ROWS);
            continue;
        };
        let seen = ask(run, of, &chat.id, "2", "1")?;
        if run.answered(&["records.pages"], &seen) {
            let ids = seen.page().map(|page| page.texts("message_id")).unwrap_or_default();
            run.ledger.found("records.pages", same(&ids, &[&second]));
        }
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
