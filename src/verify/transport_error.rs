//! Why no whole response came, in words that say where to look.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::Error;

use super::client::{MOST_BODY, MOST_HEAD};
use super::describe::printable;
#[cfg(feature = "tls")]
use super::tls;

/// Explains what went wrong with a request to this server, within this time.
pub(super) fn explain(error: &Error, base: &str, timeout: Duration) -> String {
    let late = || format!("no whole answer within {} s", timeout.as_secs());
    #[cfg(feature = "tls")]
    if let Some(error) = tls::find_error(error) {
        return printable(&tls::explain(error), 300);
    }
    let text = match error {
        Error::Timeout(_) => late(),
        Error::HostNotFound => "no address is known for that host name".to_owned(),
        Error::BodyExceedsLimit(_) => format!("a body of more than {} MiB", MOST_BODY >> 20),
        Error::LargeResponseHeader(..) => {
            format!("a head that is too large, of more than {} KiB", MOST_HEAD >> 10)
        }
        Error::Protocol(error) => explain_protocol(&error.to_string(), base),
        Error::Io(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            late()
        }
        Error::Io(error) => explain_socket(error.kind(), &error.to_string()),
        other => other.to_string(),
    };
    printable(&text, 300)
}

fn explain_socket(kind: ErrorKind, text: &str) -> String {
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

/// Explains what is not HTTP. The client has only texts for it, no type that we could match.
fn explain_protocol(text: &str, base: &str) -> String {
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
