//! What the control API tells of a client's requests.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::{Failure, sandboxes};
use crate::http::respond;
use crate::report::Format;
use crate::sandbox::Sandboxes;
use crate::verdict::{Rule, Verdict};

/// `GET /__admin/sandboxes/{id}/verdict`
pub(super) fn of_sandbox(all: &Sandboxes, id: &str, head: &Parts) -> Result<Response, Failure> {
    let sandbox = all.find(id).ok_or_else(|| sandboxes::unknown(id))?;
    answer(all, sandbox.verdict(), head)
}

/// `GET /__admin/verdict`: of all requests since the server began, those of sandboxes that have
/// ended included.
pub(super) fn of_all(all: &Sandboxes, head: &Parts) -> Result<Response, Failure> {
    answer(all, all.verdict(), head)
}

/// As `Accept` asks, without the rules that `mute` names.
fn answer(all: &Sandboxes, mut verdict: Verdict, head: &Parts) -> Result<Response, Failure> {
    if !all.journals().is_on() {
        let message = "there is no journal (--journal 0), and so no verdict";
        return Err(Failure::new(StatusCode::NOT_FOUND, message));
    }
    for pair in head.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != "mute" {
            let name = crate::document::quoted(name);
            let message = format!("no parameter {name}; mute=RULE,RULE leaves findings out");
            return Err(Failure::new(StatusCode::BAD_REQUEST, message));
        }
        // Whoever builds a query by a library sends a comma as %2C.
        let value = percent_decode_str(value).decode_utf8_lossy();
        for rule in value.split(',') {
            let rule: Rule = rule.parse().map_err(|error: crate::RuleError| {
                Failure::new(StatusCode::BAD_REQUEST, error.to_string())
            })?;
            verdict = verdict.mute(rule);
        }
    }
    let accept = head.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or("*/*"));
    let mut response = respond(verdict.write(format));
    let media_type = HeaderValue::from_static(format.media_type());
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}
