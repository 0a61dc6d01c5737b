//! Tests through the front door: one folder per subject, one module per question. A test's name
//! says input and outcome; `support` is what several modules need.

mod api;
mod cli;
mod control;
mod docs;
mod faults;
mod fixtures;
mod house;
mod library;
mod pages;
mod support;
mod verdict;
mod verify;
