//! The settings of a sandbox as a response shows them, in the format of `PUT` and by the same table of keys.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::bodies::{FIXTURES_LEFT_OUT, Mode};
use crate::sandbox::{SandboxConfig, Settings};
use crate::settings::{Form, ServerConfig, Value, sandbox_keys};

/// The settings of a sandbox as they are now.
pub(crate) struct CurrentSettings {
    pub(super) settings: Settings,
    /// Whether inline fixtures are shown.
    pub(super) with_fixtures: bool,
}

impl Serialize for CurrentSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = &self.settings;
        let sandbox = SandboxConfig::of(settings);
        let mut config = ServerConfig { sandbox, ..ServerConfig::default() };
        let mut map = serializer.serialize_map(None)?;
        for (key, setting) in sandbox_keys() {
            let name = key.name;
            match setting.map(|setting| (setting, &setting.value)) {
                None => map.serialize_entry(name, &Mode::of(config.sandbox.is_frozen))?,
                Some((_, Value::Switch(switch))) => {
                    map.serialize_entry(name, switch(&mut config))?;
                }
                Some((_, Value::Whole(..)))
                    if name == "conversations" && settings.conversations.is_none() => {}
                Some((_, Value::Whole(_, number))) => {
                    map.serialize_entry(name, &number(&mut config).get())?;
                }
                Some((_, Value::Path(_))) => match &settings.fixtures {
                    None => {}
                    Some(json) if self.with_fixtures => {
                        let json: &RawValue = serde_json::from_str(json.as_str())
                            .expect("the reader of fixtures accepted it as JSON");
                        map.serialize_entry(name, json)?;
                    }
                    Some(_) => map.serialize_entry(name, FIXTURES_LEFT_OUT)?,
                },
                Some((_, Value::Text(Form::Reading, _))) => {
                    let words: BTreeMap<_, _> = config.sandbox.readings.words().collect();
                    map.serialize_entry(name, &words)?;
                }
                Some((_, Value::Text(Form::Fault, _))) => {
                    let lines = config.sandbox.faults.iter().map(ToString::to_string);
                    map.serialize_entry(name, &lines.collect::<Vec<_>>())?;
                }
                Some((_, Value::Text(Form::Hazard, _))) => {
                    map.serialize_entry(name, &config.sandbox.hazards.texts())?;
                }
                Some((_, Value::Text(Form::RateLimit, _))) => {
                    map.serialize_entry(name, &config.sandbox.rate_limit)?;
                }
                Some((setting, Value::Text(..))) => {
                    if let Some(text) = setting.text(&config) {
                        map.serialize_entry(name, &text)?;
                    }
                }
            }
        }
        map.end()
    }
}
