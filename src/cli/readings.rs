//! `gptbots-mock readings`

/// What it prints.
pub(super) fn page() -> String {
    crate::contract::readings_page()
}
