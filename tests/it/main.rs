//! Tests through the front door: one module per subject.

mod authentication;
mod builders;
mod checks;
mod client;
mod conversation_list;
mod cors;
mod derivations;
mod diagnostics;
mod docs;
mod fixture;
mod golden;
mod library;
mod limits;
mod messages;
mod page_readings;
mod pasted;
mod program;
mod qa;
mod readings;
mod reasons;
mod requests;
mod roundtrip;
mod vendor;
mod vendor_errors;
mod watching;
