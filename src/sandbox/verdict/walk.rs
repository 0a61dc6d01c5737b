//! A walk: the pages of one query, fetched one after the other or side by side.
//!
//! Workers may fetch pages in any order and several may walk at once, so a walk is judged by how
//! often each page was fetched, not by the order: whoever walks to the end fetches each page once.

use super::{PageSeen, Rule};
use crate::sandbox::peer::Heard;

/// Pages behind this one are not followed.
const MOST_PAGES: usize = 65_536;

/// The pages of one query.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// How often each page was answered, from page 1.
    fetched: Vec<u8>,
    /// Pages of which an answer failed. Who gave up there is not known, so they stay.
    failed: Vec<usize>,
    /// The last page by the answers, at least and at most: while data changes they differ.
    last: (u64, u64),
    /// Whether the page behind the last one may be asked for.
    open_end: bool,
    /// Its first answer.
    heard: Option<Heard>,
    /// The numbers of the first and the newest request.
    pub(super) requests: (u64, u64),
    /// What is walked through: `/v1/messages`.
    pub(super) path: &'static str,
}

impl Walk {
    /// Notes a page that was answered.
    pub(super) fn fetched(&mut self, number: u64, seen: &PageSeen, heard: impl Fn() -> Heard) {
        self.note(number);
        self.heard.get_or_insert_with(heard);
        let told = seen.told.unwrap_or(seen.last);
        let (least, most) = (told.min(seen.last), told.max(seen.last));
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

    /// Notes a page whose answer failed.
    pub(super) fn failed(&mut self, number: u64, page: u64) {
        self.note(number);
        if let Some(page) = place(page)
            && self.failed.len() < 64
            && !self.failed.contains(&page)
        {
            self.failed.push(page);
        }
    }

    /// Whether a page lies behind all that any answer before told of, to someone who knows of its
    /// first one.
    pub(super) fn is_past_end(&self, page: u64, knows: impl Fn(&Heard) -> bool) -> bool {
        page > self.last.1 + u64::from(self.open_end) && self.heard.as_ref().is_some_and(knows)
    }

    /// The last page, as far as was told.
    pub(super) fn last(&self) -> u64 {
        self.last.1
    }

    /// Takes a page back that the client never got.
    pub(super) fn lost(&mut self, page: u64) {
        if let Some(fetched) = place(page).and_then(|page| self.fetched.get_mut(page)) {
            *fetched = fetched.saturating_sub(1);
        }
    }

    fn note(&mut self, number: u64) {
        if self.requests.0 == 0 {
            self.requests.0 = number;
        }
        self.requests.1 = number;
    }

    /// Whether it begins or ends with a request, which a finding would name. One request alone is
    /// no walk.
    pub(super) fn is_named_by(&self, number: u64) -> bool {
        let (first, newest) = self.requests;
        first != newest && (number == first || number == newest)
    }

    /// How much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.fetched.len() + 8 * self.failed.len()
    }

    /// What is wrong with it, if it is over.
    pub(super) fn judge(&self) -> Option<(Rule, String)> {
        let times = &self.fetched;
        let of = |page: usize| times.get(page).copied().unwrap_or(0);
        let different = times.iter().filter(|times| **times > 0).count();
        // A page by itself is no walk: someone looked at it.
        if different < 2 {
            return None;
        }
        for (page, pair) in times.windows(2).enumerate() {
            // What failed and was given up is no page that was left out.
            if pair[0] == 0 && pair[1] > 0 && !self.failed.contains(&page) {
                let path = self.path;
                let (left_out, next) = (page + 1, page + 2);
                let what = format!("{path}: page {next} was fetched, page {left_out} never");
                return Some((Rule::SkippedPage, what));
            }
            if pair[0] > 0 && pair[1] > pair[0] {
                return self.repeated(page);
            }
        }
        // Some who went on behind page 1 ended before the last one, and no failure stopped them.
        for page in 1..times.len() {
            let (here, next) = (of(page), of(page + 1));
            if here > next && page as u64 + 1 < self.last.0 && !self.failed.contains(&(page + 1)) {
                let (path, page, last) = (self.path, page + 1, self.last.0);
                let what = format!("{path}: the walk ended with page {page} of {last}");
                return Some((Rule::StoppedEarly, what));
            }
        }
        None
    }

    /// The page behind this one was fetched more often than this one.
    fn repeated(&self, page: usize) -> Option<(Rule, String)> {
        let (path, times) = (self.path, self.fetched.get(page + 1)?);
        let (next, walks) = (page + 2, self.fetched[page]);
        let what =
            format!("{path}: page {next} was fetched {times} times, page {} {walks}", page + 1);
        Some((Rule::RepeatedPage, what))
    }
}

/// The place of a page, where it is followed.
fn place(page: u64) -> Option<usize> {
    let place = usize::try_from(page).ok()?.checked_sub(1)?;
    (place < MOST_PAGES).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::peer::Peer;

    fn heard() -> Heard {
        Peer::nobody().hears(std::time::Duration::ZERO)
    }

    /// What is thought of pages that are fetched of so many.
    fn judged(pages: &[u64], last: u64) -> Option<&'static str> {
        let mut walk = Walk::default();
        for page in pages {
            let seen = PageSeen {
                page: *page,
                size: 10,
                rows: 10,
                last,
                told: Some(last),
                open_end: false,
                filter: None,
            };
            walk.fetched(1, &seen, heard);
        }
        walk.judge().map(|(rule, _)| rule.name())
    }

    #[test]
    fn whoever_walks_to_the_end_is_right_in_any_order_and_company() {
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
    fn whoever_does_not_is_told() {
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
    fn whoever_gives_up_on_a_failure_did_not_stop_early() {
        let mut walk = Walk::default();
        let page = |page| PageSeen {
            page,
            size: 10,
            rows: 10,
            last: 5,
            told: Some(5),
            open_end: false,
            filter: None,
        };
        walk.fetched(1, &page(1), heard);
        walk.fetched(2, &page(2), heard);
        walk.failed(3, 3);
        assert_eq!(walk.judge(), None);
        walk.fetched(4, &page(3), heard);
        assert_eq!(walk.judge().unwrap().0, Rule::StoppedEarly);
        walk.lost(3);
        walk.failed(5, 3);
        assert_eq!(walk.judge(), None);
    }
}
