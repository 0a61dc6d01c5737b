//! Every query against a plain sort and filter, on sources made for it.

use std::cmp::Reverse;

use super::fake::Fake;
use super::{ConversationIndex, QaIndex, Ranks};
use crate::contract::{ConversationType, Feedback};
use crate::records::generate::Generator;
use crate::records::store::RecordSource;

/// Numbers of conversations: none, few, and about powers of two, at which a binary search takes one
/// more step.
const SIZES: [u32; 9] = [0, 1, 2, 63, 64, 65, 128, 255, 600];

/// Windows that begin and end at times that there are, right beside them, and far from all.
fn windows(mut times: Vec<i64>) -> Vec<(i64, i64)> {
    times.sort_unstable();
    let mut ends = vec![i64::MIN, i64::MAX];
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        let middle = times[times.len() / 2];
        ends.extend([*first, middle.saturating_sub(1), middle, middle.saturating_add(1), *last]);
    }
    ends.iter().flat_map(|start| ends.iter().map(|end| (*start, *end))).collect()
}

/// All that was selected, forwards; and backwards, and one by one, it has to be the same.
fn listed(ranks: &Ranks<'_>) -> Vec<u32> {
    let all: Vec<u32> = (0..ranks.len()).map(|n| ranks.get(n)).collect();
    for (n, rank) in all.iter().enumerate().rev() {
        assert_eq!(ranks.get(n as u64), *rank);
    }
    all
}

fn check(records: &impl RecordSource) {
    let numbers = 0..records.len();
    let mut newest_first: Vec<u32> = numbers.clone().collect();
    newest_first
        .sort_by_key(|n| (Reverse(records.recent_chat_time(*n)), records.conversation_id(*n)));
    let mut oldest_first = Vec::new();
    for number in numbers {
        records.pairs(number, |pair, time, feedback| oldest_first.push((time, pair, feedback)));
    }
    oldest_first.sort_by_key(|(time, pair, _)| (*time, records.qa_id(*pair)));
    check_conversations(records, &ConversationIndex::new(records), &newest_first);
    check_qa(records, &QaIndex::new(records), &oldest_first);
}

fn check_conversations(
    records: &impl RecordSource,
    index: &ConversationIndex,
    newest_first: &[u32],
) {
    let of = |number: &u32| (records.recent_chat_time(*number), records.meta(*number));
    let times = newest_first.iter().map(|number| of(number).0).collect();
    let first = newest_first.first().map(|number| of(number).1);
    let (some_type, some_user) = match first {
        Some(meta) => (meta.conversation_type.unwrap_or(ConversationType::Api), meta.user),
        None => (ConversationType::Api, 7),
    };
    for window in windows(times) {
        for of_type in [None, Some(some_type), Some(ConversationType::Space)] {
            for of_user in [None, Some(some_user), Some(1), Some(u32::MAX)] {
                let found = index.select(records, window, of_type, of_user);
                let found: Vec<_> = listed(&found).into_iter().map(|rank| index.at(rank)).collect();
                let wanted = newest_first.iter().copied().filter(|number| {
                    let (time, meta) = of(number);
                    (window.0..=window.1).contains(&time)
                        && of_type.is_none_or(|of_type| meta.conversation_type == Some(of_type))
                        && of_user.is_none_or(|user| meta.user == user)
                });
                assert!(wanted.eq(found), "{window:?} {of_type:?} {of_user:?}");
            }
        }
    }
}

fn check_qa(records: &impl RecordSource, index: &QaIndex, oldest_first: &[(i64, u32, Feedback)]) {
    let times = oldest_first.iter().map(|(time, ..)| *time).collect();
    for window in windows(times) {
        for rated in [None].into_iter().chain(Feedback::ALL.map(Some)) {
            let found = index.select(records, window, rated);
            let found = listed(&found).into_iter().map(|rank| index.at(rank));
            let wanted = oldest_first.iter().filter(|(time, _, feedback)| {
                (window.0..=window.1).contains(time)
                    && rated.is_none_or(|wanted| wanted == *feedback)
            });
            assert!(wanted.map(|(_, pair, _)| *pair).eq(found), "{window:?} {rated:?}");
        }
    }
}

/// A month, in milliseconds.
const MONTH: i64 = 30 * 86_400_000;

#[test]
fn times_within_a_month() {
    for len in SIZES {
        for longest in [0, MONTH / 10, i64::MAX] {
            check(&Fake::new(len, longest, |_, word| (word >> 1).cast_signed() % MONTH));
        }
    }
}

#[test]
fn many_ties() {
    for len in SIZES {
        for longest in [0, 5, i64::MAX] {
            check(&Fake::new(len, longest, |_, word| (word % 5).cast_signed()));
        }
    }
}

#[test]
fn all_times_equal() {
    for time in [0, 1_760_000_000_000, i64::MIN, i64::MAX] {
        check(&Fake::new(500, 0, |_, _| time));
        check(&Fake::new(500, i64::MAX, |_, _| time));
    }
}

#[test]
fn extreme_times() {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    for len in SIZES {
        for longest in [MONTH, i64::MAX - 1, i64::MAX] {
            check(&Fake::new(len, longest, |_, word| {
                ends[(word >> 32 & 0xff) as usize % ends.len()]
            }));
            check(&Fake::new(len, longest, |_, word| word.cast_signed()));
        }
    }
}

#[test]
fn spans_about_32_bits_and_one_time_far_from_the_others() {
    for span in [(1 << 32) - 1, 1 << 32, 1 << 40] {
        check(&Fake::new(500, span / 3, |number, word| match number {
            0 => -7,
            1 => span - 7,
            _ => (word >> 1).cast_signed() % (span + 1) - 7,
        }));
        check(&Fake::new(1000, 1000, |number, word| {
            if number == 250 { span } else { (word % 1000).cast_signed() }
        }));
    }
}

#[test]
fn numbers_in_order_of_time_and_against_it() {
    for step in [1000, -1000] {
        check(&Fake::new(500, MONTH, |number, _| i64::from(number) * step));
    }
}

#[test]
fn generated_records() {
    const END_MS: i64 = 1_760_918_400_000;
    for len in [0, 1, 200, 1000] {
        check(&Generator::new(1, len, END_MS, END_MS));
    }
}
