//! Checks of keys, and of the header that they are sent in.

use super::super::client::{ApiRequest, Stop};
use super::super::response::ParsedResponse;
use super::super::run::Run;
use crate::contract::{Code, ENDPOINTS, Operation, ReadingId, SCHEME, StatementId};

/// Asks for one conversation of the list with these `Authorization` headers.
fn list_as(run: &mut Run<'_>, authorization: Vec<String>) -> Result<ParsedResponse, Stop> {
    let endpoint = Operation::ConversationList.endpoint();
    let query = run.query(endpoint.operation, "1", "1").encode();
    let request = ApiRequest::get_as(format!("{}?{query}", endpoint.path), authorization);
    run.send(Some(endpoint), &request)
}

/// Checks that the key of a deleted agent is refused, if the command line has one.
pub(super) fn check_deleted_agent(run: &mut Run<'_>) -> Result<(), Stop> {
    let statements = ENDPOINTS.iter().map(|endpoint| {
        (endpoint, StatementId::error(Some(endpoint.operation), Code::AgentDeleted))
    });
    let Some(key) = run.deleted_key.clone() else {
        let why = "needs the key of a deleted agent (--deleted-key)";
        run.ledger.unknown(ReadingId::Wording, why);
        statements.for_each(|(_, statement)| run.ledger.not_tried(statement, why));
        return Ok(());
    };
    for (endpoint, statement) in statements {
        // The query is empty: the agent is looked up before the parameters are checked.
        let request = ApiRequest::get(endpoint.path.to_owned(), &key);
        let response = run.send(Some(endpoint), &request)?;
        if is_too_early(run, &response) {
            run.ledger.not_tried(statement, "the parameters were checked before the agent");
        } else if response.code() != Some(Code::AgentDeleted) {
            run.ledger.differs(statement, response.describe());
        }
    }
    Ok(())
}

/// Checks that each endpoint refuses a request without a key before it checks the parameters.
pub(super) fn check_no_key(run: &mut Run<'_>) -> Result<(), Stop> {
    for endpoint in ENDPOINTS {
        let request = ApiRequest::get_as(endpoint.path.to_owned(), Vec::new());
        let response = run.send(Some(endpoint), &request)?;
        if !is_too_early(run, &response) {
            let code = Code::AuthenticationFailed;
            let own = StatementId::error(Some(endpoint.operation), code);
            run.expect_refusal(&[own, StatementId::Authentication], &response, code);
        }
    }
    Ok(())
}

/// Whether a parameter was refused that should not have been checked yet.
fn is_too_early(run: &mut Run<'_>, response: &ParsedResponse) -> bool {
    let is_too_early = response.code() == Some(Code::InvalidParameter);
    if is_too_early {
        run.ledger.differs(StatementId::OrderOfChecks, response.describe());
    }
    is_too_early
}

/// Checks which forms of the header are accepted, and which are refused.
pub(super) fn check_headers(run: &mut Run<'_>) -> Result<(), Stop> {
    let key = run.key.clone();
    let right = format!("{SCHEME} {key}");
    let response = list_as(run, vec![format!("{}   {key}", SCHEME.to_lowercase())])?;
    run.expect_page(&[StatementId::Scheme], response);
    let mut refused = vec![(StatementId::Authentication, Vec::new())];
    let other_case = swap_case(&key);
    if other_case != key {
        refused.push((StatementId::ExactKey, vec![format!("{SCHEME} {other_case}")]));
    }
    refused.extend([
        (StatementId::ExactKey, vec![format!("{SCHEME} {key}x")]),
        (StatementId::TwoHeaders, vec![right.clone(), right]),
        (StatementId::OtherScheme, vec![format!("Basic {key}")]),
        (StatementId::EmptyKey, vec![SCHEME.to_owned()]),
    ]);
    for (statement, authorization) in refused {
        let response = list_as(run, authorization)?;
        run.expect_refusal(&[statement], &response, Code::AuthenticationFailed);
    }
    Ok(())
}

/// A key with every letter in the other case.
fn swap_case(key: &str) -> String {
    let other = |char: char| match char {
        'a'..='z' => char.to_ascii_uppercase(),
        _ => char.to_ascii_lowercase(),
    };
    key.chars().map(other).collect()
}
