//! What is said: phrase banks in several languages, with slots for what makes texts distinct.

use std::ops::Range;

use fake::locales::{DE_DE, Data, EN, FR_FR, PT_BR};

use super::draws::{Draws, mix, reduce};
use super::people::{append_number, name, pick};
use crate::model::{Text, escape};

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
}

struct Bank {
    welcomes: Vec<Template>,
    greetings: Vec<[Template; 2]>,
    exchanges: Vec<[Template; 2]>,
    products: Vec<Box<str>>,
    cities: Vec<Box<str>>,
    fillers: Vec<Box<str>>,
    words: &'static [&'static str],
}

/// A text with slots: literal parts and slots in turn.
struct Template {
    literals: Box<str>,
    parts: Vec<Part>,
}

enum Part {
    Literal(Range<usize>),
    Slot(Slot),
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
        Self { banks: BANKS.iter().map(|(text, words, _)| Bank::new(text, words)).collect() }
    }

    /// The bot's first words.
    pub(super) fn welcome(&self, language: u8, word: u64) -> Phrase<'_> {
        let bank = &self.banks[usize::from(language)];
        Phrase { bank, template: at(&bank.welcomes, word), word, emoji: false, filler: 0 }
    }

    /// A question and its answer.
    pub(super) fn exchange(&self, language: u8, word: u64, opening: bool) -> [Phrase<'_>; 2] {
        let bank = &self.banks[usize::from(language)];
        // One conversation in twelve opens with a greeting.
        let greets = opening && mix(word).is_multiple_of(12);
        let from = if greets { &bank.greetings } else { &bank.exchanges };
        let [question, answer] = at(from, word);
        let emoji = mix(word ^ 1).is_multiple_of(29);
        let filler = match mix(word ^ 2) % 400 {
            0..5 => 3 + mix(word ^ 3) % 6,
            5 => 40,
            _ => 0,
        };
        [
            Phrase { bank, template: question, word, emoji, filler: 0 },
            Phrase { bank, template: answer, word, emoji: false, filler },
        ]
    }
}

/// The entry that a word names.
fn at<T>(list: &[T], word: u64) -> &T {
    &list[usize::try_from(reduce(word, list.len() as u64)).unwrap_or(0)]
}

impl Bank {
    /// Reads a bank: each line a tag and a text. A line out of place is left out; the tests of
    /// this module read every bank and find it.
    fn new(text: &str, words: &'static [&'static str]) -> Self {
        let mut bank = Self {
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
                "P" => bank.products.push(escape(text)),
                "C" => bank.cities.push(escape(text)),
                "F" => bank.fillers.push(escape(text)),
                "W" => bank.welcomes.push(Template::new(text)),
                "G" | "Q" => {
                    let Some((_, reply)) = lines.next_if(|(tag, _)| matches!(*tag, "R" | "A"))
                    else {
                        continue;
                    };
                    let pair = [Template::new(text), Template::new(reply)];
                    if tag == "G" { bank.greetings.push(pair) } else { bank.exchanges.push(pair) }
                }
                _ => {}
            }
        }
        bank
    }
}

impl Template {
    fn new(text: &str) -> Self {
        let text = text.replace("\\n", "\n");
        let mut literals = String::new();
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (literal, slot, after) = split_slot(rest);
            let from = literals.len();
            literals.push_str(&escape(literal));
            if literals.len() > from {
                parts.push(Part::Literal(from..literals.len()));
            }
            parts.extend(slot.map(Part::Slot));
            rest = after;
        }
        Self { literals: literals.into_boxed_str(), parts }
    }
}

/// The text before the first slot, the slot, and the text behind it.
fn split_slot(text: &str) -> (&str, Option<Slot>, &str) {
    let found = text.split_once('{').and_then(|(before, rest)| {
        let (name, after) = rest.split_once('}')?;
        Some((before, Some(Slot::from_name(name)?), after))
    });
    found.unwrap_or((text, None, ""))
}

/// A text as drawn: a template and what fills its slots.
#[derive(Clone, Copy)]
pub(super) struct Phrase<'a> {
    bank: &'a Bank,
    template: &'a Template,
    word: u64,
    emoji: bool,
    /// How many sentences of filler follow.
    filler: u64,
}

const EMOJI: &[&str] = &[" 😊", " 🙏", " 👍", " 🤔", " 😅", " 🎉", " 👩‍💻", " ❤️"];

impl Text for Phrase<'_> {
    fn append_to(&self, out: &mut Vec<u8>) {
        for part in &self.template.parts {
            match part {
                Part::Literal(range) => {
                    out.extend_from_slice(self.template.literals[range.clone()].as_bytes());
                }
                Part::Slot(slot) => self.fill(*slot, out),
            }
        }
        if self.emoji {
            out.extend_from_slice(pick(EMOJI, mix(self.word ^ 4)).as_bytes());
        }
        for sentence in 0..self.filler {
            self.append_filler(mix(self.word ^ (5 + sentence)), out);
        }
    }
}

impl Phrase<'_> {
    fn fill(&self, slot: Slot, out: &mut Vec<u8>) {
        let word = mix(self.word.wrapping_add((slot as u64) << 32));
        match slot {
            Slot::Order => append_number(1_000_000 + reduce(word, 9_000_000), out),
            Slot::Ticket => {
                out.push(b"ABCDEFGHKMNPRSTV"[(word & 15) as usize]);
                out.push(b'-');
                append_number(100_000 + reduce(word, 900_000), out);
            }
            Slot::Amount => {
                append_number(3 + reduce(word, 2500), out);
                out.push(b'.');
                let cents = word & 0xffff;
                append_number(cents % 10, out);
                out.push(if cents & 0x8000 == 0 { b'0' } else { b'9' });
            }
            Slot::Name => {
                let (first, last) = name(word);
                out.extend_from_slice(first.as_bytes());
                out.push(b' ');
                out.extend_from_slice(last.as_bytes());
            }
            Slot::Product => out.extend_from_slice(at(&self.bank.products, word).as_bytes()),
            Slot::City => out.extend_from_slice(at(&self.bank.cities, word).as_bytes()),
            Slot::Number => append_number(2 + reduce(word, 29), out),
            Slot::Year => append_number(2015 + reduce(word, 11), out),
        }
    }

    /// A sentence of filler: one of the bank's own, or Latin words.
    fn append_filler(&self, word: u64, out: &mut Vec<u8>) {
        if !self.bank.fillers.is_empty() {
            out.push(b' ');
            out.extend_from_slice(at(&self.bank.fillers, word).as_bytes());
            return;
        }
        for n in 0..6 + word % 9 {
            out.push(b' ');
            let latin = pick(self.bank.words, mix(word ^ n));
            if n == 0 {
                let mut letters = latin.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                out.extend(first.collect::<String>().bytes());
                out.extend_from_slice(letters.as_str().as_bytes());
            } else {
                out.extend_from_slice(latin.as_bytes());
            }
        }
        out.push(b'.');
    }
}

/// What sets the phrases of an exchange: the conversation's number and the exchange's.
pub(super) fn exchange_word(draws: Draws, conversation: u32, exchange: u32) -> u64 {
    draws.at(u64::from(conversation), EXCHANGE_PURPOSES + u64::from(exchange))
}

/// Purposes from here on belong to exchanges.
const EXCHANGE_PURPOSES: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::{BANKS, Bank, Slot};

    #[test]
    fn every_line_of_every_bank_is_used_and_every_slot_known() {
        for (text, words, _) in BANKS {
            let bank = Bank::new(text, words);
            let count = |tag: &str| text.lines().filter(|line| line.starts_with(tag)).count();
            assert_eq!(bank.welcomes.len(), count("W "));
            assert_eq!(bank.greetings.len(), count("G "));
            assert_eq!(bank.greetings.len(), count("R "));
            assert_eq!(bank.exchanges.len(), count("Q "));
            assert_eq!(bank.exchanges.len(), count("A "));
            assert!(bank.products.len() >= 8 && bank.cities.len() >= 8);
            assert!(bank.exchanges.len() >= 20 && !bank.welcomes.is_empty());
            assert!(!bank.fillers.is_empty() || !words.is_empty());
            for name in text.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                assert!(Slot::from_name(name).is_some(), "{{{name}}}");
            }
        }
    }
}
