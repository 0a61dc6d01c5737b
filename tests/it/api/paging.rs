//! Pages, filters, windows and orders over generated records and over random fixtures with many
//! ties. The expected rows are computed here, by filtering and sorting lists. Tests
//! `records.pages`, `records.totals` and `records.all`.

use std::cell::RefCell;
use std::collections::BTreeSet;

use gptbots_mock::Server;
use gptbots_mock::contract::{MessagesOrder, QaOrder, QaTime, V2MessagesOrder};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::Index;
use serde_json::Value;

use crate::support::cases::for_all;
use crate::support::client::Connection;
use crate::support::random_fixture::{CHANNELS, USERS, fixture, newest_then_id, oldest_then_id};
use crate::support::walk::{
    LIST, MESSAGES, MESSAGES_V2, QA, Whole, connection, encode, messages, number, rows, text, whole,
};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);
const RATINGS: [&str; 3] = ["NONE", "GOOD", "BAD"];

/// Letters whose order is that of their bytes, in ids as well as in JSON.
const PLAIN: &[&str] = &["a", "b", "B", "~", "\u{e9}", "\u{6f22}"];

fn generated(seed: u64, conversations: u32) -> Server {
    let builder = Server::builder().seed(seed).conversations(conversations);
    builder.reading(QaTime::Milliseconds).start().unwrap()
}

fn list_query(window: (i64, i64), channel: &str, user: Option<&str>) -> String {
    let user = user.map(|user| format!("&user_id={}", encode(user))).unwrap_or_default();
    let (start, end) = window;
    format!("{LIST}?conversation_type={channel}&start_time={start}&end_time={end}{user}")
}

fn qa_query((start, end): (i64, i64), rated: &str) -> String {
    format!("{QA}?user_feedback={rated}&start_time={start}&end_time={end}")
}

/// The rows whose time is in a window, and that a filter keeps.
fn kept(
    rows: &[Value],
    time: &str,
    (start, end): (i64, i64),
    keep: impl Fn(&Value) -> bool,
) -> Vec<Value> {
    let inside = |row: &&Value| (start..=end).contains(&number(row, time)) && keep(row);
    rows.iter().filter(inside).cloned().collect()
}

#[track_caller]
fn assert_same(got: &[Value], expected: &[Value], what: &str) {
    let ids = |rows: &[Value]| -> Vec<String> {
        let id = |row: &Value| row.get("conversation_id").or(row.get("id")).map(Value::to_string);
        rows.iter().map(|row| id(row).unwrap_or_default()).collect()
    };
    assert_eq!(ids(got), ids(expected), "{what}");
    assert_eq!(got, expected, "{what}");
}

/// Whatever the page size, the pages lie side by side.
fn assert_tiles(at: &mut Connection, model: &Whole, sizes: impl IntoIterator<Item = usize>) {
    let (list, qa) = (list_query(EVER, "ALL", None), qa_query(EVER, "ALL"));
    for size in sizes {
        assert_same(&rows(at, &list, size), &model.list, &format!("list by {size}"));
        let past = format!("{list}&page={}&page_size={size}", model.list.len() / size + 2);
        let empty = format!(r#"{{"list":[],"total":{}}}"#, model.list.len());
        assert_eq!(at.get(&past).ok().body, empty, "past the end, by {size}");
        if size >= 10 {
            assert_same(&rows(at, &qa, size), &model.qa, &format!("Q&A by {size}"));
        }
    }
}

/// The walk of a conversation is its chain, or the exact reverse, with any page size.
fn assert_chains(at: &mut Connection, model: &Whole, sizes: &[usize], reversed: bool) {
    for (path, chains) in [(MESSAGES, &model.v1), (MESSAGES_V2, &model.v2)] {
        for (row, chain) in model.list.iter().zip(chains) {
            let mut chain = chain.clone();
            if reversed {
                chain.reverse();
            }
            for size in sizes {
                let walk = messages(path, text(row, "conversation_id"));
                assert_eq!(rows(at, &walk, *size), chain, "{walk} by {size}");
            }
        }
    }
}

/// Each filter keeps its rows in order, and what the filters of one kind keep is everything.
fn assert_filters(at: &mut Connection, model: &Whole, channels: &[&str], users: &[&str]) {
    let all = &model.list;
    let of = |row: &Value, key, value: &str| text(row, key) == value;
    let [mut by_channel, mut by_user, mut by_both, mut by_rating] = [const { Vec::new() }; 4];
    for channel in channels {
        let part = rows(at, &list_query(EVER, channel, None), 100);
        let expected = kept(all, "recent_chat_time", EVER, |r| of(r, "conversation_type", channel));
        assert_same(&part, &expected, channel);
        by_channel.extend(part);
    }
    for user in users {
        let of_user = rows(at, &list_query(EVER, "ALL", Some(user)), 100);
        let expected = kept(all, "recent_chat_time", EVER, |row| of(row, "user_id", user));
        assert_same(&of_user, &expected, user);
        // With few users, channels without a row are asked for too.
        let asked =
            |c: &&&str| users.len() < 10 || of_user.iter().any(|r| of(r, "conversation_type", c));
        for channel in channels.iter().filter(asked) {
            let part = rows(at, &list_query(EVER, channel, Some(user)), 100);
            let both =
                kept(&of_user, "recent_chat_time", EVER, |r| of(r, "conversation_type", channel));
            assert_same(&part, &both, &format!("{user} and {channel}"));
            by_both.extend(part);
        }
        by_user.extend(of_user);
    }
    for rated in RATINGS {
        let part = rows(at, &qa_query(EVER, rated), 100);
        let expected = kept(&model.qa, "q_time", EVER, |row| of(row, "user_feedback", rated));
        assert_same(&part, &expected, rated);
        by_rating.extend(part);
    }
    for (mut union, by) in [(by_channel, "types"), (by_user, "users"), (by_both, "both")] {
        union.sort_by(newest_then_id);
        assert_same(&union, all, by);
    }
    by_rating.sort_by(oldest_then_id);
    assert_same(&by_rating, &model.qa, "ratings");
}

/// A window contains exactly the rows between both ends, including these, with and without a filter.
fn assert_window(
    at: &mut Connection,
    model: &Whole,
    window: (i64, i64),
    channel: &str,
    user: &str,
) {
    for (by, of) in [("ALL", None), (channel, None), ("ALL", Some(user)), (channel, Some(user))] {
        let query = list_query(window, by, of);
        let keep = |row: &Value| {
            (by == "ALL" || text(row, "conversation_type") == by)
                && of.is_none_or(|user| text(row, "user_id") == user)
        };
        let expected = kept(&model.list, "recent_chat_time", window, keep);
        assert_same(&rows(at, &query, 100), &expected, &query);
    }
    for rated in ["ALL"].into_iter().chain(RATINGS) {
        let query = qa_query(window, rated);
        let keep = |row: &Value| rated == "ALL" || text(row, "user_feedback") == rated;
        assert_same(&rows(at, &query, 100), &kept(&model.qa, "q_time", window, keep), &query);
    }
}

/// A value that some row has.
fn some_row<'a>(model: &'a Whole, at: Index, key: &str) -> &'a str {
    if model.list.is_empty() { "API" } else { text(at.get(&model.list), key) }
}

/// Two instants, each that of a record or one next to it, in order.
fn window(model: &Whole, (a, b): (Index, Index), (left, right): (i64, i64)) -> (i64, i64) {
    let list = model.list.iter().map(|row| number(row, "recent_chat_time"));
    let times: Vec<i64> =
        list.chain(model.qa.iter().map(|row| number(row, "q_time"))).chain([0]).collect();
    let (a, b) = (a.get(&times) + left, b.get(&times) + right);
    (a.min(b), a.max(b))
}

/// What windows are made of: two records, how far beside them, a type and a user.
type Ends = ((Index, Index), (i64, i64), (Index, Index));

fn ends() -> impl Strategy<Value = Ends> {
    (any::<(Index, Index)>(), (-1..=1i64, -1..=1i64), any::<(Index, Index)>())
}

fn assert_ends(at: &mut Connection, model: &Whole, (ends, beside, (channel, user)): &Ends) {
    let channel = some_row(model, *channel, "conversation_type");
    let user = some_row(model, *user, "user_id");
    assert_window(at, model, window(model, *ends, *beside), channel, user);
}

/// The served records, after a check that they are in order.
fn sorted_whole(at: &mut Connection) -> Whole {
    let whole = whole(at);
    assert!(whole.list.is_sorted_by(|a, b| newest_then_id(a, b).is_lt()));
    assert!(whole.qa.is_sorted_by(|a, b| oldest_then_id(a, b).is_lt()));
    whole
}

#[test]
fn generated_lists_of_every_length_are_tiled_by_pages() {
    for (seed, conversations) in [(1, 0), (1, 1), (2, 10), (7, 200), (u64::MAX, 1000)] {
        let server = generated(seed, conversations);
        let mut at = connection(&server);
        let list = rows(&mut at, &list_query(EVER, "ALL", None), 100);
        let qa = rows(&mut at, &qa_query(EVER, "ALL"), 100);
        assert_eq!(list.len(), usize::try_from(conversations).unwrap());
        assert!(list.is_sorted_by(|a, b| newest_then_id(a, b).is_lt()));
        assert!(qa.is_sorted_by(|a, b| oldest_then_id(a, b).is_lt()));
        let model = Whole { list, v1: Vec::new(), v2: Vec::new(), qa };
        match conversations {
            0..=10 => assert_tiles(&mut at, &model, 1..=100),
            200 => assert_tiles(&mut at, &model, (1..=9).chain([10, 11, 50, 67, 99, 100])),
            _ => assert_tiles(&mut at, &model, [3, 10, 33, 100]),
        }
    }
}

#[test]
fn generated_conversations_are_walked_whole_by_any_page_size() {
    let server = generated(3, 60);
    let mut at = connection(&server);
    let model = sorted_whole(&mut at);
    assert_chains(&mut at, &model, &[1, 2, 3, 5, 10, 99], false);
}

#[test]
fn filters_partition_generated_records() {
    for (seed, conversations) in [(1, 200), (2, 1000)] {
        let server = generated(seed, conversations);
        let mut at = connection(&server);
        let list = rows(&mut at, &list_query(EVER, "ALL", None), 100);
        let qa = rows(&mut at, &qa_query(EVER, "ALL"), 100);
        let model = Whole { list, v1: Vec::new(), v2: Vec::new(), qa };
        let values = |key| model.list.iter().map(|row| text(row, key)).collect::<BTreeSet<_>>();
        let mut users: Vec<_> = values("user_id").into_iter().collect();
        users.push("nobody");
        let channels: Vec<_> = values("conversation_type").into_iter().collect();
        assert_filters(&mut at, &model, &channels, &users);
    }
}

#[test]
fn windows_over_generated_records_hold_exactly_what_lies_in_them() {
    let server = generated(5, 200);
    let mut at = connection(&server);
    let model = sorted_whole(&mut at);
    let at = RefCell::new(at);
    for_all(24, &ends(), |ends| assert_ends(&mut at.borrow_mut(), &model, &ends));
}

#[test]
fn random_fixtures_are_served_as_a_naive_model_says() {
    let strategy = (fixture(40, PLAIN), vec(ends(), 4), 2..100usize);
    for_all(32, &strategy, |(fixture, windows, size)| {
        let builder = Server::builder().fixture(fixture.json());
        let server = builder.clone().reading(QaTime::Milliseconds).start().unwrap();
        let mut at = connection(&server);
        let model = fixture.model();
        assert_tiles(&mut at, &model, [1, 7, 10, size, 100]);
        assert_filters(&mut at, &model, &CHANNELS, &USERS);
        assert_window(&mut at, &model, EVER, "API", "3");
        for ends in &windows {
            assert_ends(&mut at, &model, ends);
        }
        assert_chains(&mut at, &model, &[1, size], false);
    });
}

#[test]
fn reversed_readings_are_exact_reverses() {
    for_all(16, &(fixture(40, PLAIN), 10..100usize), |(fixture, size)| {
        let builder = Server::builder().fixture(fixture.json()).reading(QaTime::Milliseconds);
        let builder = builder.reading(QaOrder::NewestFirst).reading(MessagesOrder::NewestFirst);
        let server = builder.reading(V2MessagesOrder::OldestFirst).start().unwrap();
        let mut at = connection(&server);
        let mut model = fixture.model();
        assert_chains(&mut at, &model, &[2, size], true);
        model.qa.reverse();
        assert_tiles(&mut at, &model, [10, size]);
    });
}

/// The order is that of the ids, not of how JSON writes them.
#[test]
fn ties_between_ids_with_quotes_fall_as_the_ids_do() {
    let alphabet = &["\"", "#", "\\", "\n", "~", "A", "z"];
    for_all(16, &fixture(12, alphabet), |fixture| {
        let builder = Server::builder().fixture(fixture.json());
        let server = builder.reading(QaTime::Milliseconds).start().unwrap();
        assert_tiles(&mut connection(&server), &fixture.model(), [3, 10]);
    });
}
