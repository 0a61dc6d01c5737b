//! Rows that are kept as they are written: those of a fixture, as long as they are small. A page
//! of them is a copy, mostly one.

use std::sync::OnceLock;

use crate::json::{Out, Piece};

/// The most that the rows of one kind may take, in bytes. Those of a larger fixture are written
/// when they are asked for.
const MOST: usize = 16 << 20;

/// The rows of one kind by number, made when the first is asked for.
#[derive(Default)]
pub(super) struct Rendered {
    rows: OnceLock<Option<Rows>>,
}

/// One row behind the other, each with a comma before it.
pub(super) struct Rows {
    bytes: Vec<u8>,
    /// Where each row begins, and where the last one ends.
    bounds: Vec<u32>,
}

impl Rendered {
    /// The rows, if they are small enough to be kept. `render` hands on all there are, in the
    /// order of their numbers, each with a comma before it, until it is told to stop.
    pub(super) fn rows(&self, render: impl FnOnce(&mut Renderer)) -> Option<&Rows> {
        let rows = self.rows.get_or_init(|| {
            let mut renderer = Renderer { out: Out::with_room(MOST / 256), bounds: vec![0] };
            render(&mut renderer);
            renderer.finish()
        });
        rows.as_ref()
    }
}

impl Rows {
    /// Writes rows by number, with commas between them; those that follow each other at once.
    pub(super) fn write(&self, mut numbers: impl Iterator<Item = u32>, out: &mut Out) {
        let Some(mut from) = numbers.next() else { return };
        let mut to = from + 1;
        // The first row of a page has no comma.
        let mut skipped = 1;
        for number in numbers {
            if number != to {
                out.bytes(&self.between(from, to)[skipped..]);
                (from, skipped) = (number, 0);
            }
            to = number + 1;
        }
        out.bytes(&self.between(from, to)[skipped..]);
    }

    fn between(&self, from: u32, to: u32) -> &[u8] {
        &self.bytes[self.bounds[from as usize] as usize..self.bounds[to as usize] as usize]
    }
}

/// Takes rows, as long as there are not too many.
pub(super) struct Renderer {
    out: Out,
    bounds: Vec<u32>,
}

impl Renderer {
    /// Takes a row. `false`: there are too many, no more are wanted.
    pub(super) fn row(&mut self, row: &impl Piece) -> bool {
        if self.out.len() > MOST {
            return false;
        }
        self.out.write(row);
        self.bounds.extend(u32::try_from(self.out.len()));
        self.out.len() <= MOST
    }

    fn finish(self) -> Option<Rows> {
        if self.out.len() > MOST {
            return None;
        }
        let Self { out, mut bounds } = self;
        let mut bytes = out.into_bytes();
        bytes.shrink_to_fit();
        bounds.shrink_to_fit();
        Some(Rows { bytes, bounds })
    }
}
