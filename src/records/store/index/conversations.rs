//! Conversations: newest first, conversations of the same time by ascending id.

use std::cmp::Reverse;
use std::ops::Range;

use super::{Ranks, boundary, to_rank};
use crate::contract::{CONVERSATION_TYPES, TypeFilter};
use crate::records::store::{ConversationMeta, RecordSource};

/// Which conversations match, and in which order?
pub(in crate::records::store) struct ConversationIndex {
    /// Which conversation has a rank?
    order: Vec<u32>,
    /// Which ranks are of a type? For each type, ascending.
    by_type: [Vec<u32>; CONVERSATION_TYPES.len()],
    /// Which ranks are of a user? Sorted by (user, rank).
    by_user: Vec<u32>,
    /// Which ranks are of a user and a type? Sorted by (user, type, rank).
    by_user_and_type: Vec<u32>,
}

impl ConversationIndex {
    pub(in crate::records::store) fn new(records: &impl RecordSource) -> Self {
        let order = newest_first(records);
        let mut users = Vec::with_capacity(order.len());
        let mut by_type: [Vec<u32>; CONVERSATION_TYPES.len()] = Default::default();
        for (rank, number) in (0u32..).zip(&order) {
            let meta = records.meta(*number);
            users.push(meta.user);
            if let Some(of_type) = meta.conversation_type {
                by_type[of_type as usize].push(rank);
            }
        }
        by_type.iter_mut().for_each(Vec::shrink_to_fit);
        let ranks: Vec<u32> = (0..to_rank(order.len())).collect();
        let by_user = sorted_by_user(&ranks, &users);
        let by_user_and_type = sorted_by_user(&by_type.concat(), &users);
        Self { order, by_type, by_user, by_user_and_type }
    }

    /// The bytes of memory that it takes.
    pub(in crate::records::store) fn bytes(&self) -> usize {
        let Self { order, by_type, by_user, by_user_and_type } = self;
        let lists = by_type.iter().chain([order, by_user, by_user_and_type]);
        lists.map(|list| list.capacity() * size_of::<u32>()).sum()
    }

    /// The conversation at a rank.
    pub(in crate::records::store) fn at(&self, rank: u32) -> u32 {
        self.order[rank as usize]
    }

    /// All conversations, by rank.
    pub(in crate::records::store) fn all(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied()
    }

    /// The ranks within a window, both ends inclusive.
    fn window(&self, records: &impl RecordSource, (start, end): (i64, i64)) -> Range<u32> {
        let from = boundary(&self.order, |number| records.recent_chat_time(number) > end);
        let to = boundary(&self.order, |number| records.recent_chat_time(number) >= start);
        from..to.max(from)
    }

    /// The ranks within a window (both ends inclusive), of a type and a user.
    pub(in crate::records::store) fn select(
        &self,
        records: &impl RecordSource,
        window: (i64, i64),
        of_type: TypeFilter,
        of_user: Option<u32>,
    ) -> Ranks<'_> {
        let ranks = self.window(records, window);
        let meta = |rank: u32| records.meta(self.order[rank as usize]);
        let user = |rank: u32| meta(rank).user;
        let user_and_type = |rank: u32| {
            let ConversationMeta { user, conversation_type } = meta(rank);
            // Only ranks of a type are looked up.
            (user, conversation_type.map(|of_type| of_type as usize))
        };
        match (of_type, of_user) {
            (None, None) => Ranks::Range(ranks),
            (Some(of_type), None) => Ranks::within(&self.by_type[of_type as usize], &ranks),
            (None, Some(of_user)) => Ranks::with_key(&self.by_user, &ranks, user, of_user),
            (Some(of_type), Some(of_user)) => {
                let key = (of_user, Some(of_type as usize));
                Ranks::with_key(&self.by_user_and_type, &ranks, user_and_type, key)
            }
        }
    }
}

/// The numbers of all conversations, newest first.
fn newest_first(records: &impl RecordSource) -> Vec<u32> {
    let mut conversations: Vec<_> = (0..records.len())
        .map(|number| (Reverse(records.recent_chat_time(number)), number))
        .collect();
    conversations.sort_unstable();
    let ties = conversations.chunk_by_mut(|(a, _), (b, _)| a == b);
    for ties in ties.filter(|ties| ties.len() > 1) {
        ties.sort_by_cached_key(|(_, number)| records.conversation_id(*number));
    }
    // Not collected from `into_iter`, which would keep the memory of the times allocated.
    conversations.iter().map(|(_, number)| *number).collect()
}

/// Ranks sorted by user. The ranks of one user keep their order.
fn sorted_by_user(ranks: &[u32], users: &[u32]) -> Vec<u32> {
    // An entry is the user and the place of the rank, in one word because such entries are sorted twice
    // as fast as pairs.
    let entries =
        (0..).zip(ranks).map(|(place, rank)| u64::from(users[*rank as usize]) << 32 | place);
    let mut entries: Vec<u64> = entries.collect();
    entries.sort_unstable();
    entries.iter().map(|entry| ranks[(entry & 0xffff_ffff) as usize]).collect()
}
