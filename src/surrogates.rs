//! Halves of surrogate pairs in JSON, such as `"\ud83d"`, for example from an emoji that was split. Python and
//! Node write and read them, but UTF-8 cannot represent them.

/// Half of a surrogate pair without its other half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoneSurrogate {
    /// The offset of its backslash.
    pub(crate) at: usize,
    /// Its escape, as it was written.
    pub(crate) escape: [u8; LENGTH],
}

/// The length of an escape by its number.
pub(crate) const LENGTH: usize = 6;

/// The escape of U+FFFD, which replaces half of a pair. It has the same length, so all later offsets stay
/// the same.
const REPLACEMENT: &[u8; LENGTH] = b"\\ufffd";

impl LoneSurrogate {
    /// The escape as a text.
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.escape).expect("an escape is ASCII")
    }
}

/// Replaces each half of a surrogate pair that lacks its other half. If the text is not JSON, the result does
/// not matter, because the parser refuses it.
pub(crate) fn replace_lone_surrogates(json: &mut [u8]) -> Vec<LoneSurrogate> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(next) = memchr::memchr(b'\\', &json[from..]) {
        let at = from + next;
        let half = half(&json[at..]);
        let length = match half {
            // A backslash escapes the next character, which may be another backslash.
            None => 2,
            Some(SurrogateHalf::First)
                if self::half(&json[at + LENGTH..]) == Some(SurrogateHalf::Second) =>
            {
                2 * LENGTH
            }
            Some(_) => {
                let escape = &mut json[at..at + LENGTH];
                found.push(LoneSurrogate {
                    at,
                    escape: (&*escape).try_into().expect("it has the length of an escape"),
                });
                escape.copy_from_slice(REPLACEMENT);
                LENGTH
            }
        };
        from = json.len().min(at + length);
    }
    found
}

/// The half of a pair that an escape represents.
#[derive(PartialEq, Eq)]
enum SurrogateHalf {
    First,
    Second,
}

fn half(json: &[u8]) -> Option<SurrogateHalf> {
    let [b'\\', b'u', b'd' | b'D', digit, rest @ ..] = json else { return None };
    let is_number =
        matches!(rest, [one, two, ..] if [one, two].iter().all(|d| d.is_ascii_hexdigit()));
    match digit {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' if is_number => Some(SurrogateHalf::First),
        b'c'..=b'f' | b'C'..=b'F' if is_number => Some(SurrogateHalf::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::replace_lone_surrogates;

    /// What a text becomes, and the halves that were replaced.
    fn replaced(json: &str) -> (String, Vec<String>) {
        let mut bytes = json.as_bytes().to_vec();
        let found = replace_lone_surrogates(&mut bytes);
        for half in &found {
            assert_eq!(&json.as_bytes()[half.at..half.at + 6], half.escape);
        }
        let halves = found.iter().map(|half| half.text().to_owned()).collect();
        (String::from_utf8(bytes).unwrap(), halves)
    }

    #[test]
    fn half_a_pair_is_replaced_wherever_it_stands() {
        for (json, becomes, halves) in [
            (r#""\ud83d""#, r#""\ufffd""#, vec![r"\ud83d"]),
            (r#""\uDE0A""#, r#""\ufffd""#, vec![r"\uDE0A"]),
            (r#""a\ud83d\n""#, r#""a\ufffd\n""#, vec![r"\ud83d"]),
            (r#""\ud83d\ud83d\ude0a""#, r#""\ufffd\ud83d\ude0a""#, vec![r"\ud83d"]),
            (r#""\ude0a\ud83d""#, r#""\ufffd\ufffd""#, vec![r"\ude0a", r"\ud83d"]),
            (r#""\\\ud83d""#, r#""\\\ufffd""#, vec![r"\ud83d"]),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#, vec![r"\ud83d"]),
        ] {
            assert_eq!(
                replaced(json),
                (becomes.to_owned(), halves.into_iter().map(str::to_owned).collect()),
                "{json}"
            );
        }
    }

    #[test]
    fn everything_else_stays() {
        for json in [
            "",
            "\\",
            r"\ud83",
            r"\ud8",
            r"\ud8zz",
            r#""\ud83d\ude0a""#,
            r#""\\ud83d""#,
            r#""\ue000 \ud7ff""#,
            r#""\u00e9 😊""#,
        ] {
            assert_eq!(replaced(json), (json.to_owned(), Vec::new()), "{json}");
        }
    }
}
