//! Who may ask: keys, and the header that they come in.

use axum::http::Method;

use super::super::client::{Ask, Stop};
use super::super::run::{Run, target};
use super::super::seen::Seen;
use super::ALWAYS;
use crate::contract::{Code, ENDPOINTS, Endpoint, Operation, SCHEME};

/// The list of one conversation, with these `Authorization` headers.
fn list_as(run: &mut Run<'_>, authorization: Vec<String>) -> Result<Seen, Stop> {
    let mut pairs = vec![("conversation_type", "ALL"), ("page", "1"), ("page_size", "1")];
    pairs.extend(ALWAYS);
    let of = Operation::ConversationList.endpoint();
    let target = target(of.path, &pairs);
    let ask = Ask { method: Method::GET, target, authorization, content_type: None };
    run.ask(Some(of), &ask)
}

fn without_key(run: &mut Run<'_>, endpoint: &'static Endpoint) -> Result<Seen, Stop> {
    let target = endpoint.path.to_owned();
    let ask = Ask { method: Method::GET, target, authorization: Vec::new(), content_type: None };
    run.ask(Some(endpoint), &ask)
}

/// The key of a deleted agent, if there is one.
pub(super) fn deleted(run: &mut Run<'_>) -> Result<(), Stop> {
    let Some(key) = run.deleted_key.clone() else {
        let why = "needs the key of a deleted agent (--deleted-key)";
        run.ledger.untold("wording", why);
        for endpoint in ENDPOINTS {
            let statement = format!("{}.{}", endpoint.id, Code::AgentDeleted.number());
            run.ledger.untried(&statement, why);
        }
        return Ok(());
    };
    for endpoint in ENDPOINTS {
        // No parameter stands before the agent.
        let seen = run.ask(Some(endpoint), &Ask::get(endpoint.path.to_owned(), &key))?;
        let statement = format!("{}.{}", endpoint.id, Code::AgentDeleted.number());
        if is_too_early(run, &seen) {
            run.ledger.untried(&statement, "the parameters were checked before the agent");
        } else if seen.code() != Some(i64::from(Code::AgentDeleted.number())) {
            run.ledger.differs(&statement, seen.describe());
        }
    }
    Ok(())
}

/// No header, asked of each endpoint; a key is told before wrong parameters.
pub(super) fn no_key(run: &mut Run<'_>) -> Result<(), Stop> {
    for endpoint in ENDPOINTS {
        let seen = without_key(run, endpoint)?;
        if !is_too_early(run, &seen) {
            let own = format!("{}.{}", endpoint.id, Code::AuthenticationFailed.number());
            let statements = [&own, "everywhere.authentication"];
            run.refused(&statements, &seen, Code::AuthenticationFailed);
        }
    }
    Ok(())
}

/// Whether a parameter was told that should not have been looked at yet.
fn is_too_early(run: &mut Run<'_>, seen: &Seen) -> bool {
    let is = seen.code() == Some(i64::from(Code::InvalidParameter.number()));
    if is {
        run.ledger.differs("everywhere.order-of-checks", seen.describe());
    }
    is
}

/// What the header may look like.
pub(super) fn headers(run: &mut Run<'_>) -> Result<(), Stop> {
    let key = run.key.clone();
    let right = format!("{SCHEME} {key}");
    let seen = list_as(run, vec![format!("{}   {key}", SCHEME.to_lowercase())])?;
    run.answered(&["everywhere.scheme"], &seen);
    let seen = list_as(run, Vec::new())?;
    run.refused(&["everywhere.authentication"], &seen, Code::AuthenticationFailed);
    let other_case = other_case(&key);
    if other_case != key {
        let seen = list_as(run, vec![format!("{SCHEME} {other_case}")])?;
        run.refused(&["everywhere.key"], &seen, Code::AuthenticationFailed);
    }
    for (statement, values) in [
        ("everywhere.key", vec![format!("{SCHEME} {key}x")]),
        ("everywhere.two-headers", vec![right.clone(), right]),
        ("everywhere.other-scheme", vec![format!("Basic {key}")]),
        ("everywhere.empty-key", vec![SCHEME.to_owned()]),
    ] {
        let seen = list_as(run, values)?;
        run.refused(&[statement], &seen, Code::AuthenticationFailed);
    }
    Ok(())
}

/// A key with every letter in the other case.
fn other_case(key: &str) -> String {
    let other = |char: char| match char {
        'a'..='z' => char.to_ascii_uppercase(),
        _ => char.to_ascii_lowercase(),
    };
    key.chars().map(other).collect()
}
