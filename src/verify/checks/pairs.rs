//! The Q&A rows of one conversation against its messages, and the window that they are asked in.

use super::super::client::Stop;
use super::super::known::Chat;
use super::super::run::Run;
use super::super::seen::{Object, Page, Seen, number, text};
use crate::contract::{MessageType, Operation};

const STATEMENTS: [&str; 3] = ["records.pairs", "records.ratings", "qa.milliseconds"];

/// The first hundred Q&A rows of a window.
fn ask(run: &mut Run<'_>, start: i64, end: i64) -> Result<Seen, Stop> {
    let (start, end) = (start.to_string(), end.to_string());
    let window = [("user_feedback", "ALL"), ("start_time", &start), ("end_time", &end)];
    run.get(Operation::QaRecords, &[&window[..], &[("page", "1"), ("page_size", "100")]].concat())
}

/// The pairs of the conversation whose messages are known, in a window of just their questions.
pub(super) fn of_conversation(run: &mut Run<'_>) -> Result<(), Stop> {
    let (Some(chat), Some(messages)) = (run.known.chat.clone(), &run.known.messages) else {
        return Ok(());
    };
    let (pairs, is_whole) = (pairs_of(messages), messages.is_whole());
    let times = || pairs.iter().map(|pair| pair.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        for statement in STATEMENTS {
            run.ledger.untried(statement, "the conversation that was looked at has no pair");
        }
        return Ok(());
    };
    let seen = ask(run, first, last)?;
    if !run.answered(&["records.pairs", "qa.milliseconds"], &seen) {
        return Ok(());
    }
    let Some(page) = seen.page() else { return Ok(()) };
    if !keeps_bounds(run, page, first, last) {
        return Ok(());
    }
    let of_chat = rows_of(page, &chat);
    if !page.is_whole() && of_chat.len() < pairs.len() {
        for statement in STATEMENTS {
            run.ledger.untried(statement, "too many other questions at that time");
        }
        return Ok(());
    }
    let missing = pairs.iter().filter(|pair| !of_chat.iter().any(|row| pair.is(row)));
    let at_ends = missing.clone().all(|pair| pair.time == first || pair.time == last);
    if missing.clone().count() > 0 && at_ends {
        // Is it the ends of the window, its unit, or the rows?
        for (margin, statement) in [(1, "everywhere.window"), (1000, "qa.milliseconds")] {
            let wide = ask(run, first.saturating_sub(margin), last.saturating_add(margin))?;
            let there = wide.page().map_or(0, |wide| rows_of(wide, &chat).len());
            if there > of_chat.len() {
                let came = "a row at an end of the window is missing".to_owned();
                run.ledger.differs(statement, came);
                return Ok(());
            }
        }
    }
    let right = missing.count() == 0 && (of_chat.len() == pairs.len() || !is_whole);
    let came = if right { Ok(()) } else { Err("other pairs than its messages make".to_owned()) };
    run.ledger.found("records.pairs", came);
    if !of_chat.is_empty() {
        let agrees = |row: &&Object| {
            text(row, "user_id") == Some(chat.user.as_str())
                && text(row, "convo_type") == Some(chat.channel.as_str())
        };
        let came = if of_chat.iter().all(agrees) {
            Ok(())
        } else {
            Err("another user_id or convo_type than in the list".to_owned())
        };
        run.ledger.found("records.agreement", came);
    }
    ratings(run, &pairs, &of_chat);
    after(run, &chat, first, last)
}

fn rows_of<'p>(page: &'p Page, chat: &Chat) -> Vec<&'p Object> {
    page.rows().filter(|row| text(row, "convo_id") == Some(chat.id.as_str())).collect()
}

/// No row stands outside the window that was asked for.
fn keeps_bounds(run: &mut Run<'_>, page: &Page, first: i64, last: i64) -> bool {
    let shown = |time: i64| match run.ledger.values("qa-time")[..] {
        ["milliseconds"] => time,
        _ => time.div_euclid(1000),
    };
    let (first, last, times) = (shown(first), shown(last), page.numbers("q_time"));
    let early = times.iter().any(|time| *time < first);
    let late = times.iter().any(|time| *time > last);
    let came = if early { Err("a row of before the window".to_owned()) } else { Ok(()) };
    run.ledger.found("qa.start_time", came);
    let came = if late { Err("a row of after the window".to_owned()) } else { Ok(()) };
    run.ledger.found("qa.end_time", came);
    !early && !late
}

/// A millisecond after the first question it is in the window no more.
fn after(run: &mut Run<'_>, chat: &Chat, first: i64, last: i64) -> Result<(), Stop> {
    let start = first.saturating_add(1);
    let seen = ask(run, start, last.max(start))?;
    if run.answered(&["qa.milliseconds"], &seen) {
        let (Some(page), Some(messages)) = (seen.page(), &run.known.messages) else {
            return Ok(());
        };
        let of_first = pairs_of(messages).into_iter().filter(|pair| pair.time == first);
        let rows = rows_of(page, chat);
        let is_there = of_first.into_iter().any(|pair| rows.iter().any(|row| pair.is(row)));
        let came = if is_there { Err("a row of before the window".to_owned()) } else { Ok(()) };
        run.ledger.found("qa.milliseconds", came);
    }
    Ok(())
}

/// What v2 says of an answer, its row says, too. Where the conversation is longer than a page, v2
/// may not have shown the answer.
fn ratings(run: &mut Run<'_>, pairs: &[QuestionAndAnswer], rows: &[&Object]) {
    let Some(v2) = &run.known.messages_v2 else { return };
    let mut compared = false;
    for pair in pairs {
        let Some(rating) = super::messages::rating(v2, &pair.answer_id) else { continue };
        let mut of_pair = rows.iter().filter(|row| pair.is(row)).peekable();
        if of_pair.peek().is_none() {
            continue;
        }
        compared = true;
        if !of_pair.any(|row| text(row, "user_feedback") == Some(rating)) {
            let came = "another rating than in v2 messages".to_owned();
            return run.ledger.differs("records.ratings", came);
        }
    }
    if compared {
        run.ledger.holds("records.ratings");
    } else {
        run.ledger.untried("records.ratings", "v2 messages showed none of these answers");
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
    fn is(&self, row: &Object) -> bool {
        let time = number(row, "q_time");
        text(row, "q") == Some(&self.question)
            && text(row, "a") == Some(&self.answer)
            && (time == Some(self.time) || time == Some(self.time.div_euclid(1000)))
    }
}

/// The pairs along the chain of the messages, or as they stand where they are none.
fn pairs_of(messages: &Page) -> Vec<QuestionAndAnswer> {
    let mut rows: Vec<_> = messages.rows().collect();
    if let Some(chain) = super::messages::chain(messages) {
        rows = chain.into_iter().map(|place| rows[place]).collect();
    }
    let is = |row, kind: MessageType| text(row, "message_type") == Some(kind.name());
    let two = rows
        .windows(2)
        .filter(|two| is(two[0], MessageType::Question) && is(two[1], MessageType::Answer));
    two.filter_map(|two| {
        Some(QuestionAndAnswer {
            time: number(two[0], "create_time")?,
            question: text(two[0], "text")?.to_owned(),
            answer: text(two[1], "text")?.to_owned(),
            answer_id: text(two[1], "message_id")?.to_owned(),
        })
    })
    .collect()
}
