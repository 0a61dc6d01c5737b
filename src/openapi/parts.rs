//! What the vendor's document and that of the control API have in common.

use crate::node::{Node, object};
pub(crate) use crate::shape::{capital, sentence};

/// What a document says of itself.
pub(crate) fn info(title: &str, summary: &str, about: &str, contact: &str) -> Node {
    let license = env!("CARGO_PKG_LICENSE");
    object! {
        "title" => title,
        "version" => env!("CARGO_PKG_VERSION"),
        "summary" => summary,
        "description" => about,
        "contact" => object! { "name" => contact },
        "license" => object! { "name" => license, "identifier" => license },
    }
}

/// How the operations are grouped, where a reader or a generator groups them.
pub(crate) fn tags<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Node {
    let tags = tags.into_iter();
    Node::List(
        tags.map(|(name, about)| object! { "name" => name, "description" => about }).collect(),
    )
}

/// Keys that are sent as `Authorization: Bearer`.
pub(crate) fn bearer(about: &str) -> Node {
    object! { "type" => "http", "scheme" => "bearer", "description" => about }
}

pub(crate) fn parameter(
    name: &str,
    place: &str,
    required: bool,
    about: &str,
    schema: Node,
) -> Node {
    object! {
        "name" => name,
        "in" => place,
        "required" => required,
        "description" => about,
        "schema" => schema,
    }
}

/// A document as it is printed and served.
pub(crate) fn print(document: &Node) -> String {
    serde_json::to_string_pretty(document).expect("strings and numbers serialize") + "\n"
}
