//! `--config FILE`: what no flag and no variable sets, from a file; and `--print-config`.
//!
//! A key of the file is a flag without its dashes, and becomes that flag: so a value means the
//! same in both places, and is refused for the same reason.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Args;
use super::flags::{ServeArgs, TODAY};
use crate::contract::READINGS;
use crate::document::{At, DocumentError, Fatal, Places, Problems, Reader, Span};
use crate::records::Day;
use crate::sandbox::faults::read_fault;
use crate::server::Clock;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, Parser};

/// Flags that are no settings.
const NO_SETTINGS: &[&str] = &["config", "print-config", "help", "version"];

/// Flags whose values are numbers in JSON, too.
const NUMBERS: &[&str] =
    &["port", "seed", "conversations", "journal", "journal-memory", "max-connections"];

/// Flags whose values are paths: in a file, relative to its folder.
pub(crate) const PATHS: &[&str] = &["port-file", "fixtures"];

/// The flag whose values are `NAME=VALUE`: in a file, an object.
const READING: &str = "reading";

/// The flag whose values are faults: in a file, as in the control API.
const FAULT: &str = "fault";

/// The flag whose value may be [`TODAY`].
const NOW: &str = "now";

/// What stands between the values of a flag, as in its variable.
fn separator(flag: &str) -> &'static str {
    if flag == FAULT { ";" } else { "," }
}

/// Whether a flag takes secrets: those that the help hides too.
fn is_secret(flag: &Arg) -> bool {
    flag.is_hide_env_values_set()
}

/// A setting as it is in force.
struct Setting {
    name: String,
    value: String,
    origin: String,
}

/// Every setting.
#[derive(Default)]
pub(super) struct Settings(Vec<Setting>);

impl Settings {
    /// A line each: name, value, where it comes from. `today` is the moment that the clock tells.
    pub(super) fn table(mut self, clock: Clock) -> String {
        for setting in &mut self.0 {
            if setting.name == NOW && setting.value == TODAY {
                setting.value = Day::until(clock()).to_string();
            }
        }
        let width = |cell: fn(&Setting) -> &str| {
            self.0.iter().map(|s| cell(s).chars().count()).max().unwrap_or(0)
        };
        let (name, value) = (width(|s| &s.name), width(|s| &s.value));
        let line = |s: &Setting| format!("{:name$}  {:value$}  {}\n", s.name, s.value, s.origin);
        self.0.iter().map(line).collect()
    }
}

/// A flag that the file sets.
struct Given {
    name: String,
    words: Vec<OsString>,
    value: String,
    at: Span,
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    serve: ServeArgs,
}

/// The flags that a file may set.
pub(crate) fn settings() -> Vec<Arg> {
    let is_setting = |arg: &&Arg| arg.get_long().is_some_and(|long| !NO_SETTINGS.contains(&long));
    Args::command().get_arguments().filter(is_setting).cloned().collect()
}

/// Reads the file that `--config` names, if it does: every setting, and the words to add to the
/// command line.
pub(super) fn read(given: &ArgMatches) -> Result<(Settings, Vec<OsString>), DocumentError> {
    let flags = settings();
    // Commands that do not serve have none of these flags.
    let path = given.try_get_one::<PathBuf>("config").ok().flatten();
    let in_file = path.map(|path| read_file(path, &flags)).transpose()?.unwrap_or_default();
    let (mut words, mut settings) = (Vec::new(), Vec::new());
    for arg in flags {
        let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        let source = if given.try_contains_id(id).is_ok() { given.value_source(id) } else { None };
        let raw = given.try_get_raw(id).ok().flatten();
        let raw: Vec<_> = raw.into_iter().flatten().map(|raw| raw.to_string_lossy()).collect();
        let (mut value, mut origin) = match source {
            Some(ValueSource::CommandLine) => (raw.join(separator(long)), format!("--{long}")),
            Some(ValueSource::EnvVariable) => {
                let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
                (raw.join(separator(long)), variable.unwrap_or_default())
            }
            _ => (raw.join(","), "default".to_owned()),
        };
        if is_secret(&arg) && !raw.is_empty() {
            value = format!("{} given", raw.len());
        }
        let explicit = origin != "default";
        if let Some((set, place)) = in_file.iter().find(|(set, _)| set.name == long)
            // Readings add up, one by one; the later word wins.
            && (!explicit || long == READING)
        {
            words.extend(set.words.iter().cloned());
            if source == Some(ValueSource::EnvVariable) {
                // Words hide the variable from clap, so it comes along, behind the file.
                words.extend(raw.iter().map(|value| format!("--{long}={value}").into()));
            }
            let shown = if is_secret(&arg) {
                format!("{} given", set.words.len())
            } else {
                set.value.clone()
            };
            (value, origin) = if explicit {
                (format!("{shown}{}{value}", separator(long)), format!("{place}, {origin}"))
            } else {
                (shown, place.clone())
            };
        }
        settings.push(Setting { name: long.to_owned(), value, origin });
    }
    Ok((Settings(settings), words))
}

/// What a file sets, each with its place as `file:line:column`.
fn read_file(path: &Path, flags: &[Arg]) -> Result<Vec<(Given, String)>, DocumentError> {
    let documents = crate::records::fixtures::read_file(path)?;
    let mut problems = Problems::default();
    let mut all = Vec::new();
    for span in documents.spans() {
        let mut reader = Reader::new(&documents, &span, &mut problems);
        // A syntax error is told.
        let _ = read_root(&mut reader, path, flags, &mut all);
    }
    if !problems.is_empty() {
        return Err(problems.into_error(&documents));
    }
    let mut places = Places::new(&documents);
    // They were read in order, as places are found.
    let with_place = |given: Given| {
        let (file, line, column) = places.find(given.at.start);
        (given, format!("{file}:{line}:{column}"))
    };
    Ok(all.into_iter().map(with_place).collect())
}

fn read_root(
    reader: &mut Reader<'_, '_>,
    path: &Path,
    flags: &[Arg],
    all: &mut Vec<Given>,
) -> Result<(), Fatal> {
    let mut known: Vec<&str> = flags.iter().filter_map(|arg| arg.get_long()).collect();
    known.push("$schema");
    if let Some(mut keys) = reader.object("settings")? {
        while let Some(key) = reader.key(&mut keys, &known)? {
            let flag = flags.iter().find(|arg| arg.get_long() == Some(key.value));
            let Some(flag) = flag else {
                reader.skip()?;
                continue;
            };
            let values = match flag.get_action() {
                ArgAction::SetTrue => {
                    if let Some(At { value: true, .. }) = reader.boolean()? {
                        let words = vec![format!("--{}", key.value).into()];
                        let (name, value) = (key.value.to_owned(), "true".to_owned());
                        all.push(Given { name, words, value, at: key.span });
                    }
                    continue;
                }
                ArgAction::Append if key.value == READING => readings(reader)?,
                ArgAction::Append if key.value == FAULT => faults(reader)?,
                ArgAction::Append => list(reader)?,
                _ if NUMBERS.contains(&key.value) => {
                    reader.digits("a number")?.into_iter().collect()
                }
                _ => reader.string()?.into_iter().collect(),
            };
            let mut words = Vec::new();
            for value in &values {
                if is_secret(flag) {
                    reader.problems.hide(value.span.clone());
                }
                let mut word = OsString::from(format!("--{}=", key.value));
                if PATHS.contains(&key.value) {
                    let place = path.parent().unwrap_or(Path::new("")).join(&value.value);
                    if place.to_string_lossy().contains(',') {
                        let message = "a path with a comma, which separates paths";
                        reader.problems.add(value.span.clone(), message);
                    }
                    word.push(place);
                } else {
                    word.push(&value.value);
                }
                if let Err(why) = check(&word) {
                    reader.problems.add(value.span.clone(), why);
                }
                words.push(word);
            }
            let value: Vec<_> = values.iter().map(|value| value.value.as_str()).collect();
            let (name, value) = (key.value.to_owned(), value.join(separator(key.value)));
            all.push(Given { name, words, value, at: key.span });
        }
    }
    reader.finish()
}

/// A list of strings.
fn list(reader: &mut Reader<'_, '_>) -> Result<Vec<At<String>>, Fatal> {
    let mut values = Vec::new();
    reader.array("a list", |reader| {
        if let Some(value) = reader.string()? {
            if value.value.contains(',') {
                reader.problems.add(value.span.clone(), "a comma separates values; write two");
            }
            values.push(value);
        }
        Ok(())
    })?;
    Ok(values)
}

/// Faults, each as its line.
fn faults(reader: &mut Reader<'_, '_>) -> Result<Vec<At<String>>, Fatal> {
    let mut values = Vec::new();
    reader.array("a list of faults", |reader| {
        reader.peek()?;
        let begins = reader.here();
        if let Some(fault) = read_fault(reader)? {
            values.push(At { value: fault.to_string(), span: begins..reader.here() });
        }
        Ok(())
    })?;
    Ok(values)
}

/// `{"qa-time": "milliseconds"}`, as `qa-time=milliseconds`.
fn readings(reader: &mut Reader<'_, '_>) -> Result<Vec<At<String>>, Fatal> {
    let known: Vec<&str> = READINGS.iter().map(|row| row.name).collect();
    let mut values = Vec::new();
    if let Some(mut keys) = reader.object("readings by name")? {
        while let Some(key) = reader.key(&mut keys, &known)? {
            if let Some(At { value, span }) = reader.string()? {
                values.push(At { value: format!("{}={value}", key.value), span });
            }
        }
    }
    Ok(values)
}

/// Why a flag is refused, in clap's words.
fn check(word: &OsString) -> Result<(), String> {
    let command = super::variables::without_any(Flags::command());
    match command.try_get_matches_from([OsString::new(), word.clone()].iter()) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = super::without_secrets(error).to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            Err(first.trim_start_matches("error: ").trim().replace('\n', " "))
        }
    }
}
