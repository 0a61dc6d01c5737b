//! Queries over records that are indexed, and the rows of their answers.

use std::sync::OnceLock;

use super::index::{ConversationIndex, QaIndex, Ranks, threads};
use super::rendered::{Rendered, Rows};
use super::{Chain, Records, RowKind, Slice, count};
use crate::contract::{FeedbackFilter, QaTime, TypeFilter};
use crate::records::json::{Out, Pen, Piece};
use crate::records::rows::{self, MessageForm};

/// What can be asked of records that are indexed, whatever their source. A source's own code is
/// compiled into each of these, so that a row is written without a call through a table.
pub(super) trait Queries: Send + Sync {
    fn len(&self) -> u64;

    fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Ranks<'_>;
    fn write_conversations(&self, ranks: &Ranks<'_>, slice: Slice, anonymous: bool, out: &mut Out);

    /// The number of a conversation, and how many messages it has.
    fn messages(&self, conversation_id: &str) -> Option<(u32, u64)>;
    fn write_messages(&self, conversation: u32, slice: Slice, form: MessageForm, out: &mut Out);

    fn is_ready(&self, rows: RowKind) -> bool;
    fn prepare(&self, rows: RowKind);
    fn qa(&self, window: (i64, i64), rated: FeedbackFilter) -> Ranks<'_>;
    fn write_qa(&self, ranks: &Ranks<'_>, slice: Slice, unit: QaTime, out: &mut Out);
}

/// A source of records, and the orders in which they are asked for.
pub(super) struct Indexed<R> {
    pub(super) records: R,
    conversations: ConversationIndex,
    qa: OnceLock<QaIndex>,
    kept: Kept,
}

/// Rows that are kept as they are written, in the shapes that are asked for without a reading.
/// Conversations and pairs by rank, messages by number.
#[derive(Default)]
struct Kept {
    conversations: Rendered,
    messages: [Rendered; 2],
    qa: Rendered,
}

impl<R: Records> Indexed<R> {
    pub(super) fn new(records: R) -> Self {
        let conversations = ConversationIndex::new(&records, threads(records.len()));
        Self { records, conversations, qa: OnceLock::new(), kept: Kept::default() }
    }

    /// The index of Q&A pairs. Whoever asks first makes it, and the others wait; should making it
    /// panic, the next one tries again.
    pub(super) fn qa_index(&self) -> &QaIndex {
        self.qa.get_or_init(|| {
            QaIndex::new(&self.records, &self.conversations, threads(self.records.len()))
        })
    }

    /// Whether there are none to be kept, or so few that the first page may make them.
    fn has_few_rows(&self) -> bool {
        const FEW: u64 = 500;
        let Some(last) = self.records.len().checked_sub(1) else { return true };
        self.records.room_for_rows().is_none() || {
            let before = u64::from(self.records.first_message(last));
            u64::from(last) + before + self.records.chain(last).len() < FEW
        }
    }

    pub(super) fn kept_conversations(&self, anonymous: bool) -> Option<&Rows> {
        let room = self.records.room_for_rows().filter(|_| !anonymous)?;
        self.kept.conversations.rows(room, |renderer| {
            for number in (0..).map_while(|rank| self.conversations.at(rank)) {
                let row = Row { comma: true, of: &self.records, number, form: Listed(false) };
                if !renderer.row(&row) {
                    return;
                }
            }
        })
    }

    pub(super) fn kept_messages(&self, form: MessageForm) -> Option<&Rows> {
        let room = self.records.room_for_rows()?;
        self.kept.messages[form as usize].rows(room, |renderer| {
            for conversation in 0..self.records.len() {
                let chain = self.records.chain(conversation);
                for number in 0..chain.len() {
                    if !renderer.row(&Row { comma: true, of: &chain, number, form }) {
                        return;
                    }
                }
            }
        })
    }

    pub(super) fn kept_qa(&self, unit: QaTime) -> Option<&Rows> {
        let room = self.records.room_for_rows().filter(|_| unit == QaTime::default())?;
        self.kept.qa.rows(room, |renderer| {
            let index = self.qa_index();
            for number in (0..).map_while(|rank| index.at(rank)) {
                if !renderer.row(&Row { comma: true, of: &self.records, number, form: unit }) {
                    return;
                }
            }
        })
    }
}

impl<R: Records> Queries for Indexed<R> {
    fn len(&self) -> u64 {
        u64::from(self.records.len())
    }

    fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Ranks<'_> {
        match user_id.map(|id| self.records.find_user(id)) {
            // A user who is not there has no conversations.
            Some(None) => Ranks::Listed(&[]),
            Some(of_user) => self.conversations.select(&self.records, window, of_type, of_user),
            None => self.conversations.select(&self.records, window, of_type, None),
        }
    }

    fn write_conversations(&self, ranks: &Ranks<'_>, slice: Slice, anonymous: bool, out: &mut Out) {
        let mut near = 0;
        let ranks = slice.positions(ranks.len()).filter_map(|n| ranks.get(n, &mut near));
        if let Some(rows) = self.kept_conversations(anonymous) {
            return rows.write(ranks, out);
        }
        let numbers = ranks.filter_map(|rank| self.conversations.at(rank));
        let mut comma = false;
        together(numbers, |numbers| {
            self.records.expect_conversations(numbers);
            for number in numbers {
                out.write(&Row {
                    comma,
                    of: &self.records,
                    number: *number,
                    form: Listed(anonymous),
                });
                comma = true;
            }
        });
    }

    fn messages(&self, conversation_id: &str) -> Option<(u32, u64)> {
        let conversation = self.records.find(conversation_id)?;
        Some((conversation, self.records.chain(conversation).len()))
    }

    fn write_messages(&self, conversation: u32, slice: Slice, form: MessageForm, out: &mut Out) {
        let chain = self.records.chain(conversation);
        let positions = slice.positions(chain.len());
        if let Some(rows) = self.kept_messages(form) {
            let first = u64::from(self.records.first_message(conversation));
            let numbers = positions.filter_map(|position| u32::try_from(first + position).ok());
            return rows.write(numbers, out);
        }
        let mut comma = false;
        for position in positions {
            out.write(&Row { comma, of: &chain, number: position, form });
            comma = true;
        }
    }

    fn is_ready(&self, rows: RowKind) -> bool {
        let (indexed, is_kept, made) = match rows {
            RowKind::Conversations { with_anonymous_id } => {
                (true, !with_anonymous_id, &self.kept.conversations)
            }
            RowKind::Messages(form) => (true, true, &self.kept.messages[form as usize]),
            RowKind::Qa(unit) => {
                (self.qa.get().is_some(), unit == QaTime::default(), &self.kept.qa)
            }
        };
        indexed && (!is_kept || made.is_made() || self.has_few_rows())
    }

    fn prepare(&self, rows: RowKind) {
        match rows {
            RowKind::Conversations { with_anonymous_id } => {
                self.kept_conversations(with_anonymous_id);
            }
            RowKind::Messages(form) => {
                self.kept_messages(form);
            }
            RowKind::Qa(unit) => {
                self.qa_index();
                self.kept_qa(unit);
            }
        }
    }

    fn qa(&self, window: (i64, i64), rated: FeedbackFilter) -> Ranks<'_> {
        self.qa_index().select(&self.records, window, rated)
    }

    fn write_qa(&self, ranks: &Ranks<'_>, slice: Slice, unit: QaTime, out: &mut Out) {
        let mut near = 0;
        let ranks = slice.positions(ranks.len()).filter_map(|n| ranks.get(n, &mut near));
        if let Some(rows) = self.kept_qa(unit) {
            return rows.write(ranks, out);
        }
        let index = self.qa_index();
        let pairs = ranks.filter_map(|rank| index.at(rank));
        let mut comma = false;
        together(pairs, |pairs| {
            self.records.expect_pairs(pairs);
            for pair in pairs {
                out.write(&Row { comma, of: &self.records, number: *pair, form: unit });
                comma = true;
            }
        });
    }
}

/// A row of an answer, behind a comma unless it is the first: the record of this number, and how
/// it is shown.
struct Row<'a, R, Number, Form> {
    comma: bool,
    of: &'a R,
    number: Number,
    form: Form,
}

/// A conversation of the list, with or without its `anonymous_id`.
struct Listed(bool);

impl<R: Records> Piece for Row<'_, R, u32, Listed> {
    #[inline(always)]
    fn write(&self, pen: &mut Pen<'_>) {
        comma(self.comma, pen);
        rows::conversation(pen, &self.of.conversation(self.number), self.form.0);
    }
}

impl<C: Chain> Piece for Row<'_, C, u64, MessageForm> {
    #[inline(always)]
    fn write(&self, pen: &mut Pen<'_>) {
        comma(self.comma, pen);
        rows::message(pen, &self.of.message(self.number), self.form);
    }
}

impl<R: Records> Piece for Row<'_, R, u32, QaTime> {
    #[inline(always)]
    fn write(&self, pen: &mut Pen<'_>) {
        comma(self.comma, pen);
        rows::qa(pen, &self.of.qa(self.number), self.form);
    }
}

#[inline(always)]
fn comma(comma: bool, pen: &mut Pen<'_>) {
    count::visit();
    if comma {
        pen.byte(b',');
    }
}

/// Hands numbers on, as many at a time as are worth fetching together.
fn together(numbers: impl Iterator<Item = u32>, mut each: impl FnMut(&[u32])) {
    let mut some = [0; 128];
    let mut len = 0;
    for number in numbers {
        some[len] = number;
        len += 1;
        if len == some.len() {
            each(&some);
            len = 0;
        }
    }
    each(&some[..len]);
}
