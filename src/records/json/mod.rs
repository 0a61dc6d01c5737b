//! Writes JSON into one buffer, value by value, without building a tree first.

mod numbers;

use crate::records::model::Text;

/// An answer that is being written.
pub(crate) struct Out {
    /// Filled with zeros behind what is written.
    bytes: Vec<u8>,
    len: usize,
}

impl Out {
    /// A buffer with room for so many bytes. A guess that falls short only costs a copy.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes + SHORT], len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What has been written.
    #[cfg(feature = "cli")]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// Forgets what was written behind a place.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Writes a piece. It is written again, with more room, where it did not fit: so the pen
    /// need not look after the buffer at each of its strokes.
    #[inline(always)]
    pub(crate) fn write(&mut self, piece: &impl Piece) {
        if !self.fits(piece) {
            self.write_with_more_room(piece);
        }
    }

    /// Writes a piece, unless there is no room for it.
    #[inline(always)]
    fn fits(&mut self, piece: &impl Piece) -> bool {
        let room = self.bytes.len();
        let mut pen = Pen { rest: &mut self.bytes[self.len..], overflown: false };
        piece.write(&mut pen);
        let Pen { rest, overflown } = pen;
        if !overflown {
            self.len = room - rest.len();
        }
        !overflown
    }

    // Apart, so that the way that is nearly always taken is compiled without a loop around it.
    #[cold]
    #[inline(never)]
    fn write_with_more_room(&mut self, piece: &impl Piece) {
        // Mostly a little is missing; then it is the piece that is long.
        self.grow(self.bytes.len() / 4 * 5 + SHORT);
        while !self.fits(piece) {
            self.grow(self.bytes.len() * 2);
        }
    }

    /// Makes room for so many bytes. Not by `resize`, which a build without optimisation does byte
    /// by byte.
    fn grow(&mut self, bytes: usize) {
        let mut grown = vec![0; bytes];
        grown[..self.len].copy_from_slice(&self.bytes[..self.len]);
        self.bytes = grown;
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.write(&|pen: &mut Pen<'_>| pen.bytes(bytes));
    }

    /// What a text is, whatever room it takes.
    pub(crate) fn of(text: &impl Text) -> Vec<u8> {
        let mut out = Self::with_room(0);
        out.write(&|pen: &mut Pen<'_>| text.append_to(pen));
        out.into_bytes()
    }
}

/// What can write itself, the same each time. A row is one, so that all of it is compiled in one.
pub(crate) trait Piece {
    fn write(&self, pen: &mut Pen<'_>);
}

impl<F: Fn(&mut Pen<'_>)> Piece for F {
    fn write(&self, pen: &mut Pen<'_>) {
        self(pen);
    }
}

/// Writes into what is left of a buffer. Once something did not fit, nothing more is written.
///
/// Most of what an answer is made of is short: a key, an id, half a sentence. Such pieces are
/// copied whole words at a time, whatever their length, and the next piece is written over what
/// was too much.
#[derive(Default)]
pub(crate) struct Pen<'a> {
    rest: &'a mut [u8],
    overflown: bool,
}

/// Pieces up to this long are copied as if they were just as long.
const SHORT: usize = 64;

impl Pen<'_> {
    /// Writes all of some bytes, and goes on behind the first `len`.
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        let rest = std::mem::take(&mut self.rest);
        match rest.first_chunk_mut() {
            Some(place) => {
                *place = *bytes;
                self.rest = &mut rest[len.min(N)..];
            }
            None => self.overflown = true,
        }
    }

    #[inline(always)]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.put(&[byte], 1);
    }

    /// Bytes as they are. Best where the length is known when this is compiled.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        match std::mem::take(&mut self.rest).split_at_mut_checked(bytes.len()) {
            Some((place, rest)) => {
                place.copy_from_slice(bytes);
                self.rest = rest;
            }
            None => self.overflown = true,
        }
    }

    /// Part of a larger text, as it is.
    #[inline(always)]
    pub(crate) fn part(&mut self, of: &[u8], start: usize, len: usize) {
        match of.get(start..).and_then(<[u8]>::first_chunk::<SHORT>) {
            Some(whole) if len <= SHORT => self.put(whole, len),
            _ => self.bytes(&of[start..start + len]),
        }
    }

    /// The first `len` of some bytes.
    #[inline(always)]
    pub(crate) fn padded<const N: usize>(&mut self, bytes: &[u8; N], len: u8) {
        self.put(bytes, usize::from(len));
    }

    /// The rest of a string that was opened with its key.
    #[inline(always)]
    pub(crate) fn text(&mut self, text: &impl Text) {
        text.append_to(self);
        self.byte(b'"');
    }

    /// The rest of a string that was opened with its key: a word of the contract's.
    #[inline(always)]
    pub(crate) fn word(&mut self, word: &Word) {
        self.padded(&word.closed, word.len);
    }
}

/// A word of the contract's, ready to be written; nothing in it needs escaping.
#[derive(Clone, Copy)]
pub(crate) struct Word {
    /// With the quote behind it.
    closed: [u8; 31],
    len: u8,
}

impl Word {
    /// Of at most 30 bytes; a longer one does not compile where this is used for a constant.
    #[allow(clippy::cast_possible_truncation, reason = "at most 30")]
    pub(crate) const fn new(word: &str) -> Self {
        let word = word.as_bytes();
        let mut closed = [b'"'; 31];
        let mut n = 0;
        while n < word.len() {
            closed[n] = word[n];
            n += 1;
        }
        assert!(word.len() < closed.len(), "too long");
        Self { closed, len: word.len() as u8 + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Out, Pen, Word};

    #[test]
    fn parts_of_every_length_are_copied_and_nothing_behind_them() {
        let text: Vec<u8> = (0..200).collect();
        let mut out = Out::with_room(0);
        let mut expected = Vec::new();
        for start in 0..text.len() {
            for len in [0, 1, 63, 64, 65, 100] {
                let len = len.min(text.len() - start);
                out.write(&|pen: &mut Pen<'_>| pen.part(&text, start, len));
                expected.extend_from_slice(&text[start..start + len]);
            }
        }
        assert_eq!(out.len(), expected.len());
        assert_eq!(out.into_bytes(), expected);
    }

    #[test]
    fn what_does_not_fit_is_written_again_as_a_whole() {
        let long = "x".repeat(1000);
        let mut out = Out::with_room(0);
        for _ in 0..10 {
            out.write(&|pen: &mut Pen<'_>| {
                pen.byte(b'<');
                pen.bytes(long.as_bytes());
                pen.byte(b'>');
            });
        }
        assert_eq!(out.into_bytes(), format!("<{long}>").repeat(10).into_bytes());
    }

    #[test]
    fn a_word_is_closed() {
        let mut out = Out::with_room(0);
        out.write(&|pen: &mut Pen<'_>| pen.word(&Word::new("API")));
        assert_eq!(out.into_bytes(), b"API\"");
    }
}
