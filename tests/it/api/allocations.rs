//! A request allocates a fixed number of times, whatever the size of the page or of the data.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use gptbots_mock::{Server, ServerBuilder, Unserved};
use serde_json::Value;

/// A request may allocate this often. Most of it is axum's: the route, its future and the body are
/// boxed by the router and by what catches panics. The rest is ours: a copy of the head for the journal,
/// the journal's entry, the answer, an id that is looked up.
const MOST: u64 = 24;

const ALWAYS: &str = "start_time=0&end_time=9999999999999";

/// An answer waits for nothing here, so its future is ready when it is first asked.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// The emulator without a socket.
struct App(Unserved);

impl App {
    fn new(builder: ServerBuilder) -> Self {
        Self(builder.unserved().unwrap())
    }

    fn get(&mut self, target: &str) -> Vec<u8> {
        self.counted(target).1
    }

    fn json(&mut self, target: &str) -> Value {
        serde_json::from_slice(&self.get(target)).unwrap()
    }

    /// How often something was allocated from the head of a request to its answer; and that.
    fn counted(&mut self, target: &str) -> (u64, Vec<u8>) {
        let request = Request::get(target).header("authorization", "Bearer app-demo");
        let request = request.body(Body::empty()).unwrap();
        let mut response = None;
        let info = allocation_counter::measure(|| response = Some(ready(self.0.answer(request))));
        let response = response.unwrap();
        assert_eq!(response.status(), 200, "{target}");
        let body = ready(to_bytes(response.into_body(), usize::MAX)).unwrap();
        (info.count_total, body.to_vec())
    }

    /// The same, of a request that is not the first of its kind.
    fn allocations(&mut self, target: &str) -> u64 {
        self.get(target);
        self.counted(target).0
    }
}

/// Every kind of query, up to `page_size=`.
fn queries(app: &mut App) -> Vec<String> {
    let list = |filter: &str| {
        format!("/v1/bot/conversation/page?conversation_type={filter}&{ALWAYS}&page=1")
    };
    let qa = |rated: &str, window: &str| {
        format!("/v1/message/qa/record/page?user_feedback={rated}&{window}&page=1")
    };
    // The conversation with the most messages, and the user with the most conversations.
    let mut rows = Vec::new();
    for page in 1..=5 {
        let target = list("ALL").replace("page=1", &format!("page={page}")) + "&page_size=100";
        rows.extend(app.json(&target)["list"].as_array().unwrap().clone());
    }
    let longest = rows.iter().max_by_key(|row| row["message_count"].as_u64()).unwrap();
    assert!(longest["message_count"].as_u64() >= Some(100));
    let id = longest["conversation_id"].as_str().unwrap();
    let of_user = |user: &Value| rows.iter().filter(|row| &row["user_id"] == user).count();
    let heavy = rows.iter().map(|row| &row["user_id"]).max_by_key(|user| of_user(user)).unwrap();
    let heavy = heavy.as_str().unwrap();
    let middle = rows[250]["recent_chat_time"].as_i64().unwrap();
    vec![
        list("ALL"),
        list("API"),
        list(&format!("ALL&user_id={heavy}")),
        list(&format!("API&user_id={heavy}")),
        list("ALL").replace("start_time=0", &format!("start_time={middle}")),
        format!("/v1/messages?conversation_id={id}&page=1"),
        format!("/v2/messages?conversation_id={id}&page=1"),
        qa("ALL", ALWAYS),
        qa("ALL", &format!("start_time=0&end_time={middle}")),
        qa("NONE", ALWAYS),
        qa("GOOD", ALWAYS),
    ]
}

#[test]
fn a_request_allocates_as_often_for_ten_rows_as_for_a_hundred() {
    for conversations in [500, 5000] {
        let mut app = App::new(Server::builder().conversations(conversations));
        for query in queries(&mut app) {
            let ten = app.allocations(&format!("{query}&page_size=10"));
            let hundred = app.allocations(&format!("{query}&page_size=100"));
            for (rows, allocated) in [(10, ten), (100, hundred)] {
                assert!(allocated <= MOST, "{conversations} {query} {rows}: {allocated}");
            }
            assert!(hundred <= ten + 1, "{conversations} {query}: {hundred}, {ten}");
        }
    }
}
