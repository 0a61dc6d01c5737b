//! When the Q&A pairs of a store are indexed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use super::index::fake::Fake;
use super::{IndexedRecords, RowKind, Slice, Store, index_records};
use crate::contract::{Feedback, QaTime};
use crate::records::generate::Generator;
use crate::records::json::JsonBuf;

const ALL: (i64, i64) = (i64::MIN, i64::MAX);
const END_MS: i64 = 1_760_918_400_000;
const PAIRS: RowKind = RowKind::Qa(QaTime::Seconds);

fn rows(store: &Store, rated: Option<Feedback>) -> Vec<u8> {
    let mut out = JsonBuf::default();
    let found = store.qa(ALL, rated);
    let slice = Slice { skip: found.len() / 2, take: 100, reversed: false };
    store.write_qa(&found, slice, QaTime::Milliseconds, &mut out);
    out.into_bytes()
}

#[test]
fn pairs_of_many_conversations_are_indexed_for_the_first_who_asks() {
    let generator = || Generator::new(1, 50_001, END_MS, END_MS);
    let store = index_records(generator());
    let asked = thread::scope(|scope| {
        let ask = || rows(&store, Some(Feedback::Good));
        [scope.spawn(ask), scope.spawn(ask)].map(|thread| thread.join().unwrap())
    });
    assert_eq!(asked[0], asked[1]);
    assert!(store.is_ready(PAIRS));
    let few = IndexedRecords::new(generator());
    few.qa_index();
    assert_eq!(asked[0], rows(&(Arc::new(few) as Store), Some(Feedback::Good)));
}

#[test]
fn pairs_of_few_conversations_are_indexed_at_once() {
    assert!(index_records(Generator::new(1, 1000, END_MS, END_MS)).is_ready(PAIRS));
}

#[test]
fn a_panic_while_indexing_is_one_for_each_who_asks() {
    let mut broken = Fake::new(50_001, i64::MAX, |number, _| number.into());
    broken.break_pairs();
    let store = index_records(broken);
    for _ in 0..3 {
        let waited = catch_unwind(AssertUnwindSafe(|| store.prepare(PAIRS)));
        assert!(waited.is_err());
        assert!(!store.is_ready(PAIRS));
    }
}
