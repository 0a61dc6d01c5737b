//! Tests through the front door: one module per subject.

mod client;
mod docs;
mod golden;
mod vendor;
