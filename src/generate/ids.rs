//! Ids that say which record they belong to: a keyed permutation of (kind, record, part), so that
//! no map from id to record is needed. An id is right only if writing it again gives the same.

use rand::Rng;

use super::draws::{mix, stream, unmix};
use crate::model::Text;

/// What an id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdOf {
    Conversation = 0,
    Message = 1,
    Qa = 2,
    /// Also the agent, as user 0.
    Anonymous = 3,
}

/// The keys under which the ids of one agent are made.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    low: u64,
    high: u64,
}

/// The longer form of conversation ids uses these; any 32 letters and digits would do.
const LETTERS: &[u8; 32] = b"AaB0bC2cDdE4eFfG5gHhJ6jKkM7mNnP9";

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        let mut stream = stream(seed, 2);
        Self { low: stream.next_u64(), high: stream.next_u64() }
    }

    /// The id of a record, or of a part of it.
    pub(super) fn id(self, of: IdOf, record: u32, part: u16) -> Id {
        let plain = (of as u64) << 62 | u64::from(record) << 16 | u64::from(part);
        let low = mix(plain ^ self.low);
        Id { low, high: mix(low ^ self.high), letters: of == IdOf::Conversation && record % 4 == 3 }
    }

    /// The conversation that a text is the id of, if it looks like one of ours.
    pub(super) fn conversation(self, text: &str) -> Option<u32> {
        let bytes = text.as_bytes();
        let low = match bytes.len() {
            24 => u64::from_str_radix(text.get(8..)?, 16).ok()?,
            20 => bytes[7..].iter().try_fold(0u64, |word, byte| {
                let digit = LETTERS.iter().position(|letter| letter == byte)?;
                Some(word << 5 | digit as u64)
            })?,
            _ => return None,
        };
        let record = u32::try_from((unmix(low) ^ self.low) >> 16 & 0xffff_ffff).ok()?;
        let mut again = Vec::with_capacity(24);
        self.id(IdOf::Conversation, record, 0).append_to(&mut again);
        (again == bytes).then_some(record)
    }
}

/// An id: 24 lower-case hex digits, or 20 letters and digits.
#[derive(Clone, Copy)]
pub(super) struct Id {
    low: u64,
    high: u64,
    letters: bool,
}

impl Text for Id {
    fn append_to(&self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        if self.letters {
            let mut text = [0; 20];
            let mut word = u128::from(self.high & 0x7_ffff_ffff) << 65 | u128::from(self.low);
            for place in text.iter_mut().rev() {
                *place = LETTERS[(word & 31) as usize];
                word >>= 5;
            }
            out.extend_from_slice(&text);
        } else {
            let mut text = [0; 24];
            // Real ids begin with the time in seconds, so with a 6 for years to come.
            let high = 0x6000_0000 | (self.high & 0x0fff_ffff);
            for (place, digit) in text[..8].iter_mut().zip((0..8).rev()) {
                *place = HEX[(high >> (4 * digit) & 15) as usize];
            }
            for (place, digit) in text[8..].iter_mut().zip((0..16).rev()) {
                *place = HEX[(self.low >> (4 * digit) & 15) as usize];
            }
            out.extend_from_slice(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IdOf, Ids};
    use crate::model::Text;

    fn text(ids: Ids, of: IdOf, record: u32) -> String {
        let mut out = Vec::new();
        ids.id(of, record, 0).append_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_id_names_its_conversation_and_nothing_else_does() {
        let ids = Ids::new(1);
        for record in [0, 1, 2, 3, 7, 199, 999_999, u32::MAX] {
            let id = text(ids, IdOf::Conversation, record);
            assert_eq!(id.len(), if record % 4 == 3 { 20 } else { 24 });
            assert_eq!(ids.conversation(&id), Some(record));
            assert_eq!(ids.conversation(&id[1..]), None);
            assert_eq!(ids.conversation(&format!("{}x", &id[..id.len() - 1])), None);
            assert_eq!(Ids::new(2).conversation(&id), None);
        }
        assert_eq!(ids.conversation(&text(ids, IdOf::Message, 0)), None);
        assert_eq!(ids.conversation(&text(ids, IdOf::Conversation, 0).to_uppercase()), None);
        for odd in
            ["", "xxxxxx", "\u{e9}234567\u{e9}9012345678901\u{e9}", "+23456789012345678901234"]
        {
            assert_eq!(ids.conversation(odd), None);
        }
    }
}
