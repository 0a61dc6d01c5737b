//! The emulated API: what the vendor's paths answer.

pub(crate) mod allocations;
mod authentication;
mod connections;
mod consistency;
mod conversation_list;
mod cors;
mod determinism;
mod edge;
mod hostile;
mod http_rules;
mod limits;
mod messages;
mod near_keys;
mod near_misses;
mod openapi;
mod page_readings;
mod paging;
mod qa;
mod rate_limit;
mod readings;
mod reasons;
mod requests;
mod schema;
mod unread_bodies;
mod vendor;
mod vendor_errors;
mod vendor_queries;
