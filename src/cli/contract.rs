//! `gptbots-mock contract`

/// What it prints.
pub(super) fn page() -> String {
    crate::contract::reference_page()
}
