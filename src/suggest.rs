//! Messages about an unknown word: the word in quotes, and the nearest known one.

/// The maximum length in bytes of the words, names, ids and keys that we compare with. A longer text is not
/// compared, because that would take long and find nothing.
pub(crate) const LONGEST: usize = 64;

/// The candidate that is most similar to `word`, if it is similar enough to be suggested.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        // Below this, suggestions look random. The limit of clap is similar.
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Whether a word is a misspelling or a beginning of a known one. The nearest word alone does not show this:
/// `user_name` is similar to `user_id`, but it is another word.
pub(crate) fn is_misspelt<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> bool {
    nearest(word, known).is_some_and(|near| {
        let (word, near) = (word.to_lowercase(), near.to_lowercase());
        // At most one typing error in four letters.
        near.starts_with(&word) || strsim::osa_distance(&word, &near) <= near.len() / 4
    })
}

/// A suggestion for an unknown word: the nearest known one, or else all of them.
pub(crate) fn advice<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("one of {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// A word from a client or user, in quotes, escaped, and truncated after 60 characters.
pub(crate) fn quoted(word: &str) -> String {
    const MOST: usize = 60;
    if word.chars().nth(MOST).is_none() {
        return format!("{word:?}");
    }
    let start: String = word.chars().take(MOST).collect();
    format!("{start:?}...")
}

/// `unknown hazard "arival"; did you mean arrival? (one of …)`
pub(crate) fn unknown<'a>(
    what: &str,
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let hint = nearest(word, known.clone()).map(|word| format!("; did you mean {word}?"));
    let known: Vec<_> = known.collect();
    let word = quoted(word);
    format!("unknown {what} {word}{} (one of {})", hint.unwrap_or_default(), known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{is_misspelt, nearest};

    #[test]
    fn a_slip_is_a_misspelling_and_a_word_that_begins_alike_is_none() {
        let keys = ["conversation_id", "user_id", "bot_id", "start", "create_time", "messages"];
        for slip in ["user", "userId", "usr_id", "mesages", "conversation_ids", "BOT_ID"] {
            assert!(is_misspelt(slip, keys), "{slip}");
        }
        for other in ["user_name", "user_email", "bot_name", "avatar", "status", "id", "created_at"]
        {
            assert!(!is_misspelt(other, keys), "{other}");
        }
    }

    #[test]
    fn a_slip_finds_its_word_and_noise_finds_none() {
        let words = ["seconds", "milliseconds"];
        assert_eq!(nearest("second", words), Some("seconds"));
        assert_eq!(nearest("MILISECONDS", words), Some("milliseconds"));
        assert_eq!(nearest("zzz", words), None);
        assert_eq!(nearest("", words), None);
    }
}
