//! The texts of loaded records, as they are sent: where a document has a string in the very form
//! that an answer needs, the document itself is the store; only the others are kept beside it.

use super::rendered::Room;
use crate::document::Documents;
use crate::records::json::Pen;
use crate::records::model::{Text, escape};

/// A string, escaped as in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Str {
    start: u32,
    len: u32,
}

impl Str {
    pub(crate) fn start(self) -> u32 {
        self.start
    }
}

/// Where every [`Str`] of a set of documents points.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    documents: Vec<u8>,
    /// Strings that no document has in this form; offsets go on behind the documents.
    beside: Vec<u8>,
    /// For rows that are made of these texts, whichever agent's they are.
    pub(super) room: Room,
}

/// [`Texts`] while the documents are still read.
pub(crate) struct TextsBuilder<'d> {
    documents: &'d [u8],
    beside: Vec<u8>,
    /// More was to be kept than 32-bit offsets reach.
    pub(crate) overflown: bool,
}

impl<'d> TextsBuilder<'d> {
    pub(crate) fn new(documents: &'d Documents) -> Self {
        Self { documents: &documents.text, beside: Vec::new(), overflown: false }
    }

    /// The string whose inside stands here in a document.
    pub(crate) fn keep(&mut self, span: &crate::document::Span) -> Str {
        let raw = &self.documents[span.start as usize..span.end as usize];
        if is_as_sent(raw) {
            return Str { start: span.start, len: span.end - span.start };
        }
        self.add(&unescape(raw))
    }

    /// A string that no document has.
    pub(crate) fn add(&mut self, text: &str) -> Str {
        let text = escape(text);
        let start = u32::try_from(self.documents.len() + self.beside.len());
        let (Ok(start), Ok(len)) = (start, u32::try_from(text.len())) else {
            self.overflown = true;
            return Str::default();
        };
        self.beside.extend_from_slice(text.as_bytes());
        Str { start, len }
    }

    pub(crate) fn get(&self, text: Str) -> &[u8] {
        let (of, start) = place(self.documents, &self.beside, text);
        &of[start..start + text.len as usize]
    }

    /// Ends the reading: what stands beside the documents.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.beside
    }
}

impl Texts {
    pub(crate) fn new(documents: Documents, mut beside: Vec<u8>) -> Self {
        beside.shrink_to_fit();
        Self { documents: documents.text, beside, room: Room::default() }
    }

    pub(crate) fn get(&self, text: Str) -> Sent<'_> {
        let (of, start) = place(&self.documents, &self.beside, text);
        Sent { of, start, len: text.len as usize }
    }
}

/// A text as it is sent: a part of what was read.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    of: &'a [u8],
    start: usize,
    len: usize,
}

impl<'a> Sent<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        &self.of[self.start..self.start + self.len]
    }

    /// The text itself.
    pub(crate) fn unescaped(self) -> Vec<u8> {
        let bytes = self.bytes();
        if bytes.contains(&b'\\') { unescape(bytes).into_bytes() } else { bytes.to_vec() }
    }
}

/// The text of the inside of a JSON string. It was read as one before, so it is one.
fn unescape(raw: &[u8]) -> String {
    serde_json::from_slice(&[b"\"", raw, b"\""].concat()).unwrap_or_default()
}

impl Text for Sent<'_> {
    #[inline(always)]
    fn append_to(&self, out: &mut Pen<'_>) {
        out.part(self.of, self.start, self.len);
    }
}

/// Which of both a text is in, and where it begins there.
fn place<'a>(documents: &'a [u8], beside: &'a [u8], text: Str) -> (&'a [u8], usize) {
    let start = text.start as usize;
    match start.checked_sub(documents.len()) {
        None => (documents, start),
        Some(start) => (beside, start),
    }
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
