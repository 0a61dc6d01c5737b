//! The documents that are made from the program's tables. `cargo xtask docs` writes them into `docs/`,
//! and the program has the files; nothing else calls this.

mod control;
mod control_page;
mod faults;
mod fidelity;
mod hazards;
mod parts;
mod reference;
mod vendor;

/// Every derived file: its path in the repository, and what it holds.
#[must_use]
pub fn derived_files() -> Vec<(&'static str, String)> {
    vec![
        ("docs/openapi.json", vendor::openapi()),
        ("docs/admin-openapi.json", control::openapi()),
        ("docs/reference.md", reference::reference_page()),
        ("docs/FIDELITY.md", fidelity::fidelity_page()),
        ("docs/FAULTS.md", faults::faults_page()),
        ("docs/HAZARDS.md", hazards::hazards_page()),
        ("docs/CONTROL.md", control_page::control_page()),
    ]
}
