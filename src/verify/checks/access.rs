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
        if seen.code() != Some(i64::from(Code::AgentDeleted.number())) {
            run.ledger.differs(&statement, seen.describe());
        }
    }
    Ok(())
}

/// No header, asked of each endpoint; a key is told before wrong parameters.
pub(super) fn no_key(run: &mut Run<'_>) -> Result<(), Stop> {
    for endpoint in ENDPOINTS {
        let seen = without_key(run, endpoint)?;
        let own = format!("{}.{}", endpoint.id, Code::AuthenticationFailed.number());
        let statements = [&own, "everywhere.authentication", "everywhere.order-of-checks"];
        run.refused(&statements, &seen, Code::AuthenticationFailed);
    }
    Ok(())
}

/// What the header may look like.
pub(super) fn headers(run: &mut Run<'_>) -> Result<(), Stop> {
    let key = run.key.clone();
    let right = format!("{SCHEME} {key}");
    let seen = list_as(run, vec![format!("{}   {key}", SCHEME.to_lowercase())])?;
    run.answered(&["everywhere.scheme"], &seen);
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
