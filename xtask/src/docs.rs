//! Writes the derived documents, or compares them with the committed ones.

use std::fs;
use std::path::{Path, PathBuf};

use gptbots_mock::derived_files;

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// The files that differ from what the program generates, each with the generated content.
fn outdated() -> Result<Vec<(PathBuf, String)>, String> {
    let mut files = Vec::new();
    for (path, content) in derived_files(root())? {
        let path = root().join(path);
        if fs::read_to_string(&path).ok().as_ref() != Some(&content) {
            files.push((path, content));
        }
    }
    Ok(files)
}

/// Writes every document that is outdated, and prints its path.
pub(crate) fn write() -> Result<(), String> {
    for (path, content) in outdated()? {
        fs::write(&path, content).map_err(|why| format!("{}: {why}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Fails for the first outdated document, and shows the first line that differs.
pub(crate) fn check() -> Result<(), String> {
    let Some((path, content)) = outdated()?.into_iter().next() else { return Ok(()) };
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let same = committed.lines().zip(content.lines()).take_while(|(old, new)| old == new).count();
    let [old, new] = [&committed, &content].map(|text| text.lines().nth(same).unwrap_or("the end"));
    let path = path.display();
    Err(format!(
        "{path} is outdated; `cargo xtask docs` generates it. The first difference is in line {}:\n\
         file:    {old}\nprogram: {new}",
        same + 1
    ))
}
