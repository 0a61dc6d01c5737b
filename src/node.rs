//! A JSON document whose keys stay in the order in which they were written, so that a person can
//! read it. `serde_json` sorts them, unless it is told not to for the whole program.

use jiter::JsonValue;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value of the document.
#[derive(Clone)]
pub(crate) enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// An object: `object! { "type" => "string", "minLength" => 1 }`.
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {
        $crate::node::Node::Object(vec![$(($key.to_string(), $crate::node::Node::from($value))),*])
    };
}
pub(crate) use object;

impl Node {
    pub(crate) const NULL: Self = Self::Leaf(Value::Null);

    /// An object that holds something else under each key.
    pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Self {
        Self::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// A list of plain values.
    pub(crate) fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(|value| Self::Leaf(value.into())).collect())
    }

    /// The same object with one more key at its end.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Node>) -> Self {
        if let Self::Object(entries) = &mut self {
            entries.push((key.to_owned(), value.into()));
        }
        self
    }

    /// A text that an object holds under a key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let Self::Object(entries) = self else { return None };
        match entries.iter().find(|(name, _)| name == key)? {
            (_, Self::Leaf(Value::String(text))) => Some(text),
            _ => None,
        }
    }

    /// What an object holds under a key.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Object(entries) = self else { return None };
        entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Takes a key out of an object.
    pub(crate) fn take(&mut self, key: &str) -> Option<Self> {
        let Self::Object(entries) = self else { return None };
        let at = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(at).1)
    }

    /// A document that the program has of itself, or wrote. It is JSON, or this panics: nothing
    /// from outside is ever read so.
    pub(crate) fn read(json: &[u8]) -> Self {
        Self::of(&JsonValue::parse(json, false).expect("the program's own JSON is right"))
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
            _ => Self::NULL,
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
