//! Reads JSON value by value. A value of the wrong type is reported and skipped; only a syntax error
//! ends the reading of a document.

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::{Documents, Problems, Span, offset};
use crate::suggest::{advice, is_misspelt, quoted};

/// A value and its place in the documents.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// There was a syntax error, which has been reported. The rest of the document cannot be read.
#[derive(Debug)]
pub(crate) struct Fatal;

/// Reads one document.
pub(crate) struct Reader<'t, 'p> {
    json: Jiter<'t>,
    /// The document from its beginning, and its offset among all.
    text: &'t [u8],
    begins: u32,
    pub(crate) problems: &'p mut Problems,
}

/// The keys of an object that were read.
#[derive(Default)]
pub(crate) struct Keys {
    begun: bool,
    met: u64,
}

impl<'t, 'p> Reader<'t, 'p> {
    pub(crate) fn new(documents: &'t Documents, span: &Span, problems: &'p mut Problems) -> Self {
        for (place, half) in documents.lone_surrogates(span) {
            problems.warn(place, "U+FFFD is served", || {
                let message = format!("{} is half of a surrogate pair", half.text());
                (message, Some("a character was split into two parts".to_owned()))
            });
        }
        let mut text = &documents.text[span.start as usize..span.end as usize];
        let mut begins = span.start;
        // Some editors write a byte order mark at the beginning.
        if let Some(rest) = text.strip_prefix(b"\xef\xbb\xbf") {
            text = rest;
            begins += 3;
        }
        Self { json: Jiter::new(text), text, begins, problems }
    }

    /// The first byte of the next value.
    pub(crate) fn peek(&mut self) -> Result<Peek, Fatal> {
        let peeked = self.json.peek();
        let peek = self.check(peeked)?;
        // Only these begin a JSON value; the parser also accepts others.
        let known = matches!(
            peek,
            Peek::Null
                | Peek::True
                | Peek::False
                | Peek::Minus
                | Peek::String
                | Peek::Array
                | Peek::Object
        );
        if known || peek.into_inner().is_ascii_digit() {
            return Ok(peek);
        }
        let at = self.here();
        self.syntax(at, "expected a value");
        Err(Fatal)
    }

    /// Whether the next value is a string.
    pub(crate) fn is_string(&mut self) -> Result<bool, Fatal> {
        Ok(self.peek()? == Peek::String)
    }

    /// Begins an object; `None` where the value is not one, which is reported. `expected` names everything
    /// that is allowed there: "a string or an object".
    pub(crate) fn object_or(&mut self, expected: &str) -> Result<Option<Keys>, Fatal> {
        match self.peek()? {
            Peek::Object => Ok(Some(Keys::default())),
            other => {
                self.wrong(other, expected)?;
                Ok(None)
            }
        }
    }

    /// Whether the next value is `null`, which is then consumed.
    pub(crate) fn null(&mut self) -> Result<bool, Fatal> {
        Ok(self.null_at()?.is_some())
    }

    /// Where the next value is, if it is `null`, which is then consumed.
    pub(crate) fn null_at(&mut self) -> Result<Option<Span>, Fatal> {
        if self.peek()? != Peek::Null {
            return Ok(None);
        }
        let from = self.here();
        self.skip()?;
        Ok(Some(from..self.here()))
    }

    /// Reports text after the value of the document.
    pub(crate) fn finish(&mut self) -> Result<(), Fatal> {
        let finished = self.json.finish();
        self.check(finished)
    }

    /// Where the next value, or the end of the last one, is.
    pub(crate) fn here(&self) -> u32 {
        self.begins + offset(self.json.current_index())
    }

    /// Begins an object; `None` where the value is not one. `what` names it: "an agent".
    pub(crate) fn object(&mut self, what: &str) -> Result<Option<Keys>, Fatal> {
        self.object_or(&format!("{what} (an object)"))
    }

    /// The next key of an object that is one of `known`; `None` at its end. An unknown key and a
    /// duplicate key are reported, and skipped with their values.
    pub(crate) fn key<'k>(
        &mut self,
        keys: &mut Keys,
        known: &[&'k str],
    ) -> Result<Option<At<&'k str>>, Fatal> {
        self.key_or(keys, known, |_| true, None)
    }

    /// The same, with help for unknown keys that are right in another place. The values of unknown keys
    /// are never shown, because they may contain secrets.
    pub(crate) fn key_with_help<'k>(
        &mut self,
        keys: &mut Keys,
        known: &[&'k str],
        help: fn(&str) -> Option<&'static str>,
    ) -> Result<Option<At<&'k str>>, Fatal> {
        self.key_or(keys, known, |_| true, Some(help))
    }

    /// The same, but an unknown key that is not a misspelling of a known one is only a warning, because
    /// the responses of services have keys that we do not know.
    pub(crate) fn key_or_drop<'k>(
        &mut self,
        keys: &mut Keys,
        known: &[&'k str],
    ) -> Result<Option<At<&'k str>>, Fatal> {
        self.key_or(keys, known, |key| is_misspelt(key, known.iter().copied()), None)
    }

    fn key_or<'k>(
        &mut self,
        keys: &mut Keys,
        known: &[&'k str],
        is_error: impl Fn(&str) -> bool,
        help_elsewhere: Option<fn(&str) -> Option<&'static str>>,
    ) -> Result<Option<At<&'k str>>, Fatal> {
        loop {
            let find = |key: &str| {
                known.iter().position(|name| *name == key).ok_or_else(|| key.to_owned())
            };
            let Some(At { value: found, span }) = self.key_with(keys, find)? else {
                return Ok(None);
            };
            match found {
                Ok(number) if keys.met & 1 << number == 0 => {
                    keys.met |= 1 << number;
                    return Ok(Some(At { value: known[number], span }));
                }
                Ok(number) => {
                    self.problems.add(span, format!("duplicate key {:?}", known[number]));
                }
                Err(key) => {
                    let message = || format!("unknown key {}", quoted(&key));
                    let help = || match help_elsewhere.and_then(|help| help(&key)) {
                        Some(help) => help.to_owned(),
                        None => advice(&key, known.iter().copied()),
                    };
                    if is_error(&key) {
                        self.problems.add_made(span, || (message(), help()));
                    } else {
                        self.problems.warn(span, "it is ignored", || (message(), Some(help())));
                    }
                }
            }
            self.peek()?;
            let value = self.here();
            let skipped = self.skip();
            if help_elsewhere.is_some() {
                let rest = self.begins + offset(self.text.len());
                self.problems.hide(value..if skipped.is_ok() { self.here() } else { rest });
            }
            skipped?;
        }
    }

    /// Whether the next value is an object that has such a key. Nothing is consumed.
    pub(crate) fn has_key(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        let mut ahead = Jiter::new(&self.text[self.json.current_index()..]);
        let mut next = ahead.next_object().map(|key| key.map(&is_meant));
        while let Ok(Some(found)) = next {
            if found {
                return true;
            }
            if ahead.next_skip().is_err() {
                return false;
            }
            next = ahead.next_key().map(|key| key.map(&is_meant));
        }
        false
    }

    /// The next key of an object whose keys may be any names; `None` at its end.
    pub(crate) fn name(&mut self, keys: &mut Keys) -> Result<Option<At<String>>, Fatal> {
        self.key_with(keys, str::to_owned)
    }

    /// The result of `take` for the next key of an object; `None` at its end.
    fn key_with<T>(
        &mut self,
        keys: &mut Keys,
        take: impl FnOnce(&str) -> T,
    ) -> Result<Option<At<T>>, Fatal> {
        let from = self.json.current_index();
        let read = if keys.begun { self.json.next_key() } else { self.json.known_object() };
        keys.begun = true;
        let taken = read.map(|key| key.map(take));
        let value = self.check(taken)?;
        Ok(value.map(|value| At { value, span: self.key_span(from) }))
    }

    /// The span of the key that was read from here, with its quotes.
    fn key_span(&self, from: usize) -> Span {
        let until = self.json.current_index();
        let key = &self.text[from..until];
        let quote = "a key is in quotes";
        let start = key.iter().position(|byte| *byte == b'"').expect(quote);
        let end = key.iter().rposition(|byte| *byte == b'"').expect(quote);
        self.begins + offset(from + start)..self.begins + offset(from + end + 1)
    }

    /// Reads each value of an array. A value that is not an array is reported and skipped.
    pub(crate) fn array(
        &mut self,
        what: &str,
        mut each: impl FnMut(&mut Self) -> Result<(), Fatal>,
    ) -> Result<(), Fatal> {
        let peek = self.peek()?;
        if peek != Peek::Array {
            return self.wrong(peek, &format!("{what} (an array)"));
        }
        let first = self.json.known_array();
        let mut next = self.check(first)?;
        while next.is_some() {
            each(self)?;
            let step = self.json.array_step();
            next = self.check(step)?;
        }
        Ok(())
    }

    /// A string: decoded, with the span of its inside (without quotes).
    pub(crate) fn string(&mut self) -> Result<Option<At<String>>, Fatal> {
        self.string_with(str::to_owned)
    }

    /// The result of `take` for a string, with the span of its inside (without quotes).
    pub(crate) fn string_with<T>(
        &mut self,
        take: impl FnOnce(&str) -> T,
    ) -> Result<Option<At<T>>, Fatal> {
        let peek = self.peek()?;
        if peek != Peek::String {
            self.wrong(peek, "a string")?;
            return Ok(None);
        }
        let from = self.here();
        match self.json.known_str() {
            Ok(text) => {
                let value = take(text);
                Ok(Some(At { value, span: from + 1..self.here() - 1 }))
            }
            Err(error) => Err(self.fatal(error)),
        }
    }

    /// A string that is one of the known words, as the value of that word. `hint` gives the advice for a
    /// wrong word where the nearest one would be bad advice.
    pub(crate) fn word<T>(
        &mut self,
        what: &str,
        known: impl Iterator<Item = (&'static str, T)> + Clone,
        hint: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Option<At<T>>, Fatal> {
        let Some(At { value: word, span }) = self.string()? else { return Ok(None) };
        if let Some((_, value)) = known.clone().find(|(name, _)| *name == word) {
            return Ok(Some(At { value, span }));
        }
        self.problems.add_made(span, || {
            let help = hint(&word).unwrap_or_else(|| advice(&word, known.map(|(name, _)| name)));
            (format!("unknown {what} {}", quoted(&word)), help)
        });
        Ok(None)
    }

    /// An integer of 64 bits; `what` names it in full.
    pub(crate) fn integer(&mut self, what: &str) -> Result<Option<At<i64>>, Fatal> {
        let Some(At { value: digits, span }) = self.digits(what)? else { return Ok(None) };
        if let Ok(value) = digits.parse() {
            return Ok(Some(At { value, span }));
        }
        let got: String = digits.chars().take(40).collect();
        self.problems.add(span, format!("expected {what}, got {got}"));
        Ok(None)
    }

    /// A number.
    pub(crate) fn number(&mut self, what: &str) -> Result<Option<At<f64>>, Fatal> {
        self.scalar(what, Peek::is_num, Jiter::known_float)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<Option<At<bool>>, Fatal> {
        let is_boolean = |peek| matches!(peek, Peek::True | Peek::False);
        self.scalar("true or false", is_boolean, Jiter::known_bool)
    }

    /// A number as it is written.
    pub(crate) fn digits(&mut self, what: &str) -> Result<Option<At<String>>, Fatal> {
        self.scalar(what, Peek::is_num, |json, peek| {
            json.known_number_bytes(peek).map(|digits| String::from_utf8_lossy(digits).into_owned())
        })
    }

    /// A value whose type is clear from its first byte; `what` names the type.
    fn scalar<T>(
        &mut self,
        what: &str,
        is_right: impl FnOnce(Peek) -> bool,
        read: impl FnOnce(&mut Jiter<'t>, Peek) -> Result<T, JiterError>,
    ) -> Result<Option<At<T>>, Fatal> {
        let peek = self.peek()?;
        if !is_right(peek) {
            self.wrong(peek, what)?;
            return Ok(None);
        }
        let from = self.here();
        let read = read(&mut self.json, peek);
        let value = self.check(read)?;
        Ok(Some(At { value, span: from..self.here() }))
    }

    /// Skips a value.
    pub(crate) fn skip(&mut self) -> Result<(), Fatal> {
        let peek = self.peek()?;
        let skipped = self.json.known_skip(peek);
        self.check(skipped)
    }

    /// Reports a value of the wrong type, and skips it.
    pub(crate) fn wrong(&mut self, got: Peek, expected: &str) -> Result<(), Fatal> {
        let from = self.here();
        self.skip()?;
        let got = match got {
            Peek::Null => "null",
            Peek::True | Peek::False => "a boolean",
            Peek::String => "a string",
            Peek::Array => "an array",
            Peek::Object => "an object",
            _ => "a number",
        };
        self.problems.add(from..self.here(), format!("expected {expected}, got {got}"));
        Ok(())
    }

    fn check<T>(&mut self, read: Result<T, JiterError>) -> Result<T, Fatal> {
        read.map_err(|error| self.fatal(error))
    }

    /// Reports a syntax error.
    fn fatal(&mut self, error: JiterError) -> Fatal {
        let mut index = error.index.min(self.text.len());
        if error.error_type == JiterErrorType::JsonError(JsonErrorType::TrailingComma) {
            // The parser reports the bracket, but the comma is wrong.
            index = memchr::memrchr(b',', &self.text[..index]).unwrap_or(index);
        }
        let at = self.begins + offset(index);
        let message = match error.error_type {
            JiterErrorType::JsonError(error) => plain(&error),
            JiterErrorType::WrongType { .. } => "unexpected value".to_owned(),
        };
        self.syntax(at, &message);
        Fatal
    }

    fn syntax(&mut self, at: u32, message: &str) {
        // An error at the end of the text is marked after the last character.
        let blank = self.text.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        let end = self.begins + offset(self.text.len() - blank);
        let at = at.min(end);
        self.problems.add(at..at + 1, format!("syntax error: {message}"));
    }
}

/// Describes a syntax error in plain words.
fn plain(error: &JsonErrorType) -> String {
    match error {
        JsonErrorType::EofWhileParsingList
        | JsonErrorType::EofWhileParsingObject
        | JsonErrorType::EofWhileParsingString
        | JsonErrorType::EofWhileParsingValue => "the document ends too early".to_owned(),
        JsonErrorType::TrailingComma => "a comma after the last value".to_owned(),
        JsonErrorType::TrailingCharacters => "more text after the end of the document".to_owned(),
        JsonErrorType::KeyMustBeAString => "expected a key in double quotes".to_owned(),
        JsonErrorType::ExpectedSomeIdent => "expected true, false or null".to_owned(),
        JsonErrorType::ControlCharacterWhileParsingString => {
            "the string is not closed, or contains a control character; write such a character as \\n, \
             \\t or \\u00XX"
                .to_owned()
        }
        JsonErrorType::InvalidUnicodeCodePoint => "the document is not UTF-8".to_owned(),
        JsonErrorType::RecursionLimitExceeded => "nested too deeply".to_owned(),
        other => other.to_string(),
    }
}
