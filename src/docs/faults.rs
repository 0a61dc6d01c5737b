//! `docs/FAULTS.md`.

use crate::contract::ENDPOINTS;
use crate::report::Table;
use crate::sandbox::faults::KEYS;

/// The page on faults, from the table of their keys.
pub(super) fn faults_page() -> String {
    let mut out = String::from(BEFORE);
    let mut table = Table::new(&["key", "takes", "does"]);
    for (key, takes, does) in &KEYS {
        table.row(&[&format!("`{key}`"), takes, does]);
    }
    table.finish(&mut out);
    let operations: Vec<_> = ENDPOINTS.iter().map(|row| format!("`{}`", row.id)).collect();
    out.replace("OPERATIONS", &operations.join(", ")) + AFTER
}

const BEFORE: &str = "\
# Faults, rate limits and the clock

A fault is a failure on demand: what goes wrong, for which operations, and when. The same line
stands everywhere:

| where | how |
| --- | --- |
| command line | `--fault 'messages:code=50000,every=3'`, as often as needed |
| variable | `GPTBOTS_MOCK_FAULT='messages:code=50000,every=3;qa:delay=200'`, by semicolons |
| config file | `{\"fault\": [\"messages:code=50000,every=3\"]}` |
| control API | `{\"faults\": [\"messages:code=50000,every=3\"]}` in `PUT /__admin/sandboxes/ID`; one more by `POST /__admin/sandboxes/ID/faults` |
| Rust | `Fault::code(Code::Internal).on(Operation::Messages).every(3)`, or `\"messages:code=50000,every=3\".parse()` |

In JSON an object says the same:
`{\"operation\": \"messages\", \"code\": 50000, \"every\": 3}`; `operation` may be a list.

Before the colon stand the operations that it covers, joined by `+`: OPERATIONS. Without them it
covers all, a code those that answer it. Behind the colon:

";

const AFTER: &str = "
`code`, `status` and the bodies go with `delay` and `drip`, and `retry_after` goes with `code` and
`status`; a connection that breaks has no answer
to change, but may break late.

## Which request is struck

A fault looks at the requests that it covers, in the order in which they come: `after` leaves the
first ones alone, `every` takes every so-many-th of the others, `probability` draws, and `times`
ends it. Where several strike the same request, the first of the list does; the others count it all
the same. A fault comes before the key is looked at, so a wrong key meets it, too; a path or a
method that there is not does not.

Whatever is drawn is a function of the seed, the sandbox, the fault's id, the operation, and the
number of the request among those of its operation in its sandbox. So two runs of a suite meet the
same faults, whatever other sandboxes do meanwhile. Only where requests of *one* sandbox race each
other does the race decide which of them is the third.

A faulted answer names what struck it in `x-mock-fault: ID.OPERATION.NUMBER`. Sent back as
`Prefer: fault=ID.OPERATION.NUMBER`, it happens again, with the same draws.

## What it is on the wire

| fault | what comes | `curl` | Python's `http.client` | Node's `fetch` |
| --- | --- | --- | --- | --- |
| `break=reset` | a TCP reset, no byte of an answer | exit 56, `Recv failure: Connection reset by peer` | `ConnectionResetError` | `TypeError: fetch failed`, cause `ECONNRESET` |
| `break=no-answer` | nothing, until the client goes | exit 28 with `--max-time` | `TimeoutError` with `timeout=` | `TimeoutError` with `AbortSignal.timeout` |
| `body=empty` | 200, `content-length: 0` | exit 0, no bytes | `b''` | `SyntaxError` from `.json()` |
| `body=truncated` | the full `content-length`, half of the body, then the end | exit 18, `transfer closed with … bytes remaining` | `IncompleteRead` | `TypeError: terminated`, cause `other side closed` |
| `body=garbage` | 200, as many bytes, neither JSON nor UTF-8 | exit 0 | `UnicodeDecodeError` when decoded | `SyntaxError` from `.json()` |
| `drip=100` | the true answer, 100 bytes of the body a second | exit 28 with a short `--max-time` | `TimeoutError` where a pause is longer than `timeout=` | `TimeoutError` with `AbortSignal.timeout` |

A delay holds no thread, and ends when the client goes: a client that closes even one direction of
its connection while it waits has gone.

## On one request

`Prefer` (RFC 7240) asks for a fault on one request: `Prefer: code=40356`, `Prefer: status=503`,
`Prefer: delay=2000`, or several together: `Prefer: code=50000, delay=2000`,
`Prefer: status=503, retry_after=5`. The answer says in
`Preference-Applied` what was met. A preference of these that cannot be met is ignored, as the RFC
asks, and `x-mock-reason` says why. A request that asks gets what it asks for, and no other fault.

## Rate limit and clock

`--rate-limit 60/60`, or `{\"rate_limit\": {\"requests\": 60, \"seconds\": 60}}` of a sandbox: so many
requests of each key in so many seconds. One more gets 429 with code 40008, and `Retry-After` says
after how many seconds a request is admitted. A window begins with the first request after the last
window ended; what is refused does not count. The limit is looked at behind the key and before
everything else. It is off by default: the vendor's pages name the code and no numbers.

The window is of the sandbox's clock, which counts from when the sandbox was made.
`POST /__admin/sandboxes/ID/clock` with `{\"advance_ms\": 60000}` moves it on, `{\"mode\": \"frozen\"}`
stops it and `{\"mode\": \"real\"}` lets it go on. `{\"clock\": \"frozen\"}` in `PUT` begins with a clock
that stands at zero. Records do not move with it.
";
