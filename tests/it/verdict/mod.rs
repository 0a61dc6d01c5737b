//! The verdict: which clients get findings, and which do not.

mod assertions;
mod clients;
mod coverage;
mod forms;
mod quiet;
mod retries;
mod rules;
mod several_clients;
mod suite;
mod unknown_endpoints;
