//! Records whose rows are named by their place in the walk without a hazard.

use std::ops::Range;

use gptbots_mock::contract::{Operation, QaTotal};
use gptbots_mock::{Server, ServerBuilder};
use serde_json::Value;

use crate::support::client::{Answer, get};
use crate::support::fixture::{agent, answer, build, question, talk};
use crate::support::walk::{LIST, MESSAGES, MESSAGES_V2, QA};

/// An endpoint that has pages: its query, the key of its rows, and of a row's own id.
pub(crate) struct Paged {
    pub(crate) operation: Operation,
    query: fn(u32) -> String,
    rows: &'static str,
    id: &'static str,
    /// Whether it refuses a page past the last one.
    pub(crate) refuses: bool,
    pub(crate) newest_first: bool,
}

pub(crate) const LISTS: [Paged; 4] = [
    Paged {
        operation: Operation::ConversationList,
        query: |rows| format!("{LIST}?conversation_type=ALL&start_time=1&end_time={rows}"),
        rows: "list",
        id: "conversation_id",
        refuses: false,
        newest_first: true,
    },
    Paged {
        operation: Operation::Messages,
        query: |rows| format!("{MESSAGES}?conversation_id=of-{rows}"),
        rows: "messages",
        id: "message_id",
        refuses: true,
        newest_first: false,
    },
    Paged {
        operation: Operation::MessagesV2,
        query: |rows| format!("{MESSAGES_V2}?conversation_id=of-{rows}"),
        rows: "conversation_content",
        id: "message_id",
        refuses: true,
        newest_first: true,
    },
    Paged {
        operation: Operation::QaRecords,
        query: |rows| format!("{QA}?user_feedback=ALL&start_time=1&end_time={rows}"),
        rows: "qa",
        id: "id",
        refuses: false,
        newest_first: false,
    },
];

/// Numbers of rows that tests ask for: those of a page of ten, and around two of them.
const NUMBERS: [u32; 8] = [1, 9, 10, 11, 19, 20, 21, 25];

/// Conversations of one pair at the times 1 to 25, so that a window holds as many as are asked
/// for, and one conversation of each of [`NUMBERS`] messages long after them.
pub(crate) fn records() -> ServerBuilder {
    let pair = |n: u32| {
        let n = i64::from(n);
        talk(&format!("c{n}"), &[question(&format!("q{n}"), n), answer(&format!("a{n}"), n)])
    };
    let long = |rows: u32| {
        let messages: Vec<_> =
            (0..rows).map(|n| answer(&format!("m{rows}-{n}"), 1000 + i64::from(n))).collect();
        talk(&format!("of-{rows}"), &messages)
    };
    let all: Vec<Value> = (1..=25).map(pair).chain(NUMBERS.map(long)).collect();
    build(&[agent("k", &all)]).reading(QaTotal::Present)
}

/// A page as a client sees it: the places of its rows, and what its `total` says.
#[derive(Debug, PartialEq)]
pub(crate) enum Page {
    Rows(Vec<usize>, u64),
    /// Refused with 40005.
    PastEnd,
}

pub(crate) fn page(rows: Range<usize>, total: u64) -> Page {
    Page::Rows(rows.collect(), total)
}

/// What an endpoint serves of so many rows.
pub(crate) struct Walk<'s> {
    server: &'s Server,
    paged: &'s Paged,
    query: String,
    /// The ids of all rows, without a hazard.
    ids: Vec<Value>,
}

impl<'s> Walk<'s> {
    #[track_caller]
    pub(crate) fn new(server: &'s Server, paged: &'s Paged, rows: u32) -> Self {
        let mut walk = Self { server, paged, query: (paged.query)(rows), ids: Vec::new() };
        let whole = walk.ask("plain", 1, 100);
        walk.ids = whole.rows(paged.rows).iter().map(|row| row[paged.id].clone()).collect();
        assert_eq!(walk.ids.len(), rows as usize, "{whole:?}");
        walk
    }

    #[track_caller]
    pub(crate) fn ask(&self, sandbox: &str, page: u64, size: u64) -> Answer {
        let target = format!("{}&page={page}&page_size={size}", self.query);
        get(self.server, &format!("k~{sandbox}"), &target)
    }

    /// A page by ten, in a sandbox.
    #[track_caller]
    pub(crate) fn page(&self, sandbox: &str, number: u64) -> Page {
        let answer = self.ask(sandbox, number, 10);
        let json = answer.json();
        if answer.status == 400 && json["code"] == 40005 {
            return Page::PastEnd;
        }
        let rows = answer.rows(self.paged.rows);
        let place = |row: &Value| {
            let place = self.ids.iter().position(|id| *id == row[self.paged.id]);
            place.unwrap_or_else(|| panic!("no row of the walk: {row}"))
        };
        Page::Rows(rows.iter().map(place).collect(), json["total"].as_u64().unwrap())
    }
}
