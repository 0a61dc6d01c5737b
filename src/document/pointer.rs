//! JSON pointers (RFC 6901) of places in a document.

/// The longest key, in bytes as it is written, that a pointer names. A pointer ends before a longer key,
/// because every mistake inside its value would repeat the key.
const LONGEST_KEY: usize = 200;

/// Finds the pointers of ascending offsets in one pass through the document. The document is valid JSON up
/// to the last of the offsets, because nothing is reported after a syntax error.
pub(crate) struct Pointers<'t> {
    text: &'t [u8],
    at: usize,
    /// The objects and arrays that are open.
    open: Vec<Container<'t>>,
}

enum Container<'t> {
    Array {
        index: usize,
    },
    Object {
        /// The key, in its quotes, of the entry that was begun.
        key: Option<&'t [u8]>,
    },
}

impl<'t> Pointers<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    /// The pointer of the innermost value or key at an offset, which must not be before the previous one.
    pub(crate) fn find(&mut self, offset: u32) -> String {
        while self.at <= offset as usize && self.at < self.text.len() {
            self.step();
        }
        // An array that begins at the offset is the value itself, and its elements are not.
        let at = offset as usize;
        let is_array = self.at == at + 1 && self.text.get(at) == Some(&b'[');
        let inner = usize::from(is_array);
        let mut pointer = String::new();
        for container in &self.open[..self.open.len() - inner] {
            let part = match container {
                Container::Array { index } => index.to_string(),
                Container::Object { key: Some(key) } if key.len() <= LONGEST_KEY => {
                    let Ok(key) = serde_json::from_slice::<String>(key) else { break };
                    key.replace('~', "~0").replace('/', "~1")
                }
                Container::Object { .. } => break,
            };
            pointer.push('/');
            pointer.push_str(&part);
        }
        pointer
    }

    /// Skips one character of the document, or a whole string.
    fn step(&mut self) {
        let begins = self.at;
        self.at += 1;
        match self.text[begins] {
            b'{' => self.open.push(Container::Object { key: None }),
            b'[' => self.open.push(Container::Array { index: 0 }),
            b'}' | b']' => _ = self.open.pop(),
            b',' => match self.open.last_mut() {
                Some(Container::Array { index }) => *index += 1,
                Some(Container::Object { key }) => *key = None,
                None => {}
            },
            b'"' => {
                self.skip_string();
                // A string after the key is the value.
                if let Some(Container::Object { key: key @ None }) = self.open.last_mut() {
                    *key = Some(&self.text[begins..self.at]);
                }
            }
            _ => {}
        }
    }

    /// Goes to the first byte after the quote that closes a string.
    fn skip_string(&mut self) {
        while let Some(byte) = self.text.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_names_the_value_at_an_offset() {
        let long = "k".repeat(LONGEST_KEY);
        let text = format!(r#"{{"a/~": [1, {{"b\"": "x"}}, [2]], "{long}": {{"c": 3}}, "d": 4}}"#);
        let mut pointers = Pointers::new(text.as_bytes());
        let of = |part: &str| u32::try_from(text.find(part).unwrap()).unwrap();
        assert_eq!(pointers.find(0), "");
        assert_eq!(pointers.find(of(r#""a/"#)), "/a~1~0");
        assert_eq!(pointers.find(of("[1")), "/a~1~0");
        assert_eq!(pointers.find(of("1, ")), "/a~1~0/0");
        assert_eq!(pointers.find(of(r#"{"b"#)), "/a~1~0/1");
        assert_eq!(pointers.find(of(r#"x""#)), "/a~1~0/1/b\"");
        assert_eq!(pointers.find(of("[2]")), "/a~1~0/2");
        assert_eq!(pointers.find(of("2]")), "/a~1~0/2/0");
        assert_eq!(pointers.find(of("3}")), "");
        assert_eq!(pointers.find(of("4}")), "/d");
        assert_eq!(pointers.find(1_000_000), "");
    }
    #[test]
    fn an_array_that_is_the_document_has_the_empty_pointer() {
        assert_eq!(Pointers::new(b"[]").find(0), "");
        assert_eq!(Pointers::new(b"  [1]").find(2), "");
    }
}
