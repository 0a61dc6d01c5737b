//! Random fixtures with many ties, and the rows that a server must answer from them, computed by
//! filtering and sorting lists.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::walk::{Whole, number, text};

pub(crate) const KEY: &str = "key-of-the-fixture";
const BOT: &str = "64b902a84f1ff25d1c60c10b";

/// The channels that fixtures use, and one that none uses.
pub(crate) const CHANNELS: [&str; 4] = ["API", "SLACK", "WEB", "ZAPIER"];

/// The users that fixtures use, and one that none uses.
pub(crate) const USERS: [&str; 4] = ["3", "a+b c@example.com", "\u{7528}\u{6237} \"1\"", "33"];

/// An agent's records as an author writes them.
#[derive(Clone, Debug)]
pub(crate) struct Fixture(Vec<Conversation>);

#[derive(Clone, Debug)]
struct Conversation {
    id: String,
    user: &'static str,
    channel: &'static str,
    hundredths: u32,
    /// Only where there are no messages.
    own_time: i64,
    messages: Vec<Message>,
}

#[derive(Clone, Debug)]
struct Message {
    id: String,
    question: bool,
    text: String,
    time: i64,
    rated: Option<&'static str>,
    own_qa_id: bool,
}

/// Few instants, so that most tie; around a full second, and out of the usual range.
fn time() -> impl Strategy<Value = i64> {
    let day = 1_760_918_400_000_i64;
    prop_oneof![8 => day - 3..day + 3, 1 => Just(0), 1 => -3..3i64]
}

/// A fixture of up to so many conversations. Ids begin with a text of the alphabet, which
/// decides their order.
pub(crate) fn fixture(
    most: usize,
    alphabet: &'static [&'static str],
) -> impl Strategy<Value = Fixture> {
    let prefix = || vec(select(alphabet), 1..3).prop_map(|parts| parts.concat());
    let words =
        vec(select(&["a", "\"", "\\", "\n", "\u{0}", "\u{e9}", "\u{6f22}", "😀"][..]), 0..4);
    let message = (
        (prefix(), any::<bool>(), words, time()),
        (select(&[None, None, Some("NONE"), Some("GOOD"), Some("BAD")][..]), any::<bool>()),
    )
        .prop_map(|((id, question, words, time), (rated, own_qa_id))| Message {
            id,
            question,
            text: words.concat(),
            time,
            rated: rated.filter(|_| !question),
            own_qa_id,
        });
    let conversation =
        (
            (prefix(), select(&USERS[..3]), select(&CHANNELS[..3])),
            (0..300u32, time(), vec(message, 0..7)),
        )
            .prop_map(|((id, user, channel), (hundredths, own_time, messages))| {
                Conversation { id, user, channel, hundredths, own_time, messages }
            });
    vec(conversation, 0..=most).prop_map(|mut conversations| {
        for (number, conversation) in conversations.iter_mut().enumerate() {
            conversation.id.push_str(&number.to_string());
            conversation.messages.sort_by_key(|message| message.time);
            for (place, message) in conversation.messages.iter_mut().enumerate() {
                message.id = format!("{}{number}.{place}", message.id);
            }
        }
        Fixture(conversations)
    })
}

impl Fixture {
    /// The fixture as the server reads it.
    pub(crate) fn json(&self) -> String {
        let conversations: Vec<Value> = self.0.iter().map(Conversation::json).collect();
        let agent = json!({
            "name": "random", "bot_id": BOT, "keys": [KEY], "conversations": conversations,
        });
        json!({ "agents": [agent] }).to_string()
    }

    /// What must be served: every row, in order.
    pub(crate) fn model(&self) -> Whole {
        let mut rows: Vec<_> = self.0.iter().map(|c| (c.row(), c.chain(1), c.chain(2))).collect();
        rows.sort_by(|(a, ..), (b, ..)| newest_then_id(a, b));
        let mut qa: Vec<Value> = self.0.iter().flat_map(Conversation::pairs).collect();
        qa.sort_by(oldest_then_id);
        let mut model = Whole { list: Vec::new(), v1: Vec::new(), v2: Vec::new(), qa };
        for (row, v1, mut v2) in rows {
            v2.reverse();
            model.list.push(row);
            model.v1.push(v1);
            model.v2.push(v2);
        }
        model
    }
}

/// The order of the list.
pub(crate) fn newest_then_id(a: &Value, b: &Value) -> std::cmp::Ordering {
    let time = |row| number(row, "recent_chat_time");
    time(b).cmp(&time(a)).then_with(|| text(a, "conversation_id").cmp(text(b, "conversation_id")))
}

/// The order of the Q&A rows.
pub(crate) fn oldest_then_id(a: &Value, b: &Value) -> std::cmp::Ordering {
    (number(a, "q_time"), text(a, "id")).cmp(&(number(b, "q_time"), text(b, "id")))
}

impl Conversation {
    fn json(&self) -> Value {
        let messages: Vec<Value> = self.messages.iter().map(Message::json).collect();
        let mut json = json!({
            "conversation_id": self.id, "user_id": self.user, "conversation_type": self.channel,
            "cost_credit": f64::from(self.hundredths) / 100.0, "messages": messages,
        });
        if self.messages.is_empty() {
            json["recent_chat_time"] = self.own_time.into();
        }
        json
    }

    fn row(&self) -> Value {
        let subject = self.messages.iter().find(|m| m.question).map_or("", |m| &m.text);
        json!({
            "conversation_id": self.id, "user_id": self.user,
            "recent_chat_time": self.messages.last().map_or(self.own_time, |last| last.time),
            "subject": subject, "conversation_type": self.channel,
            "message_count": self.messages.len(),
            "cost_credit": f64::from(self.hundredths) / 100.0, "bot_id": BOT,
        })
    }

    /// The messages, oldest first, in the shape of a version.
    fn chain(&self, version: u8) -> Vec<Value> {
        let mut parent = "";
        let mut chain = Vec::new();
        for message in &self.messages {
            chain.push(message.row(version, parent));
            parent = &message.id;
        }
        chain
    }

    fn pairs(&self) -> Vec<Value> {
        let pairs = self.messages.windows(2).filter(|pair| pair[0].question && !pair[1].question);
        let row = |pair: &[Message]| {
            json!({
                "id": pair[0].qa_id(), "q_time": pair[0].time, "q": pair[0].text,
                "a": pair[1].text, "user_feedback": pair[1].rated.unwrap_or("NONE"),
                "convo_id": self.id, "convo_type": self.channel, "aid": pair[1].id,
                "user_id": self.user,
            })
        };
        pairs.map(row).collect()
    }
}

impl Message {
    fn qa_id(&self) -> String {
        if self.own_qa_id { format!("{}q", self.id) } else { self.id.clone() }
    }

    fn json(&self) -> Value {
        let mut json = json!({
            "message_id": self.id, "text": self.text, "create_time": self.time,
            "message_type": if self.question { "QUESTION" } else { "ANSWER" },
        });
        if let Some(rated) = self.rated {
            json["feedback"] = rated.into();
        }
        if self.question && self.own_qa_id {
            json["qa_id"] = self.qa_id().into();
        }
        json
    }

    fn row(&self, version: u8, parent: &str) -> Value {
        if version == 1 {
            return json!({
                "message_id": self.id, "parent_message_id": parent,
                "message_type": if self.question { "QUESTION" } else { "ANSWER" },
                "text": self.text, "create_time": self.time,
            });
        }
        let feedback = match self.rated {
            Some("GOOD") => "POSITIVE",
            Some("BAD") => "NEGATIVE",
            _ => "",
        };
        json!({
            "message_id": self.id, "parent_message_id": parent, "create_time": self.time,
            "feedback": feedback, "role": if self.question { "user" } else { "assistant" },
            "content": [{ "branch_content": [{ "type": "text", "text": self.text }] }],
        })
    }
}
