//! What the control API tells of a client's requests.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::query::Asked;
use super::{Failure, sandboxes};
use crate::api::respond;
use crate::report::Format;
use crate::sandbox::Sandboxes;
use crate::sandbox::verdict::Verdict;

/// `GET /__admin/sandboxes/{id}/verdict`
pub(super) fn of_sandbox(
    all: &Sandboxes,
    id: &str,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    // A part of what came must not be taken for all of it.
    let sandbox = if all.journals().is_on() {
        all.whole(id).map_err(Failure::not_found)?
    } else {
        all.find(id)
    };
    let sandbox = sandbox.ok_or_else(|| sandboxes::unknown(all, id))?;
    answer(all, sandbox.verdict(), asked, headers)
}

/// `GET /__admin/verdict`: of all requests since the server began, those of sandboxes that have
/// ended included.
pub(super) fn of_all(
    all: &Sandboxes,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    answer(all, all.verdict(), asked, headers)
}

/// As `Accept` asks, without the rules that `mute` names.
fn answer(
    all: &Sandboxes,
    verdict: Verdict,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    if !all.journals().is_on() {
        let message = "there is no journal (--journal 0), and so no verdict";
        return Err(Failure::not_found(message));
    }
    let verdict = asked.mute.iter().fold(verdict, |verdict, rule| verdict.mute(*rule));
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or("*/*"));
    let mut response = respond(verdict.write(format));
    let media_type = HeaderValue::from_static(format.media_type());
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}
