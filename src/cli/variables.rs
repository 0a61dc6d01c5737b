//! The environment variables: which of them a command reads, and notes on those that it ignores.
//!
//! Not every variable with one of our names was set by the user: Kubernetes sets `GPTBOTS_MOCK_PORT` for a
//! service with our name, and a compose file sets the variables that it passes on to the empty text if it
//! has no value for them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use crate::settings::Setting;
use crate::suggest::{nearest, quoted};

/// The prefix of our variables.
const PREFIX: &str = "GPTBOTS_MOCK_";

/// The variable of a setting.
pub(super) fn of_setting(setting: &Setting) -> String {
    format!("{PREFIX}{}", setting.name.replace('-', "_").to_uppercase())
}

/// Variables that have no flag, because `exec` sets them for its command.
const SET_BY_EXEC: [&str; 1] = ["GPTBOTS_MOCK_URL"];

/// The prefixes of the addresses that Kubernetes puts into variables.
const ADDRESSES: [&str; 3] = ["tcp://", "udp://", "sctp://"];

/// The command line with only those variables that the given command reads, and a note on each ignored
/// variable that the user may have set for us.
pub(super) fn select(all: Command, words: &[OsString]) -> (Command, Vec<String>) {
    let mut known = names(&all);
    known.extend(all.get_subcommands().flat_map(names));
    known.extend(SET_BY_EXEC.map(str::to_owned));
    let mut notes = Vec::new();
    // A command must not fail because of a variable that it does not read.
    let all = match words.get(1).and_then(|word| all.find_subcommand(word)) {
        Some(command) => {
            let name = command.get_name().to_owned();
            let all = without_any(all);
            all.mut_subcommand(&name, |command| select_of(command, &mut notes))
        }
        None => select_of(all, &mut notes),
    };
    let read = names(chosen(&all, words));
    notes.extend(near_names(&known, &read));
    (all, notes)
}

/// A command without its variables. Its subcommands keep theirs.
pub(super) fn without_any(command: Command) -> Command {
    command.mut_args(|arg| arg.env(Resettable::Reset))
}

/// The subcommand that the words name, or else the whole command line.
fn chosen<'c>(all: &'c Command, words: &[OsString]) -> &'c Command {
    words.get(1).and_then(|word| all.find_subcommand(word)).unwrap_or(all)
}

/// The names of a command's variables.
fn names(command: &Command) -> Vec<String> {
    let names = command.get_arguments().filter_map(Arg::get_env);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

fn select_of(command: Command, notes: &mut Vec<String>) -> Command {
    command.mut_args(|arg| {
        let Some(variable) = arg.get_env().map(OsStr::to_owned) else { return arg };
        let Some(value) = std::env::var_os(&variable) else { return arg };
        if value.is_empty() {
            return arg.env(Resettable::Reset);
        }
        let value = value.to_string_lossy();
        if !ADDRESSES.iter().any(|begins| value.starts_with(begins)) {
            return arg;
        }
        let is_secret = arg.is_hide_env_values_set();
        let value = if is_secret { "an address".to_owned() } else { quoted(&value) };
        notes.push(format!(
            "note: {} is ignored, because it contains {value}, which Kubernetes sets for a service of this name",
            variable.to_string_lossy()
        ));
        arg.env(Resettable::Reset)
    })
}

/// A note on each variable that is ignored and has a name similar to one that is read.
fn near_names(known: &[String], read: &[String]) -> Vec<String> {
    let ends: Vec<&str> = read.iter().filter_map(|name| name.strip_prefix(PREFIX)).collect();
    let set = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
    // The environment has no order, so the notes are sorted by name.
    let set: BTreeMap<_, _> = set.collect();
    let near = set.iter().filter_map(|(name, value)| {
        let end = name.to_ascii_uppercase();
        let end = end.strip_prefix(PREFIX)?;
        if value.is_empty() || is_known(known, name) || is_of_kubernetes(end, value) {
            return None;
        }
        let nearest = nearest(end, ends.iter().copied())?;
        let name = name.escape_debug();
        Some(format!("note: unknown variable {name} is ignored; did you mean {PREFIX}{nearest}?"))
    });
    near.collect()
}

/// On Windows, the case of a variable's name does not matter.
fn is_known(known: &[String], name: &str) -> bool {
    known.iter().any(|known| known == name || (cfg!(windows) && known.eq_ignore_ascii_case(name)))
}

/// Whether Kubernetes sets such a variable for a service whose name begins with ours: `…_SERVICE_HOST`,
/// `…_SERVICE_PORT_HTTP`, `…_PORT`, `…_PORT_8484_TCP_ADDR`.
fn is_of_kubernetes(end: &str, value: &OsStr) -> bool {
    let digit = |rest: &str| rest.starts_with(|char: char| char.is_ascii_digit());
    let value = value.to_string_lossy();
    ["SERVICE_HOST", "SERVICE_PORT"].iter().any(|part| end.contains(part))
        || end.split("PORT_").skip(1).any(digit)
        || ADDRESSES.iter().any(|begins| value.starts_with(begins))
}

/// Prepares an error about a value for printing: adds the variable that the value comes from, and escapes
/// control characters.
pub(super) fn explain(mut error: Error, command: &Command, words: &[OsString]) -> Error {
    let of_values = [ErrorKind::ValueValidation, ErrorKind::InvalidValue, ErrorKind::InvalidUtf8];
    if !of_values.contains(&error.kind()) {
        return error;
    }
    let source = source(&error, command, words);
    if error.kind() == ErrorKind::InvalidUtf8 {
        let Some((variable, is_secret)) = source else { return error };
        let value = std::env::var_os(&variable).expect("the error is about its value");
        let value = value.as_encoded_bytes().escape_ascii();
        let value = if is_secret { "***".to_owned() } else { format!("\"{value}\"") };
        let message = format!("{variable} must be UTF-8, got {value}");
        return command.clone().error(error.kind(), message);
    }
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let value = ContextValue::String(escaped(value));
        error.insert(ContextKind::InvalidValue, value);
    }
    if let Some((variable, _)) = source
        && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
    {
        let name = ContextValue::String(format!("{variable} ({flag})"));
        error.insert(ContextKind::InvalidArg, name);
    }
    error
}

/// The variable that caused an error, and whether it contains a secret. To find it, we leave out one
/// variable after the other: without the right one, parsing succeeds or fails with another error.
fn source(error: &Error, command: &Command, words: &[OsString]) -> Option<(String, bool)> {
    let about = |error: &Error| {
        let of = |kind| error.get(kind).map(ToString::to_string);
        (error.kind(), of(ContextKind::InvalidArg), of(ContextKind::InvalidValue))
    };
    let wrong = about(error);
    let mut command = command.clone();
    let set = chosen(&command, words).get_arguments().filter_map(|arg| {
        let variable = arg.get_env().filter(|name| std::env::var_os(name).is_some())?;
        Some((variable.to_owned(), arg.is_hide_env_values_set()))
    });
    for (variable, is_secret) in set.collect::<Vec<_>>() {
        let unset = |arg: Arg| {
            if arg.get_env() == Some(&variable) { arg.env(Resettable::Reset) } else { arg }
        };
        command = command.mut_args(unset).mut_subcommands(|of| of.mut_args(unset));
        let now = command.clone().try_get_matches_from(words);
        if now.err().is_none_or(|error| about(&error) != wrong) {
            return Some((variable.to_string_lossy().into_owned(), is_secret));
        }
    }
    None
}

/// A value with its control characters escaped, and quotes as they are.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for char in value.chars() {
        if ['\'', '"', '\\'].contains(&char) {
            text.push(char);
        } else {
            text.extend(char.escape_debug());
        }
    }
    text
}
