//! Users: few heavy ones, many light ones. A user's id says its number, so that no map is needed.

use fake::locales::{DE_DE, Data, EN, FR_FR};
use rand::Rng;

use super::draws::{Draws, inverse, mix, reduce, stream};
use crate::model::Text;

/// The users of one agent.
#[derive(Clone, Copy)]
pub(super) struct People {
    draws: Draws,
    /// Odd, so that multiplying by it permutes 32-bit numbers.
    factor: u32,
    offset: u32,
}

/// Users are numbered `1..2^20`, each octave as likely as the next: user 1 has one conversation
/// in twenty, while half a million users share another twentieth.
const OCTAVES: u64 = 20;

const MAIL: &str = "@example.com";

impl People {
    pub(super) fn new(seed: u64) -> Self {
        let mut stream = stream(seed, 3);
        Self {
            draws: Draws::new(&mut stream),
            factor: stream.next_u32() | 1,
            offset: stream.next_u32(),
        }
    }

    /// The user that a word draws.
    #[allow(clippy::cast_possible_truncation, reason = "below 2^20")]
    pub(super) fn user(word: u64) -> u32 {
        let octave = 1u64 << reduce(word, OCTAVES);
        (octave | (mix(word) & (octave - 1))) as u32
    }

    pub(super) fn id(self, user: u32) -> UserId {
        let (first, last) = name(self.draws.at(u64::from(user), 0));
        UserId {
            user,
            scrambled: user.wrapping_mul(self.factor).wrapping_add(self.offset),
            style: self.draws.at(u64::from(user), 1) % 4,
            first,
            last,
        }
    }

    /// The user that a text is the id of.
    pub(super) fn find(self, text: &str) -> Option<u32> {
        let user = if let Some(local) = text.strip_suffix(MAIL) {
            let digits = local.trim_start_matches(|c: char| !c.is_ascii_digit());
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
        let mut again = Vec::with_capacity(64);
        self.id(user).append_to(&mut again);
        (again == text.as_bytes()).then_some(user)
    }
}

/// Numeric ids have ten digits, as the page's example `1234567890`.
const FIRST_NUMBER: u64 = 1_000_000_000;

/// A user's id, in one of three styles.
pub(super) struct UserId {
    user: u32,
    scrambled: u32,
    style: u64,
    first: &'static str,
    last: &'static str,
}

impl Text for UserId {
    fn append_to(&self, out: &mut Vec<u8>) {
        match self.style {
            0 => {
                append_plain(self.first, out);
                out.push(b'.');
                append_plain(self.last, out);
                append_number(u64::from(self.user), out);
                out.extend_from_slice(MAIL.as_bytes());
            }
            1 => {
                out.extend_from_slice(b"u-");
                for digit in (0..8).rev() {
                    out.push(b"0123456789abcdef"[(self.scrambled >> (4 * digit) & 15) as usize]);
                }
            }
            _ => append_number(FIRST_NUMBER + u64::from(self.scrambled), out),
        }
    }
}

/// A name in lower case, without what an address does not hold.
fn append_plain(name: &str, out: &mut Vec<u8>) {
    out.extend(name.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase()));
}

/// A number in decimal digits.
pub(super) fn append_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// A person's name in Latin script.
pub(super) fn name(word: u64) -> (&'static str, &'static str) {
    let (first, last) = match word & 7 {
        0 => (DE_DE::NAME_FIRST_NAME, DE_DE::NAME_LAST_NAME),
        1 => (FR_FR::NAME_FIRST_NAME, FR_FR::NAME_LAST_NAME),
        _ => (EN::NAME_FIRST_NAME, EN::NAME_LAST_NAME),
    };
    (pick(first, word), pick(last, mix(word)))
}

/// The entry of a list that the high bits of a word name.
pub(super) fn pick<T: Copy>(list: &[T], word: u64) -> T {
    list[usize::try_from(reduce(word, list.len() as u64)).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::People;
    use crate::model::Text;

    #[test]
    fn an_id_names_its_user_and_nothing_else_does() {
        let people = People::new(1);
        for user in (1..2000).chain([(1 << 20) - 1]) {
            let mut id = Vec::new();
            people.id(user).append_to(&mut id);
            let id = String::from_utf8(id).unwrap();
            assert_eq!(people.find(&id), Some(user), "{id}");
            assert_eq!(people.find(&format!("{id}0")), None, "{id}");
            assert_eq!(people.find(&id[1..]), None, "{id}");
        }
        for odd in ["", "@example.com", "u-", "u-+1234567", "18446744073709551615", "3"] {
            assert_eq!(people.find(odd), None, "{odd}");
        }
    }
}
