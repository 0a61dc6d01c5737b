//! The rules for API keys and for the ids of sandboxes.

use std::ops::Deref;

/// Separates an API key from the id of the sandbox of the request: `app-demo~login`.
pub(crate) const SANDBOX_MARK: char = '~';

/// The ids that [`is_sandbox_id`] accepts, as a regular expression.
#[cfg(feature = "docs")]
pub(crate) const SANDBOX_ID_PATTERN: &str = "^[A-Za-z0-9._-]{1,64}$";

/// The id of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "docs", schemars(inline, extend("pattern" = SANDBOX_ID_PATTERN)))]
pub(crate) struct SandboxId(String);

impl SandboxId {
    /// `None`: the text is not a valid id.
    pub(crate) fn new(id: &str) -> Option<Self> {
        is_sandbox_id(id).then(|| Self(id.to_owned()))
    }
}

impl Deref for SandboxId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Whether a text is a valid id: 1 to 64 of `A-Za-z0-9._-`. API keys are not valid, because the ids of
/// sandboxes are shown everywhere.
pub(crate) fn is_sandbox_id(id: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(right) && !looks_like_key(id)
}

/// The minimum number of letters and digits after `app-` in a key of the vendor.
pub(crate) const SHORTEST_KEY: usize = 20;

/// Whether a text looks like one of the vendor's keys: `app-` and at least 20 letters or digits.
pub(crate) fn looks_like_key(text: &str) -> bool {
    let rest = text.strip_prefix("app-").unwrap_or("");
    rest.len() >= SHORTEST_KEY && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Checks that a key can be sent in an `Authorization` header: visible ASCII, no space.
pub(crate) fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("an API key must not be empty".to_owned());
    }
    match key.chars().find(|c| !c.is_ascii_graphic() || *c == SANDBOX_MARK) {
        None => Ok(()),
        Some(SANDBOX_MARK) => Err(format!(
            "an API key must not contain `{SANDBOX_MARK}`, which separates a key from the id of a sandbox"
        )),
        Some(odd) => Err(format!(
            "an API key must be visible ASCII without spaces, got `{}`",
            odd.escape_debug()
        )),
    }
}
