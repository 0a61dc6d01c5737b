//! Finds the secret parts of a document from its text alone. So they are also found where the document is not
//! valid JSON, is truncated, or was not read up to its secrets.

use std::ops::Range;

use memchr::memchr3;

use crate::redact::is_secret_key;

/// A longer text is not a name.
const LONGEST_NAME: usize = 64;

/// Goes through a document, and knows at each place whether it is inside the value of a key that has the name
/// of a secret. Such a value ends at the next key of the same object, or at the closing bracket around it.
#[derive(Clone)]
pub(super) struct SecretFinder<'d> {
    text: &'d [u8],
    at: usize,
    /// The number of open curly and square brackets in the secret value; `None`: outside of such a value.
    open: Option<[usize; 2]>,
    /// The punctuation mark before the next text: a comma, a colon or a bracket.
    mark: u8,
    /// A cache of names and whether they are secret, because most names of a document occur many times.
    met: [(&'d [u8], bool); 32],
}

impl<'d> SecretFinder<'d> {
    /// Begins at the first byte of a document.
    pub(super) fn new(text: &'d [u8], begins: usize) -> Self {
        Self { text, at: begins, open: None, mark: b' ', met: [(&[], false); 32] }
    }

    /// Goes to a place that is not before the previous one, and returns the secrets between `from` and `to`.
    pub(super) fn find(&mut self, from: usize, to: usize) -> Vec<Range<usize>> {
        while self.end_of_token() <= from && self.at < from {
            self.step();
        }
        let mut ahead = self.clone();
        let mut secrets = Vec::new();
        while ahead.at < to {
            secrets.extend(ahead.step());
        }
        secrets
    }

    /// Where the next token ends: a mark, a run of blanks, a string, or a word without quotes.
    fn end_of_token(&self) -> usize {
        let rest = &self.text[self.at..];
        let Some(first) = rest.first() else { return self.text.len() };
        let end = match first {
            quote @ (b'"' | b'\'') => {
                let mut end = 1;
                loop {
                    match memchr3(*quote, b'\\', b'\n', &rest[end..]) {
                        Some(next) if rest[end + next] == b'\\' => {
                            end = rest.len().min(end + next + 2);
                        }
                        // A string cannot contain a line break, so it is treated as closed there.
                        Some(next) => break end + next + usize::from(rest[end + next] == *quote),
                        None => break rest.len(),
                    }
                }
            }
            first if is_mark(*first) => 1,
            first => {
                let is_blank = first.is_ascii_whitespace();
                let differs = |byte: &u8| {
                    is_mark(*byte)
                        || b"\"'".contains(byte)
                        || byte.is_ascii_whitespace() != is_blank
                };
                rest.iter().position(differs).unwrap_or(rest.len())
            }
        };
        self.at + end
    }

    /// Goes past a token, and returns the part of it that is secret.
    fn step(&mut self) -> Option<Range<usize>> {
        let token = self.at..self.end_of_token();
        self.at = token.end;
        let text = &self.text[token.clone()];
        match text.first()? {
            blank if blank.is_ascii_whitespace() => None,
            mark if is_mark(*mark) => {
                self.pass_mark(*mark);
                None
            }
            _ => {
                let mark = std::mem::replace(&mut self.mark, b' ');
                if self.open == Some([0, 0]) && mark == b',' && self.stands_before_colon() {
                    self.open = None;
                }
                let inside = without_quotes(text);
                if self.open.is_some() {
                    let is_shown = [&b"true"[..], b"false", b"null"].contains(&text);
                    let begins = token.start + inside.start;
                    return (!is_shown).then(|| begins..token.start + inside.end);
                }
                if mark != b':' && self.is_secret(&text[inside]) {
                    self.open = Some([0, 0]);
                }
                None
            }
        }
    }

    fn pass_mark(&mut self, mark: u8) {
        self.mark = mark;
        let Some([curly, square]) = &mut self.open else { return };
        match mark {
            b'{' => *curly += 1,
            b'[' => *square += 1,
            b'}' | b']' if (*curly, *square) == (0, 0) => self.open = None,
            b'}' => *curly = curly.saturating_sub(1),
            b']' => *square = square.saturating_sub(1),
            _ => {}
        }
    }

    fn stands_before_colon(&self) -> bool {
        self.text[self.at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }

    /// Whether a key is secret.
    fn is_secret(&mut self, name: &'d [u8]) -> bool {
        let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
        if name.len() > LONGEST_NAME {
            return false;
        }
        let place =
            (name.len() * 7 + usize::from(*first) * 3 + usize::from(*last)) % self.met.len();
        if self.met[place].0 != name {
            let quoted = [b"\"", name, b"\""].concat();
            let decoded = serde_json::from_slice(&quoted);
            let plain: String =
                decoded.unwrap_or_else(|_| String::from_utf8_lossy(name).into_owned());
            self.met[place] = (name, is_secret_key(&plain));
        }
        self.met[place].1
    }
}

fn is_mark(byte: u8) -> bool {
    b"{}[],:".contains(&byte)
}

/// The part of a token between its quotes, or the whole token if it has none.
fn without_quotes(token: &[u8]) -> Range<usize> {
    let Some(quote @ (b'"' | b'\'')) = token.first() else { return 0..token.len() };
    let is_closed = token.len() > 1 && token.last() == Some(quote);
    1..token.len() - usize::from(is_closed)
}
