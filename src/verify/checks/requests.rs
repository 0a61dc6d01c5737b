//! What a request may look like, and which of its mistakes is told.

use axum::http::{Method, header};

use super::super::client::{Answer, Ask, Stop};
use super::super::run::Run;
use super::super::seen::{Page, Seen};
use super::messages::NOBODY;
use super::{ALWAYS, NO_ROWS, filtered, list, same};
use crate::contract::{ALLOW, Code, Operation};

const LIST: Operation = Operation::ConversationList;

/// A right query of the list for one row, as it is sent; it ends at `FOREVER`.
const RIGHT: &str = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=1";

/// A query in which every byte is encoded, but for spaces, which are written as `+`.
pub(super) fn encoding(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = "everywhere.encoding";
    let encoded = |text: &str| {
        let byte = |byte| if byte == b' ' { "+".to_owned() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect::<String>()
    };
    let query = RIGHT.replace("=ALL", &format!("={}", encoded("ALL")));
    let users = run.known.list.as_ref().map(|all| all.texts("user_id")).unwrap_or_default();
    // That one which says most.
    let telling = |user: &&&str| (user.contains(' '), !user.is_ascii());
    let Some(user) = users.iter().max_by_key(telling).map(|user| (*user).to_owned()) else {
        let seen = run.get_raw(LIST, &query)?;
        run.answered(&[statement], &seen);
        return Ok(());
    };
    let query = query.replace("page_size=1", "page_size=100");
    let seen = run.get_raw(LIST, &format!("{query}&user_id={}", encoded(&user)))?;
    if run.answered(&[statement], &seen) {
        let (Some(page), Some(all)) = (seen.page(), &run.known.list) else { return Ok(()) };
        let came = filtered(page, all, "conversation_id", "user_id", &user);
        if !user.contains(' ') {
            run.ledger.found(statement, came);
            let why = "no user on the first page has a space in the id";
            run.ledger.untried("everywhere.plus", why);
            return Ok(());
        }
        let Err(came) = came else {
            run.ledger.holds("everywhere.plus");
            return Ok(());
        };
        // Is it the plus, or what else is encoded?
        let spelled = encoded(&user).replace('+', "%20");
        let seen = run.get_raw(LIST, &format!("{query}&user_id={spelled}"))?;
        let Some(all) = &run.known.list else { return Ok(()) };
        let is_right = |page| filtered(page, all, "conversation_id", "user_id", &user).is_ok();
        let is_plus = seen.page().is_some_and(is_right);
        run.ledger.differs(if is_plus { "everywhere.plus" } else { statement }, came);
    }
    Ok(())
}

/// Queries that are not as one would write them.
pub(super) fn queries(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = run.get_raw(LIST, &format!("{RIGHT}&bot_id=other&sort=asc&sort=desc"))?;
    let statements = ["everywhere.unknown-parameter", "everywhere.agent"];
    if seen.page().is_some_and(|page| is_first(run, page).is_ok()) {
        run.answered(&statements, &seen);
    } else {
        // Is it the agent's id, or any name?
        run.ledger.differs("everywhere.unknown-parameter", came_of(run, &seen));
        let seen = run.get_raw(LIST, &format!("{RIGHT}&bot_id=other"))?;
        if seen.page().is_none_or(|page| is_first(run, page).is_err()) {
            run.ledger.differs("everywhere.agent", came_of(run, &seen));
        }
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
    if run.answered(&["everywhere.broken-percent"], &seen) {
        let users = seen.page().map(|page| page.texts("user_id")).unwrap_or_default();
        let only = users.iter().all(|user| *user == "%zz");
        let came = if only { Ok(()) } else { Err("rows of other users".to_owned()) };
        run.ledger.found("everywhere.broken-percent", came);
    }
    content_type_and_head(run)
}

/// Whether a page of one row is the first of all.
fn is_first(run: &Run<'_>, page: &Page) -> Result<(), String> {
    let Some(all) = &run.known.list else { return Ok(()) };
    let first: Vec<&str> = all.texts("conversation_id").into_iter().take(1).collect();
    same(&page.texts("conversation_id"), &first)
}

/// What came where the first row of all should have come.
fn came_of(run: &Run<'_>, seen: &Seen) -> String {
    let wrong = seen.page().and_then(|page| is_first(run, page).err());
    wrong.unwrap_or_else(|| seen.describe())
}

/// Notes whether a page of one row is the first of all.
fn same_as_first(run: &mut Run<'_>, statements: &[&str], seen: &Seen) {
    let Some(page) = seen.page() else { return };
    let came = is_first(run, page);
    for statement in statements {
        run.ledger.found(statement, came.clone());
    }
}

pub(super) fn integers(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = ["everywhere.integer"];
    let seen = run.get_raw(LIST, &RIGHT.replace("page=1&", "page=001&"))?;
    if run.answered(&statement, &seen) {
        same_as_first(run, &statement, &seen);
    }
    for wrong in ["1.0", "%2B1", "9223372036854775808"] {
        let query = RIGHT.replace("page=1&", &format!("page={wrong}&"));
        let seen = run.get_raw(LIST, &query)?;
        run.refused(&statement, &seen, Code::InvalidParameter);
    }
    Ok(())
}

pub(super) fn windows(run: &mut Run<'_>) -> Result<(), Stop> {
    let seen = run.get_raw(LIST, &RIGHT.replace("start_time=0", "start_time=-1"))?;
    if run.answered(&["everywhere.times"], &seen) {
        same_as_first(run, &["everywhere.times"], &seen);
    }
    let seen = list(run, "1", "1", &[("start_time", "2"), ("end_time", "1")])?;
    run.refused(&["everywhere.window-reversed"], &seen, Code::InvalidParameter);
    // In the midst of the others, if there are any: then both ends leave some out.
    let times = run.known.list.as_ref().map(|all| all.numbers("recent_chat_time"));
    let mut distinct = times.unwrap_or_default();
    distinct.dedup();
    let Some(time) = distinct.get(distinct.len() / 2).copied() else {
        run.ledger.untried("everywhere.window", NO_ROWS);
        return Ok(());
    };
    let instant = time.to_string();
    let seen = list(run, "1", "100", &[("start_time", &instant), ("end_time", &instant)])?;
    if run.answered(&["everywhere.window"], &seen) {
        let times = seen.page().map(|page| page.numbers("recent_chat_time")).unwrap_or_default();
        let is = |wrong: bool, what: &str| if wrong { Err(what.to_owned()) } else { Ok(()) };
        let (early, late) = (times.iter().any(|t| *t < time), times.iter().any(|t| *t > time));
        run.ledger.found("conversations.start_time", is(early, "a row of before the window"));
        run.ledger.found("conversations.end_time", is(late, "a row of after the window"));
        let lacks = !early && !late && !times.contains(&time);
        run.ledger.found("everywhere.window", is(lacks, "no row of that very instant"));
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
    let ask = Ask { method: Method::OPTIONS, ..Ask::get(target, &run.key) };
    let came = run.exchange(&ask)?;
    let allows = came.header(header::ALLOW) == Some(ALLOW);
    let is_preflight = came.headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS);
    if is_preflight {
        run.ledger.untried("everywhere.other-methods", "OPTIONS is for browsers of other origins");
    } else {
        let seen = run.note(None, came);
        let statement = ["everywhere.other-methods"];
        if run.refused(&statement, &seen, Code::MethodNotAllowed) && !allows {
            run.ledger.differs("everywhere.other-methods", "another `Allow`, or none".to_owned());
        }
    }
    Ok(())
}

/// Any `Content-Type` is fine, and `HEAD` tells the length of what `GET` sent.
fn content_type_and_head(run: &mut Run<'_>) -> Result<(), Stop> {
    let target = format!("{}?{RIGHT}", LIST.endpoint().path);
    let ask = Ask { content_type: Some("text/plain"), ..Ask::get(target.clone(), &run.key) };
    let got = run.exchange(&ask)?;
    let kind = |answer: &Answer| answer.header(header::CONTENT_TYPE).map(str::to_owned);
    let told = |answer: &Answer| answer.header(header::CONTENT_LENGTH).map(str::to_owned);
    // What comes in chunks tells no length.
    let length = told(&got).map(|_| got.body.len().to_string());
    let (status, content_type) = (got.status, kind(&got));
    let seen = run.note(Some(LIST.endpoint()), got);
    if !run.answered(&["everywhere.content-type"], &seen) {
        run.ledger.untried("everywhere.head", "GET gave nothing to compare it with");
        return Ok(());
    }
    let head = run.exchange(&Ask { method: Method::HEAD, ..Ask::get(target, &run.key) })?;
    let came = if head.status != status {
        Err(format!("HTTP {} where GET has {status}", head.status))
    } else if kind(&head) != content_type {
        Err("another Content-Type than GET's".to_owned())
    } else {
        match (told(&head), length) {
            (None, Some(_)) => Err("no Content-Length".to_owned()),
            (Some(told), Some(length)) if told != length => {
                Err("a Content-Length that is not GET's".to_owned())
            }
            _ => Ok(()),
        }
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
