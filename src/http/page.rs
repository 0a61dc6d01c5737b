//! Which rows a page holds, and what lies past the last page.

use super::query::Query;
use super::refusal::Refusal;
use crate::contract::{Code, Endpoint, PagePastEnd, Readings};
use crate::hazard::{Hazards, Order, Seen};
use crate::verdict::PageSeen;
use crate::world::{Agent, World};

/// How an endpoint is to be seen, and by whom.
pub(super) struct View<'a> {
    pub(super) world: &'a World,
    pub(super) agent: &'a Agent,
    pub(super) endpoint: &'static Endpoint,
    pub(super) readings: &'a Readings,
    pub(super) hazards: Hazards,
}

/// A page as it is answered.
pub(super) struct Page {
    pub(super) json: Vec<u8>,
    pub(super) seen: PageSeen,
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
        let refuses = match self.readings.page_past_end {
            PagePastEnd::Documented => self.endpoint.documents(Code::PageExceedsTotal),
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

impl Page {
    /// The page that was seen. `tells_total`: it says how many rows there are in all; `filter`:
    /// the place of the filter's value among its words.
    pub(super) fn new(
        json: Vec<u8>,
        query: &Query<'_>,
        seen: &Seen,
        tells_total: bool,
        filter: Option<usize>,
    ) -> Self {
        let seen = PageSeen {
            page: query.page,
            size: query.page_size,
            rows: seen.rows,
            last: seen.last,
            last_is_full: seen.total > 0 && seen.total.is_multiple_of(query.page_size),
            tells_total,
            filter,
        };
        Self { json, seen }
    }
}
