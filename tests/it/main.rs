//! Tests through the front door: one module per subject.

mod authentication;
mod checker;
mod client;
mod conversation_list;
mod cors;
mod docs;
mod edge;
mod fixture;
mod fixture_docs;
mod golden;
mod library;
mod limits;
mod messages;
mod page_readings;
mod qa;
mod readings;
mod reasons;
mod requests;
mod schema;
mod vendor;
mod vendor_errors;
