//! `gptbots-mock verify`, against the emulator and against servers that break the contract.

mod breaks;
mod differs;
mod forms;
mod hostile;
mod odd;
mod proxy;
mod readings;
mod scripted;
mod summary;
#[cfg(all(target_os = "linux", feature = "tls"))]
mod tls;
