//! Checks which forms of a request are accepted, and which of several mistakes is refused first.

use axum::http::{Method, header};

use super::super::client::{ApiRequest, Stop};
use super::super::query::{Query, UNKNOWN_ID};
use super::super::response::{Page, ParsedResponse};
use super::super::run::Run;
use super::{FAR, NO_ROWS, check_filtered, check_same};
use crate::contract::{ALLOW, Code, Field, Operation, StatementId};

const LIST: Operation = Operation::ConversationList;
const START_TIME: StatementId = StatementId::param(LIST, Field::StartTime);
const END_TIME: StatementId = StatementId::param(LIST, Field::EndTime);

/// A valid query of the list for one row, as it is sent. Its window ends at `FOREVER`.
const RIGHT: &str = "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=1";

/// Checks a query in which every byte is encoded, except spaces, which are written as `+`.
pub(super) fn check_encoding(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::Encoding;
    let encode = |text: &str| {
        let byte = |byte| if byte == b' ' { "+".to_owned() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect::<String>()
    };
    let query = RIGHT.replace("=ALL", &format!("={}", encode("ALL")));
    // We prefer an id with a space, because only that tests the plus, and then one beyond ASCII.
    let users = run.samples.list().map_or(Vec::new(), |all| all.texts("user_id"));
    let preference = |user: &&&str| (user.contains(' '), !user.is_ascii());
    let Some(user) = users.iter().max_by_key(preference).map(|user| (*user).to_owned()) else {
        let response = run.get_raw(LIST, &query)?;
        run.expect_page(&[statement], response);
        return Ok(());
    };
    let query = query.replace("page_size=1", "page_size=100");
    let is_filtered = |run: &Run<'_>, page: &Page| match run.samples.list() {
        Some(all) => check_filtered(page, all, "conversation_id", "user_id", &user),
        None => Ok(()),
    };
    let response = run.get_raw(LIST, &format!("{query}&user_id={}", encode(&user)))?;
    let Some(page) = run.expect_page(&[statement], response) else { return Ok(()) };
    let result = is_filtered(run, &page);
    if !user.contains(' ') {
        run.ledger.record(statement, result);
        let why = "no user on the first page has a space in the id";
        run.ledger.not_tried(StatementId::Plus, why);
        return Ok(());
    }
    let Err(came) = result else {
        run.ledger.holds(StatementId::Plus);
        return Ok(());
    };
    // The mistake may be in the plus, or in another encoded byte.
    let spelled = encode(&user).replace('+', "%20");
    let response = run.get_raw(LIST, &format!("{query}&user_id={spelled}"))?;
    let is_plus = response.page().is_some_and(|page| is_filtered(run, page).is_ok());
    run.ledger.differs(if is_plus { StatementId::Plus } else { statement }, came);
    Ok(())
}

/// Checks queries that clients send by mistake.
pub(super) fn check_queries(run: &mut Run<'_>) -> Result<(), Stop> {
    let response = run.get_raw(LIST, &format!("{RIGHT}&bot_id=other&sort=asc&sort=desc"))?;
    match check_first_row(run, &response) {
        Ok(()) => {
            run.ledger.holds(StatementId::UnknownParameter);
            run.ledger.holds(StatementId::Agent);
        }
        Err(came) => {
            // The mistake may concern the agent's id, or any unknown name.
            run.ledger.differs(StatementId::UnknownParameter, came);
            let response = run.get_raw(LIST, &format!("{RIGHT}&bot_id=other"))?;
            if let Err(came) = check_first_row(run, &response) {
                run.ledger.differs(StatementId::Agent, came);
            }
        }
    }
    check_refused(run, StatementId::GivenTwice, &format!("{RIGHT}&page=1"))?;
    check_accepted(run, StatementId::EmptyValue, &format!("{RIGHT}&user_id="))?;
    check_refused(run, StatementId::EmptyValue, &RIGHT.replace("page=1&", "page=&"))?;
    check_refused(run, StatementId::Text, &format!("{RIGHT}&user_id=%ff"))?;
    let response = run.get_raw(LIST, &format!("{RIGHT}&user_id=%zz"))?;
    let statement = StatementId::BrokenPercent;
    if let Some(page) = run.expect_page(&[statement], response) {
        let is_right = page.texts("user_id").iter().all(|user| *user == "%zz");
        run.ledger.check(statement, is_right, "rows of other users");
    }
    check_content_type_and_head(run)
}

/// Checks that a query is refused for a wrong parameter.
fn check_refused(run: &mut Run<'_>, statement: StatementId, query: &str) -> Result<(), Stop> {
    let response = run.get_raw(LIST, query)?;
    run.expect_refusal(&[statement], &response, Code::InvalidParameter);
    Ok(())
}

/// Checks that a query returns the first row of the list.
fn check_accepted(run: &mut Run<'_>, statement: StatementId, query: &str) -> Result<(), Stop> {
    let response = run.get_raw(LIST, query)?;
    run.ledger.record(statement, check_first_row(run, &response));
    Ok(())
}

/// Checks that a response is a page with the first row of the list, or describes it.
fn check_first_row(run: &Run<'_>, response: &ParsedResponse) -> Result<(), String> {
    let Some(page) = response.page() else { return Err(response.describe()) };
    let Some(all) = run.samples.list() else { return Ok(()) };
    let first: Vec<&str> = all.texts("conversation_id").into_iter().take(1).collect();
    check_same(&page.texts("conversation_id"), &first)
}

pub(super) fn check_integers(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::Integer;
    check_accepted(run, statement, &RIGHT.replace("page=1&", "page=001&"))?;
    for wrong in ["1.0", "%2B1", "9223372036854775808"] {
        check_refused(run, statement, &RIGHT.replace("page=1&", &format!("page={wrong}&")))?;
    }
    Ok(())
}

pub(super) fn check_windows(run: &mut Run<'_>) -> Result<(), Stop> {
    check_accepted(run, StatementId::Times, &RIGHT.replace("start_time=0", "start_time=-1"))?;
    let query = run.query(LIST, "1", "1").with(Field::StartTime, "2").with(Field::EndTime, "1");
    let response = run.get(&query)?;
    run.expect_refusal(&[StatementId::WindowReversed], &response, Code::InvalidParameter);
    // A time in the middle of the others, so that both ends of the window exclude some rows.
    let mut distinct =
        run.samples.list().map_or(Vec::new(), |all| all.integers("recent_chat_time"));
    distinct.dedup();
    let Some(time) = distinct.get(distinct.len() / 2).copied() else {
        run.ledger.not_tried(StatementId::Window, NO_ROWS);
        return Ok(());
    };
    let text = time.to_string();
    let query = run.query(LIST, "1", "100").with(Field::StartTime, &text);
    let response = run.get(&query.with(Field::EndTime, &text))?;
    if let Some(page) = run.expect_page(&[StatementId::Window], response) {
        let times = page.integers("recent_chat_time");
        let keeps_start = times.iter().all(|it| *it >= time);
        let keeps_end = times.iter().all(|it| *it <= time);
        run.ledger.check(START_TIME, keeps_start, "a row from before the window");
        run.ledger.check(END_TIME, keeps_end, "a row from after the window");
        let lacks = keeps_start && keeps_end && times.is_empty();
        run.ledger.check(StatementId::Window, !lacks, "no row with exactly that time");
    }
    Ok(())
}

/// Checks paths and methods. We send only methods that change nothing.
pub(super) fn check_paths(run: &mut Run<'_>) -> Result<(), Stop> {
    let path = LIST.endpoint().path;
    for other in ["/v1/no/such/path".to_owned(), format!("{path}/"), path.to_uppercase()] {
        let request = ApiRequest::get(format!("{other}?{RIGHT}"), &run.key);
        let response = run.send(None, &request)?;
        run.expect_refusal(&[StatementId::UnknownPath], &response, Code::NotFound);
    }
    let request = ApiRequest::get(format!("{path}?{RIGHT}"), &run.key);
    let response = run.exchange(&ApiRequest { method: Method::OPTIONS, ..request })?;
    let statement = StatementId::OtherMethods;
    if response.headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS) {
        run.ledger.not_tried(statement, "the server answers OPTIONS as a CORS preflight");
        return Ok(());
    }
    let parsed = run.record_response(None, &response);
    if run.expect_refusal(&[statement], &parsed, Code::MethodNotAllowed) {
        let allows = response.header(header::ALLOW) == Some(ALLOW);
        run.ledger.check(statement, allows, "a different `Allow` header, or none");
    }
    Ok(())
}

/// Checks that any `Content-Type` is accepted, and that `HEAD` has the same length as `GET`.
fn check_content_type_and_head(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::Head;
    let right = ApiRequest::get(format!("{}?{RIGHT}", LIST.endpoint().path), &run.key);
    let typed = ApiRequest { content_type: Some("text/plain"), ..right.clone() };
    let got = run.exchange(&typed)?;
    let parsed = run.record_response(Some(LIST.endpoint()), &got);
    if run.expect_page(&[StatementId::ContentType], parsed).is_none() {
        run.ledger.not_tried(statement, "GET returned no page to compare with");
        return Ok(());
    }
    let head = run.exchange(&ApiRequest { method: Method::HEAD, ..right })?;
    // A response in chunks has no Content-Length to compare.
    let has_length = got.header(header::CONTENT_LENGTH).is_some();
    let result = if head.status != got.status {
        Err(format!("HTTP {}, but GET has HTTP {}", head.status, got.status))
    } else if head.header(header::CONTENT_TYPE) != got.header(header::CONTENT_TYPE) {
        Err("a Content-Type that differs from GET".to_owned())
    } else {
        match head.header(header::CONTENT_LENGTH) {
            None if has_length => Err("no Content-Length".to_owned()),
            Some(length) if has_length && length != got.body.len().to_string() => {
                Err("a Content-Length that differs from GET".to_owned())
            }
            _ => Ok(()),
        }
    };
    run.ledger.record(statement, result);
    Ok(())
}

/// Checks that of two mistakes, the one that is checked first is refused.
pub(super) fn check_order(run: &mut Run<'_>) -> Result<(), Stop> {
    let statement = StatementId::OrderOfChecks;
    for (page, size, code) in
        [("1", "x", Code::InvalidParameter), (FAR, "1", Code::ConversationMissing)]
    {
        let response = run.get(&Query::new(Operation::Messages, UNKNOWN_ID, page, size))?;
        run.expect_refusal(&[statement], &response, code);
    }
    let request = ApiRequest::get_as(format!("/v1/no/such/path?{RIGHT}"), Vec::new());
    let response = run.send(None, &request)?;
    run.expect_refusal(&[statement], &response, Code::NotFound);
    Ok(())
}
