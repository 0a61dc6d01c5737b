//! Checks each channel with one request: whether it is accepted as a filter, and whether it shows the right
//! rows.

use super::super::client::Stop;
use super::super::run::Run;
use super::check_filtered;
use crate::contract::{CONVERSATION_TYPES, ConversationType, Field, Operation, StatementId};

/// Checks the channels that no other check requested.
pub(super) fn check_all(run: &mut Run<'_>) -> Result<(), Stop> {
    for (channel, ..) in CONVERSATION_TYPES {
        if !run.samples.channels.contains(channel) {
            run.unless_unanswered(|run| check(run, *channel, &[]))?;
        }
    }
    Ok(())
}

/// Requests one channel, which may also show whether other statements hold.
pub(super) fn check(
    run: &mut Run<'_>,
    channel: ConversationType,
    also: &[StatementId],
) -> Result<(), Stop> {
    run.samples.channels.push(channel);
    let name = channel.name();
    let statements = [also, &[StatementId::Channel(channel)]].concat();
    let query = run.query(Operation::ConversationList, "1", "100");
    let response = run.get(&query.with(Field::ConversationType, name))?;
    let Some(page) = run.expect_page(&statements, response) else { return Ok(()) };
    let Some(all) = run.samples.list() else { return Ok(()) };
    if page.texts("conversation_type").iter().all(|other| *other == name) {
        let result = check_filtered(&page, all, "conversation_id", "conversation_type", name);
        run.ledger.record(StatementId::RecordsAll, result);
    } else {
        for statement in statements {
            run.ledger.differs(statement, "rows of other channels");
        }
    }
    Ok(())
}
