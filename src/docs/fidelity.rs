//! `docs/FIDELITY.md`: the page that a sceptical user reads first.

use std::fmt::Write as _;

use super::reference::trim;
use crate::contract::{READINGS, SUBJECTS, Statement, Status, statements};
use crate::report::Table;

/// Every statement of the contract with its source, its reading and the tests that hold it.
pub(super) fn fidelity_page() -> String {
    let all = statements();
    let count = |status: Status| all.iter().filter(|one| one.source.status == status).count();
    let mut out = BEFORE
        .replace("{all}", &all.len().to_string())
        .replace("{documented}", &count(Status::Documented).to_string())
        .replace("{seen}", &count(Status::Seen).to_string())
        .replace("{assumed}", &count(Status::Assumed).to_string());
    out.push_str("## Readings: where sources disagree\n\n");
    let mut table = Table::new(&["reading", "values, default first", "affects", "why it is open"]);
    for row in READINGS {
        let words: Vec<_> = row.values.iter().map(|(word, _)| *word).collect();
        table.row(&[row.name, &words.join(", "), row.affects, row.why]);
    }
    table.finish(&mut out);
    for (subject, title) in SUBJECTS {
        let of_subject = all.iter().filter(|one| one.subject() == *subject);
        let _ = writeln!(out, "## {title}\n");
        section(&mut out, of_subject);
    }
    trim(out)
}

fn section<'s>(out: &mut String, statements: impl Iterator<Item = &'s Statement>) {
    let head = ["statement", "what it says", "status", "source", "reading", "held by"];
    let mut table = Table::new(&head);
    for one in statements {
        let (reading, tests) = (one.reading.unwrap_or(""), format!("`{}`", one.test));
        let status = one.source.status.name();
        table.row(&[&one.id, &one.says, status, one.source.from, reading, &tests]);
    }
    table.finish(out);
}

const BEFORE: &str = "\
# Fidelity

How far can you trust an answer of the emulator? It is written from the vendor's public pages and
from public programs that call the real service. It was never compared with the service itself.
Everything that it believes is one of {all} statements, and each of them is

- **documented** ({documented}): a page of the vendor says it;
- **seen** ({seen}): a public client only makes sense if the real service does it;
- **assumed** ({assumed}): nobody outside the vendor knows. Do not rely on it; on what the emulator promises
  of itself you may.

Where sources disagree, or clients are known to care, the statement has a *reading*: a default and a
switch (`--reading NAME=VALUE`). Run your tests against each value that matters to you.

Each statement is held by tests with values typed from the pages, not derived from the tables that the
emulator itself runs on: `cargo test --test it -- MODULE::NAME`. To hold any server against the same
statements, the real one included, and to see which value of each reading it shows:

```sh
gptbots-mock verify --against URL --key KEY
```

";
