//! Ways to break the contract, one table for each part of it.

mod access;
mod everywhere;
mod lists;
mod messages;
mod parameters;
mod qa;
mod refusals;
mod shapes;

use serde_json::{Map, Value};

use crate::support::client::Answer;
use crate::verify::differs::Break;
use crate::verify::proxy::{Asked, Upstream};

pub(super) const LIST: &str = "/v1/bot/conversation/page";
pub(super) const V1: &str = "/v1/messages";
pub(super) const V2: &str = "/v2/messages";
pub(super) const QA: &str = "/v1/message/qa/record/page";

/// The endpoints: the name in statements, the path, the key of the rows.
pub(super) const ENDPOINTS: [(&str, &str, &str); 4] = [
    ("conversations", LIST, "list"),
    ("messages", V1, "messages"),
    ("messages-v2", V2, "conversation_content"),
    ("qa", QA, "qa"),
];

/// Every way.
pub(crate) fn all() -> Vec<Break> {
    let tables = [
        access::rows,
        everywhere::rows,
        lists::rows,
        messages::rows,
        parameters::rows,
        qa::rows,
        refusals::rows,
        shapes::rows,
    ];
    tables.into_iter().flat_map(|table| table()).collect()
}

/// The answer with other JSON, its keys in the order in which they came.
fn edited(mut answer: Answer, edit: impl Fn(&mut Value)) -> Answer {
    let Ok(mut value) = serde_json::from_str(&answer.body) else { return answer };
    edit(&mut value);
    let mut body = String::new();
    write(&value, &answer.body, None, &mut body);
    answer.body = body;
    answer
}

/// Writes compact JSON. Keys are in the order of another text, with new ones after them; the keys of objects
/// at this depth are in reverse order.
fn write(value: &Value, order: &str, reversed: Option<u32>, out: &mut String) {
    let deeper = reversed.map(|levels| levels.wrapping_sub(1));
    match value {
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                write(item, order, deeper, out);
            }
            out.push(']');
        }
        Value::Object(pairs) => {
            out.push('{');
            for (place, name) in names(pairs, order, reversed == Some(0)).into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.extend([&Value::from(name).to_string(), ":"]);
                write(&pairs[name], order, deeper, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn names<'p>(pairs: &'p Map<String, Value>, order: &str, reversed: bool) -> Vec<&'p str> {
    let place = |name: &&str| order.find(&format!("\"{name}\":")).unwrap_or(usize::MAX);
    let mut names: Vec<&str> = pairs.keys().map(String::as_str).collect();
    names.sort_by_key(place);
    if reversed {
        names.reverse();
    }
    names
}

/// The rows of an answer, if it has any.
fn rows_of(value: &mut Value) -> Option<&mut Vec<Value>> {
    ENDPOINTS.iter().find_map(|(_, _, rows)| value.get(rows)).is_some().then_some(())?;
    let name = ENDPOINTS.iter().find(|(_, _, rows)| value.get(rows).is_some())?.2;
    value[name].as_array_mut()
}

/// Passes on what an endpoint answers with its rows edited.
fn rows_edited(
    path: &'static str,
    edit: impl Fn(&Asked, &mut Vec<Value>) + Send + Sync + 'static,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    json_edited(path, move |asked, value| {
        if let Some(rows) = rows_of(value) {
            edit(asked, rows);
        }
    })
}

/// Passes on what an endpoint answers, edited where it is a page.
fn json_edited(
    path: &'static str,
    edit: impl Fn(&Asked, &mut Value) + Send + Sync + 'static,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    move |asked, upstream| {
        let got = Asked { method: asked.method.replace("HEAD", "GET"), ..asked.clone() };
        let answer = upstream.ask(&got);
        if asked.path() != path || answer.status != 200 {
            return upstream.ask(asked);
        }
        let mut answer = edited(answer, |value| edit(asked, value));
        if asked.method == "HEAD" {
            let length = answer.body.len().to_string();
            answer.headers.retain(|(name, _)| name != "content-length");
            answer.headers.push(("content-length".to_owned(), length));
            answer.body.clear();
        }
        answer
    }
}

/// Passes on another request where it is so.
fn asked_as(
    is: impl Fn(&Asked) -> bool + Send + Sync + 'static,
    other: impl Fn(&Asked) -> Asked + Send + Sync + 'static,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    move |asked, upstream| upstream.ask(&if is(asked) { other(asked) } else { asked.clone() })
}

/// Answers otherwise where it is so.
fn answered_as(
    is: impl Fn(&Asked) -> bool + Send + Sync + 'static,
    status: u16,
    body: &'static str,
) -> impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static {
    move |asked, upstream| if is(asked) { answer(status, body) } else { upstream.ask(asked) }
}

/// An answer of JSON.
fn answer(status: u16, body: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, body: body.to_owned() }
}

/// Adds to a number of a row or an answer.
fn add(value: &mut Value, name: &str, more: i64) {
    let number = value[name].as_i64().unwrap_or_else(|| panic!("no {name}: {value}"));
    value[name] = (number + more).into();
}

/// The same table as a test.
macro_rules! tests {
    ($($table:ident),*) => { $(
        #[test]
        fn $table() {
            crate::verify::differs::differ(stringify!($table), self::$table::rows());
        }
    )* };
}

mod told {
    use super::{access, everywhere, lists, messages, parameters, qa, refusals, shapes};
    tests!(access, everywhere, lists, messages, parameters, qa, refusals, shapes);
}
