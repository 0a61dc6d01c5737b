//! Helpers to build JSON schemas.

use serde_json::{Value, json};

/// A document or a part of one, with one more key.
pub(crate) trait With {
    fn with(self, key: &str, value: impl Into<Value>) -> Self;
}

impl With for Value {
    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self[key] = value.into();
        self
    }
}

/// A reference to a component.
pub(crate) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The schema of an object that may have only the keys that are added.
pub(crate) struct ObjectSchema {
    about: String,
    properties: Vec<(String, Value)>,
    required: Vec<String>,
}

impl ObjectSchema {
    /// An object without keys. `about` may be empty, here and in `key`.
    pub(crate) fn new(about: &str) -> Self {
        Self { about: about.to_owned(), properties: Vec::new(), required: Vec::new() }
    }

    pub(crate) fn key(mut self, name: &str, about: &str, always: bool, schema: Value) -> Self {
        if always {
            self.required.push(name.to_owned());
        }
        self.properties.push((name.to_owned(), described(schema, about)));
        self
    }

    pub(crate) fn finish(self) -> Value {
        let object = described(json!({ "type": "object" }), &self.about);
        let object = object.with("properties", Value::from_iter(self.properties));
        let object = match self.required {
            required if required.is_empty() => object,
            required => object.with("required", Value::from_iter(required)),
        };
        object.with("additionalProperties", false)
    }
}

/// A text of a table as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    capital(text) + "."
}

/// The text with a capital letter, unless it begins with a unit (`ms`), a version (`v1`) or a key.
pub(crate) fn capital(text: &str) -> String {
    let first = text.split([' ', ';']).next().expect("a split has a first part");
    if first == "ms" || first.contains(|c: char| c == '_' || c.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A schema with a description.
pub(crate) fn described(schema: Value, about: &str) -> Value {
    match about.trim() {
        "" => schema,
        about => schema.with("description", about),
    }
}

/// The schema of one of these words.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    text().with("enum", Value::from_iter(words))
}

/// The schema of one of these numbers.
pub(crate) fn numbers(numbers: impl IntoIterator<Item = u32>) -> Value {
    json!({ "type": "integer", "enum": Value::from_iter(numbers) })
}

pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

/// The schema of a text that an expression matches.
pub(crate) fn text_like(pattern: &str) -> Value {
    text().with("pattern", pattern)
}

pub(crate) fn any_of<const N: usize>(schemas: [Value; N]) -> Value {
    json!({ "anyOf": Value::Array(schemas.into()) })
}

/// The schema of an integer of at least `least`.
pub(crate) fn at_least(least: u64) -> Value {
    json!({ "type": "integer", "minimum": least })
}

/// The schema, extended so that it also allows `null`.
pub(crate) fn or_null(mut schema: Value) -> Value {
    let Some(one) = schema.get_mut("type") else {
        return any_of([schema, json!({ "type": "null" })]);
    };
    *one = [one.take(), "null".into()].into_iter().collect();
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
    schema
}
