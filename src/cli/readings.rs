//! `gptbots-mock readings`.

use std::fmt::Write as _;

use crate::contract::READINGS;

/// The readings, each with its values and the reason why it is open.
pub(super) fn page() -> String {
    let mut out = String::from(
        "Behaviours on which sources disagree. Switch one with --reading NAME=VALUE; the first\n\
         value is the default.\n",
    );
    for row in READINGS {
        let _ = writeln!(out, "\n{}   ({})", row.name, row.affects);
        for (word, about) in row.values {
            let _ = writeln!(out, "  {word:14}{}", about.trim());
        }
        let _ = writeln!(out, "  open because {}", row.why);
    }
    out
}
