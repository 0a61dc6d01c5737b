//! `gptbots-mock readings`.

use std::fmt::Write as _;

use crate::contract::READINGS;

/// The readings, each with its values and the reason why it is uncertain.
pub(super) fn page() -> String {
    let mut out = String::from(
        "Behaviours that are uncertain, because the sources are silent or disagree. Change one with\n\
         --reading NAME=VALUE. The first value is the default.\n",
    );
    for row in READINGS {
        let _ = writeln!(out, "\n{}   ({})", row.name, row.affects);
        for (word, about) in row.values {
            let _ = writeln!(out, "  {word:14}{}", about.trim());
        }
        let _ = writeln!(out, "  uncertain because {}", row.why);
    }
    out
}
