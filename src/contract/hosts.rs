//! The vendor's hosts, which the emulator replaces.

use super::{Source, source};

/// A host of the vendor's.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// The URL before the path; `{region}` is one of the regions.
    pub url: &'static str,
    /// The regions, the default first; none where the URL names none.
    pub regions: &'static [&'static str],
    /// Which one it is.
    pub about: &'static str,
    /// Where it comes from.
    pub source: Source,
}

/// Every host that a page names.
pub const HOSTS: &[Host] = &[
    Host {
        url: "https://api-{region}.gptbots.ai",
        regions: &["sg", "jp", "th"],
        about: "by the region of the organization's data center",
        source: source::OVERVIEW,
    },
    Host {
        url: "https://api.gptbots.ai",
        regions: &[],
        about: "without a region: Singapore",
        source: source::OVERVIEW,
    },
    Host {
        url: "https://altatech.ai",
        regions: &[],
        about: "as the examples of both lists have it",
        source: source::LIST,
    },
];
