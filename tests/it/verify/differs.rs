//! `gptbots-mock verify` against servers that break the contract: each statement that can hold is
//! broken alone once, and `verify` reports that it differs, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use gptbots_mock::Server;
use gptbots_mock::contract::{PagePastEnd, QaTime, SUBJECTS};
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::fixture::{KEY, agent, answer, build, question, silent, talk, with};
use crate::support::folder::Folder;
use crate::support::process::{Process, command, run};
use crate::verify::breaks;
use crate::verify::proxy::{Asked, Breaking, Upstream};

const EDGE: &str = include_str!("../../../fixtures/edge.json");

/// What is behind the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum World {
    /// The built-in agent.
    Demo,
    /// The agent of the vendor's examples.
    Examples,
    /// The agents of `fixtures/edge.json`.
    Edge,
    EdgeSecond,
    EdgeEmpty,
    /// The first of them where Q&A times are in milliseconds.
    EdgeMillis,
    /// Three conversations, with what none of the others has: a user whose id has a space, and
    /// questions of the same millisecond. The keys are those of the built-in agents.
    Small,
    /// The same, where a page past the end is an error everywhere.
    Strict,
}

impl World {
    const ALL: [Self; 8] = [
        Self::Demo,
        Self::Examples,
        Self::Edge,
        Self::EdgeSecond,
        Self::EdgeEmpty,
        Self::EdgeMillis,
        Self::Small,
        Self::Strict,
    ];

    /// The key of an agent, and that of a deleted one.
    pub(crate) fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Demo | Self::Small | Self::Strict => ("app-demo", "app-deleted"),
            Self::Examples => ("your_apikey", "app-deleted"),
            Self::Edge | Self::EdgeMillis => ("app-edge", "app-edge-deleted"),
            Self::EdgeSecond => ("app-edge-second", "app-edge-deleted"),
            Self::EdgeEmpty => ("app-edge-empty", "app-edge-deleted"),
        }
    }

    pub(crate) fn upstream(self) -> Upstream {
        static BUILT_IN: OnceLock<Server> = OnceLock::new();
        static EDGES: OnceLock<Server> = OnceLock::new();
        static SMALL: OnceLock<Server> = OnceLock::new();
        static MILLIS: OnceLock<Server> = OnceLock::new();
        static STRICT: OnceLock<Server> = OnceLock::new();
        let server = match self {
            Self::Demo | Self::Examples => BUILT_IN.get_or_init(|| Server::start().unwrap()),
            Self::EdgeMillis => MILLIS.get_or_init(|| {
                Server::builder().fixture(EDGE).reading(QaTime::Milliseconds).start().unwrap()
            }),
            Self::Small => {
                SMALL.get_or_init(|| build(&small()).reading(QaTime::Milliseconds).start().unwrap())
            }
            Self::Strict => {
                let strict = || build(&small()).reading(PagePastEnd::Error);
                STRICT.get_or_init(|| strict().start().unwrap())
            }
            _ => EDGES.get_or_init(|| Server::builder().fixture(EDGE).start().unwrap()),
        };
        Upstream(server.address())
    }
}

fn small() -> [Value; 2] {
    let pair = |name: &str, time: i64| {
        let question = question(&format!("q-{name}"), time);
        [question, answer(&format!("a-{name}"), time + 1500)]
    };
    let two = |id: &str, time: i64| {
        let [one, other] = ["1", "2"].map(|place| format!("{id}{place}"));
        let mut messages = [pair(&one, time), pair(&other, time + 3500)].concat();
        messages[1]["feedback"] = "GOOD".into();
        with(talk(id, &messages), "user_id", "Ana María")
    };
    let conversations = [
        two("new", 1_760_950_800_123),
        two("tie", 1_760_950_800_123),
        two("old", 1_760_000_000_456),
    ];
    let deleted = with(agent("app-deleted", &[]), "deleted", true);
    [agent("app-demo", &conversations), with(deleted, "name", "gone")]
}

/// A way to break the contract.
pub(crate) struct Break {
    /// In a few words.
    pub(crate) how: String,
    pub(crate) world: World,
    /// The statements that are broken by it.
    pub(crate) breaks: Vec<String>,
    /// The text about each of them contains one of these.
    pub(crate) words: &'static [&'static str],
    pub(crate) between: Arc<crate::verify::proxy::Between>,
}

/// A row of a table of these, over the built-in agent.
pub(crate) fn row(
    how: impl Into<String>,
    breaks: &[&str],
    words: &'static [&'static str],
    between: impl Fn(&Asked, Upstream) -> Answer + Send + Sync + 'static,
) -> Break {
    let breaks = breaks.iter().map(|one| (*one).to_owned()).collect();
    Break { how: how.into(), world: World::Demo, breaks, words, between: Arc::new(between) }
}

impl Break {
    pub(crate) fn over(mut self, world: World) -> Self {
        self.world = world;
        self
    }
}

/// What a run reported.
struct Found {
    code: i32,
    report: Value,
    text: String,
}

impl Found {
    fn by(url: &str, key: &str, deleted: Option<&str>, name: &str) -> Self {
        let directory = Folder::new();
        let file = directory.join("x.json");
        let mut args = vec!["verify", "--against", url, "--key", key, "--max-requests", "300"];
        args.extend(["--per-minute", "1000000", "--report", file.to_str().unwrap()]);
        if let Some(deleted) = deleted {
            args.extend(["--deleted-key", deleted]);
        }
        let ended = run(&mut command(&args));
        assert!(!ended.stderr.contains("panicked"), "{name}: {}", ended.stderr);
        let report = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        Self { code: ended.code, report, text: ended.stdout }
    }

    /// The statements of which something was found: what came, by id.
    fn statements(&self, found: &str) -> BTreeMap<String, String> {
        let all = self.report["statements"].as_array().unwrap().iter();
        let found = all.filter(|one| one["found"] == found);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        found.map(|one| (text(&one["id"]), text(&one["came"]))).collect()
    }

    /// Whether the text says of each of some statements what was asked, expected and came, and where that
    /// is documented, and of none its id.
    fn explains(&self, differs: &BTreeMap<String, String>) -> Result<(), String> {
        let blocks: Vec<&str> =
            self.text.split("\n\n").filter(|block| block.starts_with("differs: ")).collect();
        if blocks.len() != differs.len() {
            return Err(format!("{} blocks for {differs:?}: {}", blocks.len(), self.text));
        }
        for one in self.report["statements"].as_array().unwrap() {
            let [id, says, status, source] =
                ["id", "says", "status", "source"].map(|key| one[key].as_str().unwrap());
            if self.text.split_whitespace().any(|word| word.trim_matches(['(', ')', ':']) == id) {
                return Err(format!("the id {id} in {}", self.text));
            }
            let Some(came) = differs.get(id) else { continue };
            let rest = format!("{says}\n  got:      {came}\n  source:   {status}: {source}");
            let is_of = |block: &&&str| block.trim_end().ends_with(&rest);
            let Some(block) = blocks.iter().find(is_of) else {
                return Err(format!("no block says {rest}: {}", self.text));
            };
            // The statements of an endpoint are shown by requests to it.
            let (_, title) =
                SUBJECTS.iter().find(|(subject, _)| id.split('.').next() == Some(subject)).unwrap();
            let asked = if title.starts_with("GET ") { title } else { "" };
            if !block.contains(&format!("\n  request:  {asked}")) {
                return Err(format!("{id} does not say what was asked: {block}"));
            }
        }
        Ok(())
    }

    /// Asserts that nothing differs, and that there is a reason for everything that is unknown.
    #[track_caller]
    fn is_clean(&self, name: &str) {
        assert_eq!(self.code, 0, "{name}: {}", self.text);
        assert_eq!(self.report["differs"], 0, "{name}: {}", self.text);
        assert!(self.report["requests"].as_u64().unwrap() <= 125, "{name}: {}", self.text);
        for reading in self.report["readings"].as_array().unwrap() {
            let told = reading["shows"].is_string() || !reading["why"].as_str().unwrap().is_empty();
            assert!(told, "{name}: {reading}");
        }
        for (id, why) in self.statements("not tried") {
            assert!(!why.is_empty(), "{name}: {id}");
        }
    }
}

/// The texts and numbers of records, but for those that are the contract's words.
fn values(bodies: &[String]) -> BTreeSet<String> {
    fn collect(value: &Value, all: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(all.insert(text.clone())),
            Value::Number(number) if number.is_i64() => drop(all.insert(number.to_string())),
            Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
            Value::Object(pairs) => {
                let words = ["conversation_type", "convo_type", "user_feedback", "feedback"];
                let public = ["message_type", "role", "type", "total", "message", "code"];
                let counts = ["message_count", "cost_credit"];
                let known = [&words[..], &public[..], &counts[..]].concat();
                let private = pairs.iter().filter(|(name, _)| !known.contains(&name.as_str()));
                private.for_each(|(_, value)| collect(value, all));
            }
            _ => {}
        }
    }
    let mut all = BTreeSet::new();
    for body in bodies {
        let value: Value = serde_json::from_str(body).unwrap_or_default();
        collect(&value, &mut all);
    }
    all.retain(|text| text.len() >= 4);
    all
}

/// Runs every row of a table, two at a time, and reports all failures together.
#[track_caller]
pub(crate) fn differ(name: &str, table: Vec<Break>) {
    let (rows, wrong) = (Mutex::new(table.into_iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((number, row)) = rows.lock().unwrap().next() else { break };
                    if let Err(why) = told(&row, &format!("{name}-{number}")) {
                        wrong.lock().unwrap().push(format!("{}: {why}", row.how));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a run reports exactly the statements that a row breaks, in a text that people understand.
fn told(row: &Break, name: &str) -> Result<(), String> {
    let proxy = Breaking::new(row.world.upstream().0, Arc::clone(&row.between));
    let (key, deleted) = row.world.keys();
    let found = Found::by(&proxy.url(), key, Some(deleted), name);
    let differs = found.statements("differs");
    let expected: BTreeSet<&str> = row.breaks.iter().map(String::as_str).collect();
    let ids: BTreeSet<&str> = differs.keys().map(String::as_str).collect();
    if found.code != 6 || ids != expected {
        return Err(format!("exit {}, expected {expected:?}, but {differs:?}", found.code));
    }
    if let Some((id, came)) =
        differs.iter().find(|(_, came)| !row.words.iter().any(|word| came.contains(word)))
    {
        return Err(format!("{id} is told as {came:?}, without any of {:?}", row.words));
    }
    found.explains(&differs)?;
    let private = values(&proxy.bodies());
    for line in found.text.lines().filter_map(|line| line.strip_prefix("  request:  ")) {
        let line = line.replace("=9999999999999&", "=&");
        if let Some(value) = private.iter().find(|value| line.contains(value.as_str())) {
            return Err(format!("{line:?} holds {value:?} of a record"));
        }
    }
    for came in differs.values() {
        if let Some(value) = private.iter().find(|value| came.contains(value.as_str())) {
            return Err(format!("{came:?} holds {value:?} of a record"));
        }
    }
    Ok(())
}

fn unbroken(world: World) -> Found {
    let (key, deleted) = world.keys();
    let url = format!("http://{}", world.upstream().0);
    Found::by(&url, key, Some(deleted), &format!("unbroken-{world:?}"))
}

/// What no break can show, and why.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "messages.first",
    "it permits something: a conversation that begins with an ANSWER shows it, no answer denies it",
)];

#[test]
fn every_statement_that_holds_somewhere_is_broken_by_a_row() {
    let mut holds = BTreeSet::new();
    for world in World::ALL {
        holds.extend(unbroken(world).statements("holds").into_keys());
    }
    let broken: BTreeSet<String> = breaks::all().into_iter().flat_map(|row| row.breaks).collect();
    let excepted: BTreeSet<String> = EXCEPTIONS.iter().map(|(id, _)| (*id).to_owned()).collect();
    let missing: Vec<_> = holds.difference(&broken).filter(|id| !excepted.contains(*id)).collect();
    assert!(missing.is_empty(), "no row breaks {missing:?}");
    let idle: Vec<_> = excepted.intersection(&broken).collect();
    assert!(idle.is_empty(), "no exceptions any more: {idle:?}");
}

#[test]
fn nothing_differs_over_records_that_clients_trip_over() {
    for world in World::ALL {
        unbroken(world).is_clean(&format!("{world:?}"));
    }
}

#[test]
fn nothing_differs_however_many_conversations_there_are() {
    for conversations in [1, 2, 3, 50, 5000] {
        let server = Server::builder().conversations(conversations).start().unwrap();
        let name = format!("{conversations}-conversations");
        Found::by(server.url(), "app-demo", Some("app-deleted"), &name).is_clean(&name);
    }
}

#[test]
fn nothing_differs_where_there_is_next_to_nothing_or_one_long_conversation() {
    let long: Vec<Value> = (0..150)
        .map(|number| {
            let (id, time) = (format!("m{number}"), 1_760_950_800_000 + number * 700);
            if number % 2 == 0 { question(&id, time) } else { answer(&id, time) }
        })
        .collect();
    let one = [question("only", 1_760_950_800_000)];
    let mut rated = long.clone();
    rated.iter_mut().skip(1).step_by(4).for_each(|answer| answer["feedback"] = json!("GOOD"));
    for (name, conversations) in [
        ("nothing", vec![]),
        ("silent", vec![silent("c", "u", "API", 1_760_950_800_000)]),
        ("one-message", vec![talk("c", &one)]),
        ("one-long", vec![talk("c", &long)]),
        ("one-long-and-rated", vec![talk("c", &rated)]),
    ] {
        let server = build(&[agent(KEY, &conversations)]).start().unwrap();
        Found::by(server.url(), KEY, None, name).is_clean(name);
    }
}

/// The readings of the emulator are readings, not differences.
#[test]
fn nothing_differs_under_any_reading() {
    for row in gptbots_mock::contract::READINGS {
        for (value, _) in &row.values[1..] {
            let reading = format!("{}={value}", row.name);
            let (_server, address) =
                Process::serve(&["--reading", &reading, "--conversations", "3"]);
            let url = format!("http://{address}");
            let found = Found::by(&url, "app-demo", Some("app-deleted"), &reading);
            found.is_clean(&reading);
            assert_eq!(found.report["flags"], json!([format!("--reading {reading}")]), "{reading}");
        }
    }
}

/// Rows without a single right value: every key is reported, and nothing panics.
#[test]
fn rows_of_nothing_but_nulls_are_reported_key_by_key() {
    let nulls = |asked: &Asked, upstream: Upstream| {
        let mut answer = upstream.ask(asked);
        let Ok(mut value) = serde_json::from_str::<Value>(&answer.body) else { return answer };
        for rows in value.as_object_mut().unwrap().values_mut().filter_map(Value::as_array_mut) {
            for pairs in rows.iter_mut().filter_map(Value::as_object_mut) {
                pairs.values_mut().for_each(|value| *value = Value::Null);
            }
        }
        answer.body = value.to_string();
        answer
    };
    let proxy = Breaking::new(World::Small.upstream().0, Arc::new(nulls));
    let found = Found::by(&proxy.url(), "app-demo", Some("app-deleted"), "nulls");
    assert_eq!(found.code, 6, "{}", found.text);
    let differs = found.statements("differs");
    for name in ["conversations.row.subject", "conversations.row.message_count", "qa.row.q"] {
        assert_eq!(differs[name], "null", "{}", found.text);
    }
}
