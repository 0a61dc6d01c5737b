//! The same settings give the same bytes on every machine and in every process. Tests
//! `emulator.same-bytes`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use gptbots_mock::contract::{AnonymousId, QaTime};
use gptbots_mock::{Server, ServerBuilder};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::client::Connection;
use crate::support::process::Process;
use crate::support::walk::{
    MESSAGES, MESSAGES_V2, Whole, connection, messages, number, pages, rows, text, whole,
    whole_list, whole_qa,
};

const SEEDS: [u64; 3] = [1, 2, u64::MAX];

/// A server that shows everything it knows.
fn full(seed: u64, conversations: u32) -> ServerBuilder {
    let builder = Server::builder().seed(seed).conversations(conversations);
    builder.reading(AnonymousId::Present).reading(QaTime::Milliseconds)
}

/// SHA-256 over the length and the bytes of every response of a walk.
fn hash(at: &mut Connection) -> String {
    let mut hash = Sha256::new();
    let mut walk = |at: &mut Connection, target: &str| {
        for answer in pages(at, target, 100) {
            hash.update(u64::try_from(answer.body.len()).unwrap().to_le_bytes());
            hash.update(answer.body);
        }
    };
    walk(at, &whole_list());
    let list = rows(at, &whole_list(), 100);
    for path in [MESSAGES, MESSAGES_V2] {
        for row in &list {
            walk(at, &messages(path, text(row, "conversation_id")));
        }
    }
    walk(at, &whole_qa());
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// A change of the generator is a breaking change. `UPDATE=1` writes the file again.
#[test]
fn generated_bytes_are_those_of_the_first_release() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/api/generated.txt");
    let lines = SEEDS.map(|seed| {
        let server = full(seed, 1000).start().unwrap();
        format!("{seed} {}\n", hash(&mut connection(&server)))
    });
    let now = lines.concat();
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(now, golden, "got:\n{now}\nin {}:\n{golden}", path.display());
}

#[test]
fn the_first_conversations_are_the_same_for_any_number() {
    let many = whole(&mut connection(&full(4, 1000).start().unwrap()));
    for conversations in [1, 50, 200] {
        let few = whole(&mut connection(&full(4, conversations).start().unwrap()));
        let ids: BTreeSet<_> = few.list.iter().map(|row| text(row, "conversation_id")).collect();
        assert_eq!(ids.len(), usize::try_from(conversations).unwrap());
        let kept = |row: &Value, key| ids.contains(text(row, key));
        let mut part = Whole { list: Vec::new(), v1: Vec::new(), v2: Vec::new(), qa: Vec::new() };
        let messages = many.v1.iter().zip(&many.v2);
        for (row, (v1, v2)) in many.list.iter().zip(messages) {
            if kept(row, "conversation_id") {
                part.list.push(row.clone());
                part.v1.push(v1.clone());
                part.v2.push(v2.clone());
            }
        }
        part.qa = many.qa.iter().filter(|row| kept(row, "convo_id")).cloned().collect();
        assert!(few == part, "the first {conversations} differ");
    }
}

/// Adds to every time, and asserts that there is one in every row.
fn shift(whole: &mut Whole, by_ms: i64) {
    let messages = whole.v1.iter_mut().chain(&mut whole.v2).flatten();
    let rows = (whole.list.iter_mut().map(|row| (row, "recent_chat_time")))
        .chain(whole.qa.iter_mut().map(|row| (row, "q_time")))
        .chain(messages.map(|row| (row, "create_time")));
    for (row, key) in rows {
        row[key] = (number(row, key) + by_ms).into();
    }
}

#[test]
fn another_last_day_moves_every_time_and_nothing_else() {
    let of = |builder: ServerBuilder| whole(&mut connection(&builder.start().unwrap()));
    let default = of(full(6, 100));
    for (day, days) in [("2025-10-20", 0), ("2025-10-21", 1), ("2024-02-29", -599)] {
        let mut expected = default.clone();
        shift(&mut expected, days * 86_400_000);
        let moved = of(full(6, 100).now(day.parse().unwrap()));
        assert!(moved == expected, "{day}");
    }
}

#[test]
fn another_seed_gives_other_records() {
    let walks: Vec<Whole> = [0, 1, 2, 1 << 32, u64::MAX - 1, u64::MAX]
        .map(|seed| whole(&mut connection(&full(seed, 40).start().unwrap())))
        .into();
    for (place, a) in walks.iter().enumerate() {
        for b in &walks[..place] {
            for key in ["conversation_id", "bot_id"] {
                let values = |whole: &Whole| -> BTreeSet<String> {
                    whole.list.iter().map(|row| text(row, key).to_owned()).collect()
                };
                assert!(values(a).is_disjoint(&values(b)), "{key}");
            }
            let times = |whole: &Whole| -> BTreeSet<i64> {
                whole.list.iter().map(|row| number(row, "recent_chat_time")).collect()
            };
            assert!(times(a).intersection(&times(b)).count() <= 1);
            let texts = |whole: &Whole| -> Vec<String> {
                whole.qa.iter().take(10).map(|row| text(row, "q").to_owned()).collect()
            };
            assert_ne!(texts(a), texts(b));
        }
    }
}

#[test]
fn two_processes_and_the_library_give_the_same_bytes() {
    let (_first, first) = Process::serve(&["--seed", "5"]);
    let (_second, second) = Process::serve(&["--seed", "5"]);
    let server = Server::builder().seed(5).start().unwrap();
    let mut all = [first, second, server.address()].map(|at| Connection::open(at, "app-demo"));
    let list = all[0].get(&format!("{}&page=1&page_size=100", whole_list())).rows("list");
    let mut targets = vec![whole_list(), whole_qa()];
    for row in &list[..10] {
        targets.extend([MESSAGES, MESSAGES_V2].map(|p| messages(p, text(row, "conversation_id"))));
    }
    for target in targets {
        let target = format!("{target}&page=1&page_size=50");
        let [a, b, c] = all.each_mut().map(|at| at.get(&target).ok().body.clone());
        assert_eq!(a, b, "two processes differ: {target}");
        assert_eq!(a, c, "process and library differ: {target}");
    }
}
