//! Tests through the front door: one module per subject.

mod authentication;
mod believable;
mod cases;
mod client;
mod consistency;
mod conversation_list;
mod cors;
mod determinism;
mod docs;
mod fixture;
mod golden;
mod hostile;
mod library;
mod limits;
mod messages;
mod page_readings;
mod paging;
mod qa;
mod random_fixture;
mod readings;
mod reasons;
mod requests;
mod vendor;
mod vendor_errors;
mod walk;
