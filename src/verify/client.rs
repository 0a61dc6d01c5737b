//! Sends requests one after the other, within a budget and at a rate. The client follows no redirect, so that
//! the key is not sent to another server. It opens a connection for each request, so that surplus bytes of one
//! response are never read as the next one.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, Uri, header};
use jiter::{JsonError, JsonValue, PartialMode};
use ureq::{Agent, Proxy};

use super::pace::{Pace, TRIES, back_off};
use super::transport_error::explain;
use super::{Clock, Options, Progress};
use crate::contract::{Code, SCHEME};
use crate::surrogates::{LoneSurrogate, replace_lone_surrogates};

/// The largest body that is read: a hundred rows of very long texts.
pub(super) const MOST_BODY: u64 = 16 << 20;

/// The largest response head.
pub(super) const MOST_HEAD: usize = 64 << 10;

/// Why a part of a check, or the whole run, sends no further request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The budget is used up.
    BudgetSpent,
    /// A request got no usable response, and why. The rest of its check has nothing to compare.
    NoResponse { came: UnusableResponse, why: String },
    /// No further request is sent to the server, and why.
    ServerUnusable(String),
}

/// What was received instead of a usable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UnusableResponse {
    Nothing,
    /// A server error with this status. If the status is not an error, the code of the body is.
    Failure(u16),
}

/// What a request got, in words.
impl fmt::Display for UnusableResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no response"),
            Self::Failure(status @ 500..) => write!(f, "HTTP {status}"),
            Self::Failure(status) => {
                write!(f, "HTTP {status} with code {}", Code::Internal.number())
            }
        }
    }
}

/// Any response.
#[derive(Debug)]
pub(super) struct ApiResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The halves of surrogate pairs in the body. Python and Node send them, but UTF-8 cannot encode them.
    pub(super) lone_surrogates: Vec<LoneSurrogate>,
    /// The body, read as JSON, in which half of a surrogate pair is replaced by U+FFFD.
    pub(super) json: Result<JsonValue<'static>, JsonError>,
    /// Where it sends the client, if it does.
    pub(super) redirect: Option<&'static str>,
}

impl ApiResponse {
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request, with the key that it is sent with.
#[derive(Clone)]
pub(super) struct ApiRequest {
    pub(super) method: Method,
    /// The path, and the query after `?`.
    pub(super) target: String,
    /// The values of the `Authorization` headers.
    pub(super) authorization: Vec<String>,
    pub(super) content_type: Option<&'static str>,
}

impl ApiRequest {
    pub(super) fn get(target: String, key: &str) -> Self {
        Self::get_as(target, vec![format!("{SCHEME} {key}")])
    }

    /// `GET` with these `Authorization` headers.
    pub(super) fn get_as(target: String, authorization: Vec<String>) -> Self {
        Self { method: Method::GET, target, authorization, content_type: None }
    }
}

pub(super) struct Client<'c> {
    agent: Agent,
    base: String,
    pace: Pace,
    timeout: Duration,
    clock: &'c dyn Clock,
    progress: &'c dyn Fn(Progress),
    budget: u32,
    pub(super) sent: u32,
    /// How many responses contained half of a surrogate pair.
    pub(super) with_lone_surrogates: u32,
    /// The last response with status 429, and its request.
    pub(super) rate_limited: Option<(ApiRequest, ApiResponse)>,
}

impl<'c> Client<'c> {
    pub(super) fn new(
        options: &Options,
        clock: &'c dyn Clock,
        progress: &'c dyn Fn(Progress),
    ) -> Self {
        let config = Agent::config_builder();
        #[cfg(feature = "tls")]
        let config = config.tls_config(super::tls::config());
        let config = config
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(MOST_HEAD)
            .timeout_global(Some(options.timeout))
            .user_agent(concat!("gptbots-mock/", env!("CARGO_PKG_VERSION"), " verify"))
            // A proxy cannot reach the loopback addresses of this machine.
            .proxy(if is_loopback(&options.against) { None } else { Proxy::try_from_env() })
            .build();
        Self {
            agent: config.new_agent(),
            base: options.against.trim_end_matches('/').to_owned(),
            pace: Pace::per_minute(options.per_minute),
            timeout: options.timeout,
            clock,
            progress,
            budget: options.max_requests,
            sent: 0,
            with_lone_surrogates: 0,
            rate_limited: None,
        }
    }

    /// Where the server is.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request. If the server answers 429, the request is sent again after a pause.
    pub(super) fn send(&mut self, request: &ApiRequest) -> Result<ApiResponse, Stop> {
        for tried in 0..TRIES {
            let response = self.send_once(request)?;
            if response.status != 429 {
                return Ok(response);
            }
            let pause = back_off(tried, response.header(header::RETRY_AFTER));
            self.rate_limited = Some((request.clone(), response));
            if tried + 1 < TRIES {
                (self.progress)(Progress::Waiting(pause));
                self.clock.sleep(pause);
            }
        }
        let why = format!("{TRIES} responses in a row were HTTP 429; try a lower --per-minute");
        Err(Stop::ServerUnusable(why))
    }

    fn send_once(&mut self, request: &ApiRequest) -> Result<ApiResponse, Stop> {
        if self.sent >= self.budget {
            return Err(Stop::BudgetSpent);
        }
        self.clock.sleep(self.pace.wait(self.clock.now()));
        self.sent += 1;
        let result = self.exchange(request);
        (self.progress)(Progress::Sent { sent: self.sent, of: self.budget });
        let response =
            result.map_err(|why| Stop::NoResponse { came: UnusableResponse::Nothing, why })?;
        self.with_lone_surrogates += u32::from(!response.lone_surrogates.is_empty());
        Ok(response)
    }

    fn exchange(&self, request: &ApiRequest) -> Result<ApiResponse, String> {
        let uri = format!("{}{}", self.base, request.target);
        let mut builder = Request::builder().method(&request.method).uri(uri);
        for value in &request.authorization {
            builder = builder.header(header::AUTHORIZATION, value);
        }
        if let Some(value) = request.content_type {
            builder = builder.header(header::CONTENT_TYPE, value);
        }
        let request =
            builder.body(()).map_err(|error| format!("the request cannot be sent: {error}"))?;
        let explain = |error| explain(&error, &self.base, self.timeout);
        let (head, mut body) = self.agent.run(request).map_err(explain)?.into_parts();
        let status = head.status.as_u16();
        let body = body.with_config().limit(MOST_BODY).read_to_vec();
        let body = body.map_err(|error| format!("HTTP {status}, then {}", explain(error)))?;
        let mut text = body.clone();
        let lone_surrogates = replace_lone_surrogates(&mut text);
        let json = JsonValue::parse_owned(&text, false, PartialMode::Off);
        let redirect = describe_redirect(&self.base, status, &head.headers);
        Ok(ApiResponse { status, headers: head.headers, body, lone_surrogates, json, redirect })
    }
}

/// Describes where a response sends the client. We do not report the URL itself, since it may repeat
/// the query.
fn describe_redirect(base: &str, status: u16, headers: &HeaderMap) -> Option<&'static str> {
    let to = headers.get(header::LOCATION).filter(|_| (300..400).contains(&status))?;
    let from: Uri = base.parse().expect("the command line checks the URL of the server");
    // A URL with bytes beyond ASCII is not a redirect, so such a response is described as any other.
    let Ok(to) = to.to_str().ok()?.parse::<Uri>() else { return Some("an invalid URL") };
    Some(match (to.host(), to.scheme_str()) {
        (None, _) => "another path of the server",
        (host, Some("https")) if host == from.host() && from.scheme_str() == Some("http") => {
            "the same host over TLS (write https://)"
        }
        (host, _) if host == from.host() => "another path or port of the server",
        _ => "another host",
    })
}

/// Whether the key would be sent over a network without encryption.
pub(crate) fn is_unencrypted(url: &str) -> bool {
    url.starts_with("http:") && !is_loopback(url)
}

fn is_loopback(url: &str) -> bool {
    let url: Uri = url.parse().expect("the command line checks the URL of the server");
    let host = url.host().expect("the URL of the server has a host").trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
