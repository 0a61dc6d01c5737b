//! A request as it may be shown: keys are cut to their last four characters.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Entry;
use crate::keys::SANDBOX_MARK;
use crate::records::world::World;
use crate::sandbox::verdict::{Rule, violations};

/// What is escaped where a part of a target has to be written anew.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in place of the rest of a key.
const HIDDEN: &str = "****";

/// What is shown in place of a text that may hold a part of a key.
pub(crate) const HOLDS_KEY: &str = "[holds a key]";

/// How a text of a client's ends in a reason that quotes it, where it was cut.
pub(crate) const CUT: &str = "...\"";

/// Whether a text that a reason quotes was cut.
pub(crate) fn is_cut(reason: &[u8]) -> bool {
    memchr::memmem::find(reason, CUT.as_bytes()).is_some()
}

/// Schemes that are shown; what else stands in their place may be a key.
const SCHEMES: [&str; 5] = ["Bearer", "Basic", "Digest", "Token", "ApiKey"];

/// Whether a parameter or a header holds a key, by its name.
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

/// A key that a client sent is looked for elsewhere in its request when it has so many characters:
/// what is shorter stands in every other word.
const LEAST_KEY: usize = 4;

/// Knows the keys that must not be shown.
#[derive(Default)]
pub(crate) struct Redactor {
    keys: Vec<String>,
}

/// The keys that one request must not show.
struct Hider<'a> {
    /// The longest first, so that none is found within another.
    keys: Vec<&'a str>,
}

/// A request as it may be shown.
pub(super) struct Shown {
    pub(super) method: String,
    /// The path and the query, the sandbox's prefix included.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) reason: String,
    pub(super) fault: String,
    pub(super) violations: Vec<(Rule, String)>,
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
        Hider::of(self.keys.iter().map(String::as_str)).redact_text(text)
    }

    /// `Bearer ****demo~login`; whatever it is, nothing but the last four characters of it. What
    /// stands behind `~` is shown where a key that is known stands before it: else it may be one.
    fn authorization(&self, value: &str) -> String {
        let (scheme, key) = value.split_once(' ').unwrap_or(("", value));
        if !is_scheme(scheme) {
            return hidden(value);
        }
        let key = key.trim_start();
        match key.rsplit_once(SANDBOX_MARK) {
            Some((key, sandbox)) if self.keys.iter().any(|known| known == key) => {
                format!("{scheme} {}{SANDBOX_MARK}{sandbox}", hidden(key))
            }
            _ => format!("{scheme} {}", hidden(key)),
        }
    }

    /// Hides the keys that are known, and those that a request sent.
    fn hider<'a>(&'a self, sent: &'a [String]) -> Hider<'a> {
        let known = self.keys.iter().map(String::as_str);
        Hider::of(known.chain(sent.iter().flat_map(|value| keys_of(value))))
    }

    /// A target without the keys that are known.
    pub(crate) fn redact_target(&self, target: &str) -> String {
        self.hider(&[]).target(target)
    }

    /// The method and the target of a request.
    pub(crate) fn request_line(&self, entry: &Entry) -> (String, String) {
        let sent = sent_as_keys(entry);
        let own = self.hider(&sent);
        (own.redact(&entry.method()).into_owned(), own.target(&entry.target()))
    }

    pub(super) fn show(&self, entry: &Entry) -> Shown {
        let sent = sent_as_keys(entry);
        let own = self.hider(&sent);
        let header = |(name, value): (Cow<'_, str>, &[u8])| {
            let value = String::from_utf8_lossy(value);
            let value = match &*name {
                "authorization" => self.authorization(&value),
                name if is_key_name(name) => hidden(&value),
                _ => own.redact_text(&value),
            };
            (name.into_owned(), value)
        };
        let told = |(rule, what): (Rule, String)| (rule, own.redact_text(&what));
        Shown {
            method: own.redact(&entry.method()).into_owned(),
            target: own.target(&entry.target()),
            headers: entry.headers().map(header).collect(),
            reason: own.reason(entry),
            fault: entry.fault().into_owned(),
            violations: violations(entry).into_iter().map(told).collect(),
        }
    }
}

/// What a request sent as a key, in whichever header: a key may stand in the wrong one, and then
/// elsewhere, too.
fn sent_as_keys(entry: &Entry) -> Vec<String> {
    let keys = entry.headers().filter(|(name, _)| is_key_name(name));
    keys.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}

impl<'a> Hider<'a> {
    fn of(keys: impl Iterator<Item = &'a str>) -> Self {
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        Self { keys }
    }

    /// A text without the keys.
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for key in &self.keys {
            if text.contains(key) {
                text = Cow::Owned(text.replace(key, &hidden(key)));
            }
        }
        text
    }

    /// The same, where a key may stand with escapes.
    fn redact_text(&self, text: &str) -> String {
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

    /// Why a request was refused. A reason quotes what the client sent, escaped and cut, and nobody
    /// would know half a key there. So where a key stands in what is quoted, all of such a reason is
    /// left out.
    fn reason(&self, entry: &Entry) -> String {
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

    fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return self.part(target);
        };
        let pairs = query.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return self.part(pair) };
            let plain = percent_decode_str(name).decode_utf8_lossy();
            if is_key_name(&plain) {
                return format!("{}={}", self.part(name), hidden(value));
            }
            format!("{}={}", self.part(name), self.part(value))
        });
        let pairs: Vec<_> = pairs.collect();
        format!("{}?{}", self.part(path), pairs.join("&"))
    }

    /// A part of a target, in which a key may be escaped.
    fn part(&self, part: &str) -> String {
        let plain = percent_decode_str(part).decode_utf8_lossy();
        match (self.redact(part), self.redact(&plain)) {
            (Cow::Owned(redacted), _) => redacted,
            (_, Cow::Owned(redacted)) => utf8_percent_encode(&redacted, ESCAPED).to_string(),
            _ => part.to_owned(),
        }
    }
}

/// What in an `Authorization` header, or in one like it, may be a key, where it is long enough to be
/// looked for elsewhere: every word but the scheme.
fn keys_of(sent: &str) -> impl Iterator<Item = &str> {
    let words = sent.split([' ', ',', ';', '=']).filter(|word| !is_scheme(word));
    let plain = words.map(|word| word.trim_matches(['"', '\'', '<', '>']));
    let keys = plain.map(|word| word.rsplit_once(SANDBOX_MARK).map_or(word, |(key, _)| key));
    keys.filter(|key| key.len() >= LEAST_KEY)
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A text on a request without the key of its `Authorization` header, whosever it is.
pub(crate) fn hide_sent(text: String, sent: &[u8]) -> String {
    let sent = String::from_utf8_lossy(sent);
    let hider = Hider::of(keys_of(&sent));
    if hider.keys.is_empty() { text } else { hider.redact_text(&text) }
}

/// The last four characters of a key that has more.
fn hidden(key: &str) -> String {
    let places: Vec<_> = key.char_indices().map(|(place, _)| place).collect();
    match places.len().checked_sub(4) {
        Some(at) if at > 0 => format!("{HIDDEN}{}", &key[places[at]..]),
        _ => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_wherever_they_stand() {
        let own = Hider::of(["app-secret", "s3/c r"].into_iter());
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
        assert_eq!(hide_sent("GET /v1/abcdef".to_owned(), b"Bearer abcdef~in"), "GET /v1/****cdef");
        assert_eq!(hide_sent("GET /v1/abc".to_owned(), b"Bearer abc"), "GET /v1/abc");
    }
}
