//! The parameter that was sent under another name.

use super::super::query::names;
use super::super::refusal::quote;
use super::normalize_name;
use crate::contract::{ENDPOINTS, Endpoint, Field};
use crate::suggest::LONGEST;

/// This many unknown names are compared, so that a long query string costs little.
const MOST: usize = 32;

/// From this likeness on, a name is taken for another. It is the limit of `nearest`, too.
const ALIKE: f64 = 0.8;

/// `; did you mean page_size for pageSize?`, where one parameter is missing and one is unknown.
pub(super) fn suggest_param(endpoint: &Endpoint, missing: Field, query: &str) -> Option<String> {
    let mut best: Option<(f64, String)> = None;
    for name in names(query).filter(|name| !is_known(name)).take(MOST) {
        let Some((field, likeness)) = nearest_field(endpoint, &name) else { continue };
        let better = best.as_ref().is_none_or(|(so_far, _)| likeness > *so_far);
        if field == missing && better {
            best = Some((likeness, name.into_owned()));
        }
    }
    best.map(|(_, name)| format!("; did you mean {} for {}?", missing.name(), quote(name)))
}

/// Whether any endpoint has a parameter of this name. Such a name is not a misspelt one.
fn is_known(name: &str) -> bool {
    let params = || ENDPOINTS.iter().flat_map(|endpoint| endpoint.params);
    params().any(|param| param.field.name() == name)
}

/// The parameter of an endpoint that a name is most like, the first of equals.
fn nearest_field(endpoint: &Endpoint, name: &str) -> Option<(Field, f64)> {
    if name.len() > LONGEST {
        return None;
    }
    let name = normalize_name(name);
    let mut best: Option<(Field, f64)> = None;
    for param in endpoint.params {
        let likeness = likeness(&name, param.field.name());
        if likeness > best.map_or(ALIKE, |(_, so_far)| so_far) {
            best = Some((param.field, likeness));
        }
    }
    best
}

/// How like a normalized name is to a parameter's: 1 where they differ in spelling only, nearly
/// that much where it is one word of it, as `size` is of `page_size`.
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
