//! The channels that no row showed, one request each.

use super::super::client::Stop;
use super::super::run::Run;
use super::list;
use crate::contract::CONVERSATION_TYPES;

pub(super) fn every(run: &mut Run<'_>) -> Result<(), Stop> {
    for (channel, ..) in CONVERSATION_TYPES {
        let statement = format!("channel.{}", channel.name());
        if !run.ledger.knows(&statement) {
            let seen = list(run, "1", "1", &[("conversation_type", channel.name())])?;
            run.answered(&[&statement], &seen);
        }
    }
    Ok(())
}
