//! The vendor's hosts, which the emulator replaces.

use super::{Source, source};

/// A host of the vendor.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// The URL before the path; `{region}` is one of the regions.
    pub url: &'static str,
    /// The regions, the default first; empty if the URL has no region.
    pub regions: &'static [&'static str],
    /// Which host it is, in a few words.
    pub about: &'static str,
    /// Where it comes from.
    pub source: Source,
}

/// Every host that a vendor's page names.
pub const HOSTS: &[Host] = &[
    Host {
        url: "https://api-{region}.gptbots.ai",
        regions: &["sg", "jp", "th"],
        about: "with the region of the organization's data center",
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
        about: "used in the examples of both lists",
        source: source::LIST,
    },
];
