//! The flags of [`SETTINGS`], each with its variable and its help, and the config that they make.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, Resettable};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, value_parser};

use super::variables;
use crate::keys::check_key;
use crate::report::Format;
use crate::server::Clock;
use crate::settings::{Form, SETTINGS, ServerConfig, Setting, Value};

#[derive(Args)]
#[command(args(all()))]
pub(super) struct ServeArgs {
    /// JSON file with settings, such as {"seed": 7, "cors": true}
    ///
    /// A key is a flag without its dashes. Flags and variables override the file.
    /// docs/config.schema.json describes the file.
    /// Variable: GPTBOTS_MOCK_CONFIG
    #[arg(long, value_name = "PATH", env = "GPTBOTS_MOCK_CONFIG", hide_env = true)]
    #[arg(verbatim_doc_comment)]
    config: Option<PathBuf>,
    /// Print every setting with its value and its source, and exit
    #[arg(long)]
    pub(super) print_config: bool,
}

/// The flags of all settings, in sections.
pub(super) fn all() -> impl Iterator<Item = Arg> {
    SETTINGS.iter().map(|setting| {
        flag(setting).help_heading(setting.section).hide_short_help(setting.is_advanced)
    })
}

/// The flags of some settings, by name, without sections.
pub(super) fn some<const N: usize>(names: [&str; N]) -> [Arg; N] {
    names.map(|name| flag(setting(name)))
}

/// A flag of [`all`] or [`some`] without its variable.
pub(super) fn without_variable(flag: Arg) -> Arg {
    let setting = setting(flag.get_id().as_str());
    flag.env(Resettable::Reset).long_help(long_help(setting))
}

/// A flag of [`all`] or [`some`] with another description.
pub(super) fn described(flag: Arg, about: &'static str) -> Arg {
    let setting = setting(flag.get_id().as_str());
    let help = format!("{about}.{}", variable_line(setting));
    flag.help(about).long_help(help)
}

fn setting(name: &str) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.name == name).expect("there is such a setting")
}

/// The config that the flags of a command make. It reads nothing but the clock.
pub(super) fn config(matches: &ArgMatches, clock: Clock) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.sandbox.clock = clock;
    let has_value = |name: &str| matches.ids().any(|id| id.as_str() == name);
    for setting in SETTINGS.iter().filter(|setting| has_value(setting.name)) {
        let name = setting.name;
        match &setting.value {
            Value::Switch(switch) => *switch(&mut config) = matches.get_flag(name),
            Value::Whole(_, number) => {
                let value = matches.get_one::<u64>(name).expect("it has a value");
                number(&mut config).set(*value);
            }
            Value::Path(set) => {
                let is_variable = matches.value_source(name) == Some(ValueSource::EnvVariable);
                for path in matches.get_many::<PathBuf>(name).into_iter().flatten() {
                    match path.to_str() {
                        Some(paths) if is_variable && setting.is_list => {
                            paths.split(',').for_each(|path| set(&mut config, path.into()));
                        }
                        _ => set(&mut config, path.clone()),
                    }
                }
            }
            Value::Text(_, set) => {
                for text in matches.get_many::<String>(name).into_iter().flatten() {
                    set(&mut config, text).expect("the flag's parser has accepted it");
                }
            }
        }
    }
    config
}

/// The flag of a setting, whose id is its name. The variable and the words that it takes are a part of the
/// long help, because clap would print them in the short help, too.
fn flag(setting: &'static Setting) -> Arg {
    let help = long_help(setting) + &variable_line(setting);
    let flag = Arg::new(setting.name)
        .long(setting.name)
        .help(setting.about)
        .long_help(help)
        .env(variables::of_setting(setting))
        .hide_env(true)
        .hide_possible_values(true);
    let flag = match &setting.value {
        Value::Switch(_) => {
            return flag.action(ArgAction::SetTrue).value_parser(switch);
        }
        Value::Whole(range, _) => flag.value_parser(|text: &str| whole(range, text)),
        Value::Path(_) if setting.is_list => {
            // A shell expands a pattern to several arguments. A path may contain a comma, so commas
            // separate paths only in the variable, which is one text.
            let flag = flag.value_name(setting.value_name).action(ArgAction::Append);
            return flag.value_parser(value_parser!(PathBuf)).num_args(1..);
        }
        Value::Path(_) => flag.value_parser(value_parser!(PathBuf)),
        Value::Text(Form::Words(words), _) => flag.value_parser(PossibleValuesParser::new(*words)),
        Value::Text(_, set) => flag.value_parser(|text: &str| {
            set(&mut ServerConfig::default(), text).map(|()| text.to_owned())
        }),
    };
    let flag = flag.value_name(setting.value_name).hide_env_values(setting.is_secret());
    let flag = match setting.default() {
        Some(default) => flag.default_value(default),
        None => flag,
    };
    if setting.is_list {
        flag.action(ArgAction::Append).value_delimiter(setting.separator())
    } else {
        flag
    }
}

/// The text of `--help` on a setting: what the row says, the bounds, how to write a list, and the example.
fn long_help(setting: &Setting) -> String {
    let mut lines = vec![format!("{}.", setting.about)];
    lines.extend(setting.more.iter().map(|line| (*line).to_owned()));
    lines.extend(setting.bounds());
    match &setting.value {
        Value::Path(_) if setting.is_list => lines.push(
            "It takes several paths and may be repeated; commas separate paths in the variable."
                .to_owned(),
        ),
        _ if setting.is_list => {
            let separator = if setting.separator() == ';' { "semicolons" } else { "commas" };
            lines.push(format!("It may be repeated, or {separator} separate several values."));
        }
        _ => {}
    }
    if !setting.example.is_empty() {
        let several = if setting.example.contains(", ") { "Examples" } else { "Example" };
        lines.push(format!("{several}: {}", setting.example));
    }
    lines.join("\n")
}

fn variable_line(setting: &Setting) -> String {
    format!("\nVariable: {}", variables::of_setting(setting))
}

/// The parser of a flag that takes a whole number.
pub(super) fn whole<N: FromStr + PartialOrd + Display>(
    range: &RangeInclusive<N>,
    text: &str,
) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        format!("it must be a whole number from {} to {}", range.start(), range.end())
    })
}

/// The parser of a switch's variable. It takes the words of clap's `BoolishValueParser`, whose error names none.
fn switch(text: &str) -> Result<bool, String> {
    match &*text.to_ascii_lowercase() {
        "1" | "true" | "yes" | "on" | "t" | "y" => Ok(true),
        "0" | "false" | "no" | "off" | "f" | "n" => Ok(false),
        _ => Err("it must be 1 or 0, true or false, yes or no, on or off".to_owned()),
    }
}

pub(super) fn api_key(text: &str) -> Result<String, String> {
    check_key(text).map(|()| text.to_owned())
}

/// A file for a report, and its format.
pub(super) fn report(path: &str) -> Result<(PathBuf, Format), String> {
    let path = PathBuf::from(path);
    let format = match path.extension().and_then(|end| end.to_str()) {
        Some("json") => Format::Json,
        Some("xml") => Format::Junit,
        Some("txt") => Format::Text,
        _ => return Err("the name of a report must end with .json, .xml or .txt".to_owned()),
    };
    Ok((path, format))
}
