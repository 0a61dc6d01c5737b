//! Generated records look like those of a real agent. Every assertion says what was measured.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use gptbots_mock::Server;
use gptbots_mock::contract::QaTime;
use serde_json::Value;

use crate::walk::{Whole, connection, number, text, whole};

const DAY_MS: i64 = 86_400_000;

/// The midnight after 2025-10-20, UTC.
const END_MS: i64 = 1_761_004_800_000;

/// 200 conversations of seed 1, which is the default, and 1,000 of seed 2.
static DATA: LazyLock<[(&str, Whole); 2]> = LazyLock::new(|| {
    let of = |builder: gptbots_mock::ServerBuilder| {
        whole(&mut connection(&builder.reading(QaTime::Milliseconds).start().unwrap()))
    };
    [
        ("200 of seed 1", of(Server::builder())),
        ("1,000 of seed 2", of(Server::builder().seed(2).conversations(1000))),
    ]
});

fn thousand() -> &'static Whole {
    &DATA[1].1
}

/// Shows a measured figure under `--nocapture`, and asserts on it.
#[track_caller]
fn measured(holds: bool, figure: &str) {
    println!("{figure}");
    assert!(holds, "{figure}");
}

#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn times(whole: &Whole) -> Vec<i64> {
    whole.v1.iter().flatten().map(|message| number(message, "create_time")).collect()
}

fn texts(whole: &Whole) -> impl Iterator<Item = &str> {
    whole.v1.iter().flatten().map(|message| text(message, "text"))
}

/// How often each value of a key occurs.
fn counts<'a>(rows: &'a [Value], key: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(text(row, key)).or_default() += 1;
    }
    counts
}

#[test]
fn records_span_the_thirty_days_that_end_on_the_last_day() {
    for (of, whole) in &*DATA {
        let times = times(whole);
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        let start = END_MS - 30 * DAY_MS;
        let outside = times.iter().filter(|time| !(start..END_MS).contains(time)).count();
        measured(outside == 0, &format!("{of}: {outside} of {} messages outside", times.len()));
        let days: BTreeSet<i64> = times.iter().map(|time| (time - start) / DAY_MS).collect();
        let figure = format!(
            "{of}: {} of 30 days have messages; the first comes {} min after the start, the last \
             {} min before the end",
            days.len(),
            (first - start) / 60_000,
            (END_MS - last) / 60_000,
        );
        let to_both_ends = first - start < 3 * DAY_MS && END_MS - last < DAY_MS;
        measured(days.len() >= 28 && to_both_ends, &figure);
    }
}

#[test]
fn most_messages_fall_into_waking_hours() {
    for (of, whole) in &*DATA {
        let times = times(whole);
        let hour = |time: &i64| time.rem_euclid(DAY_MS) / 3_600_000;
        let awake = times.iter().filter(|time| (6..23).contains(&hour(time))).count();
        let share = percent(awake, times.len());
        measured(share >= 80.0, &format!("{of}: {share:.1}% of messages between 06:00 and 23:00"));
    }
}

#[test]
fn conversations_overlap_in_time() {
    for (of, whole) in &*DATA {
        let other = |pair: &&[Value]| text(&pair[0], "convo_id") != text(&pair[1], "convo_id");
        let share = percent(whole.qa.windows(2).filter(other).count(), whole.qa.len() - 1);
        measured(
            share > 50.0,
            &format!("{of}: {share:.1}% of neighbouring Q&A rows are of two conversations"),
        );
    }
}

#[test]
fn most_questions_are_distinct() {
    for (of, whole) in &*DATA {
        let distinct = counts(&whole.qa, "q").len();
        let share = percent(distinct, whole.qa.len());
        let figure =
            format!("{of}: {distinct} of {} questions ({share:.1}%) distinct", whole.qa.len());
        measured(share >= 200.0 / 3.0, &figure);
    }
}

#[test]
fn most_channels_are_in_use() {
    for (of, whole) in &*DATA {
        let channels = counts(&whole.list, "conversation_type");
        let figure = format!("{of}: {} channels: {channels:?}", channels.len());
        measured(channels.len() >= 20, &figure);
    }
}

#[test]
fn most_answers_are_not_rated_and_some_are_either_way() {
    for (of, whole) in &*DATA {
        let ratings = counts(&whole.qa, "user_feedback");
        let share = |rated| percent(ratings.get(rated).copied().unwrap_or(0), whole.qa.len());
        let [none, good, bad] = ["NONE", "GOOD", "BAD"].map(share);
        let figure = format!("{of}: {none:.1}% NONE, {good:.1}% GOOD, {bad:.1}% BAD");
        measured((70.0..=95.0).contains(&none) && good > 0.0 && bad > 0.0, &figure);
    }
}

type Letter = fn(char) -> bool;

const SCRIPTS: [(&str, Letter); 4] = [
    ("Latin", |c| c.is_ascii_alphabetic()),
    ("Han", |c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
    ("Kana", |c| ('\u{3040}'..='\u{30ff}').contains(&c)),
    ("Arabic", |c| ('\u{600}'..='\u{6ff}').contains(&c)),
];

#[test]
fn several_scripts_are_written() {
    for (of, whole) in &*DATA {
        for (script, is) in SCRIPTS {
            let writing = |chain: &&Vec<Value>| {
                chain.iter().any(|message| text(message, "text").contains(is))
            };
            let share = percent(whole.v1.iter().filter(writing).count(), whole.v1.len());
            measured(share > 0.0, &format!("{of}: {share:.1}% of conversations write {script}"));
        }
    }
}

#[test]
fn texts_that_clients_trip_over_are_there() {
    let whole = thousand();
    let all = whole.v1.iter().flatten().count();
    let emoji = |c| matches!(c, '\u{1f300}'..='\u{1faff}');
    let texts = |is: &dyn Fn(&str) -> bool| texts(whole).filter(|text| is(text)).count();
    let longest = self::texts(whole).map(|text| text.chars().count()).max().unwrap();
    for (what, count) in [
        ("texts with an emoji", texts(&|text| text.contains(emoji))),
        ("texts with a double quote", texts(&|text| text.contains('"'))),
        ("texts with a line break", texts(&|text| text.contains('\n'))),
        ("texts over 1,000 characters", texts(&|text| text.chars().count() > 1000)),
        ("empty subjects", whole.list.iter().filter(|row| text(row, "subject").is_empty()).count()),
    ] {
        measured(
            count > 0,
            &format!("{count} {what}, among {all} messages; the longest {longest}"),
        );
    }
    let empty = texts(&str::is_empty);
    measured(empty == 0, &format!("{empty} empty texts"));
}

#[test]
fn few_users_come_often_and_many_once() {
    let users = counts(&thousand().list, "user_id");
    let top = users.values().max().unwrap();
    let once = users.values().filter(|count| **count == 1).count();
    let share = percent(once, users.len());
    let figure = format!(
        "the top user has {top} of 1,000 conversations; {once} of {} users ({share:.1}%) have one",
        users.len()
    );
    measured(*top >= 30 && share > 50.0, &figure);
}

#[test]
fn cost_grows_with_length() {
    for (of, whole) in &*DATA {
        let cost = |row: &Value| row["cost_credit"].as_f64().unwrap();
        let least = whole.list.iter().map(cost).fold(f64::INFINITY, f64::min);
        measured(least > 0.0, &format!("{of}: the least cost is {least}"));
        let average = |lengths: std::ops::RangeInclusive<i64>| {
            let rows =
                whole.list.iter().filter(|row| lengths.contains(&number(row, "message_count")));
            let costs: Vec<f64> = rows.map(cost).collect();
            costs.iter().sum::<f64>() / percent(costs.len(), 100)
        };
        let averages = [average(1..=4), average(5..=15), average(16..=i64::MAX)];
        let figure =
            format!("{of}: costs of up to 4, up to 15 and more messages average {averages:.3?}");
        measured(averages.is_sorted_by(|a, b| a * 2.0 < *b), &figure);
    }
}

#[test]
fn conversations_differ_in_length_and_in_how_they_begin_and_end() {
    let chains = &thousand().v1;
    let mut lengths: Vec<usize> = chains.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    let long = lengths.iter().filter(|length| **length > 100).count();
    let sum: usize = lengths.iter().sum();
    let figure = format!(
        "{long} of 1,000 conversations have more than 100 messages; median {}, mean {:.1}, longest {}",
        lengths[500],
        percent(sum, 100_000),
        lengths[999]
    );
    measured(long > 0, &figure);
    let welcomed = chains.iter().filter(|c| text(&c[0], "message_type") == "ANSWER").count();
    let open = |chain: &&Vec<Value>| text(chain.last().unwrap(), "message_type") == "QUESTION";
    let open = chains.iter().filter(open).count();
    measured(welcomed > 0 && welcomed < 1000, &format!("{welcomed} of 1,000 start with an ANSWER"));
    measured(open > 0 && open < 500, &format!("{open} of 1,000 end with a QUESTION"));
}

#[test]
fn answers_take_seconds_and_users_are_in_no_hurry() {
    let mut by_type: HashMap<&str, Vec<i64>> = HashMap::new();
    for pair in thousand().v1.iter().flat_map(|chain| chain.windows(2)) {
        let took = number(&pair[1], "create_time") - number(&pair[0], "create_time");
        by_type.entry(text(&pair[1], "message_type")).or_default().push(took);
    }
    for (message_type, fastest) in [("ANSWER", 1000), ("QUESTION", 500)] {
        let took = by_type.get_mut(message_type).unwrap();
        took.sort_unstable();
        let (least, median, most) = (took[0], took[took.len() / 2], took[took.len() - 1]);
        let figure =
            format!("{message_type}s come {least} to {most} ms after, half within {median}");
        measured(least >= fastest && median < 12 * 3_600_000, &figure);
    }
}
