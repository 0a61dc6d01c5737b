//! The request parameters of a fault: a fault with `page=3` applies only to requests for page 3.

use std::borrow::Cow;

use super::Fault;
use crate::contract::{ENDPOINTS, Endpoint, Field, Operation};
use crate::suggest::{quoted, unknown};

/// Gives the value of a request's parameter, decoded; `None` where it has none, or more than one.
pub(crate) type ParamValues<'a> = &'a dyn Fn(Field) -> Option<Cow<'a, str>>;

impl Fault {
    /// Whether a request of an operation has the parameter values that this fault requires.
    pub(super) fn matches(&self, operation: Operation, params: ParamValues<'_>) -> bool {
        self.covers(operation)
            && self.params.iter().all(|(field, value)| {
                let param = operation.endpoint().param(*field);
                param.is_some_and(|param| {
                    params(*field).is_some_and(|sent| param.kind.is_same(value, &sent))
                })
            })
    }

    /// Refuses parameter values that no valid request can have.
    pub(super) fn check_params(&self) -> Result<(), String> {
        let covered = || ENDPOINTS.iter().filter(|endpoint| self.covers(endpoint.operation));
        for (field, value) in &self.params {
            let name = field.name();
            let mut kinds = covered().filter_map(|endpoint| endpoint.param(*field));
            let Some(first) = kinds.clone().next() else {
                let have = ENDPOINTS.iter().filter(|endpoint| endpoint.param(*field).is_some());
                return Err(format!("{} no parameter {name}; {} it", has(covered()), has(have)));
            };
            if !kinds.any(|param| param.kind.accepts(value)) {
                let words = first.kind.words();
                return Err(if words.is_empty() {
                    let expected = first.kind.expected();
                    let example = first.kind.example().map(|example| format!("; {example}"));
                    let example = example.as_deref().unwrap_or("");
                    format!("{name} must be {expected}, got {}{example}", quoted(value))
                } else {
                    unknown(name, value, words.into_iter())
                });
            }
        }
        let accepts = |endpoint: &Endpoint, field: Field, value: &str| {
            endpoint.param(field).is_some_and(|param| param.kind.accepts(value))
        };
        let accepts_all = |endpoint: &Endpoint| {
            self.params.iter().all(|(field, value)| accepts(endpoint, *field, value))
        };
        if !self.params.is_empty() && !covered().any(accepts_all) {
            let pairs = self.params.iter();
            let pairs = pairs.map(|(field, value)| format!("{}={}", field.name(), quoted(value)));
            let pairs: Vec<_> = pairs.collect();
            return Err(format!("no operation accepts {}", pairs.join(" together with ")));
        }
        Ok(())
    }
}

/// `qa has`, `messages and messages-v2 have`.
fn has<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> String {
    let ids: Vec<_> = endpoints.map(|endpoint| endpoint.id).collect();
    let verb = if ids.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", ids.join(" and "))
}
