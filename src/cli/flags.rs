//! The flags of [`SETTINGS`], each with its variable, and the config that they make.

use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValuesParser, RangedI64ValueParser};
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
    /// JSON file that sets what no flag and no variable sets, as {"seed": 7, "cors": true}
    #[arg(long, value_name = "PATH", env = "GPTBOTS_MOCK_CONFIG")]
    config: Option<PathBuf>,
    /// Print every setting with where it comes from, and end
    #[arg(long)]
    pub(super) print_config: bool,
}

/// The flags of all settings.
pub(super) fn all() -> impl Iterator<Item = Arg> {
    SETTINGS.iter().map(flag)
}

/// The flags of some settings, by name.
pub(super) fn some<const N: usize>(names: [&str; N]) -> [Arg; N] {
    let setting = |name| SETTINGS.iter().find(|setting| setting.name == name);
    names.map(|name| flag(setting(name).expect("there is such a setting")))
}

/// The config that the flags of a command make. Touches nothing but the clock.
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

/// The flag of a setting, whose id is its name.
fn flag(setting: &'static Setting) -> Arg {
    let flag = Arg::new(setting.name)
        .long(setting.name)
        .help(setting.about)
        .env(variables::of_setting(setting));
    let flag = match &setting.value {
        Value::Switch(_) => {
            return flag.action(ArgAction::SetTrue).value_parser(BoolishValueParser::new());
        }
        Value::Whole(range, _) => match i64::try_from(*range.end()) {
            Ok(most) => {
                let least = range.start().cast_signed();
                flag.value_parser(RangedI64ValueParser::<u64>::new().range(least..=most))
            }
            Err(_) => flag.value_parser(value_parser!(u64)),
        },
        Value::Path(_) if setting.is_list => {
            // Shells make several words of a pattern. A path may hold a comma, so commas separate
            // only the value of the variable, which is one word.
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

pub(super) fn api_key(text: &str) -> Result<String, String> {
    check_key(text).map(|()| text.to_owned())
}

/// A file for a report, and what it is written as.
pub(super) fn report(path: &str) -> Result<(PathBuf, Format), String> {
    let path = PathBuf::from(path);
    let format = match path.extension().and_then(|end| end.to_str()) {
        Some("json") => Format::Json,
        Some("xml") => Format::Junit,
        Some("txt") => Format::Text,
        _ => return Err("the name of a report ends with .json, .xml or .txt".to_owned()),
    };
    Ok((path, format))
}
