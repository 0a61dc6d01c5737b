//! Operations on the server itself.

use axum::Json;
use axum::http::Method;
use axum::response::IntoResponse;
use serde::Serialize;

use super::operation::{Done, Operation};
use crate::api::respond;
use crate::contract;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The status of the server.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Health {
    /// Always `healthy`.
    #[cfg_attr(feature = "docs", schemars(extend("enum" = ["healthy"])))]
    status: &'static str,
    /// The server's version.
    version: &'static str,
}

/// The server's version.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Version {
    /// The server's version.
    version: &'static str,
}

/// A committed document, which is returned unchanged.
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "docs", schemars(inline, description = "An OpenAPI document."))]
struct Document {}

pub(super) fn health() -> Operation {
    Operation::new(Method::GET, "/health", "health")
        .about("shows that the server is running; every client may use this and `version`")
        .answers::<Health>()
        .open()
        .handler(async || Json(Health { status: "healthy", version: VERSION }))
}

pub(super) fn version() -> Operation {
    Operation::new(Method::GET, "/version", "version")
        .about("shows the server's version")
        .answers::<Version>()
        .open()
        .handler(async || Json(Version { version: VERSION }))
}

pub(super) fn openapi() -> Operation {
    Operation::new(Method::GET, "/openapi.json", "openapi")
        .about("the vendor's API as an OpenAPI document, as `gptbots-mock openapi` prints it")
        .answers::<Document>()
        .handler(async || respond(contract::openapi()))
}

pub(super) fn admin_openapi() -> Operation {
    Operation::new(Method::GET, "/admin-openapi.json", "adminOpenapi")
        .about(
            "the control API as an OpenAPI document, as `gptbots-mock openapi --admin` prints it",
        )
        .answers::<Document>()
        .handler(async || respond(super::admin_openapi()))
}

pub(super) fn reset() -> Operation {
    Operation::new(Method::POST, "/reset", "reset")
        .about("deletes all sandboxes, resets the default one, and discards the journal and the verdict")
        .blocking(|call, ()| {
            call.reset();
            Ok(Json(Done {}).into_response())
        })
}
