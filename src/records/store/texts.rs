//! The texts of loaded records, escaped as they are sent. Where a document has a string in the form
//! that a response needs, the document itself is the store; the others are added behind the documents.

use crate::document::{Documents, Span};
use crate::records::model::escape;

/// Where a [`TextStore`] has a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextRef {
    start: u32,
    len: u32,
}

/// The texts of all agents that were loaded together.
#[derive(Debug, Default)]
pub(crate) struct TextStore {
    /// The documents, and behind them the texts that no document has in this form.
    bytes: Vec<u8>,
}

/// A [`TextStore`] while the documents are read.
pub(crate) struct TextStoreBuilder<'d> {
    documents: &'d [u8],
    added: Vec<u8>,
    /// Whether there were more texts than offsets of 32 bits reach.
    pub(crate) overflown: bool,
}

impl<'d> TextStoreBuilder<'d> {
    pub(crate) fn new(documents: &'d Documents) -> Self {
        Self { documents: &documents.text, added: Vec::new(), overflown: false }
    }

    /// Keeps the text of a JSON string, whose inside stands here in a document.
    pub(crate) fn keep(&mut self, span: &Span) -> TextRef {
        let raw = &self.documents[span.start as usize..span.end as usize];
        if is_as_sent(raw) {
            return TextRef { start: span.start, len: span.end - span.start };
        }
        self.add(&unescape(raw))
    }

    /// Adds a text that no document has.
    pub(crate) fn add(&mut self, text: &str) -> TextRef {
        let text = escape(text);
        let start = u32::try_from(self.documents.len() + self.added.len());
        let (Ok(start), Ok(len)) = (start, u32::try_from(text.len())) else {
            self.overflown = true;
            return TextRef::default();
        };
        self.added.extend_from_slice(text.as_bytes());
        TextRef { start, len }
    }

    pub(crate) fn get(&self, text: TextRef) -> &[u8] {
        let (start, len) = (text.start as usize, text.len as usize);
        match start.checked_sub(self.documents.len()) {
            None => &self.documents[start..start + len],
            Some(start) => &self.added[start..start + len],
        }
    }

    /// Ends the reading: the texts that were added.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.added
    }
}

impl TextStore {
    pub(crate) fn new(documents: Documents, added: &[u8]) -> Self {
        let mut bytes = documents.text;
        bytes.reserve_exact(added.len());
        bytes.extend_from_slice(added);
        Self { bytes }
    }

    #[inline]
    pub(crate) fn get(&self, text: TextRef) -> &[u8] {
        &self.bytes[text.start as usize..][..text.len as usize]
    }
}

/// The text that the inside of a JSON string stands for.
pub(super) fn unescape(raw: &[u8]) -> String {
    serde_json::from_slice(&[b"\"", raw, b"\""].concat())
        .expect("the document was read, so this is the inside of a JSON string")
}

/// Whether the inside of a JSON string is escaped just as an answer escapes it.
fn is_as_sent(raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        rest = &rest[at + 1..];
        match rest {
            [b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => rest = after,
            [b'u', b'0', b'0', high @ (b'0' | b'1'), low, after @ ..] => {
                // Control characters that have a letter of their own are sent as that.
                let lettered = *high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd');
                if lettered || !matches!(low, b'0'..=b'9' | b'a'..=b'f') {
                    return false;
                }
                rest = after;
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_as_sent;
    use crate::records::model::escape;

    #[test]
    fn what_an_answer_would_escape_so_is_kept_in_place() {
        let all: String = (0u8..128).map(char::from).chain(['é', '你', '😊']).collect();
        assert!(is_as_sent(escape(&all).as_bytes()));
        for odd in [r"\/", r"\u0041", r"\u000a", r"\u001F", r"\ud83d\ude0a", r"a\u00e9", r"\u0008"]
        {
            assert!(!is_as_sent(odd.as_bytes()), "{odd}");
        }
    }
}
