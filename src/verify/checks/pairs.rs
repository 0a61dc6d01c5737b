//! Compares the Q&A rows of one conversation with its messages, and checks the window of their query.

use super::super::client::Stop;
use super::super::response::{Page, ParsedResponse, Row, integer, text};
use super::super::run::Run;
use super::super::samples::Conversation;
use super::messages::{chain, rating};
use crate::contract::{Field, MessageType, Operation, QaTime, StatementId};

const STATEMENTS: [StatementId; 3] =
    [StatementId::RecordsPairs, StatementId::RecordsRatings, StatementId::QaMilliseconds];
const START_TIME: StatementId = StatementId::param(Operation::QaRecords, Field::StartTime);
const END_TIME: StatementId = StatementId::param(Operation::QaRecords, Field::EndTime);

/// The first hundred Q&A rows of a window.
fn ask(run: &mut Run<'_>, start: i64, end: i64) -> Result<ParsedResponse, Stop> {
    let query = run.query(Operation::QaRecords, "1", "100");
    let query = query.with(Field::StartTime, start.to_string());
    run.get(&query.with(Field::EndTime, end.to_string()))
}

/// Checks the pairs of the conversation whose messages are known, in a window from its first question to its
/// last.
pub(super) fn check(run: &mut Run<'_>) -> Result<(), Stop> {
    let messages = run.samples.page(Operation::Messages);
    let (Some(conversation), Some(messages)) = (run.samples.conversation.clone(), messages) else {
        return Ok(());
    };
    let (pairs, is_whole) = (pairs_of(messages), messages.is_whole());
    let times = || pairs.iter().map(|pair| pair.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        for statement in STATEMENTS {
            run.ledger.not_tried(statement, "the tested conversation has no answered question");
        }
        return Ok(());
    };
    let response = ask(run, first, last)?;
    let statements = [StatementId::RecordsPairs, StatementId::QaMilliseconds];
    let Some(page) = run.expect_page(&statements, response) else { return Ok(()) };
    if !check_bounds(run, &page, first, last) {
        return Ok(());
    }
    let rows = rows_of(&page, &conversation);
    if !page.is_whole() && rows.len() < pairs.len() {
        for statement in STATEMENTS {
            run.ledger.not_tried(statement, "too many other questions at that time");
        }
        return Ok(());
    }
    let has_no_row = |pair: &&QuestionAndAnswer| !rows.iter().any(|row| pair.is(row));
    let missing: Vec<_> = pairs.iter().filter(has_no_row).collect();
    let at_ends = missing.iter().all(|pair| pair.time == first || pair.time == last);
    if !missing.is_empty() && at_ends {
        // The fault may be in the ends of the window, in its unit, or in the rows.
        for (margin, statement) in [(1, StatementId::Window), (1000, StatementId::QaMilliseconds)] {
            let wide = ask(run, first.saturating_sub(margin), last.saturating_add(margin))?;
            if wide.page().is_some_and(|wide| rows_of(wide, &conversation).len() > rows.len()) {
                run.ledger.differs(statement, "a row exactly at one end of the window is missing");
                return Ok(());
            }
        }
    }
    let is_right = missing.is_empty() && (rows.len() == pairs.len() || !is_whole);
    let came = "pairs that differ from its messages";
    run.ledger.check(StatementId::RecordsPairs, is_right, came);
    if !rows.is_empty() {
        let agrees = |row: &&Row| {
            text(row, "user_id") == Some(conversation.user.as_str())
                && text(row, "convo_type") == Some(conversation.channel.as_str())
        };
        let came = "a user_id or convo_type that differs from the list";
        run.ledger.check(StatementId::RecordsAgreement, rows.iter().all(agrees), came);
    }
    check_ratings(run, &pairs, &rows);
    check_after_first(run, &conversation, &pairs, first, last)
}

fn rows_of<'p>(page: &'p Page, conversation: &Conversation) -> Vec<&'p Row> {
    page.rows().filter(|row| text(row, "convo_id") == Some(conversation.id.as_str())).collect()
}

/// Checks that no row is outside the requested window.
fn check_bounds(run: &mut Run<'_>, page: &Page, first: i64, last: i64) -> bool {
    let unit = if run.ledger.shows(QaTime::Milliseconds) { 1 } else { 1000 };
    let times = page.integers("q_time");
    let keeps_start = times.iter().all(|time| *time >= first.div_euclid(unit));
    let keeps_end = times.iter().all(|time| *time <= last.div_euclid(unit));
    run.ledger.check(START_TIME, keeps_start, "a row from before the window");
    run.ledger.check(END_TIME, keeps_end, "a row from after the window");
    keeps_start && keeps_end
}

/// Checks that a window from one millisecond after the first question leaves it out.
fn check_after_first(
    run: &mut Run<'_>,
    conversation: &Conversation,
    pairs: &[QuestionAndAnswer],
    first: i64,
    last: i64,
) -> Result<(), Stop> {
    let statement = StatementId::QaMilliseconds;
    let start = first.saturating_add(1);
    let response = ask(run, start, last.max(start))?;
    if let Some(page) = run.expect_page(&[statement], response) {
        let rows = rows_of(&page, conversation);
        let mut of_first = pairs.iter().filter(|pair| pair.time == first);
        let is_there = of_first.any(|pair| rows.iter().any(|row| pair.is(row)));
        run.ledger.check(statement, !is_there, "a row from before the window");
    }
    Ok(())
}

/// Checks that rows have the ratings of the v2 messages. Where the conversation is longer than a page,
/// the page of v2 may lack the answer.
fn check_ratings(run: &mut Run<'_>, pairs: &[QuestionAndAnswer], rows: &[&Row]) {
    let statement = StatementId::RecordsRatings;
    let Some(v2) = run.samples.page(Operation::MessagesV2) else { return };
    run.ledger.not_tried(statement, "the page of v2 messages has none of these answers");
    for pair in pairs {
        let Some(rating) = rating(v2, &pair.answer_id) else { continue };
        let of_pair: Vec<_> = rows.iter().filter(|row| pair.is(row)).collect();
        if !of_pair.is_empty() {
            let is_right = of_pair.iter().any(|row| text(row, "user_feedback") == Some(rating));
            run.ledger.check(statement, is_right, "a rating that differs from v2 messages");
        }
    }
}

/// A question and the answer right after it.
struct QuestionAndAnswer {
    time: i64,
    question: String,
    answer: String,
    answer_id: String,
}

impl QuestionAndAnswer {
    /// Whether a Q&A row may be this pair.
    fn is(&self, row: &Row) -> bool {
        let time = integer(row, "q_time");
        text(row, "q") == Some(&self.question)
            && text(row, "a") == Some(&self.answer)
            && (time == Some(self.time) || time == Some(self.time.div_euclid(1000)))
    }
}

/// The pairs in the order of the chain of the messages, or in the order of the page if there is no chain.
fn pairs_of(messages: &Page) -> Vec<QuestionAndAnswer> {
    let mut rows: Vec<_> = messages.rows().collect();
    if let Some(chain) = chain(messages) {
        rows = chain.into_iter().map(|place| rows[place]).collect();
    }
    let is = |row, kind: MessageType| text(row, "message_type") == Some(kind.name());
    let two = rows
        .windows(2)
        .filter(|two| is(two[0], MessageType::Question) && is(two[1], MessageType::Answer));
    two.filter_map(|two| {
        Some(QuestionAndAnswer {
            time: integer(two[0], "create_time")?,
            question: text(two[0], "text")?.to_owned(),
            answer: text(two[1], "text")?.to_owned(),
            answer_id: text(two[1], "message_id")?.to_owned(),
        })
    })
    .collect()
}
