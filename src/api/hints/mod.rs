//! Advice for the client of a refused request. It is built for refused requests only, and the time that it
//! takes does not depend on the number of records.

mod conversations;
mod keys;
mod names;
mod values;

use axum::http::{Method, header, request};

use super::auth::{self, AuthHeaderError};
use super::refusal::Refusal;
use crate::contract::Endpoint;
use crate::records::world::Agent;
use crate::sandbox::Sandbox;
use crate::suggest::LONGEST;

/// The advice that is appended to the reason of a refusal, where there is any.
pub(super) fn advice(
    refusal: &Refusal,
    head: &request::Parts,
    endpoint: Option<&Endpoint>,
    sandbox: &Sandbox,
) -> Option<String> {
    let endpoint = endpoint?;
    match refusal {
        // This is the preflight of a browser. With `--cors` it is answered before this point.
        Refusal::MethodNotAllowed(method)
            if method == Method::OPTIONS.as_str()
                && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) =>
        {
            Some("; this is a CORS preflight: start with --cors to allow browser apps".to_owned())
        }
        Refusal::AuthHeader(AuthHeaderError::Missing) => keys::find_misplaced_key(head),
        Refusal::UnknownKey => {
            let credentials = auth::credentials(&head.headers).ok()?;
            Some(keys::suggest_key(&sandbox.world(), credentials.key))
        }
        Refusal::MissingParam(param) => {
            names::suggest_param(endpoint, param.field, head.uri.query().unwrap_or(""))
                .or_else(|| Some(format!("; {}", param.kind.example()?)))
        }
        Refusal::WrongParam(param, value) => values::suggest_value(endpoint, param, value),
        Refusal::WindowEndsBeforeStart { start, end } => values::suggest_end(*start, *end),
        Refusal::NoConversation { id } => {
            let credentials = auth::credentials(&head.headers).ok()?;
            let world = sandbox.world();
            let agent = auth::agent(&world, sandbox.settings.any_key, credentials.key)?;
            Some(conversations::suggest_conversation(&world, agent, id))
        }
        _ => None,
    }
}

/// The keys of an agent that a reason may name, because they are public and short enough.
fn public_keys(agent: &Agent) -> impl Iterator<Item = &str> {
    agent.public_keys.iter().map(String::as_str).filter(|key| key.len() <= LONGEST)
}

/// Only the letters and digits, in lower case: `pageSize`, `PAGE-SIZE` and `page_size` give the same.
fn normalize_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
