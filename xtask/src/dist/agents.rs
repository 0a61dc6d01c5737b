//! The files for coding agents in the packages: the skill of `packaging/agents`, and the documents that it and
//! `llms.txt` link to.

use std::collections::BTreeMap;

use super::{source, text};

const FOLDER: &str = "packaging/agents";

/// The beginning of links from these files to files of the repository.
const ROOT: &str = "](../../";

/// The folder of the skill, named as the skill is. A linked document has the path there that it has in the
/// repository.
pub(super) const SKILL: &str = "skills/gptbots-mock";

/// The files by their paths in the folder of the skill.
pub(super) fn files() -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    for name in ["SKILL.md", "llms.txt"] {
        let text = text(&format!("{FOLDER}/{name}"))?;
        for link in text.split(ROOT).skip(1) {
            let path = link.split(')').next().expect("a split text has a first part");
            let bytes = source(path).map_err(|why| format!("{FOLDER}/{name} links to {why}"))?;
            files.insert(path.to_owned(), bytes);
        }
        files.insert(name.to_owned(), text.replace(ROOT, "](").into_bytes());
    }
    Ok(files)
}
