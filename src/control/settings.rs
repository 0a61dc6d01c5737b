//! The settings of a sandbox that `PUT` takes.

/// A setting of a sandbox.
#[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "only documents show some of it"))]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) about: &'static str,
    /// The page of `docs/` that says more.
    pub(crate) more: Option<&'static str>,
}

const fn row(key: &'static str, about: &'static str) -> Setting {
    Setting { key, about, more: None }
}

/// Every setting of a sandbox.
pub(crate) const SETTINGS: [Setting; 8] = [
    row(
        "seed",
        "what generated records and faults are drawn from, 0 to 2^64 - 1. Records of its own take \
         memory: 50 to 160 KiB for 200 conversations; sandboxes with the same seed share them",
    ),
    row("conversations", "how many agent *demo* has, up to 10,000,000"),
    row("fixtures", "agents in place of the server's, as in a fixture file: `{\"agents\": [...]}`"),
    row("readings", "by name: `{\"qa-time\": \"milliseconds\"}`"),
    Setting { more: Some("FAULTS.md"), ..row("faults", "a list of lines or objects") },
    row("rate_limit", "`{\"requests\": 60, \"seconds\": 60}`, `\"60/60\"` or `null`"),
    Setting { more: Some("HAZARDS.md"), ..row("hazards", "a list of words") },
    row("clock", "`\"real\"` or `\"frozen\"`"),
];
