//! What is said of a wrong word: the word in quotes, and the nearest right one.

/// Longer than any word that is suggested.
const LONGEST: usize = 64;

/// The candidate most like `word`, if any is like enough to be what was meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Nobody means a word of ours by a text much longer than it, and comparing takes its time.
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        // Below this, suggestions start to look random; clap draws its line near it too.
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// A word from outside, in quotes, escaped, and cut after 60 characters.
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
    use super::nearest;

    #[test]
    fn a_slip_finds_its_word_and_noise_finds_none() {
        let words = ["seconds", "milliseconds"];
        assert_eq!(nearest("second", words), Some("seconds"));
        assert_eq!(nearest("MILISECONDS", words), Some("milliseconds"));
        assert_eq!(nearest("zzz", words), None);
        assert_eq!(nearest("", words), None);
    }
}
