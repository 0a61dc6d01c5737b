//! Operations on the server itself.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::operation::{Done, Operation};
use super::{Failure, Shared, on_blocking_thread};
use crate::api::respond;
use crate::contract;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether the server is up.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Health {
    /// It is.
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

/// A document that is committed, and answered as it is.
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "docs", schemars(inline, description = "An OpenAPI document."))]
struct Document {}

pub(super) fn health() -> Operation {
    Operation::get("/health", "health")
        .about("whether the server is up; answers every client, as `version` does")
        .answers::<Health>()
        .open()
        .handler(async || Json(Health { status: "healthy", version: VERSION }))
}

pub(super) fn version() -> Operation {
    Operation::get("/version", "version")
        .about("the server's version")
        .answers::<Version>()
        .open()
        .handler(async || Json(Version { version: VERSION }))
}

pub(super) fn openapi() -> Operation {
    Operation::get("/openapi.json", "openapi")
        .about("the vendor's API as an OpenAPI document, as `gptbots-mock openapi` prints it")
        .answers::<Document>()
        .handler(async || respond(contract::openapi()))
}

pub(super) fn admin_openapi() -> Operation {
    Operation::get("/admin-openapi.json", "adminOpenapi")
        .about(
            "the control API as an OpenAPI document, as `gptbots-mock openapi --admin` prints it",
        )
        .answers::<Document>()
        .handler(async || respond(super::admin_openapi()))
}

pub(super) fn reset() -> Operation {
    async fn handler(State(sandboxes): Shared) -> Result<Json<Done>, Failure> {
        on_blocking_thread(&sandboxes, |sandboxes| {
            sandboxes.reset();
            Json(Done {})
        })
        .await
    }
    Operation::post("/reset", "reset")
        .about("ends every sandbox, begins the default one anew, and forgets everything")
        .handler(handler)
}
