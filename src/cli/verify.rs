//! `gptbots-mock verify`: runs the checks of the contract against any server.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::http::Uri;
use clap::Args;

use super::whole_file::{can_write, write_report};
use super::{Exit, fail, flags, print, say};
use crate::report::Format;
use crate::verify::{Clock, Options, Progress, is_unencrypted, verify};

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// URL of the server, without /v1 and what follows it
    ///
    /// Example: --against https://api.example
    /// Variable: GPTBOTS_MOCK_AGAINST
    #[arg(long, value_name = "URL", env = "GPTBOTS_MOCK_AGAINST", hide_env = true)]
    #[arg(value_parser = server_url, verbatim_doc_comment)]
    against: String,
    /// API key of an agent that has records
    ///
    /// Prefer the variable, because other users of this machine can read the command line.
    /// Variable: GPTBOTS_MOCK_KEY
    #[arg(long, env = "GPTBOTS_MOCK_KEY", hide_env = true, hide_env_values = true)]
    #[arg(value_parser = flags::api_key, verbatim_doc_comment)]
    key: String,
    /// API key of a deleted agent
    ///
    /// Without it, the responses for a deleted agent are not checked.
    /// Variable: GPTBOTS_MOCK_DELETED_KEY
    #[arg(long, value_name = "KEY", env = "GPTBOTS_MOCK_DELETED_KEY", hide_env = true)]
    #[arg(hide_env_values = true, value_parser = flags::api_key, verbatim_doc_comment)]
    deleted_key: Option<String>,
    /// Maximum number of requests to send
    ///
    /// The most important checks come first. It is a whole number from 1 to 4294967295.
    /// Variable: GPTBOTS_MOCK_MAX_REQUESTS
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_MAX_REQUESTS", hide_env = true)]
    #[arg(default_value_t = 60, verbatim_doc_comment)]
    #[arg(value_parser = |text: &str| flags::whole(&(1..=u32::MAX), text))]
    max_requests: u32,
    /// Maximum number of requests per minute
    ///
    /// It is a whole number from 1 to 4294967295.
    /// Variable: GPTBOTS_MOCK_PER_MINUTE
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_PER_MINUTE", hide_env = true)]
    #[arg(default_value_t = 30, verbatim_doc_comment)]
    #[arg(value_parser = |text: &str| flags::whole(&(1..=u32::MAX), text))]
    per_minute: u32,
    /// Timeout of a request in seconds
    ///
    /// It is a whole number from 1 to 600.
    /// Variable: GPTBOTS_MOCK_TIMEOUT
    #[arg(long, value_name = "SECONDS", env = "GPTBOTS_MOCK_TIMEOUT", hide_env = true)]
    #[arg(default_value_t = 30, verbatim_doc_comment)]
    #[arg(value_parser = |text: &str| flags::whole(&(1..=600_u32), text))]
    timeout: u32,
    /// File to write all results to (.json, .txt, or .xml for JUnit)
    ///
    /// It may be repeated.
    #[arg(long, value_name = "FILE", value_parser = flags::report, verbatim_doc_comment)]
    report: Vec<(PathBuf, Format)>,
    /// Print the result of every check, and every reading
    #[arg(long)]
    verbose: bool,
}

/// Reads the URL of a server. A URL that no request can be sent to is refused before anything is sent.
fn server_url(text: &str) -> Result<String, String> {
    let shape = "expected https://HOST or http://HOST:PORT, optionally with a path";
    let uri: Uri = text.parse().map_err(|error| format!("{error}; {shape}"))?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority())
    else {
        return Err(shape.to_owned());
    };
    if authority.host().is_empty() {
        return Err(shape.to_owned());
    }
    if cfg!(not(feature = "tls")) && scheme == "https" {
        return Err(
            "this build has no TLS; use http://, or build with the feature `tls`".to_owned()
        );
    }
    let authority = authority.as_str();
    if authority.contains('@') {
        return Err("the URL must not contain a user or key before the host; use --key".to_owned());
    }
    // The client would replace a wrong port by the default one of the scheme, and send the key there.
    let behind_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    if behind_host.contains(':') && uri.port_u16().is_none_or(|port| port == 0) {
        return Err(format!("the port must be 1 to 65535; {shape}"));
    }
    if uri.query().is_some() || text.contains('#') {
        return Err(format!("the URL must not contain a query or fragment; {shape}"));
    }
    Ok(text.to_owned())
}

pub(super) fn run(args: &VerifyArgs, out: &mut dyn Write) -> Exit {
    let options = Options {
        against: args.against.clone(),
        key: args.key.clone(),
        deleted_key: args.deleted_key.clone(),
        max_requests: args.max_requests,
        per_minute: args.per_minute,
        timeout: Duration::from_secs(u64::from(args.timeout)),
    };
    let (most, rate) = (args.max_requests, args.per_minute);
    let seconds = u64::from(most) * 60 / u64::from(rate);
    let lasts =
        if seconds < 90 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) };
    say(&format!("sending up to {most} requests, {rate} per minute; this takes about {lasts}"));
    if is_unencrypted(&options.against) {
        say(
            "warning: http:// is not encrypted, so the network between here and the server can read the key",
        );
    }
    // We check the paths first, so that a wrong path does not waste a whole run.
    for (path, _) in &args.report {
        if let Err(error) = can_write(path) {
            return cannot_write(path, &error);
        }
    }
    let on_terminal = io::stderr().is_terminal();
    let report = verify(&options, &SystemClock(Instant::now()), &|it| show(it, on_terminal));
    if on_terminal {
        // As in `show`.
        let _ = write!(io::stderr(), "\r{:50}\r", "");
    }
    let printed = print(out, &report.summary(args.verbose).to_string());
    for (path, format) in &args.report {
        if let Err(error) = write_report(path, &report.write(*format)) {
            return cannot_write(path, &error);
        }
    }
    match printed {
        Exit::Done if !report.holds() => Exit::Differs,
        exit => exit,
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Exit {
    fail(Exit::Failed, &format!("cannot write {}: {error}", path.display()))
}

/// In a log, progress is printed after this many requests.
const LOG_INTERVAL: u32 = 10;

/// Shows the progress: on a terminal in one line that changes, in a log with a line now and then.
fn show(progress: Progress, on_terminal: bool) {
    let line = match progress {
        Progress::Sent { sent, of } if on_terminal || (sent % LOG_INTERVAL == 0 && sent < of) => {
            format!("{sent} of {of} requests")
        }
        Progress::Sent { .. } => return,
        Progress::Waiting(pause) => format!("waiting {} s after a 429", pause.as_secs()),
    };
    if on_terminal {
        // An error means that stderr is closed. The result does not depend on it.
        let _ = write!(io::stderr(), "\r{line:50}");
    } else {
        say(&line);
    }
}

/// The clock of this machine.
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
