//! Faults and paging hazards: which requests they apply to, and what the client sees.

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
