//! The cost of a request inside the emulator, from its head to the bytes of its response, without a
//! socket. Every kind of query is measured at several sizes, with random pages.
//!
//! `cargo bench -p gptbots-mock-benches --bench queries` runs all; with `-- 1000000/qa` after it,
//! those whose names contain this text.

use std::hint::black_box;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gptbots_mock::{Server, ServerBuilder, Unserved};
use tokio::runtime::Runtime;

/// Conversations.
const SIZES: [u32; 3] = [1_000, 100_000, 1_000_000];

/// All of time.
const ALWAYS: &str = "start_time=0&end_time=9999999999999";

/// The emulator without a socket.
struct App {
    server: Unserved,
    runtime: Runtime,
}

impl App {
    fn new(conversations: u32) -> Self {
        Self::with(Server::builder().conversations(conversations).journal(0))
    }

    fn with(builder: ServerBuilder) -> Self {
        let server = builder.unserved().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut app = Self { server, runtime };
        // The first Q&A request waits for the index.
        app.get(&format!(
            "/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}&page=1&page_size=10"
        ));
        app
    }

    fn get(&mut self, target: &str) -> Vec<u8> {
        // The request as a client sends it.
        let request = Request::get(target)
            .header("host", "127.0.0.1:8484")
            .header("user-agent", "queries/1.0")
            .header("accept", "*/*")
            .header("accept-encoding", "gzip, deflate")
            .header("authorization", "Bearer app-demo");
        let request = request.body(Body::empty()).unwrap();
        self.runtime.block_on(async {
            let response = self.server.answer(request).await;
            assert_eq!(response.status(), 200, "{target}");
            to_bytes(response.into_body(), usize::MAX).await.unwrap().into()
        })
    }

    fn json(&mut self, target: &str) -> serde_json::Value {
        serde_json::from_slice(&self.get(target)).unwrap()
    }
}

/// A kind of query: its name, its target without the page, the rows of a page, and how many pages
/// there are.
struct Query {
    name: &'static str,
    targets: Vec<String>,
    pages: u64,
}

fn queries(app: &mut App, conversations: u32) -> Vec<Query> {
    let conversations = u64::from(conversations);
    let list = |filter: &str| {
        format!("/v1/bot/conversation/page?conversation_type={filter}&page_size=50&page=")
    };
    let qa = |rated: &str| {
        format!("/v1/message/qa/record/page?user_feedback={rated}&{ALWAYS}&page_size=100&page=")
    };
    let first = app.json(&list(&format!("ALL&{ALWAYS}")).replace("50&page=", "100&page=1"));
    let rows = first["list"].as_array().unwrap();
    let newest = rows[0]["recent_chat_time"].as_i64().unwrap();
    // A user with many conversations: the most frequent one among the newest conversations.
    let user = |row: &serde_json::Value| row["user_id"].as_str().unwrap().to_owned();
    let heavy = rows.iter().map(user);
    let count = |id: &String| rows.iter().filter(|row| user(row) == *id).count();
    let heavy = heavy.max_by_key(count).unwrap();
    let long = (1..=conversations / 100).take(500).flat_map(|page| {
        let page = app
            .json(&list(&format!("ALL&{ALWAYS}")).replace("50&page=", &format!("100&page={page}")));
        let rows = page["list"].as_array().unwrap().iter();
        let long = rows.filter(|row| row["message_count"].as_u64().unwrap() >= 100);
        long.map(|row| row["conversation_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    });
    let messages = |version: u32, id: &String| {
        format!("/v{version}/messages?conversation_id={id}&page_size=100&page=")
    };
    let long: Vec<_> = long.collect();
    let one = |name, target, pages| Query { name, targets: vec![target], pages };
    vec![
        one("list", list(&format!("ALL&{ALWAYS}")), conversations / 50),
        one("list-by-type", list(&format!("API&{ALWAYS}")), conversations / 500),
        one("list-by-user", list(&format!("ALL&{ALWAYS}&user_id={heavy}")), 1),
        one("list-by-type-and-user", list(&format!("API&{ALWAYS}&user_id={heavy}")), 1),
        one("list-window", list(&format!("ALL&start_time=0&end_time={newest}")), 1),
        Query {
            name: "messages",
            targets: long.iter().map(|id| messages(1, id)).collect(),
            pages: 1,
        },
        Query {
            name: "messages-v2",
            targets: long.iter().map(|id| messages(2, id)).collect(),
            pages: 1,
        },
        one("qa", qa("ALL"), conversations / 25),
        one("qa-by-feedback", qa("GOOD"), conversations / 500),
    ]
}

fn bench(criterion: &mut Criterion) {
    for conversations in SIZES {
        let mut app = App::new(conversations);
        let mut group = criterion.benchmark_group(conversations.to_string());
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
        for Query { name, targets, pages } in queries(&mut app, conversations) {
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                let mut n = 0u64;
                bencher.iter(|| {
                    // A large odd stride, so that the pages are from all parts of the list.
                    n = n.wrapping_add(7_368_787);
                    let target = &targets[usize::try_from(n).unwrap() % targets.len()];
                    black_box(app.get(&format!("{target}{}", n % pages + 1)))
                });
            });
        }
        group.finish();
    }
}

/// The cost of a row: pages of ten and of a hundred rows, so the difference is 90 rows.
fn rows(criterion: &mut Criterion) {
    let mut app = App::new(100_000);
    let mut group = criterion.benchmark_group("rows");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for Query { name, targets, pages } in queries(&mut app, 100_000) {
        if !["list", "messages", "messages-v2", "qa"].contains(&name) {
            continue;
        }
        for rows in [10, 100] {
            let sized = |target: &String| {
                let target = target.replace("page_size=50", "page_size=100");
                target.replace("page_size=100", &format!("page_size={rows}"))
            };
            let targets: Vec<_> = targets.iter().map(sized).collect();
            group.throughput(Throughput::Elements(rows));
            group.bench_function(BenchmarkId::new(name, rows), |bencher| {
                let mut n = 0u64;
                bencher.iter(|| {
                    n = n.wrapping_add(7_368_787);
                    let target = &targets[usize::try_from(n).unwrap() % targets.len()];
                    black_box(app.get(&format!("{target}{}", n % (pages / 2).max(1) + 1)))
                });
            });
        }
    }
    group.finish();
}

/// The cost of the journal for each page.
fn journal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("journal");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for (name, requests) in [("off", 0), ("on", 1_000)] {
        let mut app = App::with(Server::builder().conversations(1_000).journal(requests));
        let mut n = 0u64;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                n = n.wrapping_add(7_368_787);
                let query = format!("conversation_type=ALL&{ALWAYS}&page_size=50");
                let page = n % 20 + 1;
                black_box(app.get(&format!("/v1/bot/conversation/page?{query}&page={page}")))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench, rows, journal);
criterion_main!(benches);
