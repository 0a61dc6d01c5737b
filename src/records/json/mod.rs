//! Writes JSON into one buffer, value by value, without building a tree first.

mod numbers;

use crate::records::model::Text;

/// The body of a response while it is written.
#[derive(Default)]
pub(crate) struct JsonBuf {
    /// The bytes after the first `len` are zeros.
    bytes: Vec<u8>,
    len: usize,
}

impl JsonBuf {
    /// A buffer for about this many bytes. It grows if they are not enough.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes + SHORT], len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes that have been written.
    #[cfg(feature = "cli")]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// Removes all bytes after the first `len`.
    #[cfg(feature = "cli")]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// A text as it is written inside a JSON string.
    pub(crate) fn escaped(text: &impl Text) -> Vec<u8> {
        let mut out = Self::default();
        out.write(|out| text.write_to(out));
        out.into_bytes()
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.write(|out| out.bytes(bytes));
    }

    /// Writes something, such as a row. If it does not fit, it is written once more into a larger buffer, so
    /// that `write` does not need to check the space for each of its parts: a row has thirty.
    #[inline(always)]
    pub(crate) fn write(&mut self, write: impl Fn(&mut SliceWriter<'_>)) {
        if !self.fits(&write) {
            self.write_with_more_room(&write);
        }
    }

    /// Writes something, unless there is not enough space for it.
    #[inline(always)]
    fn fits(&mut self, write: &impl Fn(&mut SliceWriter<'_>)) -> bool {
        let capacity = self.bytes.len();
        let mut writer = SliceWriter { rest: &mut self.bytes[self.len..], is_full: false };
        write(&mut writer);
        let SliceWriter { rest, is_full } = writer;
        if !is_full {
            self.len = capacity - rest.len();
        }
        !is_full
    }

    // This is a separate function, because otherwise the compiler would move work of the usual case into its
    // loop.
    #[cold]
    #[inline(never)]
    fn write_with_more_room(&mut self, write: &impl Fn(&mut SliceWriter<'_>)) {
        self.grow(self.bytes.len() / 4 * 5 + SHORT);
        while !self.fits(write) {
            self.grow(self.bytes.len() * 2);
        }
    }

    /// Makes the buffer larger. `resize` would do that byte by byte in a build without optimisation.
    fn grow(&mut self, bytes: usize) {
        let mut grown = vec![0; bytes];
        grown[..self.len].copy_from_slice(&self.bytes[..self.len]);
        self.bytes = grown;
    }
}

/// A part of at most this length is copied as if it were this long, and the next part overwrites the surplus.
/// Most parts are shorter than this, and the branches of a copy of variable length are hard to predict for the
/// processor.
const SHORT: usize = 64;

/// Copies bytes to a place of the same length. Short texts are copied as their two ends, which may
/// overlap, because calling `memcpy` takes longer than that.
#[inline(always)]
fn copy(place: &mut [u8], bytes: &[u8]) {
    #[inline(always)]
    fn ends<const N: usize>(place: &mut [u8], bytes: &[u8]) -> Option<()> {
        if bytes.len() > 2 * N {
            return None;
        }
        *place.first_chunk_mut::<N>()? = *bytes.first_chunk()?;
        *place.last_chunk_mut::<N>()? = *bytes.last_chunk()?;
        Some(())
    }
    let copied = ends::<16>(place, bytes)
        .or_else(|| ends::<8>(place, bytes))
        .or_else(|| ends::<4>(place, bytes));
    if copied.is_none() {
        place.copy_from_slice(bytes);
    }
}

/// Writes into the rest of a buffer. After something did not fit, nothing more is written.
pub(crate) struct SliceWriter<'a> {
    rest: &'a mut [u8],
    is_full: bool,
}

impl SliceWriter<'_> {
    /// Writes all of some bytes, of which only the first `len` count.
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        let rest = std::mem::take(&mut self.rest);
        match rest.first_chunk_mut() {
            Some(place) => {
                *place = *bytes;
                self.rest = &mut rest[len.min(N)..];
            }
            None => self.is_full = true,
        }
    }

    #[inline(always)]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.put(&[byte], 1);
    }

    /// Writes bytes as they are.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        match std::mem::take(&mut self.rest).split_at_mut_checked(bytes.len()) {
            Some((place, rest)) => {
                copy(place, bytes);
                self.rest = rest;
            }
            None => self.is_full = true,
        }
    }

    /// Writes part of a text.
    #[inline(always)]
    pub(crate) fn part(&mut self, text: &[u8], start: usize, len: usize) {
        match text[start..].first_chunk::<SHORT>() {
            Some(chunk) if len <= SHORT => self.put(chunk, len),
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

#[cfg(test)]
mod tests {
    use super::JsonBuf;

    #[test]
    fn parts_of_every_length_are_copied_and_nothing_behind_them() {
        let text: Vec<u8> = (0..200).collect();
        let mut out = JsonBuf::default();
        let mut expected = Vec::new();
        for start in 0..text.len() {
            for len in [0, 1, 63, 64, 65, 100] {
                let len = len.min(text.len() - start);
                out.write(|out| out.part(&text, start, len));
                expected.extend_from_slice(&text[start..start + len]);
            }
        }
        assert_eq!(out.len(), expected.len());
        assert_eq!(out.into_bytes(), expected);
    }

    #[test]
    fn what_does_not_fit_is_written_again_as_a_whole() {
        let long = "x".repeat(1000);
        let mut out = JsonBuf::default();
        for _ in 0..10 {
            out.write(|out| {
                out.byte(b'<');
                out.bytes(long.as_bytes());
                out.byte(b'>');
            });
        }
        assert_eq!(out.into_bytes(), format!("<{long}>").repeat(10).into_bytes());
    }
}
