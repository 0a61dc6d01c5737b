//! Redacts secrets: of a key, only the last four characters are shown. Log, journal, events, verdict and
//! error texts are all redacted here.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use axum::http::{HeaderMap, Uri};
use memchr::memmem;
use percent_encoding::{
    AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode,
};

use crate::keys::{SANDBOX_MARK, SHORTEST_KEY};

/// The characters that are escaped in a part of a target that we have changed.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replaces a key, except its last four characters.
const MASK: &str = "****";

/// Replaces a text that contains a part of a key.
pub(crate) const HOLDS_KEY: &str = "[holds a key]";

/// Marks the place where a text was truncated. The text before it may end with a part of a key.
const CUT: &str = "...";

/// The minimum number of characters of a key that are recognised before a truncation.
const MIN_CUT: usize = 3;

/// The maximum number of times that a text is decoded to find keys. A text that is encoded more often is not
/// shown.
const MAX_ENCODED: usize = 4;

/// Schemes that are shown; any other word in their place may be a key.
const SCHEMES: [&str; 5] = ["Bearer", "Basic", "Digest", "Token", "ApiKey"];

/// A known key with fewer characters may be a part of ordinary words, so it is redacted only where it is a
/// separate word.
const MIN_KNOWN: usize = 4;

/// The minimum length of a key of a request that is also redacted in other places. A shorter key (`none`)
/// occurs in ordinary words.
const MIN_KEY: usize = 6;

/// The same for a value in the query, or with a name that need not mean a key (`session`), because such a
/// value may be an ordinary word.
const MIN_DOUBTFUL: usize = 12;

/// The maximum number of secrets of one request that are redacted in other places, because each one takes
/// time.
const MAX_SENT: usize = 64;

/// Whether the name of a parameter or header says that its value is a key. Such a parameter is a mistake of
/// the client, so this must be false for names that may mean something else.
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

/// Whether the value of a parameter or header is hidden, because its name contains a word that is used for
/// secrets. It does little harm to hide too much.
pub(crate) fn is_hidden_name(name: &str) -> bool {
    const WORDS: [&str; 13] = [
        "key", "keys", "auth", "bearer", "jwt", "sig", "sid", "sk", "pwd", "pass", "pw", "otp",
        "pin",
    ];
    const BEGINNINGS: [&str; 7] =
        ["authentic", "authoriz", "authoris", "session", "signature", "passw", "passphrase"];
    is_key_name(name)
        || words(name).any(|word| {
            let word = word.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase();
            WORDS.contains(&&*word) || BEGINNINGS.iter().any(|begins| word.starts_with(begins))
        })
}

/// Whether the value of a key in a JSON document is hidden, because its name is a word for a secret or a
/// misspelling of one.
pub(crate) fn is_secret_key(name: &str) -> bool {
    let is_near = |word: &str| strsim::osa_distance(&word.to_ascii_lowercase(), "keys") <= 1;
    is_hidden_name(name) || words(name).any(is_near)
}

/// Finds the beginning of a key of the vendor. It is made once, because that takes longer than to search the
/// texts of a request.
static VENDOR_KEY: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new("app-"));

/// The places in a text that look like a key of the vendor, including truncated keys.
pub(crate) fn vendor_keys(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    VENDOR_KEY.find_iter(text).filter_map(|begins| {
        let from = begins + "app-".len();
        let letters = text[from..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let end = from + letters;
        let behind = text[end..].strip_prefix(b"\"").unwrap_or(&text[end..]);
        let is_cut = letters >= MIN_KEY && behind.starts_with(CUT.as_bytes());
        (letters >= SHORTEST_KEY || is_cut).then_some(begins..end)
    })
}

/// A text with everything redacted that looks like a key of the vendor. `None`: there is nothing to redact.
pub(crate) fn hide_vendor_keys(text: &str) -> Option<String> {
    let keys: Vec<_> = vendor_keys(text.as_bytes()).collect();
    let mut hidden = (!keys.is_empty()).then(|| text.to_owned())?;
    // Backwards, so that the places before stay right.
    for key in keys.into_iter().rev() {
        hidden.replace_range(key.clone(), &mask_key(&text[key]));
    }
    Some(hidden)
}

/// The words of a name: `X-Api-Key`, `api_key`, `apiKey` and `APIKey` have two or three.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| !c.is_ascii_alphanumeric();
    name.split(is_end).flat_map(|part| {
        let bytes = part.as_bytes();
        let begins = move |at: &usize| {
            let upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
            let lower = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_lowercase);
            *at > 0 && upper(*at) && (!upper(*at - 1) || lower(*at + 1))
        };
        let mut from = 0;
        (0..=bytes.len()).filter(move |at| *at == bytes.len() || begins(at)).map(move |at| {
            let word = &part[from..at];
            from = at;
            word
        })
    })
}

/// Hides the secrets that the server knows, and those of one request.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Sorted with the longest first, because a secret may be a part of another one.
    secrets: Vec<Arc<str>>,
    /// The keys of agents and the token of the control API, ascending.
    known: Arc<[Arc<str>]>,
}

impl Redactor {
    /// Hides the secrets that the server knows.
    pub(crate) fn new<'a>(known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<Arc<str>> = known.into_iter().map(Arc::from).collect();
        known.sort_unstable();
        known.dedup();
        let mut redactor = Self { secrets: Vec::new(), known: known.into() };
        let known = Arc::clone(&redactor.known);
        redactor.add(known.iter().cloned());
        redactor
    }

    fn add(&mut self, secrets: impl Iterator<Item = Arc<str>>) {
        for secret in secrets {
            // Reasons escape quotes and backslashes. Errors do the same, except for `'`.
            let quoted = format!("{secret:?}");
            let escaped = [secret.escape_default().to_string(), quoted[1..quoted.len() - 1].into()];
            self.secrets.extend(escaped.into_iter().map(Arc::from));
            self.secrets.push(secret);
        }
        self.secrets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.secrets.dedup();
    }

    /// Whether a text is a secret that the server knows.
    pub(crate) fn is_known(&self, text: &str) -> bool {
        self.known.binary_search_by(|known| (**known).cmp(text)).is_ok()
    }

    /// Hides also the secrets that a request has sent in any place, because a client may send a key in a
    /// wrong header, and again in other places.
    pub(crate) fn for_request<'h>(
        &self,
        target: &str,
        headers: impl Iterator<Item = (impl AsRef<str>, &'h [u8])>,
    ) -> Self {
        let mut sent = Vec::new();
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), String::from_utf8_lossy(value));
            if name == "host" {
                sent.extend(user_info(&value));
            } else if is_hidden_name(name) {
                let least = if is_key_name(name) { MIN_KEY } else { MIN_DOUBTFUL };
                sent.extend(keys_of(&value, least));
            }
        }
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let name = percent_decode_str(name).decode_utf8_lossy();
            if sent.len() < MAX_SENT && is_hidden_name(&name) {
                sent.extend(keys_of(value, MIN_DOUBTFUL));
                let value = percent_decode_str(value).decode_utf8_lossy();
                sent.extend(keys_of(&value, MIN_DOUBTFUL));
            }
        }
        sent.truncate(MAX_SENT);
        let mut own = self.clone();
        if !sent.is_empty() {
            own.add(sent.into_iter().map(Arc::from));
        }
        own
    }

    /// The same for the head of a request. The user information before the host of its target is secret,
    /// too.
    pub(crate) fn for_head(&self, uri: &Uri, headers: &HeaderMap) -> Self {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let host = uri.authority().map(|host| ("host", host.as_str().as_bytes()));
        self.for_request(target, headers.chain(host))
    }

    /// A text with the secrets redacted, even if they are percent-encoded.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        let mut plain = Cow::Borrowed(text);
        for _ in 0..MAX_ENCODED {
            if let Some(hidden) = self.replace(&plain) {
                shown = Cow::Owned(hidden.clone());
                plain = Cow::Owned(hidden);
            }
            if !plain.contains('%') {
                return shown;
            }
            let decoded = percent_decode_str(&plain).decode_utf8_lossy();
            if decoded == plain {
                return shown;
            }
            plain = Cow::Owned(decoded.into_owned());
        }
        let decoded = percent_decode_str(&plain).decode_utf8_lossy();
        if decoded == plain && self.replace(&plain).is_none() { shown } else { HOLDS_KEY.into() }
    }

    /// The same for a text that is sent in a header or written to a terminal: it stays visible
    /// ASCII.
    pub(crate) fn hide_visible(&self, text: String) -> String {
        match self.hide(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => utf8_percent_encode(&hidden, CONTROLS).to_string(),
        }
    }

    /// A method, or a part of a target.
    pub(crate) fn part<'t>(&self, part: &'t str) -> Cow<'t, str> {
        match self.hide(part) {
            Cow::Owned(hidden) => Cow::Owned(utf8_percent_encode(&hidden, ESCAPED).to_string()),
            unchanged @ Cow::Borrowed(_) => unchanged,
        }
    }

    /// A target with the secrets redacted, and also the values whose names are words for secrets.
    pub(crate) fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return self.part(target).into_owned();
        };
        let pairs = query.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return self.part(pair) };
            let plain = percent_decode_str(name).decode_utf8_lossy();
            let value = if is_hidden_name(&plain) && !value.is_empty() {
                let plain = percent_decode_str(value).decode_utf8_lossy();
                Cow::Owned(utf8_percent_encode(&mask_key(&plain), ESCAPED).to_string())
            } else {
                self.part(value)
            };
            Cow::Owned(format!("{}={value}", self.part(name)))
        });
        let pairs: Vec<_> = pairs.collect();
        format!("{}?{}", self.part(path), pairs.join("&"))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str, value: &[u8]) -> String {
        let value = String::from_utf8_lossy(value);
        match name {
            "authorization" => self.authorization(&value),
            "cookie" | "set-cookie" => self.cookies(&value),
            "referer" => self.target(&value),
            name if is_hidden_name(name) => mask_key(&value),
            _ => self.hide(&value).into_owned(),
        }
    }

    /// `Bearer ****demo~login`. The text after `~` is shown only if a known key precedes it, because otherwise
    /// that text may be the key.
    fn authorization(&self, value: &str) -> String {
        let (scheme, key) = value.split_once(' ').unwrap_or(("", value));
        if !is_scheme(scheme) {
            return mask_key(value);
        }
        let key = key.trim_start();
        match key.rsplit_once(SANDBOX_MARK) {
            Some((key, sandbox)) if self.is_known(key) => {
                format!("{scheme} {}{SANDBOX_MARK}{}", mask_key(key), self.hide(sandbox))
            }
            _ => format!("{scheme} {}", mask_key(key)),
        }
    }

    /// `theme=****; id=****cafe`
    fn cookies(&self, value: &str) -> String {
        let cookies = value.split(';').map(|cookie| {
            let (space, cookie) = cookie.split_at(cookie.len() - cookie.trim_start().len());
            match cookie.split_once('=') {
                Some((name, value)) => format!("{space}{}={}", self.hide(name), mask_key(value)),
                None if cookie.is_empty() => space.to_owned(),
                None => format!("{space}{}", mask_key(cookie)),
            }
        });
        cookies.collect::<Vec<_>>().join(";")
    }

    /// A text with the unencoded secrets redacted. `None`: there are none.
    fn replace(&self, text: &str) -> Option<String> {
        let mut hidden: Option<String> = None;
        for secret in &self.secrets {
            let text = hidden.as_deref().unwrap_or(text);
            if memmem::find(text.as_bytes(), secret.as_bytes()).is_none() {
                continue;
            }
            if secret.len() >= MIN_KNOWN {
                hidden = Some(text.replace(&**secret, &mask_key(secret)));
            } else if let Some(replaced) = replace_word(text, secret) {
                hidden = Some(replaced);
            }
        }
        let hidden = hide_vendor_keys(hidden.as_deref().unwrap_or(text)).or(hidden);
        let text = hidden.as_deref().unwrap_or(text);
        if text.contains(CUT) { self.hide_cut(text).or(hidden) } else { hidden }
    }

    /// A text with truncated secrets redacted.
    fn hide_cut(&self, text: &str) -> Option<String> {
        let mut hidden: Option<String> = None;
        let cuts: Vec<usize> = text.match_indices(CUT).map(|(at, _)| at).collect();
        // Backwards, so that the places before stay right.
        for at in cuts.into_iter().rev() {
            let before = text[..at].strip_suffix('"').unwrap_or(&text[..at]);
            // The text may be truncated inside of `%41`.
            let escape = before.bytes().rev().take(2).position(|byte| byte == b'%');
            let before = &before[..before.len() - escape.map_or(0, |from_end| from_end + 1)];
            let begun = |secret: &Arc<str>| {
                let ends = secret.char_indices().map(|(end, _)| end).rev();
                ends.filter(|end| *end >= MIN_CUT).find(|end| before.ends_with(&secret[..*end]))
            };
            if let Some(length) = self.secrets.iter().filter_map(begun).max() {
                let text = hidden.as_deref().unwrap_or(text);
                let from = before.len() - length;
                hidden = Some(format!("{}{HOLDS_KEY}{}", &text[..from], &text[before.len()..]));
            }
        }
        hidden
    }
}

/// Replaces a short secret where it is a separate word.
fn replace_word(text: &str, secret: &str) -> Option<String> {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        if !is_word(text[..at].chars().next_back()) && !is_word(text[end..].chars().next()) {
            out.push_str(&text[from..at]);
            out.push_str(MASK);
            from = end;
        }
    }
    (from > 0).then(|| out + &text[from..])
}

/// The words of an `Authorization` header, or of a similar value, that may be keys and are long enough to be
/// redacted in other places: every word except the scheme.
fn keys_of(sent: &str, least: usize) -> Vec<String> {
    let words = sent.split([' ', ',', ';', '=']).filter(|word| !is_scheme(word));
    let plain = words.map(|word| word.trim_matches(['"', '\'', '<', '>']));
    let keys = plain.map(|word| word.rsplit_once(SANDBOX_MARK).map_or(word, |(key, _)| key));
    keys.filter(|key| key.len() >= least).map(str::to_owned).collect()
}

/// The user information before the host of an authority, whole and in its parts.
fn user_info(authority: &str) -> Vec<String> {
    let Some((user, _)) = authority.rsplit_once('@') else { return Vec::new() };
    let parts = std::iter::once(user).chain(user.split(':'));
    parts.filter(|part| part.len() >= MIN_KEY).map(str::to_owned).collect()
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The last four characters of a key; one of less than eight is hidden completely, because it would be mostly
/// shown.
pub(crate) fn mask_key(key: &str) -> String {
    let places: Vec<_> = key.char_indices().map(|(place, _)| place).collect();
    match places.len().checked_sub(4) {
        Some(at) if at >= 4 => format!("{MASK}{}", &key[places[at]..]),
        _ => MASK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_everywhere() {
        let known = Redactor::new(["app-secret"]);
        let none: [(&str, &[u8]); 0] = [];
        let own = Redactor::new(["app-secret", "s3/c r"]).for_request("/", none.into_iter());
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
        assert_eq!(own.hide("nothing at \"/v1/app%2dsecret/é\""), "nothing at \"/v1/****cret/é\"");
        let with = |value: &'static str| {
            let headers = [("authorization", value.as_bytes())];
            Redactor::default().for_request("/", headers.into_iter())
        };
        assert_eq!(with("Bearer abcdef~in").hide("GET /v1/abcdef"), "GET /v1/****");
        assert_eq!(with("Bearer abcdefg").hide("GET /v1/abcdefg"), "GET /v1/****");
        assert_eq!(with("Bearer abcdefgh").hide("GET /v1/abcdefgh"), "GET /v1/****efgh");
        assert_eq!(with("Bearer abc").hide("GET /v1/abc"), "GET /v1/abc");
    }

    #[test]
    fn words_of_names_stand_between_marks_and_capitals() {
        let words = |name: &'static str| words(name).collect::<Vec<_>>();
        assert_eq!(words("X-Api_Key"), ["X", "Api", "Key"]);
        assert_eq!(words("apiKey"), ["api", "Key"]);
        assert_eq!(words("APIKey2"), ["API", "Key2"]);
        for name in ["x-gptbots-key", "authKey", "X-Auth", "sid", "JWT", "pwd2", "Passwd", "sk"] {
            assert!(is_hidden_name(name), "{name}");
        }
        for name in ["author", "keyword", "monkey", "page", "signal", "passage", "tasks", "inside"]
        {
            assert!(!is_hidden_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_encoded_or_cut_or_short_is_hidden_and_nothing_else() {
        let known = Redactor::new(["sEcReT-1234", "k-1", "it's\"quoted"]);
        assert_eq!(known.hide("/v1/sEcReT%2D1234"), "/v1/****1234");
        assert_eq!(known.hide("/v1/sEcReT%252D1234"), "/v1/****1234");
        assert_eq!(known.hide("/v1/sEcReT-1234/sEcReT%2D1234"), "/v1/****1234/****1234");
        assert_eq!(known.hide(&format!("/v1/%{}41", "25".repeat(9))), HOLDS_KEY);
        assert_eq!(known.hide("got \"xsEcRe...\""), "got \"x[holds a key]...\"");
        assert_eq!(known.hide("got \"xsEcRe\"..., no"), "got \"x[holds a key]\"..., no");
        assert_eq!(known.hide("got \"xsEcR%6...\""), "got \"x[holds a key]%6...\"");
        assert_eq!(known.hide("100% of xs...\""), "100% of xs...\"");
        assert_eq!(known.hide("k-1 is k-12, \"k-1\""), "**** is k-12, \"****\"");
        assert_eq!(known.hide(r#"got "it\'s\"quoted""#), "got \"****oted\"");
        assert!(known.is_known("k-1") && !known.is_known("k"));
        assert_eq!(known.header("cookie", b"a=b; id=12345678"), "a=****; id=****5678");
    }
}
