//! The command line: flags, variables, output, signals and exit codes.

mod access_log;
mod commands;
mod config;
mod exec;
mod exec_environment;
#[cfg(unix)]
mod exec_processes;
#[cfg(unix)]
mod exec_terminal;
mod exec_verdict;
mod serve;
mod settings;
mod stop;
mod usage;
mod variables;
mod written_files;
