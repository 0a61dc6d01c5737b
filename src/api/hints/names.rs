//! The parameter that was sent under another name.

use super::super::query::names;
use super::super::refusal::quote;
use super::normalize_name;
use crate::contract::{ENDPOINTS, Endpoint, Field};
use crate::suggest::LONGEST;

/// At most this many unknown names are compared, so that a long query string costs little.
const MOST: usize = 32;

/// A name counts as a misspelling of another from this likeness on. `nearest` has the same limit.
const ALIKE: f64 = 0.8;

/// `; did you mean page_size for pageSize?`, where one parameter is missing and one is unknown.
pub(super) fn suggest_param(endpoint: &Endpoint, missing: Field, query: &str) -> Option<String> {
    let unknown = names(query).filter(|name| !is_known(name)).take(MOST);
    let like_missing = unknown.filter_map(|name| {
        let (field, likeness) = nearest_field(endpoint, &name)?;
        (field == missing).then_some((likeness, name))
    });
    let (_, name) = like_missing.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(format!("; did you mean {} for {}?", missing.name(), quote(&*name)))
}

/// Whether any endpoint has a parameter of this name. Such a name is not a misspelling.
fn is_known(name: &str) -> bool {
    let params = || ENDPOINTS.iter().flat_map(|endpoint| endpoint.params);
    params().any(|param| param.field.name() == name)
}

/// The parameter of an endpoint that is most like a name; the first one if several are equal.
fn nearest_field(endpoint: &Endpoint, name: &str) -> Option<(Field, f64)> {
    if name.len() > LONGEST {
        return None;
    }
    let name = normalize_name(name);
    let fields = endpoint.params.iter().map(|param| param.field);
    let alike = fields.map(|field| (field, likeness(&name, field.name())));
    let alike = alike.filter(|(_, likeness)| *likeness > ALIKE);
    alike.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// How like a normalized name is to the name of a parameter: 1 where only the spelling differs, and a
/// little less where it is one word of the name, as `size` is of `page_size`.
fn likeness(name: &str, of: &str) -> f64 {
    let whole = normalize_name(of);
    if name == whole {
        1.0
    } else if of.split('_').any(|word| word == name) {
        0.95
    } else {
        strsim::jaro_winkler(name, &whole)
    }
}
