//! Checks of the messages of one conversation, v1 and v2.

use std::collections::HashMap;

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::query::{Query, UNKNOWN_ID};
use super::super::response::{FULL, Page, Row, integer, text, value};
use super::super::run::Run;
use super::super::samples::Conversation;
use super::{
    FAR, NO_CONVERSATION, NO_ROWS, check_same, directions, record_past_end, second_page_ids,
};
use crate::contract::{
    Code, Feedback, Field, MessageType, MessagesOrder, MessagesTotal, Operation, PagePastEnd,
    Reading, StatementId, V2MessagesOrder,
};

/// The statements that both versions have.
struct Version {
    operation: Operation,
    total: StatementId,
    order: StatementId,
    chain: StatementId,
    time: StatementId,
}

const V1: Version = Version {
    operation: Operation::Messages,
    total: StatementId::MessagesTotal,
    order: StatementId::MessagesOrder,
    chain: StatementId::MessagesChain,
    time: StatementId::MessagesTime,
};

const V2: Version = Version {
    operation: Operation::MessagesV2,
    total: StatementId::MessagesV2Total,
    order: StatementId::MessagesV2Order,
    chain: StatementId::MessagesV2Chain,
    time: StatementId::MessagesV2Time,
};

pub(super) fn check_v1(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(conversation) = run.samples.conversation.clone() else {
        for statement in [V1.total, V1.order, V1.chain, V1.time] {
            run.ledger.not_tried(statement, NO_CONVERSATION);
        }
        return Ok(());
    };
    let orders = [MessagesOrder::OldestFirst, MessagesOrder::NewestFirst];
    let Some(page) = check_page(run, &V1, orders)? else { return Ok(()) };
    let first = chain(&page).and_then(|chain| page.rows().nth(*chain.first()?));
    let is_answer = |row| text(row, "message_type") == Some(MessageType::Answer.name());
    if page.is_whole() && first.is_some_and(is_answer) {
        run.ledger.holds(StatementId::MessagesFirst);
    } else {
        let why = "the tested conversation does not begin with an ANSWER";
        run.ledger.not_tried(StatementId::MessagesFirst, why);
    }
    check_against_list(run, &conversation, &page);
    run.samples.keep(Operation::Messages, page);
    Ok(())
}

pub(super) fn check_v2(run: &mut Run<'_>) -> Result<(), Stop> {
    if run.samples.conversation.is_none() {
        return Ok(());
    }
    let orders = [V2MessagesOrder::OldestFirst, V2MessagesOrder::NewestFirst];
    let Some(page) = check_page(run, &V2, orders)? else { return Ok(()) };
    let statement = StatementId::MessagesV2Same;
    match run.samples.page(Operation::Messages) {
        Some(v1) if v1.is_whole() => {
            let is_right = page.len() == v1.len() && are_same_messages(v1, &page);
            run.ledger.check(statement, is_right, "messages that differ from v1");
        }
        Some(_) => run.ledger.not_tried(statement, "no conversation fits on one page"),
        None => {}
    }
    run.samples.keep(Operation::MessagesV2, page);
    Ok(())
}

/// Requests the messages of a conversation, and checks what both versions have in common.
fn check_page<R: Reading>(
    run: &mut Run<'_>,
    version: &Version,
    orders: [R; 2],
) -> Result<Option<Page>, Stop> {
    let response = run.get(&run.query(version.operation, "1", "100"))?;
    let Some(page) = run.expect_page(&[version.total], response) else { return Ok(None) };
    match page.total {
        Some(JsonValue::Int(_)) if page.is_total_right() => {
            run.ledger.fits(version.total, &[MessagesTotal::Number]);
        }
        Some(JsonValue::Str(_)) if page.is_total_right() => {
            run.ledger.fits(version.total, &[MessagesTotal::String]);
        }
        None => run.ledger.differs(version.total, "no total"),
        _ => {
            let came = "a total that is not the number of messages";
            run.ledger.differs(version.total, came);
        }
    }
    let chain = chain(&page);
    record_order(run, version.order, &page, chain.as_deref(), orders);
    record_chain(run, version, &page, chain.as_deref());
    Ok(Some(page))
}

/// Records whether the rows are a chain along which time never falls.
fn record_chain(run: &mut Run<'_>, version: &Version, page: &Page, chain: Option<&[usize]>) {
    let has_no_parent = |place: usize| {
        page.rows().nth(place).and_then(|row| text(row, "parent_message_id")) == Some("")
    };
    let is_chain = match chain {
        None => false,
        Some([]) => true,
        Some([first, ..]) => !page.is_whole() || has_no_parent(*first),
    };
    run.ledger.check(version.chain, is_chain, "messages that are not a chain");
    if let Some(chain) = chain {
        let times = page.integers("create_time");
        let is_right = chain.is_sorted_by_key(|place| times[*place]);
        run.ledger.check(version.time, is_right, "a time earlier than the previous one");
    }
}

/// Checks that the messages agree with the row of their conversation in the list.
fn check_against_list(run: &mut Run<'_>, conversation: &Conversation, page: &Page) {
    if let Some(total) = page.total_number() {
        let is_right = i64::try_from(total) == Ok(conversation.messages);
        run.ledger.check(StatementId::RecordsMessageCount, is_right, "a different number");
    }
    let statement = StatementId::RecordsRecentChatTime;
    if page.is_whole() {
        let newest = page.integers("create_time").into_iter().max();
        run.ledger.check(statement, newest == Some(conversation.time), "a different time");
    } else {
        run.ledger.not_tried(statement, "no conversation fits on one page");
    }
    // The subject is the first question, or empty.
    let is_question = |row: &&Row| text(row, "message_type") == Some(MessageType::Question.name());
    let mut questions = page.rows().filter(is_question).filter_map(|row| text(row, "text"));
    let subject = &conversation.subject;
    let is_right = subject.is_empty() || questions.any(|question| question == subject);
    run.ledger.check(StatementId::RecordsSubject, is_right, "a different text");
}

/// The places of the rows on the page, in the order of their chain. `None`: they are not a chain.
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

/// Records the order of the rows along the chain, or by time if they are not a chain.
fn record_order<R: Reading>(
    run: &mut Run<'_>,
    statement: StatementId,
    page: &Page,
    chain: Option<&[usize]>,
    [oldest_first, newest_first]: [R; 2],
) {
    if page.len() < 2 {
        run.ledger.unknown(R::ID, "no conversation has two messages");
        return run.ledger.not_tried(statement, "no conversation has two messages");
    }
    let directions = match chain {
        Some(chain) => (chain.is_sorted(), chain.is_sorted_by(|one, next| one > next)),
        None => directions(&page.integers("create_time")),
    };
    match directions {
        (true, true) => run.ledger.not_tried(statement, "all messages have the same time"),
        (true, false) => run.ledger.fits(statement, &[oldest_first]),
        (false, true) => run.ledger.fits(statement, &[newest_first]),
        (false, false) => {
            run.ledger.differs(statement, "neither the order of the chain nor its reverse");
        }
    }
}

/// Whether v1 and v2 have the same parents, texts, authors and times, message by message.
fn are_same_messages(v1: &Page, v2: &Page) -> bool {
    v1.rows().all(|old| {
        let id = text(old, "message_id");
        v2.rows().find(|new| text(new, "message_id") == id).is_some_and(|new| {
            let kind =
                MessageType::ALL.iter().find(|kind| Some(kind.name()) == text(old, "message_type"));
            integer(old, "create_time") == integer(new, "create_time")
                && text(old, "parent_message_id") == text(new, "parent_message_id")
                && kind.map(|kind| kind.role()) == text(new, "role")
                && text(old, "text") == content_text(new)
        })
    })
}

/// The text inside `content`.
fn content_text(row: &Row) -> Option<&str> {
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

pub(super) fn check_v1_past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    check_past_end(run, Operation::Messages, StatementId::MessagesPastEnd)
}

pub(super) fn check_v2_past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    check_past_end(run, Operation::MessagesV2, StatementId::MessagesV2PastEnd)
}

fn check_past_end(run: &mut Run<'_>, of: Operation, statement: StatementId) -> Result<(), Stop> {
    if run.samples.conversation.is_none() {
        run.ledger.not_tried(statement, NO_CONVERSATION);
        return Ok(());
    }
    // The first page after the last one.
    let total = run.samples.page(of).and_then(Page::total_number);
    let page = total.map_or(FAR.to_owned(), |total| (total.div_ceil(FULL) + 1).to_string());
    let response = run.get(&run.query(of, &page, "100"))?;
    record_past_end(run, statement, &response, PagePastEnd::Error);
    Ok(())
}

/// A conversation that does not exist must be refused.
pub(super) fn check_unknown_conversation(run: &mut Run<'_>) -> Result<(), Stop> {
    for of in [Operation::Messages, Operation::MessagesV2] {
        let response = run.get(&Query::new(of, UNKNOWN_ID, "1", "1"))?;
        let statements = [
            StatementId::param(of, Field::ConversationId),
            StatementId::error(Some(of), Code::ConversationMissing),
        ];
        run.expect_refusal(&statements, &response, Code::ConversationMissing);
    }
    Ok(())
}

/// Page 2 must continue where page 1 ends, with one message per page.
pub(super) fn check_second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::RecordsPages;
    if run.samples.conversation.is_none() {
        return Ok(());
    }
    for of in [Operation::Messages, Operation::MessagesV2] {
        let Some(expected) = second_page_ids(run.samples.page(of), "message_id", 1) else {
            run.ledger.not_tried(statement, NO_ROWS);
            continue;
        };
        let response = run.get(&run.query(of, "2", "1"))?;
        if let Some(page) = run.expect_page(&[statement], response) {
            let result = check_same(&page.texts("message_id"), &[&expected[0]]);
            run.ledger.record(statement, result);
        }
    }
    Ok(())
}

/// Page 1 of a conversation without messages must be empty, if the list has such a conversation.
pub(super) fn check_empty_conversation(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::MessagesEmptyConversation;
    let Some(conversation) = run.samples.list().and_then(Conversation::choose_empty) else {
        run.ledger.not_tried(statement, "no conversation on the first page is empty");
        return Ok(());
    };
    let response = run.get(&Query::new(Operation::Messages, &conversation.id, "1", "1"))?;
    if let Some(page) = run.expect_page(&[statement], response) {
        run.ledger.check(statement, page.len() == 0, &page.describe());
    }
    Ok(())
}
