//! How a request is written: in `WireMock`'s fields, and what only this server knows of it beside
//! them, in `mock`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::contract::{Code, Operation};
use crate::journal::{Request, Violation};

/// How the id of each request begins: a UUID of version 4, to whoever looks, whose last part is
/// the request's number.
const ID: &str = "00000000-0000-4000-8000-";

/// The number that an id is made from.
pub(super) fn number_of(id: &str) -> Option<u64> {
    let digits = id.strip_prefix(ID)?;
    let hex = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u64::from_str_radix(digits, 16).ok())?
}

fn id_of(number: u64) -> String {
    format!("{ID}{:012x}", number & 0xffff_ffff_ffff)
}

/// A request with its answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServeEvent<'a> {
    id: String,
    request: Plain<'a>,
    response_definition: Definition,
    response: Answer,
    was_matched: bool,
    timing: Timing,
    mock: Own<'a>,
}

/// A request by itself.
#[derive(Serialize)]
pub(super) struct Logged<'a> {
    #[serde(flatten)]
    plain: Plain<'a>,
    mock: Own<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plain<'a> {
    url: &'a str,
    absolute_url: String,
    method: &'a str,
    client_ip: IpAddr,
    headers: BTreeMap<&'a str, OneOrMore<'a>>,
    cookies: BTreeMap<&'a str, &'a str>,
    browser_proxy_request: bool,
    logged_date: u64,
    /// The journal keeps no bodies; no endpoint reads one.
    body_as_base64: &'static str,
    body: &'static str,
    scheme: &'static str,
    host: &'a str,
    port: u16,
    protocol: &'static str,
    logged_date_string: String,
    query_params: BTreeMap<String, Values>,
    form_params: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMore<'a> {
    One(&'a str),
    More(Vec<&'a str>),
}

#[derive(Serialize)]
struct Values {
    key: String,
    values: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    status: u16,
    from_configured_stub: bool,
}

#[derive(Serialize)]
struct Answer {
    /// 0: a fault broke the connection.
    status: u16,
}

/// In milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    added_delay: u64,
    process_time: u64,
    response_send_time: u64,
    serve_time: u64,
    total_time: u64,
}

/// What only this server knows.
#[derive(Serialize)]
struct Own<'a> {
    number: u64,
    sandbox: &'a str,
    operation: Option<&'static str>,
    code: Option<u32>,
    reason: Option<&'a str>,
    fault: Option<&'a str>,
    duration_us: u64,
    unread: bool,
    violations: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    rule: &'static str,
    what: &'a str,
}

impl<'a> ServeEvent<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        let status = request.status.unwrap_or(0);
        let ms = u64::try_from(request.duration.as_millis()).unwrap_or(u64::MAX);
        let was_matched = request.found_endpoint();
        Self {
            id: id_of(request.number),
            request: Plain::of(request),
            response_definition: Definition { status, from_configured_stub: was_matched },
            response: Answer { status },
            was_matched,
            timing: Timing {
                added_delay: 0,
                process_time: ms,
                response_send_time: 0,
                serve_time: ms,
                total_time: ms,
            },
            mock: Own::of(request),
        }
    }
}

impl<'a> Logged<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        Self { plain: Plain::of(request), mock: Own::of(request) }
    }
}

impl<'a> Plain<'a> {
    fn of(request: &'a Request) -> Self {
        let authority = request.header("host").unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().unwrap_or(80)),
            _ => (authority, 80),
        };
        let mut headers = BTreeMap::new();
        for (name, value) in request.headers() {
            headers.entry(name).or_insert_with(Vec::new).push(value);
        }
        let one_or_more = |(name, mut values): (_, Vec<_>)| match values.pop() {
            Some(value) if values.is_empty() => (name, OneOrMore::One(value)),
            last => (name, OneOrMore::More(values.into_iter().chain(last).collect())),
        };
        let mut query_params = BTreeMap::new();
        for (name, value) in request.query() {
            let values = Values { key: name.clone(), values: Vec::new() };
            query_params.entry(name).or_insert(values).values.push(value);
        }
        let cookies = request.header("cookie").unwrap_or_default().split(';');
        Self {
            url: request.target(),
            absolute_url: format!("http://{authority}{}", request.target()),
            method: request.method(),
            client_ip: request.client,
            headers: headers.into_iter().map(one_or_more).collect(),
            cookies: cookies.filter_map(|cookie| cookie.trim().split_once('=')).collect(),
            browser_proxy_request: false,
            logged_date: milliseconds(request.at),
            body_as_base64: "",
            body: "",
            scheme: "http",
            host,
            port,
            protocol: "HTTP/1.1",
            logged_date_string: stamp(request.at),
            query_params,
            form_params: BTreeMap::new(),
        }
    }
}

impl<'a> Own<'a> {
    fn of(request: &'a Request) -> Self {
        fn some(text: &str) -> Option<&str> {
            Some(text).filter(|text| !text.is_empty())
        }
        let told =
            |violation: &'a Violation| Told { rule: violation.rule.name(), what: &violation.what };
        Self {
            number: request.number,
            sandbox: &request.sandbox,
            operation: request.operation.map(Operation::id),
            code: request.code.map(Code::number),
            reason: some(&request.reason),
            fault: some(&request.fault),
            duration_us: u64::try_from(request.duration.as_micros()).unwrap_or(u64::MAX),
            unread: request.unread,
            violations: request.violations.iter().map(told).collect(),
        }
    }
}

/// Since 1970.
fn milliseconds(time: SystemTime) -> u64 {
    let passed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
}

/// To the second, in UTC.
fn stamp(time: SystemTime) -> String {
    let timestamp = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{timestamp:.0}")
}
