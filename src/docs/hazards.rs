//! `docs/HAZARDS.md`.

use crate::report::Table;
use crate::sandbox::hazard::HAZARDS;

/// The page on hazards, from their table.
pub(super) fn hazards_page() -> String {
    let mut out = String::from(PAGE);
    let mut table = Table::new(&["hazard", "what happens", "is the vendor known to do it?"]);
    for row in &HAZARDS {
        table.row(&[&format!("`{}`", row.word), row.about, row.vendor]);
    }
    table.finish(&mut out);
    out
}

const PAGE: &str = "\
# Paging hazards

What can happen to a client while it walks through pages. Each is off by default. Each depends on
the number of the page alone: page 1 is seen *before* something happens and every later page *after*
it, so that any walk meets it, alone or beside others, and meets it again when it is repeated.

Switch one on for all endpoints, or for one of `conversations`, `messages`, `messages-v2`, `qa`:

```sh
gptbots-mock --hazard arrival --hazard qa:short-page
```

In the control API: `{\"hazards\": [\"arrival\", \"qa:short-page\"]}` as part of
`PUT /__admin/sandboxes/ID`. In Rust: `sandbox.hazard(Hazard::Arrival)`. Several at once add up; a
departure and a repeated row, or a departure and an arrival newest first, cancel each other out.

";
