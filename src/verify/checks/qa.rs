//! The Q&A list.

use jiter::JsonValue;

use super::super::client::Stop;
use super::super::run::{Pair, Run};
use super::super::seen::{Page, Seen, number, text};
use super::{ALWAYS, FAR, NO_ROWS, begins};
use crate::contract::{Feedback, MessageType, Operation};

/// A time in seconds has fewer digits than this until the year 5138, one in milliseconds had more
/// since 1973.
const LEAST_MILLISECONDS: i64 = 100_000_000_000;

fn ask(run: &mut Run<'_>, rating: &str, page: &str, size: &str) -> Result<Seen, Stop> {
    let mut pairs: Vec<Pair<'_>> = vec![("user_feedback", rating)];
    pairs.extend(ALWAYS);
    pairs.extend([("page", page), ("page_size", size)]);
    run.get(Operation::QaRecords, &pairs)
}

pub(super) fn first(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = ask(run, "ALL", "1", "100")?;
    if !run.answered(&["qa.total"], &seen) {
        return Ok(());
    }
    let Seen::Page(page) = seen else { return Ok(()) };
    match (&page.total, page.total_number()) {
        (None, _) => run.ledger.fits("qa-total", "qa.total", &["absent"]),
        (Some(JsonValue::Int(_)), Some(total))
            if total >= page.len() && page.keys.last().is_some_and(|key| key == "total") =>
        {
            run.ledger.fits("qa-total", "qa.total", &["present"]);
        }
        _ => run.ledger.differs("qa.total", "a total that is no count, or not the last".to_owned()),
    }
    time(run, &page);
    order(run, &page);
    run.known.qa = Some(page);
    Ok(())
}

fn time(run: &mut Run<'_>, page: &Page) {
    let times = page.numbers("q_time");
    let long = times.iter().filter(|time| **time >= LEAST_MILLISECONDS).count();
    match long {
        _ if times.is_empty() => run.ledger.untold("qa-time", NO_ROWS),
        0 => run.ledger.fits("qa-time", "qa.row.q_time", &["seconds"]),
        _ if long == times.len() => run.ledger.fits("qa-time", "qa.row.q_time", &["milliseconds"]),
        _ => run.ledger.differs("qa.row.q_time", "some in seconds, some not".to_owned()),
    }
}

fn order(run: &mut Run<'_>, page: &Page) {
    let times = page.numbers("q_time");
    let rises = times.is_sorted();
    let falls = times.is_sorted_by(|a, b| a >= b);
    match (rises, falls) {
        (true, true) => {
            run.ledger.untold("qa-order", "no two questions have different times");
            run.ledger.untried("qa.order", "no two questions have different times");
        }
        (true, false) => run.ledger.fits("qa-order", "qa.order", &["oldest-first"]),
        (false, true) => run.ledger.fits("qa-order", "qa.order", &["newest-first"]),
        (false, false) => run.ledger.differs("qa.order", "neither way by time".to_owned()),
    }
    if run.ledger.values("qa-time") != ["milliseconds"] {
        return run.ledger.untried("qa.ties", "q_time shows no milliseconds");
    }
    let ids = page.texts("id");
    let newest_first = run.ledger.values("qa-order") == ["newest-first"];
    let mut equal = times.windows(2).zip(ids.windows(2)).filter(|(times, _)| times[0] == times[1]);
    let right = |ids: &[&str]| (ids[0] < ids[1]) != newest_first;
    match equal.next() {
        None => run.ledger.untried("qa.ties", "no two have the same time"),
        Some(first) => {
            let all = std::iter::once(first).chain(equal).all(|(_, ids)| right(ids));
            let came = if all { Ok(()) } else { Err("another order of the ids".to_owned()) };
            run.ledger.found("qa.ties", came);
        }
    }
}

pub(super) fn past_end(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = ask(run, "ALL", FAR, "100")?;
    super::past_end(run, "qa.past-end", &seen, "empty");
    Ok(())
}

/// Each rating shows those rows of the whole list that have it, in their order.
pub(super) fn ratings(run: &mut Run<'_>) -> Result<(), Stop> {
    for rating in Feedback::ALL.map(Feedback::name) {
        let seen = ask(run, rating, "1", "100")?;
        if !run.answered(&["qa.user_feedback"], &seen) {
            continue;
        }
        let (Some(page), Some(all)) = (seen.page(), &run.known.qa) else { continue };
        let fits = all.rows().filter(|row| text(row, "user_feedback") == Some(rating));
        let expected: Vec<&str> = fits.filter_map(|row| text(row, "id")).collect();
        let only = page.texts("user_feedback").iter().all(|word| *word == rating);
        let came = if only {
            begins(&page.texts("id"), &expected)
        } else {
            Err("rows that were rated otherwise".to_owned())
        };
        run.ledger.found("qa.user_feedback", came.clone());
        run.ledger.found("records.all", came);
    }
    Ok(())
}

/// Page 2 of ten goes on where page 1 ends.
pub(super) fn second_page(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(all) = &run.known.qa else { return Ok(()) };
    let expected: Vec<String> =
        all.texts("id").into_iter().skip(10).take(10).map(str::to_owned).collect();
    if expected.is_empty() {
        return Ok(());
    }
    let seen = ask(run, "ALL", "2", "10")?;
    if run.answered(&["records.pages"], &seen) {
        let ids = seen.page().map(|page| page.texts("id")).unwrap_or_default();
        let came = if ids == expected {
            Ok(())
        } else {
            Err("page 2 is not the rows after page 1".to_owned())
        };
        run.ledger.found("records.pages", came);
    }
    Ok(())
}

/// The pairs of the conversation whose messages are known, in a window of just their questions.
pub(super) fn pairs(run: &mut Run<'_>) -> Result<(), Stop> {
    let statements = ["records.pairs", "records.ratings", "qa.milliseconds"];
    let pairs = run.known.messages.as_ref().map(|page| {
        let newest_first = run.ledger.values("messages-order") == ["newest-first"];
        pairs_of(page, newest_first)
    });
    let (Some(chat), Some(pairs)) = (run.known.chat.clone(), pairs) else { return Ok(()) };
    let times = || pairs.iter().map(|pair| pair.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        for statement in statements {
            run.ledger.untried(statement, "the conversation that was looked at has no pair");
        }
        return Ok(());
    };
    let (first, last) = (first.to_string(), last.to_string());
    let window = [("user_feedback", "ALL"), ("start_time", &first), ("end_time", &last)];
    let query = [&window[..], &[("page", "1"), ("page_size", "100")]].concat();
    let seen = run.get(Operation::QaRecords, &query)?;
    if !run.answered(&["records.pairs", "qa.milliseconds"], &seen) {
        return Ok(());
    }
    let Some(page) = seen.page() else { return Ok(()) };
    let of_chat: Vec<_> =
        page.rows().filter(|row| text(row, "convo_id") == Some(chat.id.as_str())).collect();
    if page.len() == 100 && of_chat.len() < pairs.len() {
        for statement in statements {
            run.ledger.untried(statement, "too many other questions at that time");
        }
        return Ok(());
    }
    let in_time = of_chat.len() >= pairs.len();
    let came = if in_time { Ok(()) } else { Err("a row of the window is missing".to_owned()) };
    run.ledger.found("qa.milliseconds", came);
    let right = of_chat.len() == pairs.len()
        && pairs.iter().all(|pair| {
            of_chat.iter().any(|row| {
                let time = number(row, "q_time");
                text(row, "q") == Some(&pair.question)
                    && text(row, "a") == Some(&pair.answer)
                    && (time == Some(pair.time) || time == Some(pair.time.div_euclid(1000)))
            })
        });
    let came = if right { Ok(()) } else { Err("other pairs than its messages make".to_owned()) };
    run.ledger.found("records.pairs", came);
    let Some(v2) = &run.known.messages_v2 else { return Ok(()) };
    let agree = pairs.iter().all(|pair| {
        let rating = super::messages::rating(v2, &pair.answer_id);
        let mut rows = of_chat.iter().filter(|row| text(row, "a") == Some(&pair.answer));
        rows.any(|row| text(row, "user_feedback") == rating)
    });
    let came = if agree { Ok(()) } else { Err("another rating than in v2 messages".to_owned()) };
    run.ledger.found("records.ratings", came);
    Ok(())
}

/// A question and the answer right after it.
struct QuestionAndAnswer {
    time: i64,
    question: String,
    answer: String,
    answer_id: String,
}

fn pairs_of(messages: &Page, newest_first: bool) -> Vec<QuestionAndAnswer> {
    let mut rows: Vec<_> = messages.rows().collect();
    if newest_first {
        rows.reverse();
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
