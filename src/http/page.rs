//! Which rows a page holds, and what lies past the last page.

use super::query::Query;
use super::refusal::Refusal;
use crate::contract::{Code, Endpoint, ErrorRow, PagePastEnd, Readings, Status};
use crate::hazard::{Hazards, Order, Seen};

/// How an endpoint is to be seen.
pub(super) struct View<'a> {
    pub(super) endpoint: &'static Endpoint,
    pub(super) readings: &'a Readings,
    pub(super) hazards: Hazards,
}

impl View<'_> {
    /// The page that is asked for, among so many matches.
    pub(super) fn page(
        &self,
        query: &Query<'_>,
        matches: u64,
        order: Order,
    ) -> Result<Seen, Refusal> {
        let asked = (query.page, query.page_size);
        let seen = Seen::page(matches, asked, order, self.endpoint.operation, self.hazards);
        let documented = |row: &ErrorRow| row.source.status == Status::Documented;
        let refuses = match self.readings.page_past_end {
            PagePastEnd::Documented => {
                self.endpoint.error(Code::PageExceedsTotal).is_some_and(documented)
            }
            PagePastEnd::Empty => false,
            PagePastEnd::Error => true,
        };
        if query.page > seen.last && refuses {
            let Seen { total, last, .. } = seen;
            return Err(Refusal::PagePastEnd { page: query.page, last, total });
        }
        Ok(seen)
    }
}
