//! What a refused request may have meant, for its reason. Nothing of this runs on the way of a
//! right request, and none of it takes a time that depends on how many records there are.

pub(super) mod conversations;
pub(super) mod keys;
pub(super) mod names;
pub(super) mod values;

use crate::records::world::Agent;

/// The keys of an agent that may be told: those that are no secret, and fit in a reason.
fn public_keys(agent: &Agent) -> impl Iterator<Item = &str> {
    agent.public_keys.iter().map(String::as_str).filter(|key| key.len() <= 64)
}

/// Letters and digits alone, in lower case: `pageSize`, `PAGE-SIZE` and `page_size` are one.
fn squeezed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
