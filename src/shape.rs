//! What is written as JSON, with its JSON schema: one declaration says both.
#![cfg_attr(not(feature = "docs"), allow(dead_code, reason = "documents alone ask for schemas"))]

use std::collections::BTreeMap;
use std::net::IpAddr;

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

/// The named schemas of a document, in the order in which they are first spoken of.
#[derive(Default)]
pub(crate) struct Schemas(Vec<(String, Value)>);

impl Schemas {
    /// A reference to the schema of this name, which is made where it is not there yet.
    pub(crate) fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.get(name).is_none() {
            let at = self.0.len();
            // What it is made of comes behind it.
            self.add(name.to_owned(), Value::Null);
            self.0[at].1 = make(self);
        }
        reference("schemas", name)
    }

    pub(crate) fn add(&mut self, name: String, schema: Value) {
        self.0.push((name, schema));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(of, _)| of == name).map(|(_, schema)| schema)
    }

    /// What a schema is, as it or the one that it refers to says.
    pub(crate) fn about<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        let of = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/schemas/"));
        of.map_or(Some(schema), |name| self.get(name))?["description"].as_str()
    }

    pub(crate) fn all(self) -> Value {
        Value::from_iter(self.0)
    }
}

/// Something that is written as JSON.
pub(crate) trait Shape {
    /// Its schema, or a reference to it.
    fn schema(schemas: &mut Schemas) -> Value;
}

/// A struct whose keys stand for its schema: `struct Shown<'a> is "Sandbox" in "snake_case"`. A key
/// may be absent where serde is told to skip it, and serde is told nothing else; `=>` gives the
/// schema of a key that its type does not tell.
macro_rules! written {
    (
        $(#[doc = $doc:literal])+
        $vis:vis struct $type:ident $(<$life:lifetime>)? is $name:literal in $case:literal {$(
            $(#[doc = $about:literal])+
            $(#[serde(skip_serializing_if = $absent:literal)])?
            $field_vis:vis $field:ident: $value:ty $(=> $schema:expr)?,
        )*}
    ) => {
        $(#[doc = $doc])+
        #[derive(serde::Serialize)]
        #[serde(rename_all = $case)]
        $vis struct $type $(<$life>)? {$(
            $(#[doc = $about])+
            $(#[serde(skip_serializing_if = $absent)])?
            $field_vis $field: $value,
        )*}

        impl $(<$life>)? $crate::shape::Shape for $type $(<$life>)? {
            fn schema(schemas: &mut $crate::shape::Schemas) -> serde_json::Value {
                #[allow(unused_variables, reason = "where no key needs them")]
                schemas.named($name, |schemas| {
                    let object = $crate::shape::Object::new(concat!($($doc),+));
                    $(
                        let key = $crate::shape::in_case($case, stringify!($field));
                        let always = $crate::shape::written!(@ always $($absent)?);
                        let schema = $crate::shape::written!(@ schemas, $value $(=> $schema)?);
                        let object = object.key(&key, concat!($($about),+), always, schema);
                    )*
                    object.finish()
                })
            }
        }
    };
    (@ always) => { true };
    (@ always $absent:literal) => { false };
    (@ $schemas:ident, $value:ty) => { <$value as $crate::shape::Shape>::schema($schemas) };
    (@ $schemas:ident, $value:ty => $schema:expr) => { $schema };
}
pub(crate) use written;

/// A reference to a component.
pub(crate) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// An object with exactly the keys that are told of it.
pub(crate) struct Object {
    about: String,
    properties: Vec<(String, Value)>,
    required: Vec<String>,
}

impl Object {
    /// What it is may be left out, here and of each key.
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

/// `body_as_base64` is `bodyAsBase64` in `camelCase`.
pub(crate) fn in_case(case: &str, field: &str) -> String {
    if case != "camelCase" {
        return field.to_owned();
    }
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_uppercase() + rest
    })
}

/// What a table says of something, as a sentence by itself.
pub(crate) fn sentence(text: &str) -> String {
    capital(text) + "."
}

/// With a capital letter; a unit (`ms`), a version (`v1`) and the name of a key have none.
pub(crate) fn capital(text: &str) -> String {
    let first = text.split([' ', ';']).next().unwrap_or_default();
    if first == "ms" || first.contains(|c: char| c == '_' || c.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A schema with a description of its own.
pub(crate) fn described(schema: Value, about: &str) -> Value {
    match about.trim() {
        "" => schema,
        about => schema.with("description", about),
    }
}

/// One of these words.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    text().with("enum", Value::from_iter(words))
}

/// One of these numbers.
pub(crate) fn numbers(numbers: impl IntoIterator<Item = u32>) -> Value {
    json!({ "type": "integer", "enum": Value::from_iter(numbers) })
}

pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

/// A text in a format.
pub(crate) fn text_as(format: &str) -> Value {
    text().with("format", format)
}

/// A text that an expression matches.
pub(crate) fn text_like(pattern: &str) -> Value {
    text().with("pattern", pattern)
}

pub(crate) fn any_of<const N: usize>(schemas: [Value; N]) -> Value {
    json!({ "anyOf": Value::Array(schemas.into()) })
}

/// A whole number from this one on.
pub(crate) fn at_least(least: u64) -> Value {
    json!({ "type": "integer", "minimum": least })
}

/// The same, or `null`.
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

/// Whatever is written in the same way.
macro_rules! plain {
    ($($type:ty)+ => $schema:expr) => {$(
        impl Shape for $type {
            fn schema(_: &mut Schemas) -> Value {
                $schema
            }
        }
    )+};
}

plain!(bool => json!({ "type": "boolean" }));
plain!(str String IpAddr => text());
plain!(u16 u32 u64 usize => at_least(0));

impl<T: Shape + ?Sized> Shape for &T {
    fn schema(schemas: &mut Schemas) -> Value {
        T::schema(schemas)
    }
}

impl<T: Shape> Shape for Option<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        or_null(T::schema(schemas))
    }
}

impl<T: Shape> Shape for [T] {
    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "type": "array", "items": T::schema(schemas) })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        <[T]>::schema(schemas)
    }
}

impl<K, T: Shape> Shape for BTreeMap<K, T> {
    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "type": "object", "additionalProperties": T::schema(schemas) })
    }
}
