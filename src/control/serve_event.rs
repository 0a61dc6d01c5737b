//! Shows requests with the fields of `WireMock`. The field `mock` of a request has the data that only this
//! server has.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::api::split_port;
use crate::contract::{Code, Operation};
use crate::sandbox::journal::{Request, Violation};

/// The beginning of the id of each request. The id is a UUID of version 4 whose last part is the number of
/// the request.
const ID: &str = "00000000-0000-4000-8000-";

/// The number of the request with this id. The id may be the number itself, as findings name requests.
pub(super) fn number_of(id: &str) -> Option<u64> {
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && !id.starts_with('0') {
        return id.parse().ok();
    }
    let digits = id.strip_prefix(ID)?;
    let hex = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u64::from_str_radix(digits, 16).ok())?
}

pub(super) fn id_of(number: u64) -> String {
    format!("{ID}{:012x}", number & 0xffff_ffff_ffff)
}

/// A request with its response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
pub(crate) struct ServeEvent<'a> {
    /// The request's id.
    #[cfg_attr(feature = "docs", schemars(extend("format" = "uuid")))]
    id: String,
    /// The request.
    request: LoggedRequest<'a>,
    /// The intended response.
    response_definition: ResponseDefinition,
    /// The response.
    response: Response,
    /// Whether it matched an endpoint that accepts its method.
    was_matched: bool,
    /// How long it took.
    timing: Timing,
}

/// A request. `WireMock`'s Java client accepts unknown keys only in a request, so the additional data of
/// this server is here.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
pub(super) struct LoggedRequest<'a> {
    #[serde(flatten)]
    plain: PlainRequest<'a>,
    /// The data that only this server has.
    mock: MockFields<'a>,
}

/// A request as it was sent, without keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Request"))]
struct PlainRequest<'a> {
    /// Path and query.
    url: &'a str,
    /// The whole URL according to the request's `Host`; without `Host`, path and query.
    absolute_url: String,
    /// Its method.
    method: &'a str,
    /// The address of its client.
    client_ip: IpAddr,
    /// Its headers, with names in lower case; a header that was sent more than once has a list.
    headers: BTreeMap<&'a str, OneOrMore<'a>>,
    /// Its cookies.
    cookies: BTreeMap<&'a str, &'a str>,
    /// Always false.
    browser_proxy_request: bool,
    /// When it arrived, in milliseconds since 1970.
    logged_date: u64,
    /// Always empty: the journal does not store bodies, because no endpoint reads one.
    body_as_base64: &'static str,
    /// Always empty.
    body: &'static str,
    /// Its scheme.
    #[cfg_attr(feature = "docs", schemars(extend("enum" = [SCHEME])))]
    scheme: &'static str,
    /// The name in its `Host`, which HTTP/1.0 may leave out.
    host: Option<&'a str>,
    /// The port in its `Host`, or 80.
    port: u16,
    /// Its HTTP version.
    #[cfg_attr(feature = "docs", schemars(extend("enum" = PROTOCOLS)))]
    protocol: &'static str,
    /// When it arrived, in UTC.
    #[cfg_attr(feature = "docs", schemars(extend("format" = "date-time")))]
    logged_date_string: String,
    /// The parameters of its query, by name.
    query_params: BTreeMap<String, QueryParameter>,
    /// Always empty.
    form_params: BTreeMap<&'a str, &'a str>,
}

pub(super) const SCHEME: &str = "http";

const PROTOCOLS: [&str; 2] = ["HTTP/1.0", "HTTP/1.1"];

#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
#[serde(untagged)]
enum OneOrMore<'a> {
    One(&'a str),
    More(Vec<&'a str>),
}

/// The values of a parameter.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct QueryParameter {
    /// Its name.
    key: String,
    /// Its values, in the order in which they were sent.
    values: Vec<String>,
}

/// The intended response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct ResponseDefinition {
    /// The HTTP status; 0: none.
    status: u16,
    /// Whether the request matched an endpoint that accepts its method.
    from_configured_stub: bool,
}

/// The response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Response {
    /// The HTTP status; 0: a fault broke the connection.
    status: u16,
}

/// How long a request took, in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Timing {
    /// Always 0.
    added_delay: u64,
    /// The time until the response was ready.
    process_time: u64,
    /// Always 0.
    response_send_time: u64,
    /// The time until the response was ready.
    serve_time: u64,
    /// The time until the response was ready.
    total_time: u64,
}

/// The data of a request that only this server has.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Mock"))]
struct MockFields<'a> {
    /// Its number among all requests to the server, from 1.
    number: u64,
    /// Its sandbox.
    sandbox: &'a str,
    /// The operation, if its path is one of an endpoint.
    #[cfg_attr(feature = "docs", schemars(with = "Option<Operation>"))]
    operation: Option<&'static str>,
    /// The error code of its response.
    #[cfg_attr(feature = "docs", schemars(with = "Option<Code>"))]
    code: Option<u32>,
    /// The `x-mock-reason` of its response.
    reason: Option<&'a str>,
    /// The `x-mock-fault` of its response.
    fault: Option<&'a str>,
    /// How long it took, in microseconds.
    duration_us: u64,
    /// Whether the client did not read the whole response.
    unread: bool,
    /// The rules that it breaks.
    violations: Vec<ShownViolation<'a>>,
}

/// A rule that a request breaks.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Violation"))]
struct ShownViolation<'a> {
    /// The rule.
    #[cfg_attr(feature = "docs", schemars(with = "crate::sandbox::verdict::Rule"))]
    rule: &'static str,
    /// What the client did.
    what: &'a str,
}

impl<'a> ServeEvent<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        let status = request.status.unwrap_or(0);
        let ms = u64::try_from(request.duration.as_millis()).expect("it is seconds at most");
        let was_matched = request.found_endpoint();
        Self {
            id: id_of(request.number),
            request: LoggedRequest::new(request),
            response_definition: ResponseDefinition { status, from_configured_stub: was_matched },
            response: Response { status },
            was_matched,
            timing: Timing {
                added_delay: 0,
                process_time: ms,
                response_send_time: 0,
                serve_time: ms,
                total_time: ms,
            },
        }
    }
}

impl<'a> LoggedRequest<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        Self { plain: PlainRequest::new(request), mock: MockFields::new(request) }
    }
}

impl<'a> PlainRequest<'a> {
    fn new(request: &'a Request) -> Self {
        let authority = request.header("host");
        let (host, port) = split_host(authority);
        let absolute_url = match authority {
            Some(authority) => format!("http://{authority}{}", request.target()),
            None => request.target().to_owned(),
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
            let values = QueryParameter { key: name.clone(), values: Vec::new() };
            query_params.entry(name).or_insert(values).values.push(value);
        }
        Self {
            url: request.target(),
            absolute_url,
            method: request.method(),
            client_ip: request.client,
            headers: headers.into_iter().map(one_or_more).collect(),
            cookies: cookies(request.header("cookie").unwrap_or_default()).collect(),
            browser_proxy_request: false,
            logged_date: milliseconds(request.at),
            body_as_base64: "",
            body: "",
            scheme: SCHEME,
            host,
            port,
            protocol: PROTOCOLS[usize::from(!request.is_http_1_0)],
            logged_date_string: stamp(request.at),
            query_params,
            form_params: BTreeMap::new(),
        }
    }
}

impl<'a> MockFields<'a> {
    fn new(request: &'a Request) -> Self {
        fn some(text: &str) -> Option<&str> {
            Some(text).filter(|text| !text.is_empty())
        }
        let told = |violation: &'a Violation| ShownViolation {
            rule: violation.rule.name(),
            what: &violation.what,
        };
        Self {
            number: request.number,
            sandbox: &request.sandbox,
            operation: request.operation.map(Operation::id),
            code: request.code.map(Code::number),
            reason: some(&request.reason),
            fault: some(&request.fault),
            duration_us: u64::try_from(request.duration.as_micros())
                .expect("it is seconds at most"),
            unread: request.unread,
            violations: request.violations.iter().map(told).collect(),
        }
    }
}

/// The name and the port of a `Host`; the default port is 80.
pub(super) fn split_host(authority: Option<&str>) -> (Option<&str>, u16) {
    match authority.and_then(split_port) {
        Some((host, port)) => (Some(host), port.unwrap_or(80)),
        None => (authority, 80),
    }
}

/// The names and values of a header `Cookie`.
pub(super) fn cookies(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|cookie| cookie.trim().split_once('='))
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
