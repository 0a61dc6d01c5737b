//! `gptbots-mock healthcheck`: for containers and scripts, without another tool.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use clap::Args;

use super::{Exit, fail, flags, print};
use crate::control::HEALTH_PATH;

/// An emulator answers in well under a millisecond; a machine may be busy. All of it takes no longer,
/// so a server that drips is no healthy one.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct HealthcheckArgs {
    /// Address the emulator listens on
    #[arg(long, value_name = "ADDRESS", env = "GPTBOTS_MOCK_HOST", default_value = "127.0.0.1")]
    #[arg(value_parser = flags::host)]
    host: IpAddr,
    /// Port the emulator listens on
    #[arg(long, env = "GPTBOTS_MOCK_PORT", default_value_t = flags::DEFAULT_PORT)]
    port: u16,
}

pub(super) fn run(args: &HealthcheckArgs, out: &mut dyn Write) -> Exit {
    // What listens everywhere is asked here.
    let host = match args.host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    let address = SocketAddr::new(host, args.port);
    match ask(address) {
        Ok(head) if head.starts_with("HTTP/1.1 200 ") => {
            print(out, &format!("healthy: http://{address}\n"))
        }
        Ok(head) => {
            let status = head.lines().next().unwrap_or_default().escape_debug();
            fail(Exit::Failed, &format!("http://{address} answers `{status}` to a health check"))
        }
        Err(error) => fail(Exit::Failed, &format!("no emulator at http://{address}: {error}")),
    }
}

/// The head that the server answers with, as far as it is short.
fn ask(address: SocketAddr) -> io::Result<String> {
    const MOST: usize = 1024;
    let end = Instant::now() + PATIENCE;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    let request =
        format!("GET {HEALTH_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.set_write_timeout(Some(left(end)?))?;
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    let mut some = [0; MOST];
    while head.len() < MOST && !head.windows(4).any(|four| four == b"\r\n\r\n") {
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(read) => head.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// How long there is until the end.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let message = format!("no whole answer within {} s", PATIENCE.as_secs());
        return Err(io::Error::new(io::ErrorKind::TimedOut, message));
    }
    Ok(left)
}
