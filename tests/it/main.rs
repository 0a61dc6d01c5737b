//! Tests through the front door: one module per subject.

mod client;
mod conversation_list;
mod fixture;
mod messages;
mod qa;
mod vendor;
mod vendor_errors;
