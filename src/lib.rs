//! A local emulator of the GPTBots conversation-history API for tests of its clients: without a network,
//! within milliseconds, and with the same bytes every time.
//!
//! A [`Server`] listens on a free port of 127.0.0.1 and stops when it is dropped. Point the client
//! under test at [`Server::url`] instead of the vendor's host, with [`Server::api_key`] as its key. This is a
//! complete test of a client that pages through the Q&A list, which has no `total`:
//!
//! ```
//! use gptbots_mock::Server;
//! use serde_json::Value;
//!
//! // The client under test.
//! fn export(url: &str, key: &str) -> Vec<Value> {
//!     let mut all = Vec::new();
//!     for page in 1.. {
//!         let answer = ureq::get(format!("{url}/v1/message/qa/record/page"))
//!             .query("user_feedback", "ALL")
//!             .query("start_time", "0")
//!             .query("end_time", "9999999999999")
//!             .query("page", page.to_string())
//!             .query("page_size", "100")
//!             .header("Authorization", format!("Bearer {key}"))
//!             .call()
//!             .unwrap()
//!             .body_mut()
//!             .read_to_string()
//!             .unwrap();
//!         let answer: Value = serde_json::from_str(&answer).unwrap();
//!         let rows = answer["qa"].as_array().unwrap();
//!         all.extend(rows.iter().cloned());
//!         if rows.len() < 100 {
//!             break;
//!         }
//!     }
//!     all
//! }
//!
//! // #[test]
//! fn every_question_is_exported_once() {
//!     let server = Server::builder().seed(7).conversations(40).start().unwrap();
//!     let rows = export(server.url(), server.api_key());
//!     let mut ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
//!     ids.sort();
//!     ids.dedup();
//!     assert_eq!(ids.len(), rows.len());
//!     assert!(rows.len() > 40);
//! }
//! # every_question_is_exported_once();
//! ```
//!
//! [`contract`] contains the emulated behaviour of the vendor as tables, with the source of each row. A
//! behaviour that the sources leave unclear is a *reading*: it has a default, and
//! [`ServerBuilder::reading`] changes it.
//!
//! # Versions
//!
//! Versions follow `SemVer`. A change of a public item, a flag, an exit code or one byte of the generated
//! records is a breaking change. Before 1.0, a breaking change gets a new minor version. A newer minimum
//! version of Rust is not a breaking change. Hidden items and the feature `docs` may change at any time.

mod api;
pub mod contract;
mod control;
#[cfg(feature = "docs")]
mod docs;
mod document;
mod keys;
mod memory;
mod records;
mod redact;
mod report;
mod sandbox;
mod server;
#[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "documents alone show some of it"))]
mod settings;
mod suggest;
mod surrogates;
mod target;
#[cfg(feature = "cli")]
mod verify;

#[cfg(feature = "cli")]
pub mod cli;

pub use contract::openapi;
pub use control::admin_openapi;
#[cfg(feature = "docs")]
#[doc(hidden)]
pub use docs::derived_files;
pub use document::{DocumentError, Problem, Severity};
pub use records::fixtures::{Conversation, Fixture, FixtureAgent};
pub use records::generate::MAX_CONVERSATIONS;
pub use records::{Day, DayError};
pub use sandbox::faults::{Delay, Fault, FaultError};
pub use sandbox::hazard::Hazard;
pub use sandbox::journal::{Request, Violation};
pub use sandbox::verdict::{Finding, RequestLine, Rule, RuleError, Verdict};
#[doc(hidden)]
pub use server::Unserved;
pub use server::{Sandbox, Server, ServerBuilder, StartError};
pub use settings::Limits;

/// Runs the examples in the documents as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/rust.md")]
#[doc = include_str!("../packaging/agents/SKILL.md")]
struct Documents;
