//! The records: their form ([`model`], [`rows`]), their sources ([`fixtures`], [`generate`]), and the store
//! that answers queries on them. [`world`] has the agents that they belong to.

mod day;
pub(crate) mod fixtures;
pub(crate) mod generate;
pub(crate) mod json;
pub(crate) mod model;
pub(crate) mod rows;
pub(crate) mod store;
pub(crate) mod world;

pub use day::{Day, DayError};
pub(crate) use world::{Agents, RecordsConfig, check_user_id};
