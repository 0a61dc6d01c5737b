//! The shape that all answers share: rows, and mostly a total.

use crate::contract::{Answer, Key, TOTAL, TotalPlace};
use crate::json::integer;

/// `total` as an answer prints it.
#[derive(Clone, Copy)]
pub(super) enum Total {
    Number(u64),
    String(u64),
    Absent,
}

/// The whole answer: the rows between what stands before and after them.
pub(super) fn envelope(
    answer: &Answer,
    total: Total,
    capacity: usize,
    rows: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity + 64);
    out.push(b'{');
    if answer.total == TotalPlace::BeforeRows && append_total(total, &mut out) {
        out.push(b',');
    }
    out.extend_from_slice(answer.rows_json.as_bytes());
    out.push(b'[');
    rows(&mut out);
    out.push(b']');
    if answer.total != TotalPlace::BeforeRows {
        let end = out.len();
        out.push(b',');
        if !append_total(total, &mut out) {
            out.truncate(end);
        }
    }
    out.push(b'}');
    out
}

fn append_total(total: Total, out: &mut Vec<u8>) -> bool {
    let (number, quote): (u64, &[u8]) = match total {
        Total::Number(number) => (number, b""),
        Total::String(number) => (number, b"\""),
        Total::Absent => return false,
    };
    out.extend_from_slice(TOTAL.as_bytes());
    out.extend_from_slice(quote);
    integer(out, number);
    out.extend_from_slice(quote);
    true
}

/// One row: each key with its value, in the order of the contract.
pub(super) fn row<F: Copy + 'static>(
    out: &mut Vec<u8>,
    keys: impl IntoIterator<Item = &'static Key<F>>,
    value: impl Fn(F, &mut Vec<u8>),
) {
    if out.last() == Some(&b'}') {
        out.push(b',');
    }
    out.push(b'{');
    for (number, key) in keys.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key.json.as_bytes());
        value(key.field, out);
    }
    out.push(b'}');
}
