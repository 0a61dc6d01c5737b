//! Users: few heavy ones, many light ones. A user's id says its number, so that no map is needed.

use fake::locales::{DE_DE, Data, EN, FR_FR};
use rand::Rng;

use super::draws::{Draws, inverse, reduce, scramble, stream};
use crate::records::json::{Out, Pen};
use crate::records::model::Text;

/// The users of one agent.
pub(super) struct People {
    draws: Draws,
    /// Odd, so that multiplying by it permutes 32-bit numbers.
    factor: u32,
    offset: u32,
    first_names: Vec<Plain>,
    last_names: Vec<Plain>,
}

/// Users are numbered `1..2^20`, each octave as likely as the next: user 1 has one conversation
/// in twenty, while half a million users share another twentieth.
const OCTAVES: u64 = 20;

const MAIL: &[u8] = b"@example.com";

/// So many first names are used in addresses, and as many last ones.
const NAMES: usize = 256;

/// A name in lower case, without what an address does not hold, and its length at the end.
type Plain = [u8; 16];

fn plain(name: &str) -> Plain {
    let mut plain = [0; 16];
    let letters = name.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase());
    for (place, letter) in plain[..15].iter_mut().zip(letters) {
        *place = letter;
    }
    plain[15] = plain[..15].iter().take_while(|letter| **letter != 0).fold(0, |len, _| len + 1);
    plain
}

impl People {
    pub(super) fn new(seed: u64) -> Self {
        let mut stream = stream(seed, 3);
        let draws = Draws::new(&mut stream);
        let names: Vec<_> = (0..NAMES).map(|_| name(stream.next_u64())).collect();
        Self {
            draws,
            factor: stream.next_u32() | 1,
            offset: stream.next_u32(),
            first_names: names.iter().map(|(first, _)| plain(first)).collect(),
            last_names: names.iter().map(|(_, last)| plain(last)).collect(),
        }
    }

    /// The user that a word draws.
    #[allow(clippy::cast_possible_truncation, reason = "below 2^20")]
    #[inline(always)]
    pub(super) fn user(word: u64) -> u32 {
        let octave = 1u64 << reduce(word, OCTAVES);
        (octave | (scramble(word) & (octave - 1))) as u32
    }

    #[inline(always)]
    pub(super) fn id(&self, user: u32) -> UserId<'_> {
        let word = self.draws.of(user).at(0);
        UserId {
            user,
            scrambled: user.wrapping_mul(self.factor).wrapping_add(self.offset),
            style: word & 7,
            first: &self.first_names[(word >> 8 & 0xff) as usize],
            last: &self.last_names[(word >> 16 & 0xff) as usize],
        }
    }

    /// The user that a text is the id of.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let user = if let Some(local) = text.as_bytes().strip_suffix(MAIL) {
            let digits = text[..local.len()].trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.parse().ok()?
        } else {
            let scrambled = match text.strip_prefix("u-") {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => u32::try_from(text.parse::<u64>().ok()?.checked_sub(FIRST_NUMBER)?).ok()?,
            };
            #[allow(clippy::cast_possible_truncation, reason = "the inverse modulo 2^32")]
            let back = inverse(u64::from(self.factor)) as u32;
            scrambled.wrapping_sub(self.offset).wrapping_mul(back)
        };
        (Out::of(&self.id(user)) == text.as_bytes()).then_some(user)
    }
}

/// Numeric ids have ten digits, as the page's example `1234567890`.
const FIRST_NUMBER: u64 = 1_000_000_000;

/// A user's id, in one of three styles: most are numbers.
pub(super) struct UserId<'a> {
    user: u32,
    scrambled: u32,
    style: u64,
    first: &'a Plain,
    last: &'a Plain,
}

impl Text for UserId<'_> {
    #[inline(always)]
    fn append_to(&self, out: &mut Pen<'_>) {
        match self.style {
            0 => {
                out.padded(self.first, self.first[15]);
                out.byte(b'.');
                out.padded(self.last, self.last[15]);
                out.count(self.user.into());
                out.bytes(MAIL);
            }
            1 => {
                out.bytes(b"u-");
                out.hex(self.scrambled);
            }
            _ => out.long::<2>(FIRST_NUMBER + u64::from(self.scrambled)),
        }
    }
}

/// A person's name in Latin script.
pub(super) fn name(word: u64) -> (&'static str, &'static str) {
    let (first, last) = match word & 7 {
        0 => (DE_DE::NAME_FIRST_NAME, DE_DE::NAME_LAST_NAME),
        1 => (FR_FR::NAME_FIRST_NAME, FR_FR::NAME_LAST_NAME),
        _ => (EN::NAME_FIRST_NAME, EN::NAME_LAST_NAME),
    };
    (pick(first, word), pick(last, scramble(word)))
}

/// The entry of a list that the high bits of a word name.
pub(super) fn pick<T: Copy>(list: &[T], word: u64) -> T {
    list[usize::try_from(reduce(word, list.len() as u64)).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::People;
    use crate::records::json::Out;

    #[test]
    fn an_id_names_its_user_and_nothing_else_does() {
        let people = People::new(1);
        for user in (1..2000).chain([(1 << 20) - 1]) {
            let id = String::from_utf8(Out::of(&people.id(user))).unwrap();
            assert_eq!(people.find(&id), Some(user), "{id}");
            assert_eq!(people.find(&format!("{id}0")), None, "{id}");
            assert_eq!(people.find(&id[1..]), None, "{id}");
        }
        for odd in ["", "@example.com", "u-", "u-+1234567", "18446744073709551615", "3"] {
            assert_eq!(people.find(odd), None, "{odd}");
        }
    }
}
