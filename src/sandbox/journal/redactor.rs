//! Hides API keys: of a key, only its last four characters are shown.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Entry;
use crate::keys::SANDBOX_MARK;
use crate::records::world::World;

/// The characters that are escaped in a part of a target that we write anew.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replaces all of a key but its last four characters.
const MASK: &str = "****";

/// Replaces a text that may hold a part of a key.
pub(crate) const HOLDS_KEY: &str = "[holds a key]";

/// The end of a client's text in a reason that quotes and truncates it.
pub(crate) const CUT: &str = "...\"";

/// Whether a reason quotes a truncated text.
pub(crate) fn is_cut(reason: &[u8]) -> bool {
    memchr::memmem::find(reason, CUT.as_bytes()).is_some()
}

/// Schemes that are shown; any other word in their place may be a key.
const SCHEMES: [&str; 5] = ["Bearer", "Basic", "Digest", "Token", "ApiKey"];

/// Whether the name of a parameter or header says that its value is a key.
pub(crate) fn is_key_name(name: &str) -> bool {
    const PARTS: [&str; 9] = [
        "authorization",
        "apikey",
        "appkey",
        "accesskey",
        "token",
        "secret",
        "cookie",
        "password",
        "credential",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    plain == "key" || PARTS.iter().any(|part| plain.contains(part))
}

/// We look for a key that a client sent in the rest of its request if it has at least this many
/// characters. A shorter text occurs in ordinary words.
const MIN_KEY: usize = 4;

/// Hides the keys of agents, and in a request those that the request sent.
#[derive(Default)]
pub(crate) struct Redactor {
    keys: Vec<String>,
}

/// Hides the keys of agents and of one request.
pub(super) struct RequestRedactor<'a> {
    /// The longest first, because one key may be a part of another.
    keys: Vec<Cow<'a, str>>,
}

impl Redactor {
    pub(crate) fn new<'a>(worlds: impl IntoIterator<Item = &'a World>) -> Self {
        let agents = worlds.into_iter().flat_map(|world| &world.agents);
        let mut keys: Vec<_> = agents.flat_map(|agent| &agent.keys).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        Self { keys }
    }

    /// A text without the keys.
    pub(crate) fn redact(&self, text: &str) -> String {
        RequestRedactor::new(self.known()).redact_text(text)
    }

    /// `Bearer ****demo~login`. The text behind `~` is shown only if the key of an agent stands
    /// before it, because otherwise that text may be the key.
    fn authorization(&self, value: &str) -> String {
        let (scheme, key) = value.split_once(' ').unwrap_or(("", value));
        if !is_scheme(scheme) {
            return mask_key(value);
        }
        let key = key.trim_start();
        match key.rsplit_once(SANDBOX_MARK) {
            Some((key, sandbox)) if self.keys.iter().any(|known| known == key) => {
                format!("{scheme} {}{SANDBOX_MARK}{sandbox}", mask_key(key))
            }
            _ => format!("{scheme} {}", mask_key(key)),
        }
    }

    fn known(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.keys.iter().map(|key| Cow::Borrowed(&**key))
    }

    /// Hides also what the request sent as a key, in whichever header: a key may stand in the wrong
    /// header, and then elsewhere, too.
    pub(super) fn for_request(&self, entry: &Entry) -> RequestRedactor<'_> {
        let sent = entry.headers().filter(|(name, _)| is_key_name(name)).flat_map(|(_, value)| {
            let value = String::from_utf8_lossy(value);
            keys_of(&value).map(|key| Cow::Owned(key.to_owned())).collect::<Vec<_>>()
        });
        RequestRedactor::new(self.known().chain(sent))
    }

    /// A target without the keys of agents.
    pub(crate) fn redact_target(&self, target: &str) -> String {
        RequestRedactor::new(self.known()).target(target)
    }

    /// The value of a header; `own` hides the keys of its request.
    pub(super) fn header(&self, own: &RequestRedactor<'_>, name: &str, value: &[u8]) -> String {
        let value = String::from_utf8_lossy(value);
        if is_key_name(name) { self.key_value(name, &value) } else { own.redact_text(&value) }
    }

    /// The value of a header, parameter or cookie whose name says that it is a key.
    pub(crate) fn key_value(&self, name: &str, value: &str) -> String {
        if name == "authorization" { self.authorization(value) } else { mask_key(value) }
    }

    /// The method and the target of a request.
    pub(crate) fn request_line(&self, entry: &Entry) -> (String, String) {
        let own = self.for_request(entry);
        (own.method(entry), own.target(&entry.target()))
    }
}

impl<'a> RequestRedactor<'a> {
    fn new(keys: impl Iterator<Item = Cow<'a, str>>) -> Self {
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        Self { keys }
    }

    pub(super) fn method(&self, entry: &Entry) -> String {
        self.redact(&entry.method()).into_owned()
    }

    /// A text without the keys.
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for key in &self.keys {
            if text.contains(&**key) {
                text = Cow::Owned(text.replace(&**key, &mask_key(key)));
            }
        }
        text
    }

    /// A text without the keys, even if they are percent-encoded.
    pub(super) fn redact_text(&self, text: &str) -> String {
        match self.redact(text) {
            Cow::Owned(redacted) => redacted,
            Cow::Borrowed(text) if !text.contains('%') => text.to_owned(),
            Cow::Borrowed(text) => match self.redact(&percent_decode_str(text).decode_utf8_lossy())
            {
                Cow::Owned(redacted) => redacted,
                Cow::Borrowed(_) => text.to_owned(),
            },
        }
    }

    /// Why a request was refused. A reason may quote the request, escaped and truncated, and we
    /// would not recognise a truncated key there. So if the request holds a key, we leave out all
    /// of such a reason.
    pub(super) fn reason(&self, entry: &Entry) -> String {
        let (reason, target, method) = (entry.reason(), entry.target(), entry.method());
        let holds_key = || {
            let mut headers = entry.headers().filter(|(name, _)| !is_key_name(name));
            let changes = |text: &str| matches!(self.redact(text), Cow::Owned(_));
            changes(&method)
                || self.target(&target) != target
                || headers.any(|(_, value)| changes(&String::from_utf8_lossy(value)))
        };
        let is_altered = is_cut(reason.as_bytes()) || reason.contains('\\');
        if is_altered && holds_key() { HOLDS_KEY.to_owned() } else { self.redact_text(&reason) }
    }

    pub(super) fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return self.part(target);
        };
        let pairs = query.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return self.part(pair) };
            let plain = percent_decode_str(name).decode_utf8_lossy();
            if is_key_name(&plain) {
                return format!("{}={}", self.part(name), mask_key(value));
            }
            format!("{}={}", self.part(name), self.part(value))
        });
        let pairs: Vec<_> = pairs.collect();
        format!("{}?{}", self.part(path), pairs.join("&"))
    }

    /// A part of a target, in which a key may be percent-encoded.
    fn part(&self, part: &str) -> String {
        let plain = percent_decode_str(part).decode_utf8_lossy();
        match (self.redact(part), self.redact(&plain)) {
            (Cow::Owned(redacted), _) => redacted,
            (_, Cow::Owned(redacted)) => utf8_percent_encode(&redacted, ESCAPED).to_string(),
            _ => part.to_owned(),
        }
    }
}

/// The words of an `Authorization` header, or of one like it, that may be keys and are long enough
/// to be looked for elsewhere: every word but the scheme.
fn keys_of(sent: &str) -> impl Iterator<Item = &str> {
    let words = sent.split([' ', ',', ';', '=']).filter(|word| !is_scheme(word));
    let plain = words.map(|word| word.trim_matches(['"', '\'', '<', '>']));
    let keys = plain.map(|word| word.rsplit_once(SANDBOX_MARK).map_or(word, |(key, _)| key));
    keys.filter(|key| key.len() >= MIN_KEY)
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A text about a request, without the keys that the request sent.
pub(crate) fn redact_sent_keys(text: String, sent: &[u8]) -> String {
    let sent = String::from_utf8_lossy(sent);
    let redactor = RequestRedactor::new(keys_of(&sent).map(Cow::Borrowed));
    if redactor.keys.is_empty() { text } else { redactor.redact_text(&text) }
}

/// The last four characters of a key; a shorter key is hidden completely.
fn mask_key(key: &str) -> String {
    let places: Vec<_> = key.char_indices().map(|(place, _)| place).collect();
    match places.len().checked_sub(4) {
        Some(at) if at > 0 => format!("{MASK}{}", &key[places[at]..]),
        _ => MASK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_everywhere() {
        let own = RequestRedactor::new(["app-secret", "s3/c r"].into_iter().map(Cow::Borrowed));
        let known = Redactor { keys: vec!["app-secret".to_owned()] };
        assert_eq!(known.authorization("Bearer app-secret~login"), "Bearer ****cret~login");
        assert_eq!(known.authorization("Bearer login~app-secret"), "Bearer ****cret");
        assert_eq!(known.authorization("app-other"), "****ther");
        assert_eq!(known.authorization("app-other x"), "****er x");
        assert_eq!(known.authorization("Bearer  abcd"), "Bearer ****");
        assert!(
            ["X-Api-Key", "app_key", "Cookie", "key", "access_token"]
                .iter()
                .all(|n| is_key_name(n))
        );
        assert!(!["keyword", "page", "monkey", "accept"].iter().any(|n| is_key_name(n)));
        assert_eq!(own.target("/v1/app-secret/x?a=app-secret"), "/v1/****cret/x?a=****cret");
        assert_eq!(own.target("/x?API_KEY=whatever&page=1"), "/x?API_KEY=****ever&page=1");
        assert_eq!(own.target("/x?a=app%2Dsecret"), "/x?a=****cret");
        assert_eq!(own.target("/x?page=1&é=%ff"), "/x?page=1&é=%ff");
        assert_eq!(
            own.redact_text("nothing at \"/v1/app%2dsecret/é\""),
            "nothing at \"/v1/****cret/é\""
        );
        assert_eq!(
            redact_sent_keys("GET /v1/abcdef".to_owned(), b"Bearer abcdef~in"),
            "GET /v1/****cdef"
        );
        assert_eq!(redact_sent_keys("GET /v1/abc".to_owned(), b"Bearer abc"), "GET /v1/abc");
    }
}
