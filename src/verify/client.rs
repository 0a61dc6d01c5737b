//! One request after the other, within a budget and at a rate. No redirect is followed, so the key
//! goes nowhere but where it was meant to go, and each request has a connection of its own, so that
//! what a server sends too much of is never taken for the next answer.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use ureq::{Agent, Proxy};

use super::pace::{Pace, TRIES, back_off};
use super::trouble::Trouble;
use super::{Clock, Options, Step};
use crate::contract::SCHEME;

/// The largest body that is read: a hundred rows of very long texts.
pub(super) const MOST_BODY: u64 = 16 << 20;

/// The largest head.
pub(super) const MOST_HEAD: usize = 64 << 10;

/// Why nothing more is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The budget is used up.
    Budget,
    /// A request had no answer, and what it was for cannot be told.
    Silent,
    /// The server cannot be asked any more, and why.
    Lost(String),
}

/// What came: an answer, or what went wrong on the way to it.
pub(super) type Came = Result<Answer, Trouble>;

/// An answer, whatever it is.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Where it sends the client, if it does.
    pub(super) redirect: Option<&'static str>,
}

impl Answer {
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request: what is asked, and in whose name.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// The path, and behind `?` the query.
    pub(super) target: String,
    /// What stands in the `Authorization` headers.
    pub(super) authorization: Vec<String>,
    pub(super) content_type: Option<&'static str>,
}

impl Ask {
    pub(super) fn get(target: String, key: &str) -> Self {
        let authorization = vec![format!("{SCHEME} {key}")];
        Self { method: Method::GET, target, authorization, content_type: None }
    }
}

pub(super) struct Client<'c> {
    agent: Agent,
    base: String,
    pace: Pace,
    timeout: Duration,
    clock: &'c dyn Clock,
    progress: &'c dyn Fn(Step),
    budget: u32,
    pub(super) sent: u32,
    /// An answer that said that there were too many requests.
    pub(super) limited: Option<Answer>,
}

impl<'c> Client<'c> {
    pub(super) fn new(options: &Options, clock: &'c dyn Clock, progress: &'c dyn Fn(Step)) -> Self {
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
            // A proxy cannot know this machine's own addresses.
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
            limited: None,
        }
    }

    /// Where the server is.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request, again if there were too many before it.
    pub(super) fn ask(&mut self, ask: &Ask) -> Result<Came, Stop> {
        for tried in 0..TRIES {
            let came = self.send(ask)?;
            let Ok(answer) = came else { return Ok(came) };
            if answer.status != 429 {
                return Ok(Ok(answer));
            }
            let pause = back_off(tried, answer.header(header::RETRY_AFTER));
            self.limited = Some(answer);
            if tried + 1 < TRIES {
                (self.progress)(Step::Waiting(pause));
                self.clock.sleep(pause);
            }
        }
        let why = format!("it answered 429 {TRIES} times in a row; try a lower --per-minute");
        Err(Stop::Lost(why))
    }

    fn send(&mut self, ask: &Ask) -> Result<Came, Stop> {
        if self.sent >= self.budget {
            return Err(Stop::Budget);
        }
        self.clock.sleep(self.pace.wait(self.clock.now()));
        self.sent += 1;
        let came = self.exchange(ask);
        (self.progress)(Step::Sent { sent: self.sent, of: self.budget });
        Ok(came)
    }

    fn exchange(&self, ask: &Ask) -> Came {
        let mut request = Request::builder().method(&ask.method);
        let uri = format!("{}{}", self.base, ask.target);
        request = request.uri(uri);
        for value in &ask.authorization {
            let value = HeaderValue::try_from(value).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            request = match value {
                Ok(value) => request.header(header::AUTHORIZATION, value),
                Err(error) => return Err(Trouble(format!("the request cannot be sent: {error}"))),
            };
        }
        if let Some(value) = ask.content_type {
            request = request.header(header::CONTENT_TYPE, value);
        }
        let request = request
            .body(())
            .map_err(|error| Trouble(format!("the request cannot be sent: {error}")))?;
        let answer = self.agent.run(request);
        let answer = answer.map_err(|error| Trouble::of(&error, &self.base, self.timeout))?;
        let (head, mut body) = answer.into_parts();
        let body = body.with_config().limit(MOST_BODY).read_to_vec().map_err(|error| {
            let why = Trouble::of(&error, &self.base, self.timeout);
            Trouble(format!("HTTP {}, then {why}", head.status.as_u16()))
        })?;
        let redirect = redirect(&self.base, head.status.as_u16(), &head.headers);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, redirect })
    }
}

/// Where an answer sends the client: no more than what is to be done about it, for a URL may repeat
/// what was asked.
fn redirect(base: &str, status: u16, headers: &HeaderMap) -> Option<&'static str> {
    let to = headers.get(header::LOCATION).filter(|_| (300..400).contains(&status))?;
    let (Ok(from), Some(to)) = (base.parse::<Uri>(), to.to_str().ok()?.parse::<Uri>().ok()) else {
        return Some("what is no URL");
    };
    Some(match (to.host(), to.scheme_str()) {
        (None, _) => "another path of it",
        (host, Some("https")) if host == from.host() && from.scheme_str() == Some("http") => {
            "the same host by TLS; write https://"
        }
        (host, _) if host == from.host() => "another path or port of it",
        _ => "another host",
    })
}

/// Whether whoever is between here and a server reads the key.
pub(crate) fn is_in_clear(url: &str) -> bool {
    url.starts_with("http:") && !is_loopback(url)
}

fn is_loopback(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| {
        let bare = host.trim_matches(['[', ']']);
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}
