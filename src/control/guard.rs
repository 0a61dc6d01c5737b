//! Which clients may use the control API: those on this machine or, with a token, those that send it. Web
//! pages of other origins may not, and neither may clients that call this machine by a name from DNS that
//! is not allowed.

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
            .map_err(|_| forbidden("the request names no host, or more than one"))?;
        check_client(&admin, peer.from_here, authority, headers)?;
    }
    Ok(next.run(request).await)
}

/// Refuses a client that may not use the control API. `authority` is the host that it asks for.
fn check_client(
    admin: &Admin,
    from_here: bool,
    authority: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Failure> {
    let own = authority.map(|authority| check_host(admin, authority)).transpose()?;
    check_site(own.as_ref(), headers)?;
    match &admin.token {
        Some(token) => check_token(token, headers),
        None if from_here => Ok(()),
        None => Err(forbidden(
            "the control API answers this machine only; with --admin-token it answers \
             whoever has the token",
        )),
    }
}

/// The host of a request, if it is one of this machine's own. A request of HTTP/1.0 may have no host, which
/// is safe because browsers do not send such requests.
fn check_host<'h>(admin: &Admin, authority: &'h str) -> Result<Host<'h>, Failure> {
    match Host::read(authority) {
        Some(host) if is_own(admin, host.name) => Ok(host),
        host => {
            let host = quoted(host.map_or(authority, |host| host.name));
            Err(forbidden(format!(
                "Host {host} is no name of this machine's own; allow it with --allow-host"
            )))
        }
    }
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
        return Err(forbidden("a web page of another origin may not use the control API"));
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
        assert!(!passes(&admin, false, &[("host", "localhost")]));
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
        for wrong in
            ["Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret", "Bearer", "", "Bears3cret"]
        {
            assert!(!with(wrong), "{wrong}");
        }
        assert!(!passes(&admin, true, &[("host", "localhost")]));
    }
}
