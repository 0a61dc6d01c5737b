//! The users of the generated records: a few with many conversations, many with a few. The number of a
//! user can be computed from the user's id, so no map is needed.

use fake::locales::{DE_DE, Data, EN, FR_FR};
use rand::Rng;

use super::draws::{Draws, choose, inverse, reduce, scramble, stream};
use crate::records::json::{JsonBuf, SliceWriter};
use crate::records::model::{Text, escape};

/// The users of one agent.
pub(super) struct Users {
    draws: Draws,
    /// An odd number, because multiplying by it permutes the numbers of 32 bits.
    factor: u32,
    offset: u32,
    first_names: Vec<String>,
    last_names: Vec<String>,
    /// A user whose id a person chose: the user's number, and the id as it is written.
    chosen: Option<(u32, Box<str>)>,
}

/// Users are numbered from 1 to 2^20 - 1. Each power of two is as likely as the next, so user 1 has one
/// conversation in twenty, while half a million users share another twentieth.
const POWERS: u64 = 20;

const MAIL: &str = "@example.com";

/// How many first names, and how many last names, mail addresses have.
const NAMES: usize = 256;

/// The part of a mail address that is made of a name: its first 15 letters, in lower case.
fn address_name(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    letters.take(15).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Users {
    pub(super) fn new(seed: u64) -> Self {
        let mut stream = stream(seed, 3);
        let draws = Draws::new(&mut stream);
        let names: Vec<_> = (0..NAMES).map(|_| person_name(stream.next_u64())).collect();
        Self {
            draws,
            factor: stream.next_u32() | 1,
            offset: stream.next_u32(),
            first_names: names.iter().map(|(first, _)| address_name(first)).collect(),
            last_names: names.iter().map(|(_, last)| address_name(last)).collect(),
            chosen: None,
        }
    }

    /// Gives a user another id, which no other user may have.
    pub(super) fn rename(&mut self, user: u32, id: &str) {
        self.chosen = Some((user, escape(id)));
    }

    /// The user of a conversation, chosen by a random word.
    #[allow(clippy::cast_possible_truncation, reason = "below 2^20")]
    pub(super) fn user(word: u64) -> u32 {
        let power = 1u64 << reduce(word, POWERS);
        (power | (scramble(word) & (power - 1))) as u32
    }

    #[inline(always)]
    pub(super) fn id(&self, user: u32) -> UserId<'_> {
        if let Some((chosen, id)) = &self.chosen
            && *chosen == user
        {
            return UserId::Chosen(id);
        }
        let word = self.draws.record(user).at(0);
        let scrambled = user.wrapping_mul(self.factor).wrapping_add(self.offset);
        match word & 7 {
            0 => UserId::Mail {
                first: &self.first_names[(word >> 8 & 0xff) as usize],
                last: &self.last_names[(word >> 16 & 0xff) as usize],
                user,
            },
            1 => UserId::Hex(scrambled),
            _ => UserId::Number(scrambled),
        }
    }

    /// The user with this id.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        if let Some((user, id)) = &self.chosen
            && *id == escape(text)
        {
            return Some(*user);
        }
        let user = if let Some(local) = text.strip_suffix(MAIL) {
            local.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?
        } else {
            let scrambled = match text.strip_prefix("u-") {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => u32::try_from(text.parse::<u64>().ok()?.checked_sub(FIRST_NUMBER)?).ok()?,
            };
            #[allow(clippy::cast_possible_truncation, reason = "the inverse modulo 2^32")]
            let back = inverse(u64::from(self.factor)) as u32;
            scrambled.wrapping_sub(self.offset).wrapping_mul(back)
        };
        let is_user = (1..1 << POWERS).contains(&user);
        (is_user && JsonBuf::escaped(&self.id(user)) == text.as_bytes()).then_some(user)
    }
}

/// Numeric ids have ten digits, like `1234567890`, the example of the vendor's page.
const FIRST_NUMBER: u64 = 1_000_000_000;

/// A user's id. Most are numbers.
pub(super) enum UserId<'a> {
    Mail {
        first: &'a str,
        last: &'a str,
        user: u32,
    },
    Hex(u32),
    Number(u32),
    /// An id that a person chose, escaped.
    Chosen(&'a str),
}

impl Text for UserId<'_> {
    #[inline(always)]
    fn write_to(&self, out: &mut SliceWriter<'_>) {
        match *self {
            Self::Mail { first, last, user } => {
                out.bytes(first.as_bytes());
                out.byte(b'.');
                out.bytes(last.as_bytes());
                out.count(u64::from(user));
                out.bytes(MAIL.as_bytes());
            }
            Self::Hex(scrambled) => {
                out.bytes(b"u-");
                out.hex(scrambled);
            }
            Self::Number(scrambled) => out.digits::<10>(FIRST_NUMBER + u64::from(scrambled)),
            Self::Chosen(id) => out.bytes(id.as_bytes()),
        }
    }
}

/// A person's name in Latin script.
pub(super) fn person_name(word: u64) -> (&'static str, &'static str) {
    let (first, last) = match word & 7 {
        0 => (DE_DE::NAME_FIRST_NAME, DE_DE::NAME_LAST_NAME),
        1 => (FR_FR::NAME_FIRST_NAME, FR_FR::NAME_LAST_NAME),
        _ => (EN::NAME_FIRST_NAME, EN::NAME_LAST_NAME),
    };
    (*choose(first, word), *choose(last, scramble(word)))
}

#[cfg(test)]
mod tests {
    use super::Users;
    use crate::records::json::JsonBuf;

    #[test]
    fn an_id_names_its_user_and_nothing_else_does() {
        let users = Users::new(1);
        for user in (1..2000).chain([(1 << 20) - 1]) {
            let id = String::from_utf8(JsonBuf::escaped(&users.id(user))).unwrap();
            assert_eq!(users.find(&id), Some(user), "{id}");
            assert_eq!(users.find(&format!("{id}0")), None, "{id}");
            assert_eq!(users.find(&id[1..]), None, "{id}");
        }
        for odd in ["", "@example.com", "u-", "u-+1234567", "18446744073709551615", "3"] {
            assert_eq!(users.find(odd), None, "{odd}");
        }
    }
}
