//! The shape that all successful responses share: rows, and for most endpoints a total.

use crate::contract::{Answer, TOTAL, TotalPlace};
use crate::records::json::JsonBuf;

/// `total` as it is written in a response.
#[derive(Clone, Copy)]
pub(super) enum Total {
    Number(u64),
    String(u64),
}

/// The whole response: the rows, and the JSON before and after them.
pub(super) fn envelope(
    answer: &Answer,
    total: Option<Total>,
    capacity: usize,
    rows: impl FnOnce(&mut JsonBuf),
) -> Vec<u8> {
    let is_first = answer.total == TotalPlace::BeforeRows;
    let mut out = JsonBuf::with_capacity(capacity + 64);
    out.bytes(b"{");
    if let Some(total) = total.filter(|_| is_first) {
        append_total(total, &mut out);
        out.bytes(b",");
    }
    out.bytes(answer.rows_json.as_bytes());
    out.bytes(b"[");
    rows(&mut out);
    out.bytes(b"]");
    if let Some(total) = total.filter(|_| !is_first) {
        out.bytes(b",");
        append_total(total, &mut out);
    }
    out.bytes(b"}");
    out.into_bytes()
}

fn append_total(total: Total, out: &mut JsonBuf) {
    let (number, quote): (u64, &[u8]) = match total {
        Total::Number(number) => (number, b""),
        Total::String(number) => (number, b"\""),
    };
    out.write(|out| {
        out.bytes(TOTAL.as_bytes());
        out.bytes(quote);
        out.integer(number);
        out.bytes(quote);
    });
}
