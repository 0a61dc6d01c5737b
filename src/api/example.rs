//! The pages' examples, answered as a client gets them.

use super::handlers;
use super::page::View;
use super::query::Query;
use crate::contract::{Endpoint, Readings};
use crate::records::world::World;
use crate::sandbox::hazard::Hazards;

/// What a world's main agent answers to the example of an endpoint's page.
pub(crate) fn example(world: &World, endpoint: &'static Endpoint) -> Option<Vec<u8>> {
    let readings = Readings::default();
    let query = Query::read(endpoint, endpoint.example.shown_by, &readings).ok()?;
    let agent = world.main_agent()?;
    let view = View { world, agent, endpoint, readings: &readings, hazards: Hazards::default() };
    handlers::answer(&view, &agent.store, &query).ok().map(|page| page.json)
}
