//! Which clients may use the control API. If the server has a token, the client must send it; otherwise the
//! client must be on this machine and use one of the machine's own names as the host. Web pages of other
//! origins are always refused.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use super::Failure;
use crate::api::{authority, bearer_key, split_port};
use crate::contract::SCHEME;
use crate::sandbox::peer::Peer;
use crate::settings::Admin;
use crate::suggest::quoted;

/// The port of a URL that names none.
const HTTP_PORT: u16 = 80;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request, or passes it on.
pub(super) async fn check(
    State(admin): State<Arc<Admin>>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if !admin.is_off {
        let (uri, headers) = (request.uri(), request.headers());
        // A request over a socket was refused before if its host is malformed.
        let authority = authority(uri, headers, request.version())
            .map_err(|_| forbidden("the request must have exactly one valid Host header"))?;
        check_client(&admin, peer.from_here, authority, headers)?;
    }
    Ok(next.run(request).await)
}

/// Refuses a client that may not use the control API. `authority` is the host that it asks for.
///
/// The host is checked because of DNS rebinding: a web page whose name in DNS is changed to the address of
/// this machine sends requests from this machine. Such a page has no token, and browsers add none by
/// themselves, so the token decides alone. Containers can then use the name of a service as the host.
fn check_client(
    admin: &Admin,
    from_here: bool,
    authority: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Failure> {
    match &admin.token {
        Some(token) => check_token(token, headers)?,
        None if from_here => check_host(admin, authority)?,
        None => return Err(from_elsewhere()),
    }
    check_site(authority.and_then(Host::read).as_ref(), headers)
}

/// Refuses a client on another machine if there is no token. For a server in a container, each client
/// outside of the container is on another machine.
fn from_elsewhere() -> Failure {
    forbidden(format!(
        "the request comes from another machine, or from outside of the container; without a token, the \
         control API answers only requests from its own machine. Start with --admin-token TOKEN or \
         GPTBOTS_MOCK_ADMIN_TOKEN=TOKEN, and send `Authorization: {SCHEME} TOKEN`"
    ))
}

/// Refuses a host that is not a name of this machine. An HTTP/1.0 request may have no host, which is
/// safe because browsers do not send such requests.
fn check_host(admin: &Admin, authority: Option<&str>) -> Result<(), Failure> {
    let Some(authority) = authority else { return Ok(()) };
    let host = Host::read(authority).map(|host| host.name);
    if host.is_some_and(|host| is_own(admin, host)) {
        return Ok(());
    }
    let host = quoted(host.unwrap_or(authority));
    Err(forbidden(format!("Host {host} is not a name of this machine; allow it with --allow-host")))
}

/// Whether a name is a loopback one, or one of `--allow-host`.
fn is_own(admin: &Admin, host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = address.unwrap_or(host).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
        || admin.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
}

/// Refuses the pages of other origins, by the headers that browsers send. A page on another port of this
/// machine is of another origin, too, because the user need not trust what is served there.
fn check_site(own: Option<&Host<'_>>, headers: &HeaderMap) -> Result<(), Failure> {
    let foreign_site = headers.get_all(SEC_FETCH_SITE).iter().any(|site| {
        let site = site.as_bytes();
        !["same-origin", "none"].iter().any(|own| own.as_bytes() == site)
    });
    let foreign_origin = headers.get_all(header::ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        let origin = origin.and_then(Host::read);
        !origin.zip(own).is_some_and(|(origin, own)| origin.is(own))
    });
    if foreign_site || foreign_origin {
        return Err(forbidden("web pages of another origin may not use the control API"));
    }
    Ok(())
}

/// A host and its port, as `Host` and `Origin` name them.
struct Host<'h> {
    name: &'h str,
    port: u16,
}

impl<'h> Host<'h> {
    /// Reads `name:port`, or `name` where the port is that of `http`.
    fn read(authority: &'h str) -> Option<Self> {
        let (name, port) = split_port(authority)?;
        Some(Self { name, port: port.unwrap_or(HTTP_PORT) })
    }

    fn is(&self, other: &Self) -> bool {
        self.port == other.port && self.name.eq_ignore_ascii_case(other.name)
    }
}

fn check_token(token: &str, headers: &HeaderMap) -> Result<(), Failure> {
    if bearer_key(headers).is_ok_and(|sent| bool::from(sent.ct_eq(token.as_bytes()))) {
        return Ok(());
    }
    let message = format!("send `Authorization: {SCHEME} <token>` with the token of --admin-token");
    Err(Failure::new(StatusCode::UNAUTHORIZED, message))
}

fn forbidden(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, message)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn passes(admin: &Admin, from_here: bool, headers: &[(&'static str, &str)]) -> bool {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        let host = map.get(header::HOST).and_then(|host| host.to_str().ok());
        check_client(admin, from_here, host, &map).is_ok()
    }

    #[test]
    fn only_this_machine_passes_under_its_own_names() {
        let admin = Admin { hosts: vec!["Mock".to_owned()], ..Admin::default() };
        for host in
            ["localhost", "LOCALHOST:8484", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "mock:8484"]
        {
            assert!(passes(&admin, true, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "0.0.0.0",
            "10.0.0.1",
            "",
            ":80",
            "localhost@evil.example",
            "evil@localhost",
            "local host",
            "mock.evil",
            "[::2]",
            "http://localhost",
            "localhost/x",
            "localhost:abc",
            "localhost:99999",
            "::1",
        ] {
            assert!(!passes(&admin, true, &[("host", host)]), "{host}");
        }
    }

    /// The tests have no other machine, so it is a parameter here.
    #[test]
    fn another_machine_is_403_and_told_of_the_token() {
        let admin = Admin { hosts: vec!["mock".to_owned()], ..Admin::default() };
        for host in ["localhost:8484", "mock:8484", "gptbots-mock:8484", "10.88.0.2:8484"] {
            let refused = check_client(&admin, false, Some(host), &HeaderMap::new()).unwrap_err();
            let refused = format!("{refused:?}");
            for words in [
                "403",
                "comes from another machine, or from outside of the container",
                "Start with --admin-token TOKEN or GPTBOTS_MOCK_ADMIN_TOKEN=TOKEN",
                "send `Authorization: Bearer TOKEN`",
            ] {
                assert!(refused.contains(words), "{host}: {refused}");
            }
        }
    }

    #[test]
    fn pages_of_other_origins_do_not_pass() {
        let admin = Admin::default();
        let with = |name, value| passes(&admin, true, &[("host", "localhost:84"), (name, value)]);
        for site in ["same-origin", "none"] {
            assert!(with("sec-fetch-site", site));
        }
        for site in ["same-site", "cross-site", "", "Same-Origin", "x"] {
            assert!(!with("sec-fetch-site", site), "{site}");
        }
        for origin in ["http://localhost:84", "http://LOCALHOST:84"] {
            assert!(with("origin", origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://evil.example:84",
            "localhost:84",
            "http://",
            "evil://localhost:84",
            "https://localhost:84",
            "http://localhost",
            "http://localhost:3000",
            "http://127.0.0.1:84",
            "http://localhost:84/",
            "http://x@localhost:84",
        ] {
            assert!(!with("origin", origin), "{origin}");
        }
        let plain = |origin| passes(&admin, true, &[("host", "[::1]"), ("origin", origin)]);
        assert!(plain("http://[::1]") && plain("http://[::1]:80"));
        assert!(!plain("http://[::1]:8080"));
    }

    #[test]
    fn with_a_token_whoever_has_it_passes() {
        let admin = Admin { token: Some("s3cret".to_owned()), ..Admin::default() };
        let with =
            |value| passes(&admin, false, &[("host", "localhost"), ("authorization", value)]);
        assert!(with("Bearer s3cret") && with("bearer  s3cret"));
        let token = ("authorization", "Bearer s3cret");
        assert!(passes(&admin, false, &[("host", "gptbots-mock:8484"), token]));
        let page = ("origin", "http://gptbots-mock:3000");
        assert!(!passes(&admin, false, &[("host", "gptbots-mock:8484"), page, token]));
        for wrong in
            ["Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret", "Bearer", "", "Bears3cret"]
        {
            assert!(!with(wrong), "{wrong}");
        }
        assert!(!passes(&admin, true, &[("host", "localhost")]));
    }
}
