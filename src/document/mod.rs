//! JSON documents that a person wrote. They are read with the place of every value, so that the mistakes
//! of all files can be reported at once.

mod pointer;
mod problem;
mod reader;
mod secrets;

pub(crate) use pointer::Pointers;
pub(crate) use problem::Diagnostics;
#[cfg(feature = "cli")]
pub(crate) use problem::Places;
pub(crate) use problem::Problems;
pub use problem::{DocumentError, Problem, Severity};
pub(crate) use reader::{At, Fatal, Keys, Reader};

use std::borrow::Cow;
use std::ops::Range;

use crate::surrogates::{self, LoneSurrogate, replace_lone_surrogates};

/// Bytes of a document, by offset into all documents that were read together.
pub(crate) type Span = Range<u32>;

/// The most bytes that all documents together may have: offsets are 32 bits.
pub(crate) const MOST_BYTES: usize = 0xffff_fff0;

/// The documents that are read together.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// All of them, one after the other. Half of a surrogate pair is replaced, because no JSON reader
    /// accepts it.
    pub(crate) text: Vec<u8>,
    /// The halves of surrogate pairs that were replaced, by place.
    lone_surrogates: Vec<LoneSurrogate>,
    /// The name of each, and its bytes without the line break after it; ascending.
    files: Vec<(String, Span)>,
}

impl Documents {
    /// Adds a document.
    ///
    /// # Errors
    ///
    /// If all documents together are too large.
    pub(crate) fn add(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let begins = self.text.len();
        let text = &mut self.text;
        let done = read(text).and_then(|()| {
            // With a line break between them, the end of one document and the start of the next differ.
            text.push(b'\n');
            if text.len() > MOST_BYTES {
                return Err(std::io::Error::other("all files together contain more than 4 GiB"));
            }
            Ok(())
        });
        if done.is_err() {
            self.text.truncate(begins);
        }
        done?;
        let mut lone = replace_lone_surrogates(&mut self.text[begins..]);
        for half in &mut lone {
            half.at += begins;
        }
        self.lone_surrogates.extend(lone);
        let span = offset(begins)..offset(self.text.len() - 1);
        self.files.push((name.to_owned(), span));
        Ok(())
    }

    /// Adds a document that is in memory.
    pub(crate) fn add_text(&mut self, name: &str, json: &str) -> std::io::Result<()> {
        self.add(name, |text| {
            // Space for the line break is reserved, too, so that the text is not copied again.
            text.reserve_exact(json.len() + 1);
            text.extend_from_slice(json.as_bytes());
            Ok(())
        })
    }

    /// How many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.lone_surrogates.capacity() * size_of::<LoneSurrogate>()
    }

    /// The halves of surrogate pairs in a part of the documents, each with its place.
    fn lone_surrogates(&self, part: &Span) -> impl Iterator<Item = (Span, &LoneSurrogate)> {
        let place = |half: &LoneSurrogate| offset(half.at)..offset(half.at + surrogates::LENGTH);
        let from = self.lone_surrogates.partition_point(|half| place(half).end <= part.start);
        let rest = self.lone_surrogates[from..].iter().map(move |half| (place(half), half));
        rest.take_while(|(place, _)| place.start < part.end)
    }

    /// A part of the documents, as it was written.
    fn original(&self, from: usize, to: usize) -> Cow<'_, [u8]> {
        let mut part = Cow::Borrowed(&self.text[from..to]);
        for (place, half) in self.lone_surrogates(&(offset(from)..offset(to))) {
            for (at, byte) in (place.start as usize..).zip(half.escape) {
                if (from..to).contains(&at) {
                    part.to_mut()[at - from] = byte;
                }
            }
        }
        part
    }

    /// The bytes of each document, without the line break after it.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        self.files.iter().map(|(_, span)| span.clone())
    }
}

/// An offset into documents.
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("documents have at most `MOST_BYTES`")
}
