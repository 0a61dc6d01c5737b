//! Tests through the front door: one module per subject.

mod believable;
mod cases;
mod client;
mod consistency;
mod determinism;
mod hostile;
mod paging;
mod random_fixture;
mod vendor;
mod walk;
