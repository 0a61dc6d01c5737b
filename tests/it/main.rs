//! Tests through the front door: one module per subject.

mod client;
mod vendor;
