//! `gptbots-mock healthcheck`: a health check for containers and scripts, which needs no other tool.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use clap::Args;
use ureq::Agent;

use super::{Exit, fail, flags, print, reachable};
use crate::control::HEALTH_PATH;
use crate::settings::ServerConfig;

/// The timeout of the request. An emulator answers within a millisecond, but the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Args)]
#[command(args(flags::some(["host", "port"])))]
#[command(mut_arg("host", |arg| flags::described(arg, "Address that the emulator listens on")))]
#[command(mut_arg("port", |arg| flags::described(arg, "Port that the emulator listens on")))]
pub(super) struct HealthcheckArgs {}

pub(super) fn run(config: &ServerConfig, out: &mut dyn Write) -> Exit {
    let address = SocketAddr::new(reachable(config.host), config.port);
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .build()
        .into();
    match agent.get(format!("http://{address}{HEALTH_PATH}")).call() {
        Ok(response) if response.status() == StatusCode::OK => {
            print(out, &format!("healthy: http://{address}\n"))
        }
        Ok(response) => {
            let status = response.status();
            fail(
                Exit::Failed,
                &format!("the health check of http://{address} failed with status {status}"),
            )
        }
        Err(error) => {
            let why = match error {
                ureq::Error::Io(error) => error.to_string(),
                error => error.to_string(),
            };
            let why = why.escape_debug();
            fail(Exit::Failed, &format!("no emulator at http://{address}: {why}"))
        }
    }
}
