//! The rows of a page, and the error for pages after the last one.

use axum::response::{IntoResponse, Response};

use super::agent_view::AgentView;
use super::query::Query;
use super::refusal::Refusal;
use super::response::{ResponseMeta, respond};
use crate::contract::{Code, Endpoint, PagePastEnd};
use crate::sandbox::hazard::{RowOrder, VisiblePage};
use crate::sandbox::verdict::ServedPage;

/// A page as it is sent.
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
    /// The page that the client sees. `has_total`: the response has the number of all rows; `filter`: the
    /// index of the filter's value.
    pub(super) fn new(
        json: Vec<u8>,
        endpoint: &Endpoint,
        query: &Query,
        seen: &VisiblePage,
        has_total: bool,
        filter: Option<usize>,
    ) -> Self {
        let VisiblePage { rows, total, last, last_is_full, .. } = *seen;
        let seen = ServedPage {
            page: query.page,
            size: query.page_size,
            rows,
            last,
            reported_last: has_total.then(|| total.div_ceil(query.page_size).max(1)),
            // For the list, many clients stop at a page that is not full. For messages, the page after the
            // last one is an error, so clients use the total.
            open_end: !has_total || (last_is_full && !endpoint.documents(Code::PageExceedsTotal)),
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
