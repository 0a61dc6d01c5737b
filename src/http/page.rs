//! Which rows a page holds, and what lies past the last page.

use super::query::Query;
use super::refusal::Refusal;
use crate::contract::{Code, Endpoint, Operation, PagePastEnd};
use crate::store::Slice;

/// The rows of the page that is asked for, among `total`.
pub(super) fn slice(
    endpoint: &Endpoint,
    query: &Query<'_>,
    total: u64,
    past_end: PagePastEnd,
    reversed: bool,
) -> Result<Slice, Refusal> {
    // Page 1 is always there, even of nothing.
    let last = total.div_ceil(query.page_size).max(1);
    if query.page > last {
        let refuses = match past_end {
            PagePastEnd::Documented => {
                matches!(endpoint.operation, Operation::Messages | Operation::MessagesV2)
            }
            PagePastEnd::Empty => false,
            PagePastEnd::Error => true,
        };
        if refuses && endpoint.error(Code::PageExceedsTotal).is_some() {
            return Err(Refusal::PagePastEnd { page: query.page, last, total });
        }
    }
    let skip = (query.page - 1).saturating_mul(query.page_size);
    Ok(Slice { skip, take: query.page_size, reversed })
}
