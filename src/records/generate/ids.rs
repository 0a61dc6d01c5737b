//! The ids of generated records. An id is a keyed permutation of (kind, record, part), so the record can
//! be computed from the id and no map is needed. A text is the id of a record only if writing the id of
//! that record gives the same text.

use rand::Rng;

use super::draws::{mix, stream, unmix};
use crate::records::json::{JsonBuf, SliceWriter};
use crate::records::model::Text;

/// The kind of a record with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdKind {
    Conversation = 0,
    Message = 1,
    Qa = 2,
    /// A user without an account. The agent has the id of user 0.
    Anonymous = 3,
}

/// The keys under which the ids of one agent are made.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    low: u64,
    high: u64,
}

/// The digits of conversation ids that are not hexadecimal.
const LETTERS: &[u8; 32] = b"AaB0bC2cDdE4eFfG5gHhJ6jKkM7mNnP9";

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        let mut stream = stream(seed, 2);
        Self { low: stream.next_u64(), high: stream.next_u64() }
    }

    /// The id of a record, or of a part of it.
    #[inline(always)]
    pub(super) fn id(self, of: IdKind, record: u32, part: u16) -> Id {
        let plain = (of as u64) << 62 | u64::from(record) << 16 | u64::from(part);
        let low = mix(plain ^ self.low);
        let high = (low ^ self.high).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 28;
        Id { low, high, letters: of == IdKind::Conversation && record % 8 == 7 }
    }

    /// The number of the conversation with this id. It may be larger than the number of conversations.
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
        (self.id(IdKind::Conversation, record, 0).to_bytes() == bytes).then_some(record)
    }
}

/// An id: 24 lower-case hex digits, or 20 letters and digits.
#[derive(Clone, Copy)]
pub(super) struct Id {
    low: u64,
    /// 36 bits.
    high: u64,
    letters: bool,
}

impl Id {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        JsonBuf::escaped(&self)
    }
}

impl Text for Id {
    #[inline(always)]
    fn write_to(&self, out: &mut SliceWriter<'_>) {
        if self.letters {
            let mut text = [0; 20];
            for (place, digit) in text.iter_mut().rev().zip(0..20) {
                let bits = if digit < 13 {
                    self.low >> (5 * digit)
                } else {
                    self.high >> (5 * (digit - 13))
                };
                *place = LETTERS[(bits & 31) as usize];
            }
            out.bytes(&text);
        } else {
            // The vendor's ids begin with the time in seconds, whose first digit is a 6 until 2029.
            #[allow(clippy::cast_possible_truncation, reason = "the lower half, and the upper")]
            let (seconds, upper, lower) =
                (self.high as u32 & 0x0fff_ffff, (self.low >> 32) as u32, self.low as u32);
            out.hex(0x6000_0000 | seconds);
            out.hex(upper);
            out.hex(lower);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IdKind, Ids};

    fn text(ids: Ids, of: IdKind, record: u32) -> String {
        String::from_utf8(ids.id(of, record, 0).to_bytes()).unwrap()
    }

    #[test]
    fn an_id_names_its_conversation_and_nothing_else_does() {
        let ids = Ids::new(1);
        for record in [0, 1, 2, 3, 7, 199, 999_999, u32::MAX] {
            let id = text(ids, IdKind::Conversation, record);
            assert_eq!(id.len(), if record % 8 == 7 { 20 } else { 24 });
            assert_eq!(ids.conversation(&id), Some(record));
            assert_eq!(ids.conversation(&id[1..]), None);
            assert_eq!(ids.conversation(&format!("{}x", &id[..id.len() - 1])), None);
            assert_eq!(Ids::new(2).conversation(&id), None);
        }
        assert_eq!(ids.conversation(&text(ids, IdKind::Message, 0)), None);
        assert_eq!(ids.conversation(&text(ids, IdKind::Conversation, 0).to_uppercase()), None);
        for odd in
            ["", "xxxxxx", "\u{e9}234567\u{e9}9012345678901\u{e9}", "+23456789012345678901234"]
        {
            assert_eq!(ids.conversation(odd), None);
        }
    }
}
