//! What a request may look like, and which of its mistakes is told.

use axum::http::{Method, header};

use super::super::client::{Ask, Stop};
use super::super::run::Run;
use super::super::seen::Seen;
use super::messages::NOBODY;
use super::{ALWAYS, NO_ROWS, begins, list};
use crate::contract::{ALLOW, Code, Operation};

const LIST: Operation = Operation::ConversationList;

/// A right query of the list for one row, as it is sent.
const RIGHT: &str = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=1";

/// Queries that are not as one would write them.
pub(super) fn queries(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = run.get_raw(LIST, &format!("{RIGHT}&bot_id=other&sort=asc&sort=desc"))?;
    let statements = ["everywhere.unknown-parameter", "everywhere.agent"];
    if run.answered(&statements, &seen) {
        same_as_first(run, &statements, &seen);
    }
    let seen = run.get_raw(LIST, &format!("{RIGHT}&page=1"))?;
    run.refused(&["everywhere.given-twice"], &seen, Code::InvalidParameter);
    let seen = run.get_raw(LIST, &format!("{RIGHT}&user_id="))?;
    if run.answered(&["everywhere.empty-value"], &seen) {
        same_as_first(run, &["everywhere.empty-value"], &seen);
    }
    let seen = run.get_raw(LIST, &RIGHT.replace("page=1&", "page=&"))?;
    run.refused(&["everywhere.empty-value"], &seen, Code::InvalidParameter);
    let seen = run.get_raw(LIST, &format!("{RIGHT}&user_id=%ff"))?;
    run.refused(&["everywhere.text"], &seen, Code::InvalidParameter);
    let seen = run.get_raw(LIST, &format!("{RIGHT}&user_id=%zz"))?;
    run.answered(&["everywhere.broken-percent"], &seen);
    let target = format!("{}?{RIGHT}", LIST.endpoint().path);
    let ask = Ask { content_type: Some("text/plain"), ..Ask::get(target, &run.key) };
    let seen = run.ask(Some(LIST.endpoint()), &ask)?;
    run.answered(&["everywhere.content-type"], &seen);
    Ok(())
}

/// Whether a page of one row is the first of all.
fn same_as_first(run: &mut Run<'_>, statements: &[&str], seen: &Seen) {
    let (Some(page), Some(all)) = (seen.page(), &run.known.list) else { return };
    let came = begins(&page.texts("conversation_id"), &all.texts("conversation_id"));
    for statement in statements {
        run.ledger.found(statement, came.clone());
    }
}

pub(super) fn integers(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = ["everywhere.integer"];
    let seen = run.get_raw(LIST, &RIGHT.replace("page=1&", "page=001&"))?;
    run.answered(&statement, &seen);
    for wrong in ["1.0", "%2B1", "9223372036854775808"] {
        let query = RIGHT.replace("page=1&", &format!("page={wrong}&"));
        let seen = run.get_raw(LIST, &query)?;
        run.refused(&statement, &seen, Code::InvalidParameter);
    }
    Ok(())
}

pub(super) fn windows(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = run.get_raw(LIST, &RIGHT.replace("start_time=0", "start_time=-1"))?;
    run.answered(&["everywhere.times"], &seen);
    let seen = list(run, "1", "1", &[("start_time", "2"), ("end_time", "1")])?;
    run.refused(&["everywhere.window-reversed"], &seen, Code::InvalidParameter);
    let statements = ["everywhere.window", "conversations.start_time", "conversations.end_time"];
    let Some(time) =
        run.known.list.as_ref().and_then(|all| all.numbers("recent_chat_time").first().copied())
    else {
        run.ledger.untried("everywhere.window", NO_ROWS);
        return Ok(());
    };
    let instant = time.to_string();
    let seen = list(run, "1", "100", &[("start_time", &instant), ("end_time", &instant)])?;
    if run.answered(&statements, &seen) {
        let times = seen.page().map(|page| page.numbers("recent_chat_time")).unwrap_or_default();
        let right = !times.is_empty() && times.iter().all(|other| *other == time);
        let came = if right { Ok(()) } else { Err("not just the rows of that instant".to_owned()) };
        for statement in statements {
            run.ledger.found(statement, came.clone());
        }
    }
    Ok(())
}

/// Paths and methods. Only methods that change nothing are sent.
pub(super) fn paths(run: &mut Run<'_>) -> Result<(), Stop> {
    let path = LIST.endpoint().path;
    for other in ["/v1/no/such/path".to_owned(), format!("{path}/"), path.to_uppercase()] {
        let seen = run.ask(None, &Ask::get(format!("{other}?{RIGHT}"), &run.key.clone()))?;
        run.refused(&["everywhere.unknown-path"], &seen, Code::NotFound);
    }
    let target = format!("{path}?{RIGHT}");
    let ask = Ask { method: Method::OPTIONS, ..Ask::get(target.clone(), &run.key) };
    let came = run.client.ask(&ask)?;
    let allow = came.as_ref().ok().and_then(|answer| answer.header(header::ALLOW));
    let allows = allow == Some(ALLOW);
    let is_preflight = came
        .as_ref()
        .is_ok_and(|answer| answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS));
    if is_preflight {
        run.ledger.untried("everywhere.other-methods", "OPTIONS is for browsers of other origins");
    } else {
        let seen = Seen::of(came, None);
        let statements = ["everywhere.other-methods", "everywhere.405"];
        if run.refused(&statements, &seen, Code::MethodNotAllowed) && !allows {
            run.ledger.differs("everywhere.other-methods", "another `Allow`, or none".to_owned());
        }
    }
    head(run, target)
}

/// `HEAD` tells the length of what `GET` sends.
fn head(run: &mut Run<'_>, target: String) -> Result<(), Stop> {
    let ask = Ask::get(target, &run.key);
    let get = run.client.ask(&ask)?;
    let head = run.client.ask(&Ask { method: Method::HEAD, ..ask })?;
    let came = match (get, head) {
        (Ok(get), Ok(head)) if head.status != get.status => {
            Err(format!("HTTP {} where GET has {}", head.status, get.status))
        }
        (Ok(get), Ok(head)) => {
            let length = head.header(header::CONTENT_LENGTH);
            let length: Option<usize> = length.and_then(|text| text.parse().ok());
            match length {
                Some(length) if get.body.len() == length => Ok(()),
                Some(_) => Err("a Content-Length that is not GET's".to_owned()),
                None => Err("no Content-Length".to_owned()),
            }
        }
        (Err(trouble), _) | (_, Err(trouble)) => Err(trouble.0),
    };
    run.ledger.found("everywhere.head", came);
    Ok(())
}

/// Of two mistakes the one that is told.
pub(super) fn order(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = ["everywhere.order-of-checks"];
    let nobody = [("conversation_id", NOBODY)];
    let pairs = [&nobody[..], &[("page", "1"), ("page_size", "x")]].concat();
    let seen = run.get(Operation::Messages, &pairs)?;
    run.refused(&statement, &seen, Code::InvalidParameter);
    let pairs = [&nobody[..], &[("page", super::FAR), ("page_size", "1")]].concat();
    let seen = run.get(Operation::Messages, &pairs)?;
    run.refused(&statement, &seen, Code::ConversationMissing);
    let mut pairs = vec![("conversation_type", "ALL")];
    pairs.extend(ALWAYS);
    let ask = Ask {
        method: Method::GET,
        target: super::super::run::target("/v1/no/such/path", &pairs),
        authorization: Vec::new(),
        content_type: None,
    };
    let seen = run.ask(None, &ask)?;
    run.refused(&statement, &seen, Code::NotFound);
    Ok(())
}
