//! How much work a query is: what its code looks at, counted in tests and nowhere else.

/// Counts one entry of an index, or one key asked of the source, or one row.
#[cfg(not(test))]
#[inline(always)]
pub(super) const fn visit() {}

#[cfg(test)]
thread_local! {
    static VISITS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts one entry of an index, or one key asked of the source, or one row.
#[cfg(test)]
pub(super) fn visit() {
    VISITS.set(VISITS.get() + 1);
}

/// What was counted on this thread while `work` was done.
#[cfg(test)]
pub(super) fn visits(work: impl FnOnce()) -> u64 {
    let before = VISITS.get();
    work();
    VISITS.get() - before
}

#[cfg(test)]
mod tests {
    use super::visits;
    use crate::contract::{ConversationType, Feedback, QaTime};
    use crate::records::generate::Generator;
    use crate::records::json::Out;
    use crate::records::rows::MessageForm;
    use crate::records::store::indexed::{Indexed, Queries};
    use crate::records::store::{Records, Slice};

    /// Rows of a page.
    const ROWS: u64 = 100;

    /// The first, the middle and the last page of so many rows, and the last one reversed.
    fn pages(total: u64) -> impl Iterator<Item = Slice> {
        let skip = [(0, false), (total / 2, false), (total.saturating_sub(ROWS), false), (0, true)];
        skip.into_iter().map(|(skip, reversed)| Slice { skip, take: ROWS, reversed })
    }

    /// Windows: everything, the half in the middle, an hour, nothing.
    fn windows(end_ms: i64) -> [(i64, i64); 4] {
        const DAY: i64 = 86_400_000;
        [
            (i64::MIN, i64::MAX),
            (end_ms - 22 * DAY, end_ms - 8 * DAY),
            (end_ms - 10 * DAY, end_ms - 10 * DAY + DAY / 24),
            (5, 4),
        ]
    }

    /// The user with the most conversations.
    fn heavy_user(records: &Indexed<Generator>) -> String {
        let number =
            (0..records.records.len()).find(|n| records.records.facts(*n).user == 1).unwrap();
        String::from_utf8(Out::of(&records.records.conversation(number).user_id)).unwrap()
    }

    #[test]
    fn a_page_costs_its_rows_and_a_few_binary_searches() {
        const END_MS: i64 = 1_760_918_400_000;
        for len in [1000, 10_000, 100_000] {
            let records = Indexed::new(Generator::new(1, len, END_MS, END_MS));
            let allowed = |rows: u64, total: u64, each: u64| {
                each * rows + 8 * u64::from(total.max(2).ilog2() + 1)
            };
            let user = heavy_user(&records);
            for window in windows(END_MS) {
                for of_type in [None, Some(ConversationType::Api), Some(ConversationType::SoBot)] {
                    for user_id in [None, Some(&*user), Some("nobody")] {
                        for slice in pages(records.conversations(window, of_type, user_id).len()) {
                            let mut rows = 0;
                            let count = visits(|| {
                                let found = records.conversations(window, of_type, user_id);
                                rows = slice.len(found.len());
                                let mut out = Out::with_room(200_000);
                                records.write_conversations(&found, slice, false, &mut out);
                            });
                            let most = allowed(rows, len.into(), 3);
                            assert!(
                                count <= most,
                                "{len} {of_type:?} {user_id:?}: {count} > {most}"
                            );
                            assert!(count >= 3 * rows, "not counted");
                        }
                    }
                }
                records.qa_index();
                let pairs = records.qa((i64::MIN, i64::MAX), None).len();
                for rated in [None].into_iter().chain(Feedback::ALL.map(Some)) {
                    for slice in pages(records.qa(window, rated).len()) {
                        let mut rows = 0;
                        let count = visits(|| {
                            let found = records.qa(window, rated);
                            rows = slice.len(found.len());
                            let mut out = Out::with_room(200_000);
                            records.write_qa(&found, slice, QaTime::Milliseconds, &mut out);
                        });
                        // What is not rated is found between what is.
                        let each = if rated == Some(Feedback::None) { 12 } else { 3 };
                        let most = allowed(rows, pairs, each);
                        assert!(count <= most, "{len} {rated:?}: {count} > {most}");
                        assert!(count >= 3 * rows, "not counted");
                    }
                }
            }
            let id = String::from_utf8(records.records.conversation_id(len / 2)).unwrap();
            let (conversation, total) = records.messages(&id).unwrap();
            for slice in pages(total) {
                let count = visits(|| {
                    let mut out = Out::with_room(200_000);
                    records.write_messages(conversation, slice, MessageForm::V2, &mut out);
                });
                assert_eq!(count, slice.len(total));
            }
        }
    }
}
