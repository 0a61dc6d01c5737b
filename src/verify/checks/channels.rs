//! Each channel, one request each: whether it is taken as a filter, and what it shows of all.

use super::super::client::Stop;
use super::super::run::Run;
use super::{filtered, list};
use crate::contract::CONVERSATION_TYPES;

/// Those that no check asked for yet.
pub(super) fn every(run: &mut Run<'_>) -> Result<(), Stop> {
    for (channel, ..) in CONVERSATION_TYPES {
        if !run.known.channels.iter().any(|asked| asked == channel.name()) {
            run.unless_silent(|run| one(run, channel.name(), &[]))?;
        }
    }
    Ok(())
}

/// Asks for one channel, of which other statements may speak as well.
pub(super) fn one(run: &mut Run<'_>, name: &str, also: &[&str]) -> Result<(), Stop> {
    run.known.channels.push(name.to_owned());
    let own = format!("channel.{name}");
    let statements = [also, &[&own]].concat();
    let seen = list(run, "1", "100", &[("conversation_type", name)])?;
    if !run.answered(&statements, &seen) {
        return Ok(());
    }
    let (Some(page), Some(all)) = (seen.page(), &run.known.list) else { return Ok(()) };
    if page.texts("conversation_type").iter().all(|other| *other == name) {
        let came = filtered(page, all, "conversation_id", "conversation_type", name);
        run.ledger.found("records.all", came);
    } else {
        for statement in statements {
            run.ledger.differs(statement, "rows of other channels".to_owned());
        }
    }
    Ok(())
}
