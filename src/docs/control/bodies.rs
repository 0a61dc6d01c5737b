//! The schemas of request bodies, which are read by hand-written code, and of types whose words or keys are
//! in the contract's tables.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::contract::{Code, ENDPOINTS, Operation, READINGS};
use crate::control::{
    ClockChange, CurrentSettings, FIXTURES_LEFT_OUT, KEYS, MATCHERS, MOST_EXPRESSION, MOST_NAMES,
    MOST_NESTED, Mode, NearMissPattern, NewFaults, Pattern, RequestCounts, SandboxSettings,
    UnmatchedRequest, VALUES_MATCHERS,
};
use crate::docs::config;
use crate::docs::schema::{
    ObjectSchema, With, any_of, at_least, capital, described, numbers, or_null, sentence, text,
    text_like, words,
};
use crate::document::Problem;
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::{HAZARDS, Hazard};
use crate::sandbox::verdict::{RULES, Rule};
use crate::sandbox::{MAX_FAULTS, RateLimit};
use crate::settings::{self, Form, SandboxKey, Setting, sandbox_keys};

/// Implements `JsonSchema` for a type. A schema with a name becomes a component, and one without a name is
/// written where it is used.
macro_rules! schema {
    ($type:ty, $name:literal, $make:expr) => {
        schema!($type, $name, false, $make);
    };
    ($type:ty, $make:expr) => {
        schema!($type, stringify!($type), true, $make);
    };
    ($type:ty, $name:expr, $inline:literal, $make:expr) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                $inline
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
                let make: fn(&mut SchemaGenerator) -> Value = $make;
                make(schemas).try_into().expect("a schema is an object")
            }
        }
    };
}

/// The schema of a type, or a reference to it.
fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().into()
}

schema!(SandboxSettings, "Settings", |schemas| {
    let mut object = ObjectSchema::new("The settings of a sandbox.");
    for (key, setting) in sandbox_keys() {
        object = object.key(key.name, &about(key), false, setting_schema(setting, schemas));
    }
    // Conversations and their users are generated only if there are no fixtures.
    let none = json!({ "properties": { "fixtures": false } });
    let generated = json!({ "conversations": none, "demo_user": none });
    object.finish().with("dependentSchemas", generated)
});

schema!(CurrentSettings, "CurrentSettings", |schemas| {
    let mut object =
        ObjectSchema::new("The current settings of a sandbox, in a format that `PUT` accepts.");
    for (key, setting) in sandbox_keys() {
        let (is_there, schema) = match setting.map(|setting| &setting.value) {
            None => (true, of::<Mode>(schemas)),
            Some(settings::Value::Path(_)) => {
                let left_out =
                    described(words([FIXTURES_LEFT_OUT]), "Fixtures that are not shown.");
                let fixture = described(json!({ "type": "object" }), "The fixture of the `PUT`.");
                (false, any_of([fixture, left_out]))
            }
            Some(settings::Value::Text(Form::Reading, _)) => (true, readings(true)),
            Some(settings::Value::Text(Form::Fault, _)) => {
                let line = described(text(), "A fault as a line, with its id.");
                let lines = json!({ "type": "array", "items": line, "maxItems": MAX_FAULTS });
                (true, lines)
            }
            Some(settings::Value::Text(Form::RateLimit, _)) => {
                (true, or_null(of::<RateLimit>(schemas)))
            }
            // There may be none.
            Some(settings::Value::Text(..)) => (false, setting_schema(setting, schemas)),
            // If records come from fixtures, none are generated.
            Some(_) => (key.name != "conversations", setting_schema(setting, schemas)),
        };
        object = object.key(key.name, &about(key), is_there, schema);
    }
    object.finish()
});

/// The description of a key of a sandbox's settings.
fn about(key: SandboxKey) -> String {
    let more = key.more.map_or_else(String::new, |page| format!(" See docs/{page}."));
    sentence(key.about) + &more
}

fn setting_schema(setting: Option<&Setting>, schemas: &mut SchemaGenerator) -> Value {
    let Some(setting) = setting else {
        let mode = of::<Mode>(schemas);
        let object = ObjectSchema::new("The same as an object.");
        return any_of([mode.clone(), object.key("mode", "The word.", false, mode).finish()]);
    };
    match setting.value {
        settings::Value::Path(_) => of::<Fixture>(schemas),
        settings::Value::Text(Form::Reading, _) => readings(false),
        settings::Value::Text(Form::Fault, _) => {
            of::<Vec<Fault>>(schemas).with("maxItems", MAX_FAULTS)
        }
        settings::Value::Text(Form::RateLimit, _) => {
            let line = described(config::value(setting), "Requests and seconds as a line.");
            let none = json!({ "type": "null", "description": "No limit." });
            any_of([of::<RateLimit>(schemas), line, none])
        }
        settings::Value::Text(Form::Hazard, _) => of::<Vec<Hazard>>(schemas),
        _ => config::value(setting),
    }
}

schema!(ClockChange, "ClockChange", |schemas| {
    let advance = at_least(0).with("maximum", ClockChange::furthest());
    ObjectSchema::new("A change of a clock.")
        .key("advance_ms", "How many milliseconds the clock is advanced.", false, advance)
        .key("mode", "Whether the clock stops or runs.", false, of::<Mode>(schemas))
        .finish()
});

schema!(NewFaults, "NewFaults", |schemas| {
    let list = of::<Vec<Fault>>(schemas).with("minItems", 1).with("maxItems", MAX_FAULTS);
    let several = ObjectSchema::new("Several faults. Either all of them are added, or none.");
    any_of([of::<Fault>(schemas), several.key("faults", "The faults.", true, list).finish()])
});

schema!(Fault, "Fault", |_| crate::docs::fault::schema());

schema!(Hazard, "Hazard", |_| {
    let each = HAZARDS.iter().map(|row| format!("\n\n`{}`: {}", row.word, row.about));
    let about = "A change of the data between two page requests. The word alone applies to every \
                 operation; with an operation before it, it applies to this operation only.";
    let about = about.to_owned() + &each.collect::<String>();
    let alone = HAZARDS.iter().map(|row| row.word.to_owned());
    let of = |id| HAZARDS.iter().map(move |row| format!("{id}:{}", row.word));
    let all: Vec<_> = alone.chain(ENDPOINTS.iter().flat_map(|row| of(row.id))).collect();
    described(words(all.iter().map(String::as_str)), &about)
});

/// Readings by name: all of them, or any.
fn readings(all: bool) -> Value {
    let mut object = ObjectSchema::new("");
    for row in READINGS {
        let values = row.values.iter().map(|(word, does)| format!("`{word}`: {}", does.trim()));
        let values: Vec<String> = values.collect();
        let (affects, why) = (capital(row.affects), row.why);
        let about = format!("{affects}. {}. Uncertain because {why}.", values.join("; "));
        let words = words(row.values.iter().map(|(word, _)| *word));
        object = object.key(row.name, &about, all, words);
    }
    object.finish()
}

schema!(RequestCounts, |_| {
    let mut object = ObjectSchema::new("");
    for endpoint in ENDPOINTS {
        let about = format!("The requests for `{}`.", endpoint.path);
        object = object.key(endpoint.id, &about, true, at_least(0));
    }
    object.finish()
});

schema!(Problem, "Problem", |_| {
    let severity = words(["error", "warning"]);
    ObjectSchema::new("A mistake in a document.")
        .key("severity", "With an error, nothing is changed.", true, severity)
        .key("file", "The document: `body`.", true, text())
        .key("line", "The line, from 1.", true, at_least(1))
        .key("column", "The character in the line, from 1.", true, at_least(1))
        .key("message", "What is wrong.", true, text())
        .key("help", "How to correct it, if there is a suggestion.", true, or_null(text()))
        .key("source", "The line; a long line is shortened around the place.", true, text())
        .finish()
});

schema!(Rule, |_| words(RULES.map(|(_, name, _)| name)));

schema!(Operation, |_| words(ENDPOINTS.iter().map(|row| row.id)));

schema!(Code, |_| numbers(Code::ALL.into_iter().chain(Code::OF_HTTP).map(Code::number)));

/// A fixture, with the schema for editors.
struct Fixture;

/// The schema of fixtures for editors.
const FIXTURE: &str = include_str!("../../../fixtures/schema.json");

// The parts of the schema become components, because some tools do not know `$defs`.
schema!(Fixture, "Fixture", |schemas| {
    let mut whole: Value = serde_json::from_str(FIXTURE).expect("it is JSON");
    point_to_components(&mut whole);
    let Value::Object(parts) = whole["$defs"].take() else { panic!("it has parts") };
    for (name, part) in parts {
        schemas.definitions_mut().insert(part_name(&name), part);
    }
    whole.as_object_mut().expect("it is an object").retain(|key, _| !key.starts_with('$'));
    whole
});

/// Turns every reference into one to the component.
fn point_to_components(node: &mut Value) {
    match node {
        Value::Object(entries) => entries.values_mut().for_each(point_to_components),
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("#/$defs/") {
                *text = format!("#/components/schemas/{}", part_name(name));
            }
        }
        _ => {}
    }
}

/// `FixtureAgent`
fn part_name(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("Fixture{}{rest}", first.to_uppercase())
}

schema!(Pattern, "RequestPattern", |schemas| {
    let about =
        "What a request must contain, in WireMock's format. `null` means that a key is not set.";
    let mut object = ObjectSchema::new(about);
    for key in KEYS {
        let (about, schema) = match *key {
            "method" => (
                "The method in capitals, or ANY.",
                text_like("^[^a-z]*$").with("examples", json!(["GET"])),
            ),
            "url" => ("Path and query.", text()),
            "urlPath" => ("The path.", text_like("^[^?]*$")),
            "urlPattern" => ("A regular expression for path and query.", of::<Expression>(schemas)),
            "urlPathPattern" => ("A regular expression for the path.", of::<Expression>(schemas)),
            "urlPathTemplate" => (
                "The path; `{name}` stands for any segment, and `**` for any text.",
                text_like("^[^?]*$").with("maxLength", MOST_EXPRESSION),
            ),
            "pathParameters" => {
                ("Conditions by name in `urlPathTemplate`.", conditions(&of::<Condition>(schemas)))
            }
            "queryParameters" => {
                ("Conditions by parameter name.", conditions(&of::<ValuesCondition>(schemas)))
            }
            "headers" => (
                "Conditions by header name; case is ignored.",
                conditions(&of::<ValuesCondition>(schemas)),
            ),
            "cookies" => ("Conditions by cookie name.", conditions(&of::<Condition>(schemas))),
            "scheme" => ("`http`.", text()),
            "host" => ("A condition on the name in `Host`.", of::<Condition>(schemas)),
            "port" => ("The port in `Host`, or 80.", json!({ "type": "integer" })),
            _ => ("A condition on the address of the client.", of::<Condition>(schemas)),
        };
        object = object.key(key, about, false, or_null(schema));
    }
    let urls: Vec<&str> = KEYS.iter().copied().filter(|key| key.starts_with("url")).collect();
    let mut not_both = Vec::new();
    for (at, one) in urls.iter().enumerate() {
        for other in &urls[..at] {
            let both =
                json!({ "required": [other, one], "properties": { *other: text(), *one: text() } });
            not_both.push(json!({ "not": both }));
        }
    }
    object.finish().with("allOf", not_both)
});

/// A regular expression of a pattern.
struct Expression;

schema!(Expression, "Expression", |_| {
    let about = format!(
        "A regular expression that must match the whole text. At most {MOST_EXPRESSION} bytes; \
         lookarounds and backreferences are not supported."
    );
    described(text().with("maxLength", MOST_EXPRESSION), &about)
});

/// Conditions by name.
fn conditions(condition: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": condition, "maxProperties": MOST_NAMES })
}

/// A condition on a value.
struct Condition;

schema!(Condition, "Condition", |schemas| one_of(schemas, "A condition on a value.", MATCHERS));

/// A condition on the values of a header or parameter.
struct ValuesCondition;

schema!(ValuesCondition, "ValuesCondition", |schemas| {
    one_of(schemas, "A condition on one of the values, or on all of them.", VALUES_MATCHERS)
});

fn one_of(schemas: &mut SchemaGenerator, about: &str, matchers: &[&str]) -> Value {
    let list = || json!({ "type": "array", "minItems": 1 });
    let mut all = Vec::new();
    for key in matchers.iter().filter(|key| **key != "caseInsensitive") {
        let (about, schema) = match *key {
            "equalTo" => ("The value is this text.", text()),
            "contains" => ("The value contains this text.", text()),
            "doesNotContain" => ("The value does not contain this text, or is missing.", text()),
            "matches" => ("The expression matches the whole value.", of::<Expression>(schemas)),
            "doesNotMatch" => (
                "The expression does not match the value, or the value is missing.",
                of::<Expression>(schemas),
            ),
            "anything" => ("Any value, or none.", json!({})),
            "not" => ("The value does not fit this condition.", of::<Condition>(schemas)),
            "and" => (
                "The value fits all of these conditions.",
                list().with("items", of::<Condition>(schemas)),
            ),
            "or" => (
                "The value fits at least one of these conditions.",
                list().with("items", of::<Condition>(schemas)),
            ),
            "hasExactly" => (
                "There are as many values as conditions, and each condition fits a value.",
                list().with("items", of::<Condition>(schemas)),
            ),
            "includes" => (
                "Each condition fits one of the values.",
                list().with("items", of::<Condition>(schemas)),
            ),
            // Some clients send a string for `absent`.
            _ => ("The value is missing.", any_of([json!({ "const": true }), text()])),
        };
        let mut object = ObjectSchema::new("").key(key, about, true, schema);
        if *key == "equalTo" {
            let either = json!({ "type": "boolean" });
            object = object.key("caseInsensitive", "Whether case is ignored.", false, either);
        }
        all.push(object.finish());
    }
    let about = format!("{about} A pattern has at most {MOST_NESTED} nested conditions.");
    json!({ "description": about, "oneOf": all })
}

schema!(UnmatchedRequest, "UnmatchedRequest", |_| {
    ObjectSchema::new("A request, in the format of the journal. Other keys are ignored.")
        .key("url", "Path and query.", true, text())
        .key("method", "Its method.", true, text())
        .finish()
        .with("additionalProperties", true)
});

schema!(NearMissPattern, "NearMissPattern", true, |schemas| of::<Pattern>(schemas));
