//! Operations that answer a verdict.

use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};

use super::extract::{Path, Query, VerdictFilter};
use super::operation::{Operation, ResponseKind};
use super::{Failure, sandboxes};
use crate::keys::SandboxId;
use crate::report::Format;
use crate::sandbox::Sandboxes;
use crate::sandbox::verdict::Verdict;

pub(super) fn of_sandbox() -> Operation {
    Operation::new(Method::GET, "/sandboxes/{id}/verdict", "sandboxVerdict")
        .about("the verdict on the requests of a sandbox; `Accept` selects JSON, text or JUnit")
        .answers_as(ResponseKind::Verdict)
        .fails(&[404])
        .blocking(|call, (Path(id), query, headers): (Path<SandboxId>, Query<VerdictFilter>, HeaderMap)| {
            // If some requests are missing, the verdict would look complete, so we refuse it.
            let sandbox = if call.journals().is_on() {
                call.find_complete(&id).map_err(Failure::not_found)?
            } else {
                call.find(&id)
            };
            let sandbox = sandbox.ok_or_else(|| sandboxes::unknown(call, &id))?;
            answer(call, sandbox.verdict(), &query.0, &headers)
        })
}

pub(super) fn of_server() -> Operation {
    Operation::new(Method::GET, "/verdict", "verdict")
        .about(
            "the verdict on all requests, including those of ended sandboxes; `Accept` selects JSON, \
             text or JUnit",
        )
        .answers_as(ResponseKind::Verdict)
        .fails(&[404])
        .blocking(|call, (query, headers): (Query<VerdictFilter>, HeaderMap)| {
            answer(call, call.verdict(), &query.0, &headers)
        })
}

/// Answers with a verdict as `Accept` asks, without the rules that are muted.
fn answer(
    sandboxes: &Sandboxes,
    verdict: Verdict,
    muted: &VerdictFilter,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    if !sandboxes.journals().is_on() {
        let message = "there is no journal (--journal 0), so there is no verdict";
        return Err(Failure::not_found(message));
    }
    let verdict = muted.mute.iter().fold(verdict, |verdict, rule| verdict.mute(*rule));
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or("*/*"));
    let content_type = [(header::CONTENT_TYPE, format.media_type())];
    Ok((content_type, verdict.write(format)).into_response())
}
