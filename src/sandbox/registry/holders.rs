//! Who holds the memory budget when it is full.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::Sandboxes;
use crate::memory::{BudgetFull, mebibytes};

impl Sandboxes {
    /// The message for a full memory budget: how much would have been needed, and the largest
    /// holders. This looks at every sandbox.
    pub(crate) fn explain_full(&self, full: &BudgetFull) -> String {
        const MOST_NAMED: usize = 5;
        let BudgetFull { wanted, limit, taken } = *full;
        let is_too_large = wanted > limit;
        let (wanted, limit) = (mebibytes(wanted), limit >> 20);
        let all = self.all_live();
        // Sandboxes that share records of their own are one holder.
        let mut holders: HashMap<*const (), (usize, Vec<&str>)> = HashMap::new();
        for sandbox in &all {
            let (key, records) = match &sandbox.settings.world {
                Some(world) => (Arc::as_ptr(world).cast(), world.reserved_bytes()),
                None => (Arc::as_ptr(sandbox).cast(), 0),
            };
            let (bytes, ids) = holders.entry(key).or_insert((records, Vec::new()));
            *bytes += sandbox.reserved_bytes();
            ids.push(&sandbox.id);
        }
        let mut holders: Vec<_> = holders.into_values().collect();
        holders.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        holders.truncate(MOST_NAMED);
        let mut holders: Vec<(usize, String)> = holders
            .into_iter()
            .map(|(bytes, mut ids)| {
                ids.sort_unstable();
                let more = ids.len().saturating_sub(MOST_NAMED);
                ids.truncate(MOST_NAMED);
                let noun = if ids.len() == 1 { "sandbox" } else { "sandboxes" };
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                (bytes, format!("{noun} {}{more}", ids.join(", ")))
            })
            .collect();
        let bodies = if taken.bodies == 1 { "request body" } else { "request bodies" };
        holders.push((taken.by_bodies, format!("{} {bodies}", taken.bodies)));
        holders.retain(|(bytes, _)| *bytes > 0);
        holders.sort_by_key(|(bytes, _)| Reverse(*bytes));
        holders.truncate(MOST_NAMED);
        // Among these are records that are being made or freed.
        let rest = taken.total.saturating_sub(holders.iter().map(|(bytes, _)| bytes).sum());
        if rest > 0 {
            holders.push((rest, "other data".to_owned()));
        }
        let holders =
            holders.iter().map(|(bytes, holder)| format!("{holder}: {}", mebibytes(*bytes)));
        let holders: Vec<_> = holders.collect();
        let held = if holders.is_empty() { "nothing".to_owned() } else { holders.join("; ") };
        let advice = if is_too_large {
            "No sandbox can have so much; start the server with a larger --max-memory"
        } else {
            "Delete sandboxes to free memory"
        };
        format!(
            "the memory budget (--max-memory {limit}, in MiB) cannot provide {wanted} more; it is used \
             by {held}. {advice}"
        )
    }
}
