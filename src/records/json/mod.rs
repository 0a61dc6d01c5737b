//! Writes JSON into one buffer, value by value, without building a tree first.

mod numbers;

use crate::records::model::Text;

/// The body of a response while it is written.
#[derive(Default)]
pub(crate) struct JsonBuf {
    bytes: Vec<u8>,
}

/// A part of at most this length is copied as if it were this long, and then cut. The processor predicts
/// badly how a copy of any length branches, and most parts are shorter.
const SHORT: usize = 64;

impl JsonBuf {
    /// A buffer for about this many bytes. It grows when they do not suffice.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What has been written.
    #[cfg(feature = "cli")]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Removes what was written after the first `len` bytes.
    #[cfg(feature = "cli")]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// A text as it is written inside a JSON string.
    pub(crate) fn escaped(text: &impl Text) -> Vec<u8> {
        let mut out = Self::with_capacity(64);
        text.write_to(&mut out);
        out.into_bytes()
    }

    #[inline(always)]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Writes bytes as they are.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes part of a text.
    #[inline(always)]
    pub(crate) fn part(&mut self, text: &[u8], start: usize, len: usize) {
        match text[start..].first_chunk::<SHORT>() {
            Some(chunk) if len <= SHORT => {
                let end = self.bytes.len() + len;
                self.bytes.extend_from_slice(chunk);
                self.bytes.truncate(end);
            }
            _ => self.bytes(&text[start..start + len]),
        }
    }

    /// Writes the rest of a string that was opened with its key: the text and the closing quote.
    #[inline(always)]
    pub(crate) fn text(&mut self, text: &impl Text) {
        text.write_to(self);
        self.byte(b'"');
    }

    /// Writes the rest of a string that was opened with its key: a name of the contract, in which
    /// nothing needs escaping, and the closing quote.
    #[inline(always)]
    pub(crate) fn name(&mut self, name: &str) {
        self.bytes(name.as_bytes());
        self.byte(b'"');
    }
}
