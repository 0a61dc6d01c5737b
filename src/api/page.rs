//! The rows of a page, and the refusal of pages past the last one.

use axum::response::{IntoResponse, Response};

use super::agent_view::AgentView;
use super::query::Query;
use super::refusal::Refusal;
use super::response::{ResponseMeta, respond};
use crate::contract::{Code, Endpoint, PagePastEnd};
use crate::sandbox::hazard::{RowOrder, VisiblePage};
use crate::sandbox::verdict::ServedPage;

/// A page as it is answered.
pub(super) struct Page {
    json: Vec<u8>,
    seen: ServedPage,
}

impl AgentView {
    /// The page that the query asks for, among all matches.
    pub(super) fn page(
        &self,
        query: &Query,
        matches: u64,
        order: RowOrder,
    ) -> Result<VisiblePage, Refusal> {
        let asked = (query.page, query.page_size);
        let seen = VisiblePage::page(matches, asked, order, self.endpoint.operation, self.hazards);
        let refuses = match self.readings.page_past_end {
            PagePastEnd::Documented => self.endpoint.documents(Code::PageExceedsTotal),
            PagePastEnd::Empty => false,
            PagePastEnd::Error => true,
        };
        if query.page > seen.last && refuses {
            let VisiblePage { total, last, .. } = seen;
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
        endpoint: &Endpoint,
        query: &Query,
        seen: &VisiblePage,
        tells_total: bool,
        filter: Option<usize>,
    ) -> Self {
        let VisiblePage { rows, total, last, last_is_full, .. } = *seen;
        let seen = ServedPage {
            page: query.page,
            size: query.page_size,
            rows,
            last,
            reported_last: tells_total.then(|| total.div_ceil(query.page_size).max(1)),
            // On the list many a client goes by the length of the page; on messages the page behind
            // the last one is an error, so it goes by the total.
            open_end: !tells_total || (last_is_full && !endpoint.documents(Code::PageExceedsTotal)),
            filter,
        };
        Self { json, seen }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = respond(self.json);
        ResponseMeta::of(&mut response).page = Some(self.seen);
        response
    }
}
