//! A request as it may be shown: keys are cut to their last four characters.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Entry;
use crate::config::SANDBOX_MARK;
use crate::world::World;

/// What stands in place of the rest of a key.
const HIDDEN: &str = "****";

/// Query parameters that hold keys, whatever they are.
const KEY_NAMES: [&str; 7] =
    ["key", "api_key", "apikey", "api-key", "token", "access_token", "authorization"];

/// Knows the keys that must not be shown.
pub(crate) struct Redactor {
    /// The longest first, so that none is found within another.
    keys: Vec<String>,
}

/// A request as it may be shown.
pub(crate) struct Shown {
    pub(crate) method: String,
    /// The path and the query, the sandbox's prefix included.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) reason: String,
    pub(crate) fault: String,
}

impl Redactor {
    pub(crate) fn new(world: &World) -> Self {
        let keys = world.agents.iter().flat_map(|agent| &agent.keys).cloned();
        Self::of(keys.collect())
    }

    fn of(mut keys: Vec<String>) -> Self {
        keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        Self { keys }
    }

    pub(crate) fn show(&self, entry: &Entry) -> Shown {
        let sent = entry.header("authorization").map(String::from_utf8_lossy).unwrap_or_default();
        let key = sent.rsplit(' ').next().unwrap_or_default();
        let key = key.rsplit_once(SANDBOX_MARK).map_or(key, |(key, _)| key);
        let mut own = Self::of(self.keys.iter().cloned().chain([key.to_owned()]).collect());
        own.keys.retain(|key| !key.is_empty());
        let header = |(name, value): (Cow<'_, str>, &[u8])| {
            let value = String::from_utf8_lossy(value);
            let value = match &*name {
                "authorization" => own.authorization(&value),
                _ => own.redact(&value).into_owned(),
            };
            (name.into_owned(), value)
        };
        Shown {
            method: own.redact(&entry.method()).into_owned(),
            target: own.target(&entry.target()),
            headers: entry.headers().map(header).collect(),
            reason: own.redact(&entry.reason()).into_owned(),
            fault: entry.fault().into_owned(),
        }
    }

    /// A text without the keys.
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for key in &self.keys {
            if text.contains(key.as_str()) {
                text = Cow::Owned(text.replace(key.as_str(), &hidden(key)));
            }
        }
        text
    }

    /// `Bearer ****demo~login`; whatever it is, nothing but the last four characters.
    fn authorization(&self, value: &str) -> String {
        let (scheme, key) = value.split_once(' ').unwrap_or(("", value));
        let (key, sandbox) = match key.rsplit_once(SANDBOX_MARK) {
            Some((key, sandbox)) => (key, format!("{SANDBOX_MARK}{sandbox}")),
            None => (key, String::new()),
        };
        let space = if scheme.is_empty() { "" } else { " " };
        format!("{}{space}{}{sandbox}", self.redact(scheme), hidden(key.trim_start()))
    }

    fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return self.part(target);
        };
        let pairs = query.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return self.part(pair) };
            let plain = percent_decode_str(name).decode_utf8_lossy();
            if KEY_NAMES.iter().any(|key| key.eq_ignore_ascii_case(&plain)) {
                return format!("{name}={}", hidden(value));
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
            (_, Cow::Owned(redacted)) => {
                utf8_percent_encode(&redacted, NON_ALPHANUMERIC).to_string()
            }
            _ => part.to_owned(),
        }
    }
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
        let own = Redactor::of(vec!["app-secret".to_owned(), "s3/c r".to_owned()]);
        assert_eq!(own.authorization("Bearer app-secret~login"), "Bearer ****cret~login");
        assert_eq!(own.authorization("app-other"), "****ther");
        assert_eq!(own.authorization("Bearer  abcd"), "Bearer ****");
        assert_eq!(own.target("/v1/app-secret/x?a=app-secret"), "/v1/****cret/x?a=****cret");
        assert_eq!(own.target("/x?API_KEY=whatever&page=1"), "/x?API_KEY=****ever&page=1");
        assert_eq!(own.target("/x?a=app%2Dsecret"), "/x?a=%2A%2A%2A%2Acret");
        assert_eq!(own.target("/x?page=1&é=%ff"), "/x?page=1&é=%ff");
    }
}
