//! What is written as JSON, with its JSON schema: one declaration says both.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::node::{Node, object};

/// The named schemas of a document, in the order in which they are first spoken of.
#[derive(Default)]
pub(crate) struct Schemas(Vec<(String, Node)>);

impl Schemas {
    /// A reference to the schema of this name, which is made where it is not there yet.
    pub(crate) fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Node) -> Node {
        if self.get(name).is_none() {
            let at = self.0.len();
            // What it is made of comes behind it.
            self.add(name.to_owned(), Node::NULL);
            self.0[at].1 = make(self);
        }
        reference("schemas", name)
    }

    pub(crate) fn add(&mut self, name: String, schema: Node) {
        self.0.push((name, schema));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(of, _)| of == name).map(|(_, schema)| schema)
    }

    /// What a schema is, as it or the one that it refers to says.
    pub(crate) fn about<'a>(&'a self, schema: &'a Node) -> Option<&'a str> {
        let of = schema.text("$ref").and_then(|to| to.strip_prefix("#/components/schemas/"));
        of.map_or(Some(schema), |name| self.get(name))?.text("description")
    }

    pub(crate) fn all(self) -> Node {
        Node::Object(self.0)
    }
}

/// Something that is written as JSON.
pub(crate) trait Shape {
    /// Its schema, or a reference to it.
    fn schema(schemas: &mut Schemas) -> Node;
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
            fn schema(schemas: &mut $crate::shape::Schemas) -> $crate::node::Node {
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
pub(crate) fn reference(kind: &str, name: &str) -> Node {
    object! { "$ref" => format!("#/components/{kind}/{name}") }
}

/// An object with exactly the keys that are told of it.
pub(crate) struct Object {
    about: String,
    properties: Vec<(String, Node)>,
    required: Vec<String>,
}

impl Object {
    /// What it is may be left out, here and of each key.
    pub(crate) fn new(about: &str) -> Self {
        Self { about: about.to_owned(), properties: Vec::new(), required: Vec::new() }
    }

    pub(crate) fn key(mut self, name: &str, about: &str, always: bool, schema: Node) -> Self {
        if always {
            self.required.push(name.to_owned());
        }
        self.properties.push((name.to_owned(), described(schema, about)));
        self
    }

    pub(crate) fn finish(self) -> Node {
        let object = described(object! { "type" => "object" }, &self.about);
        let object = object.with("properties", Node::Object(self.properties));
        let object = match self.required {
            required if required.is_empty() => object,
            required => object.with("required", Node::list(required)),
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
pub(crate) fn described(schema: Node, about: &str) -> Node {
    match about.trim() {
        "" => schema,
        about => schema.with("description", about),
    }
}

/// One of these words.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Node {
    text().with("enum", Node::list(words))
}

/// One of these numbers.
pub(crate) fn numbers(numbers: impl IntoIterator<Item = u32>) -> Node {
    object! { "type" => "integer", "enum" => Node::list(numbers) }
}

pub(crate) fn text() -> Node {
    object! { "type" => "string" }
}

/// A text in a format.
pub(crate) fn text_as(format: &str) -> Node {
    text().with("format", format)
}

/// A text that an expression matches.
pub(crate) fn text_like(pattern: &str) -> Node {
    text().with("pattern", pattern)
}

pub(crate) fn any_of<const N: usize>(schemas: [Node; N]) -> Node {
    object! { "anyOf" => Node::List(schemas.into()) }
}

/// A whole number from this one on.
pub(crate) fn at_least(least: u64) -> Node {
    object! { "type" => "integer", "minimum" => least }
}

/// The same, or `null`.
pub(crate) fn or_null(mut schema: Node) -> Node {
    let Some(Node::Leaf(one)) = schema.get_mut("type") else {
        return any_of([schema, object! { "type" => "null" }]);
    };
    *one = [one.take(), "null".into()].into_iter().collect();
    if let Some(Node::List(words)) = schema.get_mut("enum") {
        words.push(Node::NULL);
    }
    schema
}

/// Whatever is written in the same way.
macro_rules! plain {
    ($($type:ty)+ => $schema:expr) => {$(
        impl Shape for $type {
            fn schema(_: &mut Schemas) -> Node {
                $schema
            }
        }
    )+};
}

plain!(bool => object! { "type" => "boolean" });
plain!(str String IpAddr => text());
plain!(u16 u32 u64 usize => at_least(0));

impl<T: Shape + ?Sized> Shape for &T {
    fn schema(schemas: &mut Schemas) -> Node {
        T::schema(schemas)
    }
}

impl<T: Shape> Shape for Option<T> {
    fn schema(schemas: &mut Schemas) -> Node {
        or_null(T::schema(schemas))
    }
}

impl<T: Shape> Shape for [T] {
    fn schema(schemas: &mut Schemas) -> Node {
        object! { "type" => "array", "items" => T::schema(schemas) }
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(schemas: &mut Schemas) -> Node {
        <[T]>::schema(schemas)
    }
}

impl<K, T: Shape> Shape for BTreeMap<K, T> {
    fn schema(schemas: &mut Schemas) -> Node {
        object! { "type" => "object", "additionalProperties" => T::schema(schemas) }
    }
}
