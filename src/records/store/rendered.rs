//! Rows that are kept as they are written: those of a fixture, as long as they are small. A page
//! of them is a copy, mostly one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::records::json::{Out, Piece};

/// The most that the rows of one kind may take, in bytes. Those of a larger fixture are written
/// when they are asked for.
const MOST: usize = 16 << 20;

/// The most that the rows of all agents that were loaded together may take, in bytes.
const MOST_TOGETHER: usize = 64 << 20;

/// What is left for the rows of agents that were loaded together. Rows that were kept never give
/// theirs back: they stay as long as the agents do, and these go together.
#[derive(Debug)]
pub(crate) struct Room {
    left: AtomicUsize,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MOST_TOGETHER)
    }
}

impl Room {
    fn of(bytes: usize) -> Self {
        Self { left: AtomicUsize::new(bytes) }
    }

    fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes so many bytes, unless fewer are left.
    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// The rows of one kind by number, made when the first is asked for.
#[derive(Default)]
pub(super) struct Rendered {
    rows: OnceLock<Option<Rows>>,
}

/// One row behind the other, each with a comma before it.
pub(super) struct Rows {
    bytes: Vec<u8>,
    /// Where each row begins, and where the last one ends.
    bounds: Vec<u32>,
}

impl Rendered {
    /// Whether the rows are made, or are too large to be kept.
    pub(super) fn is_made(&self) -> bool {
        self.rows.get().is_some()
    }

    /// The rows, if they are small enough to be kept and there is room for them. `render` hands
    /// on all there are, in the order of their numbers, each with a comma before it, until it is
    /// told to stop.
    pub(super) fn rows(&self, room: &Room, render: impl FnOnce(&mut Renderer)) -> Option<&Rows> {
        let rows = self.rows.get_or_init(|| {
            // Other agents may take of the room meanwhile, so it is asked again for all at the
            // end; but rows that it is too small for already need not be made.
            let most = MOST.min(room.left());
            let out = Out::with_room(MOST / 256);
            let mut renderer = Renderer { out, bounds: vec![0], most };
            render(&mut renderer);
            renderer.finish().filter(|rows| room.take(rows.size()))
        });
        rows.as_ref()
    }
}

impl Rows {
    /// What they take, in bytes.
    fn size(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.bounds)
    }

    /// Writes rows by number, with commas between them; those that follow each other at once.
    pub(super) fn write(&self, mut numbers: impl Iterator<Item = u32>, out: &mut Out) {
        let Some(mut from) = numbers.next() else { return };
        let mut to = from + 1;
        // The first row of a page has no comma.
        let mut skipped = 1;
        for number in numbers {
            if number != to {
                out.bytes(&self.between(from, to)[skipped..]);
                (from, skipped) = (number, 0);
            }
            to = number + 1;
        }
        out.bytes(&self.between(from, to)[skipped..]);
    }

    fn between(&self, from: u32, to: u32) -> &[u8] {
        &self.bytes[self.bounds[from as usize] as usize..self.bounds[to as usize] as usize]
    }
}

/// Takes rows, as long as there are not too many.
pub(super) struct Renderer {
    out: Out,
    bounds: Vec<u32>,
    most: usize,
}

impl Renderer {
    /// Takes a row. `false`: there are too many, no more are wanted.
    pub(super) fn row(&mut self, row: &impl Piece) -> bool {
        if self.out.len() > self.most {
            return false;
        }
        self.out.write(row);
        self.bounds.extend(u32::try_from(self.out.len()));
        self.out.len() <= self.most
    }

    fn finish(self) -> Option<Rows> {
        if self.out.len() > self.most {
            return None;
        }
        let Self { out, mut bounds, .. } = self;
        let mut bytes = out.into_bytes();
        bytes.shrink_to_fit();
        bounds.shrink_to_fit();
        Some(Rows { bytes, bounds })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::{MOST_TOGETHER, Room, Rows};
    use crate::contract::{ConversationType, Feedback, QaTime};
    use crate::document::Documents;
    use crate::records::json::Out;
    use crate::records::model::MessageType;
    use crate::records::rows::MessageForm;
    use crate::records::store::indexed::{Indexed, Queries};
    use crate::records::store::{
        Columns, Loaded, LoadedConversation, LoadedMessage, RowKind, Slice,
    };
    use crate::records::store::{Str, Texts, TextsBuilder};

    const AGENTS: usize = 8;

    /// Conversations of a question and its answer.
    fn columns(texts: &mut TextsBuilder<'_>, conversations: i64) -> Columns {
        let mut columns = Columns::default();
        for n in 0..conversations {
            let conversation = LoadedConversation {
                conversation_id: texts.add(&format!("c{n}")),
                user_id: texts.add("u"),
                anonymous_id: Str::default(),
                subject: texts.add("About this"),
                recent_chat_time: n,
                cost_credit: 0.5,
                conversation_type: ConversationType::Api,
            };
            let mut message = |message_type, text: &str| LoadedMessage {
                message_id: texts.add(&format!("{text}{n}")),
                text: texts.add(text),
                create_time: n,
                message_type,
                feedback: Feedback::None,
            };
            let question = message(MessageType::Question, "What?");
            let messages = [question, message(MessageType::Answer, "That.")];
            let qa = (0, texts.add(&format!("q{n}")));
            assert!(columns.add(texts, conversation, &messages, &[qa]).is_empty());
        }
        columns
    }

    /// Agents that were loaded together, with so much room for their rows.
    fn agents(room: usize) -> Vec<Indexed<Loaded>> {
        agents_of(3, room)
    }

    /// The same, each with so many conversations.
    fn agents_of(conversations: i64, room: usize) -> Vec<Indexed<Loaded>> {
        let documents = Documents::default();
        let mut builder = TextsBuilder::new(&documents);
        let columns: Vec<_> = (0..AGENTS).map(|_| columns(&mut builder, conversations)).collect();
        let beside = builder.finish();
        let mut texts = Texts::new(documents, beside);
        assert_eq!(texts.room.left(), MOST_TOGETHER);
        texts.room = Room::of(room);
        let texts = Arc::new(texts);
        let load = |columns| Indexed::new(Loaded::new(Arc::clone(&texts), Str::default(), columns));
        columns.into_iter().map(load).collect()
    }

    /// All that an agent answers.
    fn answers(of: &Indexed<Loaded>) -> Vec<u8> {
        const EVER: (i64, i64) = (i64::MIN, i64::MAX);
        let all = Slice { skip: 0, take: 100, reversed: false };
        let mut out = Out::with_room(0);
        of.write_conversations(&of.conversations(EVER, None, None), all, false, &mut out);
        for form in [MessageForm::V1, MessageForm::V2] {
            of.write_messages(1, all, form, &mut out);
        }
        of.write_qa(&of.qa(EVER, None), all, QaTime::default(), &mut out);
        out.into_bytes()
    }

    /// What the kept rows of each kind take of an agent that was asked for all of them.
    fn kept(of: &Indexed<Loaded>) -> Vec<usize> {
        let [v1, v2] = [MessageForm::V1, MessageForm::V2].map(|form| of.kept_messages(form));
        let kinds = [of.kept_conversations(false), v1, v2, of.kept_qa(QaTime::default())];
        kinds.into_iter().flatten().map(Rows::size).collect()
    }

    #[test]
    fn agents_that_were_loaded_together_share_the_room_for_their_rows() {
        let ample = agents(MOST_TOGETHER);
        let answer = answers(&ample[0]);
        let each: usize = kept(&ample[0]).iter().sum();
        assert_eq!(kept(&ample[0]).len(), 4);
        assert!(each > answer.len());
        // Without any, for some of the agents, for all but a byte, for all of them.
        for room in [0, 5 * each / 2, AGENTS * each - 1, AGENTS * each] {
            let agents = agents(room);
            thread::scope(|scope| {
                for agent in &agents {
                    scope.spawn(|| assert_eq!(answers(agent), answer));
                }
            });
            let sizes: Vec<_> = agents.iter().flat_map(kept).collect();
            let sum: usize = sizes.iter().sum();
            assert!(sum <= room, "{sum} > {room}");
            // It is used, but for less than the rows of a kind that did not fit would take.
            assert!(room - sum < each, "{sum} of {room}");
            assert_eq!(sizes.len() == 4 * AGENTS, room == AGENTS * each);
        }
    }

    /// The first request for rows of a large fixture has them made on another thread.
    #[test]
    fn rows_of_a_large_fixture_are_ready_once_they_are_made() {
        let conversations = RowKind::Conversations { with_anonymous_id: false };
        let messages = [MessageForm::V1, MessageForm::V2].map(RowKind::Messages);
        let kinds = [conversations, messages[0], messages[1], RowKind::Qa(QaTime::default())];
        // Too little room is found out once.
        for room in [MOST_TOGETHER, 0] {
            let large = &agents_of(500, room)[0];
            for kind in kinds {
                assert!(!large.is_ready(kind), "{kind:?}");
                large.prepare(kind);
                assert!(large.is_ready(kind), "{kind:?}");
            }
            // What is never kept needs no making.
            assert!(large.is_ready(RowKind::Conversations { with_anonymous_id: true }));
            assert!(large.is_ready(RowKind::Qa(QaTime::Milliseconds)));
        }
        let small = &agents(MOST_TOGETHER)[0];
        small.qa_index();
        for kind in kinds {
            assert!(small.is_ready(kind), "{kind:?}");
        }
    }
}
