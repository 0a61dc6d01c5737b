//! Makes the documents that are derived from the program's tables. `cargo xtask docs` writes them into the
//! files of the repository, and the program embeds these files.

mod config;
mod control;
mod fault;
mod pages;
mod parts;
mod schema;
mod vendor;

use std::path::Path;

/// Every file with derived content: its path in the repository, and its content. A page is read from the
/// repository, and its blocks are filled.
///
/// # Errors
///
/// If a page cannot be read, or has a block with an unknown name.
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
