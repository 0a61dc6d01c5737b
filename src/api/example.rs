//! The responses to the examples of the vendor's pages, as a client gets them.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header;

use super::{VendorApi, router};
use crate::contract::{Endpoint, SCHEME};
use crate::records::world::World;
use crate::sandbox::peer::Peer;
use crate::sandbox::{SandboxConfig, Sandboxes};

/// The response of a world's first agent to the example of an endpoint.
pub(crate) fn example(world: &World, endpoint: &Endpoint) -> Option<Vec<u8>> {
    let key = world.main_agent()?.keys.first()?;
    let request = Request::get(format!("{}?{}", endpoint.path, endpoint.example.shown_by))
        .header(header::AUTHORIZATION, format!("{SCHEME} {key}"))
        .body(Body::empty())
        .expect("the contract's paths, queries and keys can be sent");
    let world = World::of_fixture(world.agents.clone(), &[]).ok()?;
    let config = SandboxConfig::default();
    let settings = config.settings().expect("no fault contradicts another");
    let sandboxes = Sandboxes::new(world, settings, config);
    let api = VendorApi::new(Arc::new(sandboxes), router());
    let json = async {
        to_bytes(api.answer(request, &Peer::local()).await.into_body(), usize::MAX).await.ok()
    };
    // Pages of so few records never block.
    match pin!(json).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(json) => json.map(Vec::from),
        Poll::Pending => None,
    }
}
