//! The cost of building the records and their indexes before the first connection: by number of
//! conversations, and from a fixture. If there are many, the Q&A index is built later in the
//! background, so its first response is measured separately.
//!
//! `cargo bench -p gptbots-mock-benches --bench start`

use std::hint::black_box;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gptbots_mock::{Server, Unserved};

fn first_qa_answer(server: &Unserved) -> u16 {
    let request = Request::get(
        "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=9999999999999\
         &page=100&page_size=10",
    );
    let request = request.header("authorization", "Bearer app-demo").body(Body::empty()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(server.answer(request)).status().as_u16()
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("start");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    for conversations in [200, 1_000, 100_000, 1_000_000] {
        let builder = Server::builder().conversations(conversations);
        let id = BenchmarkId::new("records", conversations);
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(builder.clone().unserved().unwrap()));
        });
        let id = BenchmarkId::new("first-qa-answer", conversations);
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(first_qa_answer(&builder.clone().unserved().unwrap())));
        });
    }
    let fixture = Server::builder()
        .fixture_files([concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documented.json")]);
    group.bench_function("fixture", |bencher| {
        bencher.iter(|| black_box(fixture.clone().unserved().unwrap()));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
