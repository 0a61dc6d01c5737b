//! Finds the agent that has a conversation that the key's agent does not have. Each agent is asked for
//! a few ids, and no record is read.

use super::super::refusal::quote;
use super::public_keys;
use crate::contract::{Field, Operation};
use crate::records::world::{Agent, World};
use crate::suggest::LONGEST;

/// `; it belongs to agent other, whose key is app-other`
pub(super) fn suggest_conversation(world: &World, own: &Agent, id: &str) -> String {
    let list = Operation::ConversationList.endpoint().path;
    if id.len() <= LONGEST {
        if let Some(holder) = holder(world, own, id) {
            return format!("; it {}", describe(holder));
        }
        let bare = id.trim_matches(|c: char| c.is_whitespace() || "\"'<>{}".contains(c));
        for other in [bare.to_owned(), bare.to_ascii_lowercase(), bare.to_ascii_uppercase()] {
            let Some(holder) = holder(world, own, &other) else { continue };
            let whose = if std::ptr::eq(holder, own) { None } else { Some(describe(holder)) };
            let whose = whose.map(|of| format!(" It {of}")).unwrap_or_default();
            return format!("; did you mean {}?{whose}", quote(other));
        }
        let of_user = own.store.conversations((i64::MIN, i64::MAX), None, Some(id));
        if of_user.len() > 0 {
            let user_id = Field::UserId.name();
            return format!("; it is a {user_id}: {list} lists the conversations of a user");
        }
    }
    format!("; {list} lists its conversations")
}

/// The agent that has a conversation of this id, if there is one. The key's own agent is asked first.
fn holder<'a>(world: &'a World, own: &'a Agent, id: &str) -> Option<&'a Agent> {
    std::iter::once(own).chain(&world.agents).find(|agent| agent.store.messages(id).is_some())
}

/// `belongs to agent other, whose key is app-other`; only a public key is named.
fn describe(agent: &Agent) -> String {
    let name = quote(&agent.name);
    match public_keys(agent).next() {
        _ if agent.deleted => format!("belongs to agent {name}, which was deleted"),
        Some(key) => format!("belongs to agent {name}, whose key is {key}"),
        None => format!("belongs to agent {name}"),
    }
}
