//! Refusals by hyper itself, of bytes that are not HTTP.

use crate::contract::{self, Code, MEDIA_TYPE};

/// A refusal by hyper's HTTP parser.
pub(super) struct ParserRefusal {
    pub(super) status: u16,
    /// hyper's words, which quote nothing that the client sent.
    pub(super) reason: String,
    pub(super) response: Vec<u8>,
}

/// hyper's reason for a `Transfer-Encoding` that does not end in `chunked`, so that hyper cannot
/// read the body.
const UNKNOWN_CODING: &str = "invalid transfer-encoding parsed";

impl ParserRefusal {
    /// The refusal for an error; `written` is hyper's own response. `None`: it is no error of the
    /// parser.
    pub(super) fn of(error: &hyper::Error, written: Vec<u8>) -> Option<Self> {
        if !error.is_parse() {
            return None;
        }
        let reason = error.to_string();
        if error.is_parse_version_h2() {
            // hyper sends no response to a client that speaks HTTP/2.
            let response =
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return Some(Self { status: 400, reason, response: response.to_vec() });
        }
        if written.is_empty() {
            // hyper has written the refusal directly after the last response.
            return Some(Self { status: 400, reason, response: written });
        }
        let text = String::from_utf8_lossy(&written);
        if reason == UNKNOWN_CODING {
            let code = Code::NotImplemented;
            let row = contract::COMMON_ERRORS.iter().find(|row| row.code == code);
            let row = row.expect("the contract has a message for every code");
            let body = contract::failure(code, row.message);
            let date = text.lines().find(|line| line.starts_with("date:"));
            let date = date.map_or(String::new(), |date| format!("{date}\r\n"));
            let response = format!(
                "HTTP/1.1 501 {}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\n\
                 connection: close\r\n{date}\r\n{body}",
                row.message,
                body.len()
            );
            return Some(Self { status: code.http_status(), reason, response: response.into() });
        }
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.expect("hyper writes a status line");
        Some(Self { status, reason, response: written })
    }
}
