//! The library: `Server` and its builder in a test's own process.

mod server;
