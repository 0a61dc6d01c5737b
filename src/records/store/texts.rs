//! The texts of loaded records, escaped as they are sent. If a document has a string in the form that a
//! response needs, the text stays in the document. All other texts are added after the documents.

use crate::document::{Documents, Fatal, Span};
use crate::memory::{BudgetFull, Reservation};
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
    /// The documents, and after them the texts that no document has in this form.
    bytes: Vec<u8>,
}

/// A [`TextStore`] while the documents are read.
pub(crate) struct TextStoreBuilder<'d> {
    documents: &'d [u8],
    /// The bytes of memory that the documents take.
    document_bytes: usize,
    added: Vec<u8>,
    /// The memory that the reader of fixtures may use, and the memory that it uses besides the texts and the
    /// agent that is being read.
    memory: Option<Reservation>,
    finished_bytes: usize,
    /// Set if the reading ended early because there was not enough memory.
    full: Option<BudgetFull>,
    /// Whether there were more texts than 32-bit offsets can address.
    pub(crate) overflown: bool,
}

impl<'d> TextStoreBuilder<'d> {
    pub(crate) fn new(documents: &'d Documents, memory: Option<Reservation>) -> Self {
        Self {
            documents: &documents.text,
            document_bytes: documents.bytes(),
            added: Vec::new(),
            memory,
            finished_bytes: 0,
            full: None,
            overflown: false,
        }
    }

    /// Reserves the memory of the documents, the added texts, all finished agents and the agent that is being
    /// read, which takes `reading` bytes. If that is too much, the reading ends.
    pub(crate) fn cover(&mut self, reading: usize) -> Result<(), Fatal> {
        let Some(memory) = &mut self.memory else { return Ok(()) };
        // After the reading, the added texts are copied to the end of the documents.
        let texts = self.document_bytes + 2 * self.added.capacity();
        let covered = memory.cover(texts + self.finished_bytes + reading);
        covered.map_err(|full| {
            self.full = Some(full);
            Fatal
        })
    }

    /// Counts bytes that stay in use until the end of the reading.
    pub(crate) fn finish_part(&mut self, bytes: usize) -> Result<(), Fatal> {
        self.finished_bytes += bytes;
        self.cover(0)
    }

    /// Keeps the text of a JSON string of a document, given the span of its inside. The text stays in the
    /// document if it is escaped there exactly as in a response.
    pub(crate) fn keep(&mut self, span: &Span) -> TextRef {
        let raw = &self.documents[span.start as usize..span.end as usize];
        if raw.contains(&b'\\') {
            let text = unescape(raw);
            if escape(&text).as_bytes() != raw {
                return self.add(&text);
            }
        }
        TextRef { start: span.start, len: span.end - span.start }
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

    /// Ends the reading. Returns the texts that were added, and the reserved memory.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, Option<Reservation>), BudgetFull> {
        self.full.map_or(Ok((self.added, self.memory)), Err)
    }
}

impl TextStore {
    pub(crate) fn new(documents: Documents, added: &[u8]) -> Self {
        let mut bytes = documents.text;
        bytes.reserve_exact(added.len());
        bytes.extend_from_slice(added);
        Self { bytes }
    }

    /// A part of the documents.
    pub(crate) fn document_part(&self, span: &Span) -> &[u8] {
        &self.bytes[span.start as usize..span.end as usize]
    }

    #[inline]
    pub(crate) fn get(&self, text: TextRef) -> &[u8] {
        &self.bytes[text.start as usize..][..text.len as usize]
    }
}

/// Decodes the inside of a JSON string.
pub(super) fn unescape(raw: &[u8]) -> String {
    serde_json::from_slice(&[b"\"", raw, b"\""].concat())
        .expect("the document was read, so this is the inside of a JSON string")
}

#[cfg(test)]
mod tests {
    use super::{TextRef, TextStoreBuilder};
    use crate::document::Documents;
    use crate::records::model::escape;

    /// Whether the inside of a JSON string is kept in the document.
    fn stays(inside: &str) -> bool {
        let len = u32::try_from(inside.len()).unwrap();
        let mut documents = Documents::default();
        documents.text.extend_from_slice(inside.as_bytes());
        TextStoreBuilder::new(&documents, None).keep(&(0..len)) == TextRef { start: 0, len }
    }

    #[test]
    fn a_text_that_is_escaped_as_an_answer_escapes_it_stays_in_the_document() {
        let all: String = (0u8..128).map(char::from).chain(['é', '你', '😊']).collect();
        assert!(stays(&escape(&all)));
        for odd in [r"\/", r"\u0041", r"\u000a", r"\u001F", r"\ud83d\ude0a", r"a\u00e9", r"\u0008"]
        {
            assert!(!stays(odd), "{odd}");
        }
    }
}
