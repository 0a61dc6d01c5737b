//! Faults and paging hazards: which request meets one, and what its client sees.

mod clients;
mod hazards;
mod lines;
mod params;
mod prefer;
mod repeat;
mod responses;
mod slow;
mod when;
mod wire;
