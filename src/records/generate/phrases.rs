//! The texts of generated messages: phrase banks in several languages, with slots that make texts
//! distinct.

use std::sync::LazyLock;

use fake::locales::{DE_DE, Data, EN, FR_FR, PT_BR};

use super::draws::{choose, reduce, scramble};
use super::users::person_name;
use crate::records::json::SliceWriter;
use crate::records::model::Text;

/// For each language, by its number: its bank, words for the filler of long texts, and the frequency of the
/// language. A bank that is not in Latin script has its own filler.
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

/// The number of each language, and its frequency.
pub(super) fn languages() -> Vec<(u8, u32)> {
    (0..).zip(BANKS).map(|(number, (_, _, weight))| (number, *weight)).collect()
}

/// All phrases. They are read when the first text is needed, because a server that is only started needs
/// none.
static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::read);

#[derive(Default)]
struct Phrases {
    /// By the number of the language.
    banks: Vec<PhraseBank>,
    /// The texts of all banks, one after the other, escaped as in JSON.
    texts: String,
}

/// The phrases of a language.
#[derive(Default)]
struct PhraseBank {
    welcomes: Vec<Template>,
    greetings: Vec<[Template; 2]>,
    exchanges: Vec<[Template; 2]>,
    products: Vec<TextSpan>,
    cities: Vec<TextSpan>,
    fillers: Vec<TextSpan>,
    words: &'static [&'static str],
}

/// Where [`Phrases::texts`] has a text.
#[derive(Clone, Copy)]
struct TextSpan {
    start: usize,
    len: usize,
}

/// A text with slots.
type Template = Vec<TemplatePart>;

/// The text before a slot, and the slot. The last part of a template may have none.
struct TemplatePart {
    literal: TextSpan,
    slot: Option<Slot>,
}

/// The content of a slot. The same slot has the same value throughout an exchange.
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

/// The welcome message of the bot.
pub(super) fn welcome(language: u8, word: u64) -> Phrase {
    let phrases = &*PHRASES;
    let bank = &phrases.banks[usize::from(language)];
    let template = choose(&bank.welcomes, word);
    Phrase { phrases, bank, template, word, emoji: false, filler: 0 }
}

/// A question and its answer. `opening`: they open a conversation.
#[inline(always)]
pub(super) fn exchange(language: u8, word: u64, opening: bool) -> [Phrase; 2] {
    let phrases = &*PHRASES;
    let bank = &phrases.banks[usize::from(language)];
    let rare = scramble(word ^ 1);
    // One conversation in twelve opens with a greeting.
    let greets = opening && rare & 0xfff < 341;
    let [question, answer] = choose(if greets { &bank.greetings } else { &bank.exchanges }, word);
    let emoji = rare >> 12 & 0xfff < 141;
    let filler = match rare >> 24 & 0xfff {
        0..10 => 40,
        10..61 => 3 + (rare >> 36 & 0xff) % 6,
        _ => 0,
    };
    [
        Phrase { phrases, bank, template: question, word, emoji, filler: 0 },
        Phrase { phrases, bank, template: answer, word, emoji: false, filler },
    ]
}

impl Phrases {
    fn read() -> Self {
        let mut phrases = Self::default();
        for (text, words, _) in BANKS {
            let bank = phrases.read_bank(text, words);
            phrases.banks.push(bank);
        }
        phrases
    }

    /// Reads a bank: each line is a tag and a text. An invalid line is skipped, and the test of this module
    /// reports it.
    fn read_bank(&mut self, text: &str, words: &'static [&'static str]) -> PhraseBank {
        let mut bank = PhraseBank { words, ..PhraseBank::default() };
        let mut lines = text.lines().filter_map(|line| line.split_once(' ')).peekable();
        while let Some((tag, text)) = lines.next() {
            match tag {
                "P" => bank.products.push(self.add(text)),
                "C" => bank.cities.push(self.add(text)),
                "F" => bank.fillers.push(self.add(text)),
                "W" => bank.welcomes.push(self.add_template(text)),
                "G" | "Q" => {
                    let Some((_, reply)) = lines.next_if(|(tag, _)| matches!(*tag, "R" | "A"))
                    else {
                        continue;
                    };
                    let pair = [self.add_template(text), self.add_template(reply)];
                    if tag == "G" { bank.greetings.push(pair) } else { bank.exchanges.push(pair) }
                }
                _ => {}
            }
        }
        bank
    }

    /// Adds a text and escapes it. Line breaks are already escaped in the banks, and of the other characters
    /// that need escaping, the banks have only quotes.
    fn add(&mut self, text: &str) -> TextSpan {
        let start = self.texts.len();
        self.texts.push_str(&text.replace('"', "\\\""));
        TextSpan { start, len: self.texts.len() - start }
    }

    fn add_template(&mut self, mut text: &str) -> Template {
        let mut parts = Vec::new();
        while !text.is_empty() {
            let (literal, slot, rest) = split_slot(text);
            parts.push(TemplatePart { literal: self.add(literal), slot });
            text = rest;
        }
        parts
    }
}

/// The text before the first slot, the slot, and the text after it.
fn split_slot(text: &str) -> (&str, Option<Slot>, &str) {
    let found = text.split_once('{').and_then(|(before, rest)| {
        let (name, after) = rest.split_once('}')?;
        Some((before, Some(Slot::from_name(name)?), after))
    });
    found.unwrap_or((text, None, ""))
}

/// A generated text: a template and the values of its slots.
#[derive(Clone, Copy)]
pub(super) struct Phrase {
    phrases: &'static Phrases,
    bank: &'static PhraseBank,
    template: &'static Template,
    word: u64,
    emoji: bool,
    /// How many sentences of filler follow.
    filler: u64,
}

const EMOJI: &[&str] = &[" 😊", " 🙏", " 👍", " 🤔", " 😅", " 🎉", " 👩‍💻", " ❤️"];

impl Text for Phrase {
    #[inline(always)]
    fn write_to(&self, out: &mut SliceWriter<'_>) {
        for part in self.template {
            self.write_span(part.literal, out);
            if let Some(slot) = part.slot {
                self.fill(slot, out);
            }
        }
        if self.emoji {
            out.bytes(choose(EMOJI, scramble(self.word ^ 4)).as_bytes());
        }
        for sentence in 0..self.filler {
            self.write_filler(scramble(self.word ^ (5 + sentence)), out);
        }
    }
}

impl Phrase {
    #[inline(always)]
    fn write_span(&self, span: TextSpan, out: &mut SliceWriter<'_>) {
        out.part(self.phrases.texts.as_bytes(), span.start, span.len);
    }

    #[inline(always)]
    fn fill(&self, slot: Slot, out: &mut SliceWriter<'_>) {
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
                out.count(3 + reduce(word, 997));
                out.byte(b'.');
                out.digits::<1>(cents % 10);
                out.byte(if cents & 0x8000 == 0 { b'0' } else { b'9' });
            }
            Slot::Name => {
                let (first, last) = person_name(word);
                out.bytes(first.as_bytes());
                out.byte(b' ');
                out.bytes(last.as_bytes());
            }
            Slot::Product => self.write_span(*choose(&self.bank.products, word), out),
            Slot::City => self.write_span(*choose(&self.bank.cities, word), out),
            Slot::Number => out.count(2 + reduce(word, 29)),
            Slot::Year => out.digits::<4>(2015 + reduce(word, 11)),
        }
    }

    /// Writes a sentence of filler: one from the bank, or Latin words.
    fn write_filler(&self, word: u64, out: &mut SliceWriter<'_>) {
        if !self.bank.fillers.is_empty() {
            out.byte(b' ');
            self.write_span(*choose(&self.bank.fillers, word), out);
            return;
        }
        for n in 0..6 + word % 9 {
            out.byte(b' ');
            let latin = choose(self.bank.words, scramble(word ^ n));
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
    }
}

#[cfg(test)]
mod tests {
    use super::{BANKS, PHRASES, Slot};

    #[test]
    fn every_line_of_every_bank_is_used_and_every_slot_known() {
        for (bank, (text, words, _)) in PHRASES.banks.iter().zip(BANKS) {
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
