//! A JSON document whose keys stay in the order in which they were written, so that a person can
//! read it. `serde_json` sorts them, unless it is told not to for the whole program.

use jiter::JsonValue;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value of the document.
pub(super) enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// An object: `object! { "type" => "string", "minLength" => 1 }`.
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {
        Node::Object(vec![$(($key.to_string(), Node::from($value))),*])
    };
}
pub(super) use object;

impl Node {
    /// An object that holds something else under each key.
    pub(super) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Self {
        Self::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// A list of plain values.
    pub(super) fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(|value| Self::Leaf(value.into())).collect())
    }

    /// The same object with one more key at its end.
    pub(super) fn with(mut self, key: &str, value: impl Into<Node>) -> Self {
        if let Self::Object(entries) = &mut self {
            entries.push((key.to_owned(), value.into()));
        }
        self
    }

    /// A document that was written before; `null` where it is none.
    pub(super) fn read(json: &[u8]) -> Self {
        JsonValue::parse(json, false).as_ref().map_or(Self::Leaf(Value::Null), Self::of)
    }

    #[allow(
        clippy::match_wildcard_for_single_variants,
        reason = "besides null, a number of any length, where another crate has jiter know them"
    )]
    fn of(value: &JsonValue<'_>) -> Self {
        match value {
            JsonValue::Bool(yes) => Self::from(*yes),
            JsonValue::Int(number) => Self::from(*number),
            JsonValue::Float(number) => Self::from(*number),
            JsonValue::Str(text) => Self::from(&**text),
            JsonValue::Array(list) => Self::List(list.iter().map(Self::of).collect()),
            JsonValue::Object(entries) => {
                Self::map(entries.iter().map(|(key, value)| (key.to_string(), Self::of(value))))
            }
            _ => Self::Leaf(Value::Null),
        }
    }
}

impl<T: Into<Value>> From<T> for Node {
    fn from(value: T) -> Self {
        Self::Leaf(value.into())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}
