//! Explains why no complete response was received, in words that help to find the cause.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::Error;

use super::client::{MOST_BODY, MOST_HEAD};
use super::describe::printable;
#[cfg(feature = "tls")]
use super::tls;

/// Explains what went wrong with a request to this server, within this time.
pub(super) fn explain(error: &Error, base: &str, timeout: Duration) -> String {
    let late = || format!("no complete response within {} s", timeout.as_secs());
    #[cfg(feature = "tls")]
    if let Some(error) = tls::find_error(error) {
        return printable(&tls::explain(error), 300);
    }
    let text = match error {
        Error::Timeout(_) => late(),
        Error::HostNotFound => "the host name cannot be resolved".to_owned(),
        Error::BodyExceedsLimit(_) => format!("a body of more than {} MiB", MOST_BODY >> 20),
        Error::LargeResponseHeader(..) => {
            format!("too many response headers (more than {} KiB)", MOST_HEAD >> 10)
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
        ErrorKind::ConnectionRefused => {
            "the connection was refused: no server listens at this address".to_owned()
        }
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => format!("the connection was closed too early ({text})"),
        // The standard library has no kind for this error; the second text is that of Windows.
        _ if text.contains("lookup address") || text.contains("No such host is known") => {
            format!("the host name cannot be resolved ({text})")
        }
        _ => format!("the connection failed ({text})"),
    }
}

/// Explains a violation of HTTP. The client reports it as a text only, so we match the text.
fn explain_protocol(text: &str, base: &str) -> String {
    match text {
        "conflicting content-length headers" => {
            "two Content-Length headers with different values".to_owned()
        }
        "content-length header not a number" => "a Content-Length that is not a number".to_owned(),
        "http parse resulted in too many headers" => {
            "too many response headers (more than 128)".to_owned()
        }
        // The rest of these texts comes from the server, so it is not shown.
        _ if text.starts_with("bad header") || text.starts_with("location header") => {
            "the response is not valid HTTP (it has an invalid header)".to_owned()
        }
        _ => match text.strip_prefix("http parse fail: ") {
            Some(why) if base.starts_with("http:") => {
                format!(
                    "the response is not HTTP ({why}); if the server expects TLS, write https://"
                )
            }
            Some(why) => format!("the response is not HTTP ({why})"),
            None => format!("the response is not valid HTTP ({text})"),
        },
    }
}
