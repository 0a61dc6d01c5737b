//! What is said: phrase banks in several languages, with slots for what makes texts distinct.

use fake::locales::{DE_DE, Data, EN, FR_FR, PT_BR};

use super::draws::{reduce, scramble};
use super::people::{name, pick};
use crate::records::json::Pen;
use crate::records::model::Text;

/// The banks, in the order in which languages are numbered, with how often each is spoken.
/// The words are filler for long texts; a bank without Latin script brings its own.
const BANKS: &[(&str, &[&str], u32)] = &[
    (include_str!("phrases/en.txt"), EN::LOREM_WORD, 36),
    (include_str!("phrases/zh.txt"), &[], 16),
    (include_str!("phrases/ja.txt"), &[], 11),
    (include_str!("phrases/es.txt"), EN::LOREM_WORD, 11),
    (include_str!("phrases/de.txt"), DE_DE::LOREM_WORD, 9),
    (include_str!("phrases/fr.txt"), FR_FR::LOREM_WORD, 7),
    (include_str!("phrases/pt.txt"), PT_BR::LOREM_WORD, 6),
    (include_str!("phrases/ar.txt"), EN::LOREM_WORD, 4),
];

/// How often each bank is drawn: (number, weight).
pub(super) fn languages() -> Vec<(u8, u32)> {
    (0..).zip(BANKS).map(|(number, (_, _, weight))| (number, *weight)).collect()
}

/// Every phrase bank, escaped once.
pub(super) struct Phrases {
    banks: Vec<Bank>,
    /// The parts of all templates, one template behind the other.
    parts: Vec<Part>,
    /// All that the banks hold.
    texts: String,
}

struct Bank {
    welcomes: Vec<Template>,
    greetings: Vec<[Template; 2]>,
    exchanges: Vec<[Template; 2]>,
    products: Vec<Piece>,
    cities: Vec<Piece>,
    fillers: Vec<Piece>,
    words: &'static [&'static str],
}

/// A piece of [`Phrases::texts`].
#[derive(Clone, Copy)]
struct Piece {
    start: u32,
    len: u32,
}

/// A text with slots: some of [`Phrases::parts`].
#[derive(Clone, Copy)]
struct Template {
    first: u32,
    end: u32,
}

/// What stands before a slot, and the slot; the last part of a template may have none.
struct Part {
    literal: Piece,
    slot: Option<Slot>,
}

/// What a slot is filled with. The same slot has the same value throughout an exchange.
#[derive(Clone, Copy)]
enum Slot {
    Order = 1,
    Ticket,
    Amount,
    Name,
    Product,
    City,
    Number,
    Year,
}

impl Slot {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "order" => Self::Order,
            "ticket" => Self::Ticket,
            "amount" => Self::Amount,
            "name" => Self::Name,
            "product" => Self::Product,
            "city" => Self::City,
            "n" => Self::Number,
            "year" => Self::Year,
            _ => return None,
        })
    }
}

impl Phrases {
    pub(super) fn new() -> Self {
        let bytes: usize = BANKS.iter().map(|(text, _, _)| text.len()).sum();
        let mut all = Self {
            banks: Vec::with_capacity(BANKS.len()),
            parts: Vec::with_capacity(bytes / 32),
            // Quotes take a byte more; tags, which are left out, are more than those.
            texts: String::with_capacity(bytes),
        };
        for (text, words, _) in BANKS {
            let bank = all.read(text, words);
            all.banks.push(bank);
        }
        all
    }

    /// The bot's first words.
    #[inline(always)]
    pub(super) fn welcome(&self, language: u8, word: u64) -> Phrase<'_> {
        let bank = &self.banks[usize::from(language)];
        Phrase {
            of: self,
            bank,
            template: *at(&bank.welcomes, word),
            word,
            emoji: false,
            filler: 0,
        }
    }

    /// A question and its answer.
    #[inline(always)]
    pub(super) fn exchange(&self, language: u8, word: u64, opening: bool) -> [Phrase<'_>; 2] {
        let bank = &self.banks[usize::from(language)];
        let rare = scramble(word ^ 1);
        // One conversation in twelve opens with a greeting.
        let greets = opening && rare & 0xfff < 341;
        let from = if greets { &bank.greetings } else { &bank.exchanges };
        let [question, answer] = *at(from, word);
        let emoji = rare >> 12 & 0xfff < 141;
        let filler = match rare >> 24 & 0xfff {
            0..10 => 40,
            10..61 => 3 + (rare >> 36 & 0xff) % 6,
            _ => 0,
        };
        [
            Phrase { of: self, bank, template: question, word, emoji, filler: 0 },
            Phrase { of: self, bank, template: answer, word, emoji: false, filler },
        ]
    }
}

/// The entry that a word names.
fn at<T>(list: &[T], word: u64) -> &T {
    &list[usize::try_from(reduce(word, list.len() as u64)).unwrap_or(0)]
}

impl Phrases {
    /// Reads a bank: each line a tag and a text. A line out of place is left out; the tests of
    /// this module read every bank and find it.
    fn read(&mut self, text: &str, words: &'static [&'static str]) -> Bank {
        let mut bank = Bank {
            welcomes: Vec::new(),
            greetings: Vec::new(),
            exchanges: Vec::new(),
            products: Vec::new(),
            cities: Vec::new(),
            fillers: Vec::new(),
            words,
        };
        let mut lines = text.lines().filter_map(|line| line.split_once(' ')).peekable();
        while let Some((tag, text)) = lines.next() {
            match tag {
                "P" => bank.products.push(self.piece(text)),
                "C" => bank.cities.push(self.piece(text)),
                "F" => bank.fillers.push(self.piece(text)),
                "W" => bank.welcomes.push(self.template(text)),
                "G" | "Q" => {
                    let Some((_, reply)) = lines.next_if(|(tag, _)| matches!(*tag, "R" | "A"))
                    else {
                        continue;
                    };
                    let pair = [self.template(text), self.template(reply)];
                    if tag == "G" { bank.greetings.push(pair) } else { bank.exchanges.push(pair) }
                }
                _ => {}
            }
        }
        bank
    }

    /// Keeps a text, escaped: line breaks are so already, as `\n`. The banks are ours: nothing
    /// else in them needs it, and they are far below 4 GiB.
    fn piece(&mut self, text: &str) -> Piece {
        let start = number(self.texts.len());
        let mut rest = text;
        while let Some(quote) = memchr::memchr(b'"', rest.as_bytes()) {
            let (before, after) = rest.split_at(quote);
            self.texts.push_str(before);
            self.texts.push_str("\\\"");
            rest = &after[1..];
        }
        self.texts.push_str(rest);
        Piece { start, len: number(self.texts.len()) - start }
    }

    fn template(&mut self, text: &str) -> Template {
        let first = number(self.parts.len());
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, slot, after) = split_slot(rest);
            let literal = self.piece(literal);
            self.parts.push(Part { literal, slot });
            rest = after;
        }
        Template { first, end: number(self.parts.len()) }
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The text before the first slot, the slot, and the text behind it.
fn split_slot(text: &str) -> (&str, Option<Slot>, &str) {
    let found = memchr::memchr(b'{', text.as_bytes()).and_then(|open| {
        let close = memchr::memchr(b'}', text.as_bytes())?;
        let slot = Slot::from_name(text.get(open + 1..close)?)?;
        Some((&text[..open], Some(slot), &text[close + 1..]))
    });
    found.unwrap_or((text, None, ""))
}

/// A text as drawn: a template and what fills its slots.
#[derive(Clone, Copy)]
pub(super) struct Phrase<'a> {
    of: &'a Phrases,
    bank: &'a Bank,
    template: Template,
    word: u64,
    emoji: bool,
    /// How many sentences of filler follow.
    filler: u64,
}

const EMOJI: &[&str] = &[" 😊", " 🙏", " 👍", " 🤔", " 😅", " 🎉", " 👩‍💻", " ❤️"];

impl Text for Phrase<'_> {
    #[inline(always)]
    fn append_to(&self, out: &mut Pen<'_>) {
        for part in &self.of.parts[self.template.first as usize..self.template.end as usize] {
            self.append(part.literal, out);
            if let Some(slot) = part.slot {
                self.fill(slot, out);
            }
        }
        if self.emoji {
            out.bytes(pick(EMOJI, scramble(self.word ^ 4)).as_bytes());
        }
        for sentence in 0..self.filler {
            *out = self.append_filler(scramble(self.word ^ (5 + sentence)), std::mem::take(out));
        }
    }
}

impl Phrase<'_> {
    #[inline(always)]
    fn append(&self, piece: Piece, out: &mut Pen<'_>) {
        out.part(self.of.texts.as_bytes(), piece.start as usize, piece.len as usize);
    }

    #[inline(always)]
    fn fill(&self, slot: Slot, out: &mut Pen<'_>) {
        let word = scramble(self.word.wrapping_add((slot as u64) << 32));
        match slot {
            Slot::Order => out.digits::<7>(1_000_000 + reduce(word, 9_000_000)),
            Slot::Ticket => {
                out.byte(b"ABCDEFGHKMNPRSTV"[(word & 15) as usize]);
                out.byte(b'-');
                out.digits::<6>(100_000 + reduce(word, 900_000));
            }
            Slot::Amount => {
                // Most prices end on a nine or a zero.
                let cents = word & 0xffff;
                let last = if cents & 0x8000 == 0 { 0 } else { 9 };
                out.count(3 + reduce(word, 997));
                out.byte(b'.');
                out.digits::<2>(cents % 10 * 10 + last);
            }
            Slot::Name => {
                let (first, last) = name(word);
                out.bytes(first.as_bytes());
                out.byte(b' ');
                out.bytes(last.as_bytes());
            }
            Slot::Product => self.append(*at(&self.bank.products, word), out),
            Slot::City => self.append(*at(&self.bank.cities, word), out),
            Slot::Number => out.count(2 + reduce(word, 29)),
            Slot::Year => out.digits::<4>(2015 + reduce(word, 11)),
        }
    }

    /// A sentence of filler: one of the bank's own, or Latin words.
    #[cold]
    fn append_filler<'p>(&self, word: u64, mut out: Pen<'p>) -> Pen<'p> {
        if !self.bank.fillers.is_empty() {
            out.byte(b' ');
            self.append(*at(&self.bank.fillers, word), &mut out);
            return out;
        }
        for n in 0..6 + word % 9 {
            out.byte(b' ');
            let latin = pick(self.bank.words, scramble(word ^ n));
            if n == 0 {
                let mut letters = latin.chars();
                for first in letters.next().into_iter().flat_map(char::to_uppercase) {
                    out.bytes(first.encode_utf8(&mut [0; 4]).as_bytes());
                }
                out.bytes(letters.as_str().as_bytes());
            } else {
                out.bytes(latin.as_bytes());
            }
        }
        out.byte(b'.');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{BANKS, Phrases, Slot};

    #[test]
    fn every_line_of_every_bank_is_used_and_every_slot_known() {
        for (bank, (text, words, _)) in Phrases::new().banks.iter().zip(BANKS) {
            let count = |tag: &str| text.lines().filter(|line| line.starts_with(tag)).count();
            assert_eq!(bank.welcomes.len(), count("W "));
            assert_eq!(bank.greetings.len(), count("G "));
            assert_eq!(bank.greetings.len(), count("R "));
            assert_eq!(bank.exchanges.len(), count("Q "));
            assert_eq!(bank.exchanges.len(), count("A "));
            assert!(bank.products.len() >= 8 && bank.cities.len() >= 8);
            assert!(bank.exchanges.len() >= 20 && !bank.welcomes.is_empty());
            assert!(!bank.fillers.is_empty() || !words.is_empty());
            let escaped = |byte| byte < ' ' || byte == '\u{7f}';
            assert!(!text.replace('\n', "").contains(escaped) && !text.contains("\\\\"));
            assert_eq!(text.matches('\\').count(), text.matches("\\n").count());
            for name in text.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                assert!(Slot::from_name(name).is_some(), "{{{name}}}");
            }
        }
    }
}
