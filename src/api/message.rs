//! The checks of RFC 9112 that come before all others: a request must have one host, and its body must
//! have a defined end.

use std::net::Ipv6Addr;

use axum::http::{HeaderMap, Uri, Version, header, request};
use thiserror::Error;

use super::refusal::quote;

/// Why a request is malformed HTTP.
#[derive(Clone, Debug, Error)]
pub(crate) enum MessageError {
    /// The target is a whole URL with this wrong host.
    #[error("the request target must name a host with an optional port, got {}", quote(.0))]
    TargetHost(String),
    #[error("a request needs a Host header")]
    NoHost,
    #[error("a request needs one Host header, got several")]
    SeveralHosts,
    #[error("Host must be a host with an optional port, got {}", quote(.0))]
    Host(Vec<u8>),
    #[error("Transfer-Encoding must be chunked, got {}", quote(.0))]
    UnknownCoding(Vec<u8>),
    #[error("Transfer-Encoding must name chunked only once")]
    ChunkedTwice,
    #[error("the chunks of the body are malformed")]
    MalformedChunks,
}

/// Refuses a malformed request before an endpoint or a sandbox sees it.
pub(crate) fn check(head: &request::Parts) -> Result<(), MessageError> {
    authority(&head.uri, &head.headers, head.version)?;
    check_transfer_encoding(&head.headers)
}

/// The host that a request is for, with its port if it has one: from the target where the target is
/// a whole URL, else from `Host`. `None`: an HTTP/1.0 request may have no host.
pub(crate) fn authority<'a>(
    target: &'a Uri,
    headers: &'a HeaderMap,
    version: Version,
) -> Result<Option<&'a str>, MessageError> {
    // If the target is a whole URL, `Host` is ignored, as proxies do, so that both see the same host.
    if target.scheme().is_some() {
        let authority = target.authority().map_or("", |authority| authority.as_str());
        return if is_authority(authority) {
            Ok(Some(authority))
        } else {
            Err(MessageError::TargetHost(authority.to_owned()))
        };
    }
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(None),
        (None, _) => Err(MessageError::NoHost),
        (Some(_), Some(_)) => Err(MessageError::SeveralHosts),
        (Some(host), None) => match host.to_str().ok().filter(|host| is_authority(host)) {
            Some(host) => Ok(Some(host)),
            None => Err(MessageError::Host(host.as_bytes().to_vec())),
        },
    }
}

/// Splits a host from its port, by the grammar of RFC 3986. Userinfo is not allowed.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end);
    let port = match port.strip_prefix(':') {
        // RFC 3986 allows an empty port, which means the default port.
        Some("") => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    is_host(host).then_some((host, port))
}

fn is_authority(text: &str) -> bool {
    split_port(text).is_some()
}

fn is_host(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.parse::<Ipv6Addr>().is_ok() || is_future_address(literal);
    }
    let mut bytes = host.bytes();
    while let Some(byte) = bytes.next() {
        let right = match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                digits.iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            byte => is_name_byte(byte),
        };
        if !right {
            return false;
        }
    }
    !host.is_empty()
}

/// Whether this is an address of a later version, such as `v1.fe80::a`, which RFC 3986 allows.
fn is_future_address(literal: &str) -> bool {
    let rest = literal.strip_prefix(['v', 'V']);
    rest.and_then(|rest| rest.split_once('.')).is_some_and(|(version, address)| {
        !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !address.is_empty()
            && address.bytes().all(|byte| byte == b':' || is_name_byte(byte))
    })
}

/// An unreserved byte or a sub-delimiter of RFC 3986.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

/// Refuses every transfer coding except a single `chunked`.
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), MessageError> {
    let values = headers.get_all(header::TRANSFER_ENCODING);
    let mut codings = 0;
    for value in values {
        for coding in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if !coding.eq_ignore_ascii_case(b"chunked") {
                return Err(MessageError::UnknownCoding(value.as_bytes().to_vec()));
            }
            codings += 1;
        }
    }
    if codings > 1 {
        return Err(MessageError::ChunkedTwice);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::split_port;

    #[test]
    fn a_host_is_one_of_rfc_3986_with_an_optional_port() {
        for (authority, host, port) in [
            ("localhost", "localhost", None),
            ("localhost:0", "localhost", Some(0)),
            ("a_b,c:65535", "a_b,c", Some(65535)),
            ("127.0.0.1:080", "127.0.0.1", Some(80)),
            ("[::1]:8484", "[::1]", Some(8484)),
            ("[v1.a:b]", "[v1.a:b]", None),
            ("x%41", "x%41", None),
            ("localhost:", "localhost", None),
        ] {
            assert_eq!(split_port(authority), Some((host, port)), "{authority}");
        }
        for wrong in [
            "",
            ":80",
            "a b",
            "a@b",
            "a/b",
            "a#b",
            "a?b",
            "::1",
            "[::1",
            "[::1]x",
            "[x]",
            "[]",
            "[v.a]",
            "[fe80::1%25lo]",
            "a:b",
            "a:65536",
            "a:+80",
            "a:80:80",
            "x%4",
            "x%zz",
            "a\\b",
            "é",
            "a\"",
        ] {
            assert_eq!(split_port(wrong), None, "{wrong}");
        }
    }
}
