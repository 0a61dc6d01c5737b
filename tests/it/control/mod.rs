//! The control API under `/__admin`, and the sandboxes that it makes.

mod bodies;
mod documents;
pub(crate) mod events;
mod fuzz;
mod guard;
mod journal;
mod key_places;
mod memory_budget;
mod near_misses;
mod openapi;
mod openapi_bodies;
mod patterns;
mod queries;
mod requests;
mod sandbox_bounds;
mod sandbox_memory;
mod sandbox_round_trip;
mod sandbox_settings;
mod sandboxes;
mod secret_sources;
