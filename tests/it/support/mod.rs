//! What the tests share: the binary as a process, HTTP clients, fixtures and assertions.

pub(crate) mod assertions;
pub(crate) mod cases;
pub(crate) mod client;
pub(crate) mod control;
pub(crate) mod faults;
pub(crate) mod fixture;
pub(crate) mod folder;
pub(crate) mod golden;
pub(crate) mod paged;
pub(crate) mod process;

pub(crate) mod random_fixture;
pub(crate) mod schemas;
pub(crate) mod walk;
pub(crate) mod wire;
