//! What hyper refuses by itself, because it is not HTTP: which answer, and why.

use crate::contract::{self, Code, MEDIA_TYPE};

/// A refusal by the HTTP parser.
pub(super) struct Refused {
    pub(super) status: u16,
    /// In hyper's words, which hold nothing of what the client sent.
    pub(super) reason: String,
    pub(super) response: Vec<u8>,
}

/// How hyper says that a body does not end in chunks, so that it knows no way to read it.
const UNKNOWN_CODING: &str = "invalid transfer-encoding parsed";

impl Refused {
    /// What to answer; `written` is what hyper would. `None`: it is no such error.
    pub(super) fn of(error: &hyper::Error, written: Vec<u8>) -> Option<Self> {
        if !error.is_parse() {
            return None;
        }
        let reason = error.to_string();
        if error.is_parse_version_h2() {
            // hyper answers nothing to a client that speaks HTTP/2.
            let response =
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return Some(Self { status: 400, reason, response: response.to_vec() });
        }
        if written.is_empty() {
            // hyper has written it right behind the last answer.
            return Some(Self { status: 400, reason, response: written });
        }
        let text = String::from_utf8_lossy(&written);
        if reason == UNKNOWN_CODING {
            let code = Code::NotImplemented;
            let row = contract::COMMON_ERRORS.iter().find(|row| row.code == code)?;
            let body = contract::failure(code, row.message);
            let date = text.lines().find(|line| line.starts_with("date:"));
            let date = date.map(|date| format!("{date}\r\n")).unwrap_or_default();
            let response = format!(
                "HTTP/1.1 501 {}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\
                 connection: close\r\n{date}\r\n{body}",
                row.message,
                body.len()
            );
            return Some(Self { status: code.http_status(), reason, response: response.into() });
        }
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok())?;
        Some(Self { status, reason, response: written })
    }
}
