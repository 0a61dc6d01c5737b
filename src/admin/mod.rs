//! The control API under `/__admin`: for now, whether the server is up.

use axum::Router;
use axum::http::Method;
use axum::response::Response;
use axum::routing::any;

use crate::contract::{self, Readings};
use crate::http::{Refusal, not_found, refuse, respond};

/// Where `gptbots-mock healthcheck` asks.
pub(crate) const HEALTH_PATH: &str = "/__admin/health";

/// The routes of the control API.
pub(crate) fn router() -> Router {
    Router::new().route(HEALTH_PATH, any(health)).route("/__admin/{*rest}", any(not_found))
}

async fn health(method: Method) -> Response {
    if !contract::allows(method.as_str()) {
        let refusal = Refusal::MethodNotAllowed { method: method.to_string() };
        return refuse(&refusal, None, &Readings::default());
    }
    respond(concat!(r#"{"status":"healthy","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#))
}
