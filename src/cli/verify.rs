//! `gptbots-mock verify`: the contract's checks against any server.

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
    /// Server to verify: scheme and host, and what stands before /v1 if need be
    #[arg(long, value_name = "URL", env = "GPTBOTS_MOCK_AGAINST", value_parser = server_url)]
    against: String,
    /// Key of an agent that has records; better in the variable than on the command line
    #[arg(long, env = "GPTBOTS_MOCK_KEY", hide_env_values = true, value_parser = flags::api_key)]
    key: String,
    /// Key of an agent that was deleted, without which its answers are not tried
    #[arg(long, value_name = "KEY", env = "GPTBOTS_MOCK_DELETED_KEY", hide_env_values = true)]
    #[arg(value_parser = flags::api_key)]
    deleted_key: Option<String>,
    /// Most requests that are sent; what matters most is asked first
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_MAX_REQUESTS", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_requests: u32,
    /// Most requests that are sent in a minute
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_PER_MINUTE", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    per_minute: u32,
    /// Longest that an answer may take, in seconds
    #[arg(long, value_name = "SECONDS", env = "GPTBOTS_MOCK_TIMEOUT", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: u32,
    /// File to write every statement to: .json, .txt, or .xml for a test report (repeat)
    #[arg(long, value_name = "FILE", value_parser = flags::report)]
    report: Vec<(PathBuf, Format)>,
    /// Tell every statement by its id, and every reading
    #[arg(long)]
    verbose: bool,
}

/// Reads the URL of a server. We refuse what no request could be made of before anything is sent.
fn server_url(text: &str) -> Result<String, String> {
    let shape = "write it as https://HOST or http://HOST:PORT, with a path if need be";
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
            "this build has no TLS; build with the feature `tls`, or write http://".to_owned()
        );
    }
    let authority = authority.as_str();
    if authority.contains('@') {
        return Err("a key belongs into --key, not before the host".to_owned());
    }
    // The client would use the scheme's port in place of a wrong one, and send the key to it.
    let behind_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    if behind_host.contains(':') && uri.port_u16().is_none_or(|port| port == 0) {
        return Err(format!("a port is a number from 1 to 65535; {shape}"));
    }
    if uri.query().is_some() || text.contains('#') {
        return Err(format!("no query belongs to it; {shape}"));
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
    say(&format!("up to {most} requests, {rate} a minute: about {lasts}"));
    if is_unencrypted(&options.against) {
        say("warning: http:// shows the key to whoever is between here and the server");
    }
    // We try the paths first, so that no run is lost for a report that cannot be written.
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

/// A log has a line after this many requests.
const LOG_INTERVAL: u32 = 10;

/// Shows how far the run has come: on a terminal one line that changes, in a log a line now and then.
fn show(progress: Progress, on_terminal: bool) {
    let line = match progress {
        Progress::Sent { sent, of } if on_terminal || (sent % LOG_INTERVAL == 0 && sent < of) => {
            format!("{sent} of {of} requests")
        }
        Progress::Sent { .. } => return,
        Progress::Waiting(pause) => format!("waiting {} s after a 429", pause.as_secs()),
    };
    if on_terminal {
        // Without stderr there is nobody to show it to, and the report is still right.
        let _ = write!(io::stderr(), "\r{line:50}");
    } else {
        say(&line);
    }
}

/// The time of this machine.
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
