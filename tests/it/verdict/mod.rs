//! The verdict: what is found wrong with a client, and what is not.

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
