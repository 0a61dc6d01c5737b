//! Paging hazards: changes of the data while a client fetches page after page. Each is off by default.
//! Each is a pure function of the number of matches and the page: page 1 shows the data before the
//! change, every later page the data after it. So every paging run meets the hazard, even if it is
//! repeated or if several run in parallel.

use std::fmt;

use crate::contract::operation_of;
use crate::contract::{ENDPOINTS, Operation};
use crate::records::store::Slice;
use crate::suggest::unknown;

/// A change of the data between two page requests.
///
/// `docs/hazards.md` says which of them the vendor's service is known to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// The newest record arrives after page 1. If the newest is first, page 2 repeats the last row
    /// of page 1; if the oldest is first, the last page has one row more than the `total` of page
    /// 1.
    Arrival,
    /// The first record of page 1 is deleted after page 1, so every later page begins one row
    /// later, and a row between page 1 and page 2 is missed.
    Departure,
    /// Page 1 has one row less than `page_size`, though more pages follow. No row is lost.
    ShortPage,
    /// Page 2 begins with the last row of page 1. No row is lost.
    RepeatedRow,
    /// `total` is one higher on every second page. The rows do not change.
    MovingTotal,
    /// Rows at the end that do not fill a page are left out, so the last page is full. A client
    /// that stops at a short page requests one page too many.
    ExactMultiple,
}

/// A hazard with its word and its effect.
pub(crate) struct HazardRow {
    pub(crate) hazard: Hazard,
    pub(crate) word: &'static str,
    #[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "only documents show it"))]
    pub(crate) about: &'static str,
}

/// Every hazard.
pub(crate) const HAZARDS: [HazardRow; 6] = [
    HazardRow {
        hazard: Hazard::Arrival,
        word: "arrival",
        about: "A new record arrives after page 1. Where the newest row is first (the list, v2 \
                messages), all rows move down by one, so page 2 begins with the last row of page 1. \
                Where the oldest row is first (Q&A, v1 messages), the last page has one row more \
                than the `total` of page 1 said.",
    },
    HazardRow {
        hazard: Hazard::Departure,
        word: "departure",
        about: "The first record of page 1 is deleted after page 1. All later rows move up by one, \
                so the client never gets the row that was the first of page 2.",
    },
    HazardRow {
        hazard: Hazard::ShortPage,
        word: "short-page",
        about: "Page 1 has one row less than `page_size`, though more pages follow. The missing row \
                is the first of page 2, so no row is lost.",
    },
    HazardRow {
        hazard: Hazard::RepeatedRow,
        word: "repeated-row",
        about: "Page 2 begins with the last row of page 1; `total` counts this row once.",
    },
    HazardRow {
        hazard: Hazard::MovingTotal,
        word: "moving-total",
        about: "`total` is one higher on every second page. The rows do not change.",
    },
    HazardRow {
        hazard: Hazard::ExactMultiple,
        word: "exact-multiple",
        about: "Rows at the end that do not fill a page of the requested size are left out, so the \
                last page is full. If there is less than one page, nothing changes.",
    },
];

impl Hazard {
    /// The word for it: `short-page`.
    #[must_use]
    pub fn word(self) -> &'static str {
        // Row n belongs to hazard n; a test checks that.
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

    /// The hazards as texts that [`Hazards::add_text`] takes.
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

/// The order of the rows in a response.
#[derive(Clone, Copy)]
pub(crate) struct RowOrder {
    /// The opposite of the order of the store.
    pub(crate) reversed: bool,
    pub(crate) newest_first: bool,
}

/// A page as the client sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VisiblePage {
    pub(crate) slice: Slice,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// The value of `total`.
    pub(crate) total: u64,
    /// The number of the last page, from 1.
    pub(crate) last: u64,
    /// Whether the last page is full, so that a client cannot see that it is the last.
    pub(crate) last_is_full: bool,
}

impl VisiblePage {
    /// The page with a number and a size, both from 1, of the matches of a query.
    pub(crate) fn page(
        matches: u64,
        (page, size): (u64, u64),
        order: RowOrder,
        operation: Operation,
        hazards: Hazards,
    ) -> Self {
        let skip = (page - 1).saturating_mul(size);
        let slice = Slice { skip, take: size, reversed: order.reversed };
        let has = |hazard| hazards.has(operation, hazard);
        let later = page > 1;
        // The visible rows, in the order of the response.
        let (mut start, mut end) = (0, matches);
        if has(Hazard::ExactMultiple) && matches >= size {
            end -= matches % size;
        }
        let arrives = has(Hazard::Arrival) && end > 0;
        // If all rows fit on page 1, no row can be moved or repeated on page 2.
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
