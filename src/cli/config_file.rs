//! `--config FILE`, which reads settings from a file, and `--print-config`.
//!
//! A key of the file is a flag without its dashes. We turn each key into that flag, so that a value has the
//! same meaning and the same errors in both places.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::{flags, variables};
use crate::contract::READINGS;
use crate::document::{At, DocumentError, Fatal, Places, Problems, Reader, Span};
use crate::records::Day;
use crate::sandbox::faults::read_fault;
use crate::server::Clock;
use crate::settings::{Form, SETTINGS, Setting, TODAY, Value};

/// All settings, each with its name, its effective value, and the source of the value.
#[derive(Default)]
pub(super) struct SettingsInForce(Vec<[String; 3]>);

impl SettingsInForce {
    /// The table, with one line per setting. `today` is replaced by the time of the clock.
    pub(super) fn table(mut self, clock: Clock) -> String {
        for [name, value, _] in &mut self.0 {
            if name == "now" && value == TODAY {
                *value = Day::until(clock()).to_string();
            }
        }
        let width = |cell: usize| {
            self.0.iter().map(|row| row[cell].chars().count()).max().expect("there are settings")
        };
        let (first, second) = (width(0), width(1));
        let line = |[name, value, origin]: &[String; 3]| {
            format!("{name:first$}  {value:second$}  {origin}\n")
        };
        self.0.iter().map(line).collect()
    }
}

/// A setting in the file.
struct FileEntry {
    setting: &'static Setting,
    /// One argument of the command line per value.
    words: Vec<OsString>,
    value: String,
    at: Span,
}

/// Reads the file of `--config`, if there is one. Returns all settings, and the arguments to add to the
/// command line.
pub(super) fn read(
    matches: &ArgMatches,
) -> Result<(SettingsInForce, Vec<OsString>), DocumentError> {
    let path = matches.get_one::<PathBuf>("config");
    let in_file = path.map_or_else(|| Ok(Vec::new()), |path| read_file(path))?;
    let (mut words, mut settings) = (Vec::new(), Vec::new());
    for setting in SETTINGS {
        let name = setting.name;
        let raw = matches.get_raw(name).into_iter().flatten();
        let raw: Vec<_> = raw.map(|raw| raw.to_string_lossy()).collect();
        let separator = setting.separator().to_string();
        let source = matches.value_source(name);
        let explicit = match source {
            Some(ValueSource::CommandLine) => Some(format!("--{name}")),
            Some(ValueSource::EnvVariable) => Some(variables::of_setting(setting)),
            _ => None,
        };
        let shown = |count: usize, value: String| {
            if setting.is_secret() && count > 0 { format!("{count} given") } else { value }
        };
        let mut value = shown(raw.len(), raw.join(&separator));
        let mut origin = explicit.clone().unwrap_or_else(|| "default".to_owned());
        let is_reading = matches!(setting.value, Value::Text(Form::Reading, _));
        if let Some((entry, place)) = in_file.iter().find(|(entry, _)| entry.setting.name == name)
            // Readings of several sources are combined. For the same reading, the last value is used.
            && (explicit.is_none() || is_reading)
        {
            words.extend(entry.words.iter().cloned());
            if source == Some(ValueSource::EnvVariable) {
                // With an argument, clap ignores the variable, so we add its values after those of the file.
                words.extend(raw.iter().map(|value| format!("--{name}={value}").into()));
            }
            let in_file = shown(entry.words.len(), entry.value.clone());
            (value, origin) = match explicit {
                Some(explicit) => {
                    (format!("{in_file}{separator}{value}"), format!("{place}, {explicit}"))
                }
                None => (in_file, place.clone()),
            };
        }
        settings.push([name.to_owned(), value, origin]);
    }
    Ok((SettingsInForce(settings), words))
}

/// The settings in a file, each with its place as `file:line:column`.
fn read_file(path: &Path) -> Result<Vec<(FileEntry, String)>, DocumentError> {
    let documents = crate::records::fixtures::read_file(path)?;
    let mut problems = Problems::default();
    let mut entries = Vec::new();
    for span in documents.spans() {
        let mut reader = Reader::new(&documents, &span, &mut problems);
        // A syntax error is reported as one of the problems.
        let _ = read_root(&mut reader, path, &mut entries);
    }
    problems.finish(&documents)?;
    let mut places = Places::new(&documents);
    // The entries are in the order of the file, which `Places` needs.
    let with_place = |entry: FileEntry| {
        let (file, line, column) = places.find(entry.at.start);
        (entry, format!("{file}:{line}:{column}"))
    };
    Ok(entries.into_iter().map(with_place).collect())
}

/// The advice for a key that belongs into a fixture.
fn help_for_fixture(key: &str) -> Option<&'static str> {
    (key == "agents")
        .then_some("this file is a fixture; set \"fixtures\" to its path in a config file")
}

fn read_root(
    reader: &mut Reader<'_, '_>,
    path: &Path,
    entries: &mut Vec<FileEntry>,
) -> Result<(), Fatal> {
    let names = SETTINGS.iter().map(|setting| setting.name);
    let known: Vec<&str> = names.chain(["$schema"]).collect();
    if let Some(mut keys) = reader.object("settings")? {
        while let Some(key) = reader.key_with_help(&mut keys, &known, help_for_fixture)? {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.name == key.value) else {
                reader.skip()?;
                continue;
            };
            let values = match setting.value {
                Value::Switch(_) => {
                    if let Some(At { value: true, .. }) = reader.boolean()? {
                        let words = vec![format!("--{}", setting.name).into()];
                        let value = "true".to_owned();
                        entries.push(FileEntry { setting, words, value, at: key.span });
                    }
                    continue;
                }
                Value::Text(Form::Reading, _) => read_readings(reader)?,
                Value::Text(Form::Fault, _) => read_faults(reader)?,
                Value::Whole(..) => reader.digits("a number")?.into_iter().collect(),
                Value::Path(_) if setting.is_list => read_list(reader, |_| false)?,
                _ if setting.is_list => read_list(reader, |value| value.contains(','))?,
                _ => reader.string()?.into_iter().collect(),
            };
            let mut words = Vec::new();
            for value in &values {
                let mut word = OsString::from(format!("--{}=", setting.name));
                if let Value::Path(_) = setting.value {
                    word.push(path.parent().unwrap_or(Path::new("")).join(&value.value));
                } else {
                    word.push(&value.value);
                }
                if let Err(why) = check(&word) {
                    reader.problems.add(value.span.clone(), why);
                }
                words.push(word);
            }
            let value: Vec<_> = values.iter().map(|value| value.value.as_str()).collect();
            let value = value.join(&setting.separator().to_string());
            entries.push(FileEntry { setting, words, value, at: key.span });
        }
    }
    reader.finish()
}

/// A list of strings. A string that the flag would split into several values is a mistake.
fn read_list(
    reader: &mut Reader<'_, '_>,
    is_several: impl Fn(&str) -> bool,
) -> Result<Vec<At<String>>, Fatal> {
    let mut values = Vec::new();
    reader.array("a list", |reader| {
        if let Some(value) = reader.string()? {
            if is_several(&value.value) {
                reader
                    .problems
                    .add(value.span.clone(), "a value must not contain a comma; write two values");
            }
            values.push(value);
        }
        Ok(())
    })?;
    Ok(values)
}

/// A list of faults, each as a line.
fn read_faults(reader: &mut Reader<'_, '_>) -> Result<Vec<At<String>>, Fatal> {
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
fn read_readings(reader: &mut Reader<'_, '_>) -> Result<Vec<At<String>>, Fatal> {
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

/// Checks a flag. The error is the message of clap.
fn check(word: &OsString) -> Result<(), String> {
    let command = variables::without_any(Command::new(super::NAME).args(flags::all()));
    match command.try_get_matches_from([OsString::new(), word.clone()].iter()) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = super::without_secrets(error).to_string();
            let first = text.split("\n\n").next().expect("a split has a first part");
            Err(first.trim_start_matches("error: ").trim().replace('\n', " "))
        }
    }
}
