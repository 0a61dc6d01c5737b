//! `docs/CONTROL.md`.

use crate::control::{MOST_BODY, PREFIX, SETTINGS, operations};
use crate::report::Table;
use crate::sandbox::verdict::RULES;

/// The page on the control API, from its table of routes and the table of rules.
pub(super) fn control_page() -> String {
    let mut out = BEFORE.replace("MOST_BODY", &(MOST_BODY >> 20).to_string());
    let mut table = Table::new(&["method", "path", "query", "what"]);
    for operation in operations() {
        let names = operation.query.map_or(&[][..], |(names, _)| names);
        let query: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let path = format!("`{PREFIX}{}`", operation.path);
        table.row(&[operation.method, &path, &query.join(", "), operation.about]);
    }
    table.finish(&mut out);
    out.push_str(BEFORE_SETTINGS);
    let mut table = Table::new(&["key", "value"]);
    for row in &SETTINGS {
        let more = row.more.map(|page| format!(", see [{page}]({page})")).unwrap_or_default();
        table.row(&[&format!("`{}`", row.key), &(row.about.to_owned() + &more)]);
    }
    table.finish(&mut out);
    out.push_str(BEFORE_RULES);
    let mut table = Table::new(&["rule", "why it matters"]);
    for (_, name, why) in &RULES {
        table.row(&[&format!("`{name}`"), why]);
    }
    table.finish(&mut out);
    out.push_str(AFTER);
    out
}

const BEFORE: &str = "\
# The control API

Under `/__admin` stands what a test or a tool needs beside the vendor's endpoints. Every answer is
JSON (a verdict and events also otherwise); a failure is `{\"code\": <HTTP status>, \"message\": …}`, and
where a document is not right, `problems` lists every mistake with its line, column and help, and
nothing was changed. A body has at most MOST_BODY MiB.

It answers this machine only, or with `--admin-token` whoever sends
`Authorization: Bearer <token>`. `Host` must be a loopback name or one of `--allow-host`;
where the target is a whole URL, its host counts in place of `Host`. A request
that a browser marks as another origin's is refused, and there is no CORS: `Origin` must be `http://`
and what `Host` says, port included, and `Sec-Fetch-Site` must be `same-origin` or `none`.
`--no-admin` leaves all of it out but `health` and `version`. These two hold nothing secret and answer
every client, so a probe may use any name of the machine and needs no token.

";

const BEFORE_SETTINGS: &str = "
`reset`, `clock` and `faults` make a sandbox that is not there yet, as its first request would.
`sandbox=ID` narrows to one sandbox, `limit=N` to so many, `since=2026-10-20T09:00:00Z` to what came
later; `mute=RULE,RULE` leaves findings out. To ask the journal for a sandbox that is not there is 404,
with the nearest name. Where `meta.dropped` is not 0, the journal had to drop requests, and a count of
them may be too low.

[admin-openapi.json](admin-openapi.json) says all of this to programs, with the schema of every body
and answer.

## A sandbox

`PUT /__admin/sandboxes/ID` takes any of these; what is left out is as the server was started.

";

const BEFORE_RULES: &str = "
A sandbox that was not used for an hour ends, and with 10,000 of them the one that was used least
recently does; never one that has a request in flight. The default one, `default`, stays.

## The verdict

What a client did wrong though it got answers. Each finding names its rule, says what was done, and
points at its requests by their number in the journal, their method and their target. It goes by
every request since the server began, not only by those that the journal still has. A sandbox that
ended though nobody asked, and was made anew by a later request, has no verdict of its own (404): it
would be on a part of its requests. The verdict of the server has all of them.

";

const AFTER: &str = "
Walks are judged by how often each page was fetched, not by the order, so workers may share one. A
walk that goes on behind page 1 is expected to reach the last one, unless a failure stopped it; page 1
alone is no walk. A walk is one query: a window or a `page_size` that changes from page to page makes
another of each. A client that stops when it has found what it looked for, or goes on where it ended
yesterday, is right and looks like one that is not: mute `stopped-early` or `skipped-page` for it.

Nobody is held to an answer that went to another connection which is still open: workers do not know
of each other's answers. Of `Retry-After` only the same request is looked at, and a 4xx counts as
repeated when nothing else came between. Nothing is found against a client for what a fault made it
do. That an answer was not read is told by the connection's end: a client that resets a connection
after it has read everything looks the same. Where the journal had dropped the request by then, the
answer counts as unread whatever it was.

A suite of negative tests sends requests to paths that are no endpoint's on purpose: mute
`unknown-endpoint` for it. What browsers, crawlers and probes ask for (`/`, `/favicon.ico`,
`/robots.txt`, `/.well-known/…`) is no finding. `no-request` is found where something ends: by `exec`, and
by `assert_clean` in Rust.

Coverage counts what of the contract the requests met: an answer of each endpoint, its codes, the
values of its filters, the edges of its paging, and each fault that was set.
";
