//! A walk is a paging run: the pages of one query, fetched one after the other or in parallel.
//!
//! Workers may fetch pages in any order, and several clients may fetch the same pages. So a walk is
//! judged by how often each page was fetched, not by the order: a client that fetches all pages
//! fetches each page once.

use super::{Rule, ServedPage};
use crate::sandbox::peer::ResponseReceipt;

/// Pages after this one are not counted.
const MAX_PAGES: usize = 65_536;

/// The fetched pages of one query.
#[derive(Debug, Default)]
pub(super) struct PageWalk {
    /// How often each page was fetched, from page 1.
    fetched: Vec<u8>,
    /// Pages that failed. They are kept after a success, because another client may have given up
    /// there.
    failed: Vec<usize>,
    /// The least and the greatest number of the last page in the responses. They differ if the data
    /// changes.
    last: (u64, u64),
    /// Whether a client may ask for the page after the last one.
    open_end: bool,
    /// The receipt of its first response.
    receipt: Option<ResponseReceipt>,
    /// The numbers of the first and the newest request.
    pub(super) requests: (u64, u64),
    /// The path of the query: `/v1/messages`.
    pub(super) path: &'static str,
}

impl PageWalk {
    /// Notes a page that was fetched.
    pub(super) fn note_page(
        &mut self,
        number: u64,
        seen: &ServedPage,
        receipt: impl Fn() -> ResponseReceipt,
    ) {
        self.note_request(number);
        self.receipt.get_or_insert_with(receipt);
        let reported = seen.reported_last.unwrap_or(seen.last);
        let (least, most) = (reported.min(seen.last), reported.max(seen.last));
        self.last = if self.last.1 == 0 {
            (least, most)
        } else {
            (self.last.0.min(least), self.last.1.max(most))
        };
        self.open_end |= seen.open_end;
        if let Some(page) = place(seen.page)
            && seen.page <= seen.last
        {
            if self.fetched.len() <= page {
                self.fetched.resize(page + 1, 0);
            }
            self.fetched[page] = self.fetched[page].saturating_add(1);
        }
    }

    /// Notes a page that failed.
    pub(super) fn note_failure(&mut self, number: u64, page: u64) {
        self.note_request(number);
        if let Some(page) = place(page)
            && self.failed.len() < 64
            && !self.failed.contains(&page)
        {
            self.failed.push(page);
        }
    }

    /// Whether a page is after the last one of every response so far, though the client may have
    /// seen the first response.
    pub(super) fn is_past_end(
        &self,
        page: u64,
        may_have_seen: impl Fn(&ResponseReceipt) -> bool,
    ) -> bool {
        page > self.last.1 + u64::from(self.open_end)
            && self.receipt.as_ref().is_some_and(may_have_seen)
    }

    /// The last page according to the responses.
    pub(super) fn last(&self) -> u64 {
        self.last.1
    }

    /// Subtracts a page that was counted but not received by the client.
    pub(super) fn discard_page(&mut self, page: u64) {
        if let Some(fetched) = place(page).and_then(|page| self.fetched.get_mut(page)) {
            *fetched = fetched.saturating_sub(1);
        }
    }

    fn note_request(&mut self, number: u64) {
        if self.requests.0 == 0 {
            self.requests.0 = number;
        }
        self.requests.1 = number;
    }

    /// Whether it begins or ends with a request, so that a finding would name the request. A single
    /// request is no walk.
    pub(super) fn is_bounded_by(&self, number: u64) -> bool {
        let (first, newest) = self.requests;
        first != newest && (number == first || number == newest)
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.fetched.len() + 8 * self.failed.len()
    }

    /// The finding, if no further request follows.
    pub(super) fn judge(&self) -> Option<(Rule, String)> {
        let times = &self.fetched;
        let of = |page: usize| times.get(page).copied().unwrap_or(0);
        let different = times.iter().filter(|times| **times > 0).count();
        // A single page is no walk; a client may want just that page.
        if different < 2 {
            return None;
        }
        for (page, pair) in times.windows(2).enumerate() {
            // A client that gave up at a failed page did not skip it.
            if pair[0] == 0 && pair[1] > 0 && !self.failed.contains(&page) {
                let path = self.path;
                let (left_out, next) = (page + 1, page + 2);
                let what = format!("{path}: page {next} was fetched, but page {left_out} was not");
                return Some((Rule::SkippedPage, what));
            }
            if pair[0] > 0 && pair[1] > pair[0] {
                return self.repeated_page(page);
            }
        }
        // Some clients went beyond page 1 and ended before the last page, and no failure stopped
        // them.
        for page in 1..times.len() {
            let (here, next) = (of(page), of(page + 1));
            if here > next && page as u64 + 1 < self.last.0 && !self.failed.contains(&(page + 1)) {
                let (path, page, last) = (self.path, page + 1, self.last.0);
                let what = format!("{path}: the client stopped at page {page} of {last}");
                return Some((Rule::StoppedEarly, what));
            }
        }
        None
    }

    /// The finding that the page after this one was fetched more often than this one.
    fn repeated_page(&self, page: usize) -> Option<(Rule, String)> {
        let (path, times) = (self.path, self.fetched.get(page + 1)?);
        let next = page + 2;
        let before = match self.fetched[page] {
            1 => "once".to_owned(),
            walks => format!("{walks} times"),
        };
        let what = format!(
            "{path}: page {next} was fetched {times} times, but page {} only {before}",
            page + 1
        );
        Some((Rule::RepeatedPage, what))
    }
}

/// The place of a page in the list, if it is counted.
fn place(page: u64) -> Option<usize> {
    let place = usize::try_from(page).ok()?.checked_sub(1)?;
    (place < MAX_PAGES).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::peer::Peer;

    fn receipt() -> ResponseReceipt {
        Peer::local().receipt(std::time::Duration::ZERO)
    }

    /// The rule that a walk through these pages breaks, if page `last` is the last.
    fn judged(pages: &[u64], last: u64) -> Option<&'static str> {
        let mut walk = PageWalk::default();
        for page in pages {
            let seen = ServedPage {
                page: *page,
                size: 10,
                rows: 10,
                last,
                reported_last: Some(last),
                open_end: false,
                filter: None,
            };
            walk.note_page(1, &seen, receipt);
        }
        walk.judge().map(|(rule, _)| rule.name())
    }

    #[test]
    fn complete_walks_have_no_findings_in_any_order() {
        for pages in [
            &[1, 2, 3][..],
            &[1, 3, 2],
            &[1, 1, 2, 3, 2, 3],
            &[1, 2, 3, 1, 2, 3, 1],
            &[1],
            &[1, 1, 1],
            &[2],
            &[3, 3],
        ] {
            assert_eq!(judged(pages, 3), None, "{pages:?}");
        }
    }

    #[test]
    fn incomplete_walks_have_findings() {
        for (pages, rule) in [
            (&[1, 3][..], "skipped-page"),
            (&[2, 3], "skipped-page"),
            (&[1, 2, 2, 3], "repeated-page"),
            (&[1, 2, 3, 3], "repeated-page"),
            (&[1, 2], "stopped-early"),
            (&[1, 2, 3, 1, 2], "stopped-early"),
        ] {
            assert_eq!(judged(pages, 3), Some(rule), "{pages:?}");
        }
    }

    #[test]
    fn giving_up_at_a_failure_is_no_early_stop() {
        let mut walk = PageWalk::default();
        let page = |page| ServedPage {
            page,
            size: 10,
            rows: 10,
            last: 5,
            reported_last: Some(5),
            open_end: false,
            filter: None,
        };
        walk.note_page(1, &page(1), receipt);
        walk.note_page(2, &page(2), receipt);
        walk.note_failure(3, 3);
        assert_eq!(walk.judge(), None);
        walk.note_page(4, &page(3), receipt);
        assert_eq!(walk.judge().unwrap().0, Rule::StoppedEarly);
        walk.discard_page(3);
        walk.note_failure(5, 3);
        assert_eq!(walk.judge(), None);
    }
}
