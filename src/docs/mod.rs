//! What is derived from the program's tables. `cargo xtask docs` writes it into the files of the
//! repository, and the program embeds the files; nothing else calls this.

mod config;
mod control;
mod fault;
mod pages;
mod parts;
mod schema;
mod vendor;

use std::path::Path;

/// Every file with something derived in it: its path in the repository, and what it holds. A page
/// is read from there, and its blocks are filled.
///
/// # Errors
///
/// Says which page cannot be read, or has a block that is not known.
pub fn derived_files(repository: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let mut files = vec![
        ("docs/openapi.json", vendor::openapi()),
        ("docs/admin-openapi.json", control::openapi()),
        ("docs/config.schema.json", config::schema()),
    ];
    for path in pages::PAGES {
        let page = std::fs::read_to_string(repository.join(path)).map_err(|why| why.to_string());
        let filled = page.and_then(|page| pages::fill(&page));
        files.push((path, filled.map_err(|why| format!("{path}: {why}"))?));
    }
    Ok(files)
}
