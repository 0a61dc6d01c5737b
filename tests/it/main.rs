//! Tests through the front door: one module per subject.

mod access_log;
mod cli;
mod client;
mod commands;
mod process;
mod robust;
mod stop;
mod usage;
mod vendor;
