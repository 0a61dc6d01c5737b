//! What is written as JSON, with its JSON schema: one declaration says both.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

/// The named schemas of a document.
#[derive(Default)]
pub(crate) struct Schemas(pub(crate) Map<String, Value>);

impl Schemas {
    /// A reference to the schema of this name, which is made where it is not there yet.
    pub(crate) fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            let schema = make(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// Something that is written as JSON.
pub(crate) trait Shape {
    /// Its schema, or a reference to it.
    fn schema(schemas: &mut Schemas) -> Value;
}

/// A struct whose keys stand for its schema: `struct Shown<'a> is "Sandbox" in "snake_case"`. A key
/// with an attribute of serde's may be absent; `=>` gives the schema of a key that its type does
/// not tell.
macro_rules! shape {
    (
        $(#[doc = $doc:literal])+
        $vis:vis struct $type:ident $(<$life:lifetime>)? is $name:literal in $case:literal {$(
            $(#[doc = $about:literal])+
            $(#[serde($($serde:tt)+)])?
            $field_vis:vis $field:ident: $value:ty $(=> $schema:expr)?,
        )*}
    ) => {
        $(#[doc = $doc])+
        #[derive(serde::Serialize)]
        #[serde(rename_all = $case)]
        $vis struct $type $(<$life>)? {$(
            $(#[doc = $about])+
            $(#[serde($($serde)+)])?
            $field_vis $field: $value,
        )*}

        impl $(<$life>)? $crate::shape::Shape for $type $(<$life>)? {
            fn schema(schemas: &mut $crate::shape::Schemas) -> serde_json::Value {
                // One without keys changes neither.
                #[allow(unused_mut, unused_variables)]
                schemas.named($name, |schemas| {
                    let mut object = $crate::shape::Object::new(concat!($($doc),+), $case);
                    $(
                        let schema = $crate::shape::shape!(@ schemas, $value $(=> $schema)?);
                        let always = !concat!("" $(, stringify!($($serde)+))?).contains("skip");
                        object.key(stringify!($field), concat!($($about),+), always, schema);
                    )*
                    object.finish()
                })
            }
        }
    };
    (@ $schemas:ident, $value:ty) => { <$value as $crate::shape::Shape>::schema($schemas) };
    (@ $schemas:ident, $value:ty => $schema:expr) => { $schema };
}
pub(crate) use shape;

/// An object with exactly the keys that are told of it.
pub(crate) struct Object {
    about: String,
    camel: bool,
    properties: Map<String, Value>,
    required: Vec<String>,
}

impl Object {
    pub(crate) fn new(about: &str, case: &str) -> Self {
        Self {
            about: about.trim().to_owned(),
            camel: case == "camelCase",
            properties: Map::new(),
            required: Vec::new(),
        }
    }

    pub(crate) fn key(&mut self, field: &str, about: &str, always: bool, schema: Value) {
        let name = if self.camel { camel_case(field) } else { field.to_owned() };
        if always {
            self.required.push(name.clone());
        }
        self.properties.insert(name, described(schema, about));
    }

    pub(crate) fn finish(self) -> Value {
        let mut object = json!({
            "type": "object",
            "properties": self.properties,
            "additionalProperties": false,
        });
        if !self.about.is_empty() {
            object["description"] = self.about.into();
        }
        if !self.required.is_empty() {
            object["required"] = self.required.into();
        }
        object
    }
}

/// `body_as_base64` is `bodyAsBase64`.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_uppercase() + rest
    })
}

/// What a table says of something, as a sentence by itself.
pub(crate) fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

/// A schema with a description of its own.
pub(crate) fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.trim().into();
    schema
}

/// One of these words.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    let words: Vec<&str> = words.into_iter().collect();
    json!({ "type": "string", "enum": words })
}

/// The same, or `null`.
pub(crate) fn or_null(mut schema: Value) -> Value {
    match &schema["type"] {
        Value::String(one) => schema["type"] = json!([one, "null"]),
        _ => return json!({ "anyOf": [schema, { "type": "null" }] }),
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

/// Whatever is written in the same way.
macro_rules! plain {
    ($($type:ty)+ => $schema:tt) => {$(
        impl Shape for $type {
            fn schema(_: &mut Schemas) -> Value {
                json!($schema)
            }
        }
    )+};
}

plain!(bool => { "type": "boolean" });
plain!(str String IpAddr => { "type": "string" });
plain!(u16 u32 u64 usize => { "type": "integer", "minimum": 0 });

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
