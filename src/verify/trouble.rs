//! Why there is no whole answer, in words that say where to look.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use rustls::CertificateError;
use ureq::Error;

use super::client::{MOST_BODY, MOST_HEAD};
use super::shape::printable;

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble(pub(super) String);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Trouble {
    /// What went wrong with a request to this server, within this time.
    pub(super) fn of(error: &Error, base: &str, timeout: Duration) -> Self {
        let late = || format!("no whole answer within {} s", timeout.as_secs());
        let text = match error {
            Error::Timeout(_) => late(),
            Error::HostNotFound => "no address is known for that host name".to_owned(),
            Error::BodyExceedsLimit(_) => format!("a body of more than {} MiB", MOST_BODY >> 20),
            Error::LargeResponseHeader(..) => {
                format!("a head that is too large, of more than {} KiB", MOST_HEAD >> 10)
            }
            Error::Protocol(error) => protocol(&error.to_string(), base),
            Error::Rustls(error) => tls(error),
            Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(inner) => tls(inner),
                None if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                    late()
                }
                None => socket(error.kind(), &error.to_string()),
            },
            other => other.to_string(),
        };
        Self(printable(&text, 300))
    }
}

fn socket(kind: ErrorKind, text: &str) -> String {
    match kind {
        ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => format!("the connection ended too soon ({text})"),
        // The standard library has no kind for it; the second is how Windows says it.
        _ if text.contains("lookup address") || text.contains("No such host is known") => {
            format!("no address is known for that host name ({text})")
        }
        _ => format!("no connection ({text})"),
    }
}

/// The client's words for what is not HTTP, which has no type that could be named here.
fn protocol(text: &str, base: &str) -> String {
    match text {
        "conflicting content-length headers" => "Content-Length twice, with two values".to_owned(),
        "content-length header not a number" => "a Content-Length that is no number".to_owned(),
        "http parse resulted in too many headers" => {
            "a head that is too large, of more than 128 headers".to_owned()
        }
        // What stands behind these is the server's own.
        _ if text.starts_with("bad header") || text.starts_with("location header") => {
            "what came is not right HTTP (a header that no header may be)".to_owned()
        }
        _ => match text.strip_prefix("http parse fail: ") {
            Some(why) if base.starts_with("http:") => {
                format!("what came is not HTTP ({why}); if it wants TLS, write https://")
            }
            Some(why) => format!("what came is not HTTP ({why})"),
            None => format!("what came is not right HTTP ({text})"),
        },
    }
}

/// What breaks off TLS. Where it says that no key was sent, no request has come to be yet.
fn tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => {
            format!("its certificate {}; no key was sent", certificate(why))
        }
        rustls::Error::InvalidMessage(_) => {
            "what came is not TLS; if it wants none, write http://".to_owned()
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => {
            format!("it has no TLS that is safe, which is 1.2 or 1.3 ({error}); no key was sent")
        }
        rustls::Error::General(why) if why.starts_with("No CA certificates") => {
            "this machine has no certificates of authorities, so it can trust no server; install \
             ca-certificates, or name a file of them in SSL_CERT_FILE"
                .to_owned()
        }
        other => format!("no TLS with it ({other})"),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet (is the clock of this machine right?)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another host name"
        }
        CertificateError::UnknownIssuer => "is from an authority that this machine does not know",
        other => return format!("is not trusted ({other})"),
    }
    .to_owned()
}
