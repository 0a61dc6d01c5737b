//! Which rows a page holds, and what lies past the last page.

use super::query::Query;
use super::refusal::Refusal;
use crate::contract::{Code, Endpoint, ErrorRow, PagePastEnd, Status};
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
        let documented = |row: &ErrorRow| row.source.status == Status::Documented;
        let refuses = match past_end {
            PagePastEnd::Documented => {
                endpoint.error(Code::PageExceedsTotal).is_some_and(documented)
            }
            PagePastEnd::Empty => false,
            PagePastEnd::Error => true,
        };
        if refuses {
            return Err(Refusal::PagePastEnd { page: query.page, last, total });
        }
    }
    let skip = (query.page - 1).saturating_mul(query.page_size);
    Ok(Slice { skip, take: query.page_size, reversed })
}
