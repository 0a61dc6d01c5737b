//! Paging hazards: what can happen to a client while it walks through pages. Each is off by
//! default, and each is a pure function of the number of matches and the page: page 1 is seen
//! before something happens, every later page after it. So any walk meets it, alone or beside
//! others, and meets it again.

use std::fmt;

use crate::contract::operation_of;
use crate::contract::{ENDPOINTS, Operation};
use crate::records::store::Slice;
use crate::suggest::unknown;

/// Something that happens to a client between two pages of a walk.
///
/// Which of them the vendor is known to do stands in `docs/HAZARDS.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// After page 1 the newest record arrives: page 1 does not have it. Newest first, every later
    /// page begins one row earlier, and repeats the last row of the page before; oldest first, the
    /// last page has one row more than the first `total` said.
    Arrival,
    /// After page 1 its first record leaves: every later page begins one row later, so a row falls
    /// between page 1 and page 2.
    Departure,
    /// Page 1 has one row less than asked, though more pages follow. No row is lost.
    ShortPage,
    /// The last row of page 1 is the first of page 2 again. No row is lost.
    RepeatedRow,
    /// `total` is one more on every second page. Rows do not move.
    MovingTotal,
    /// There are just as many rows as fill the last page: further ones are cut off. A client that
    /// stops at a short page asks for one page too many.
    ExactMultiple,
}

/// A hazard's word, what it does, and what is known of the vendor.
pub(crate) struct HazardRow {
    pub(crate) hazard: Hazard,
    pub(crate) word: &'static str,
    #[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "only documents show it"))]
    pub(crate) about: &'static str,
    #[cfg_attr(
        not(feature = "docs"),
        allow(dead_code, reason = "the page on hazards alone says it")
    )]
    pub(crate) vendor: &'static str,
}

/// Every hazard.
pub(crate) const HAZARDS: [HazardRow; 6] = [
    HazardRow {
        hazard: Hazard::Arrival,
        word: "arrival",
        about: "After page 1 the newest record arrives. Newest first (the list, v2 messages) all \
                rows move on by one: page 2 begins with the last row of page 1. Oldest first (Q&A, \
                v1 messages) the end has one row more than page 1's `total` said.",
        vendor: "Follows from pages that are counted by number while people go on chatting. No \
                 page of the vendor's says otherwise; nobody has published a case.",
    },
    HazardRow {
        hazard: Hazard::Departure,
        word: "departure",
        about: "After page 1 its first record leaves: all later rows move up by one, so the first \
                row of page 2 is never seen.",
        vendor: "Follows from pages that are counted by number wherever records can be deleted or \
                 fall out of the window. Whether the vendor deletes conversations is not known.",
    },
    HazardRow {
        hazard: Hazard::ShortPage,
        word: "short-page",
        about: "Page 1 has one row less than asked, though more pages follow. The row comes first \
                on page 2; nothing is lost.",
        vendor: "Not known. The Q&A list has no `total`, so a client that stops at the first short \
                 page cannot tell.",
    },
    HazardRow {
        hazard: Hazard::RepeatedRow,
        word: "repeated-row",
        about: "The last row of page 1 is the first of page 2 again; `total` does not count it.",
        vendor: "Not known. It is what an unstable order of rows with the same time looks like.",
    },
    HazardRow {
        hazard: Hazard::MovingTotal,
        word: "moving-total",
        about: "`total` is one more on every second page. The rows do not move.",
        vendor: "Not known. Counts that are cached apart from the rows do it.",
    },
    HazardRow {
        hazard: Hazard::ExactMultiple,
        word: "exact-multiple",
        about: "What does not fill a page of the size that is asked for is cut off at the end, so \
                the last page is full. With less than one page, nothing changes.",
        vendor: "Happens to every client whose records happen to fill their pages: documented \
                 paging, no fault of the server's.",
    },
];

impl Hazard {
    /// The word for it: `short-page`.
    #[must_use]
    pub fn word(self) -> &'static str {
        // A row stands at the place of its hazard, which a test holds.
        HAZARDS[self as usize].word
    }
}

/// The hazards of each operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hazards([u8; Operation::COUNT]);

impl Hazards {
    /// Adds one, to an operation or to all.
    pub(crate) fn add(&mut self, operation: Option<Operation>, hazard: Hazard) {
        for endpoint in ENDPOINTS {
            if operation.is_none_or(|operation| operation == endpoint.operation) {
                self.0[endpoint.operation as usize] |= 1 << hazard as u8;
            }
        }
    }

    /// All of them as one number.
    pub(crate) fn bits(self) -> u32 {
        u32::from_le_bytes(self.0)
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits.to_le_bytes())
    }

    fn has(self, operation: Operation, hazard: Hazard) -> bool {
        self.0[operation as usize] & 1 << hazard as u8 != 0
    }

    /// Adds the hazard of a text: `arrival` for all operations, `qa:short-page` for one.
    pub(crate) fn add_text(&mut self, text: &str) -> Result<(), String> {
        let (operation, word) = match text.split_once(':') {
            Some((operation, word)) => (Some(operation_of(operation)?), word),
            None => (None, text),
        };
        let row = HAZARDS.iter().find(|row| row.word == word);
        let row = row.ok_or_else(|| unknown("hazard", word, HAZARDS.iter().map(|row| row.word)))?;
        self.add(operation, row.hazard);
        Ok(())
    }

    /// Each as a text that [`Hazards::add_text`] takes.
    pub(crate) fn texts(self) -> Vec<String> {
        let mut texts = Vec::new();
        for row in &HAZARDS {
            let with = ENDPOINTS.iter().filter(|endpoint| self.has(endpoint.operation, row.hazard));
            let with: Vec<_> =
                with.map(|endpoint| format!("{}:{}", endpoint.id, row.word)).collect();
            if with.len() == ENDPOINTS.len() {
                texts.push(row.word.to_owned());
            } else {
                texts.extend(with);
            }
        }
        texts
    }
}

/// How the rows of an answer are ordered.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// Against the order of the store.
    pub(crate) reversed: bool,
    pub(crate) newest_first: bool,
}

/// A page as it is seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) slice: Slice,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// What `total` says.
    pub(crate) total: u64,
    /// The last page that there is; from 1.
    pub(crate) last: u64,
    /// Whether the last page is full, so that its length does not tell that it is the last.
    pub(crate) last_is_full: bool,
}

impl Seen {
    /// A page of `size` rows (from 1), by number (from 1), of so many matches.
    pub(crate) fn page(
        matches: u64,
        (page, size): (u64, u64),
        order: Order,
        operation: Operation,
        hazards: Hazards,
    ) -> Self {
        let skip = (page - 1).saturating_mul(size);
        let slice = Slice { skip, take: size, reversed: order.reversed };
        if hazards == Hazards::default() {
            let (rows, last) = (slice.len(matches), matches.div_ceil(size).max(1));
            let last_is_full = matches > 0 && matches.is_multiple_of(size);
            return Self { slice, rows, total: matches, last, last_is_full };
        }
        let has = |hazard| hazards.has(operation, hazard);
        let later = page > 1;
        // The rows that there are, in the order of the answer.
        let (mut start, mut end) = (0, matches);
        if has(Hazard::ExactMultiple) && matches >= size {
            end -= matches % size;
        }
        let arrives = has(Hazard::Arrival) && end > 0;
        // Where page 1 had all rows there were no others to hold back or to repeat.
        let several = end - u64::from(arrives) > size;
        if arrives && !later {
            if order.newest_first {
                start = 1;
            } else {
                end -= 1;
            }
        }
        if has(Hazard::Departure) && later && end > 0 {
            start = 1;
        }
        let rows = end - start;
        let (mut skip, mut take, mut more) = (skip, size, 0);
        if several {
            if has(Hazard::RepeatedRow) {
                skip = skip.saturating_sub(u64::from(later));
                more += 1;
            }
            if has(Hazard::ShortPage) {
                skip = skip.saturating_sub(u64::from(later));
                take -= u64::from(!later);
                more += 1;
            }
        }
        let skip = skip.saturating_add(start);
        let take = take.min(end.saturating_sub(skip));
        let moved = has(Hazard::MovingTotal) && page.is_multiple_of(2);
        Self {
            slice: Slice { skip, take, ..slice },
            rows: take,
            total: rows + u64::from(moved),
            last: (rows + more).div_ceil(size).max(1),
            last_is_full: rows > 0 && (rows + more).is_multiple_of(size),
        }
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests;
