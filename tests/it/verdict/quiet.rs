//! Correct clients get no findings: all styles of paging, tests of errors, parallel workers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gptbots_mock::contract::{PagePastEnd, QaTotal};
use gptbots_mock::{Hazard, Rule, Server};

use crate::support::client::{Answer, Connection, call, connect, get, raw, request};
use crate::verdict::suite::{
    KEY, clean, found, page, page_in, queries, rows, rows_of_25, server, target,
};

/// The number of pages according to `total`, if there is one.
fn pages(answer: &Answer) -> Option<u64> {
    Some(answer.ok().json()["total"].as_u64()?.div_ceil(10).max(1))
}

/// Requests page after page until `is_last` is true, and returns the number of that page.
fn until_last(mut ask: impl FnMut(u64) -> Answer, is_last: impl Fn(u64, &Answer) -> bool) -> u64 {
    (1..20).find(|number| is_last(*number, ask(*number).ok())).expect("a walk has an end")
}

/// On the endpoints with a total.
#[test]
fn walk_by_the_total_of_any_page_has_no_findings() {
    for hazards in [&[][..], &ALL_HAZARDS] {
        for query in &queries()[..3] {
            let server = with_hazards(hazards);
            until_last(
                |number| page(&server, query, number),
                |number, answer| Some(number) >= pages(answer),
            );
            clean(&server);
        }
    }
}

const ALL_HAZARDS: [Hazard; 6] = [
    Hazard::Arrival,
    Hazard::Departure,
    Hazard::ShortPage,
    Hazard::RepeatedRow,
    Hazard::MovingTotal,
    Hazard::ExactMultiple,
];

fn with_hazards(hazards: &[Hazard]) -> Server {
    hazards.iter().fold(rows_of_25(), |builder, hazard| builder.hazard(*hazard)).start().unwrap()
}

/// A front end computes the number of pages from the first response. Each hazard is tested separately.
#[test]
fn walk_by_the_total_of_page_1_has_no_findings() {
    for hazard in ALL_HAZARDS {
        for size in [5, 6, 8, 12, 24] {
            for query in &queries()[..3] {
                let server = with_hazards(&[hazard]);
                let ask =
                    |page: u64| get(&server, KEY, &format!("{query}&page={page}&page_size={size}"));
                let total = ask(1).json()["total"].as_u64().unwrap();
                for number in 2..=total.div_ceil(size) {
                    ask(number);
                }
                let found = found(&server);
                assert!(found.is_empty(), "{hazard} {size} {query}: {}", server.verdict());
            }
        }
    }
}

#[test]
fn walk_until_a_short_page_has_no_findings() {
    for hazard in ALL_HAZARDS {
        for query in [&queries()[0], &queries()[3]] {
            for size in [10, 12, 24, 25] {
                let server = with_hazards(&[hazard]);
                let ask =
                    |page: u64| get(&server, KEY, &format!("{query}&page={page}&page_size={size}"));
                until_last(ask, |_, answer| rows(answer) < size);
                let found = found(&server);
                assert!(found.is_empty(), "{hazard} {size} {query}: {}", server.verdict());
            }
        }
    }
}

/// Q&A has no total, so only an empty page shows for sure that there are no more rows.
#[test]
fn walk_until_an_empty_page_without_total_has_no_findings() {
    for hazard in ALL_HAZARDS {
        let server = with_hazards(&[hazard]);
        until_last(|number| page(&server, &queries()[3], number), |_, answer| rows(answer) == 0);
        clean(&server);
    }
}

#[test]
fn qa_walk_until_a_refused_page_has_no_findings() {
    let server = rows_of_25().reading(PagePastEnd::Error).start().unwrap();
    let refused = (1..9).find(|number| page(&server, &queries()[3], *number).status == 400);
    assert_eq!(refused, Some(4));
    clean(&server);
}

#[test]
fn qa_walk_by_total_has_no_findings() {
    let server = rows_of_25().reading(QaTotal::Present).start().unwrap();
    let query = &queries()[3];
    until_last(
        |number| page(&server, query, number),
        |number, answer| Some(number) >= pages(answer),
    );
    clean(&server);
}

/// 100 messages in pages of 10, 20, 50 and 100: the last page is full.
#[test]
fn walk_of_full_message_pages_has_no_findings() {
    for version in ["v1", "v2"] {
        let server = Server::start().unwrap();
        for size in [10, 20, 50, 100] {
            for number in 1..=100 / size {
                let query = format!("conversation_id=xxxxxx&page={number}&page_size={size}");
                get(&server, "your_apikey", &format!("/{version}/messages?{query}")).ok();
            }
        }
        clean(&server);
    }
}

#[test]
fn single_page_has_no_findings() {
    let server = server();
    for query in queries() {
        for _ in 0..3 {
            page(&server, &query, 1).ok();
        }
    }
    clean(&server);
}

/// Page 1 shows how many pages there are. Workers then share the pages, with or without page 1.
#[test]
fn workers_sharing_pages_have_no_findings() {
    for query in queries() {
        for first in [1, 2] {
            let server = server();
            page(&server, &query, 1).ok();
            let next = AtomicU64::new(first);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        loop {
                            let number = next.fetch_add(1, Relaxed);
                            if number > 3 {
                                break;
                            }
                            page(&server, &query, number).ok();
                        }
                    });
                }
            });
            clean(&server);
        }
    }
}

#[test]
fn concurrent_walks_of_one_query_have_no_findings() {
    let server = server();
    std::thread::scope(|scope| {
        for walker in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let mut connection = Connection::open(server.address(), KEY);
                for query in queries() {
                    for number in 1..=3 {
                        if walker % 2 == 0 {
                            connection.get(&target(&query, number)).ok();
                        } else {
                            page(server, &query, number).ok();
                        }
                    }
                }
            });
        }
    });
    clean(&server);
}

/// Each of these requests is refused, and no two are equal. Those without an endpoint have only the finding
/// of that rule.
#[test]
fn negative_tests_have_no_findings() {
    let server = server();
    for query in queries() {
        page(&server, &query, 0);
        page(&server, &query, 99);
        get(&server, KEY, &query);
        get(&server, KEY, &format!("{query}&page=1&page_size=101"));
        get(&server, KEY, &format!("{query}&page=x&page_size=10"));
        get(&server, "wrong", &target(&query, 1));
        request(&server, "GET", &target(&query, 1), &[]);
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let key = format!("Bearer {KEY}");
            let headers = [("Authorization", &*key), ("Content-Length", "2")];
            request(&server, method, &target(&query, 1), &headers);
        }
        get(&server, KEY, &format!("/v9{query}"));
    }
    get(&server, KEY, "/v1/messages?conversation_id=nobody&page=1&page_size=10");
    // Four methods and a path of each endpoint.
    assert_eq!(server.verdict().findings().len(), 20, "{}", server.verdict());
    let left = server.verdict().mute(Rule::UnknownEndpoint);
    assert!(left.findings().is_empty(), "{left}");
}

#[test]
fn head_requests_have_no_findings() {
    let server = server();
    for query in queries() {
        for number in [3, 2, 2, 9, 9] {
            let key = format!("Bearer {KEY}");
            request(&server, "HEAD", &target(&query, number), &[("Authorization", &key)]);
        }
        for number in 1..=3 {
            page(&server, &query, number).ok();
        }
    }
    clean(&server);
}

#[test]
fn walks_in_separate_sandboxes_have_no_findings() {
    let server = server();
    for query in queries() {
        for number in 1..=3 {
            page(&server, &query, number).ok();
            page_in(&server, "by-key", &query, number).ok();
            let by_path = format!("/s/by-path{}", target(&query, number));
            get(&server, KEY, &by_path).ok();
        }
    }
    clean(&server);
}

/// The same page with another key, page size or time window belongs to another walk.
#[test]
fn walks_of_different_queries_have_no_findings() {
    let server = rows_of_25().api_key("another").start().unwrap();
    let query = &queries()[0];
    for number in 1..=3 {
        page(&server, query, number).ok();
        get(&server, "another", &target(query, number)).ok();
        get(&server, KEY, &target(&query.replace("ALL", "API"), number)).ok();
    }
    for number in 1..=2 {
        get(&server, KEY, &format!("{query}&page={number}&page_size=20")).ok();
    }
    clean(&server);
}

/// A value that begins like the key may be something else.
#[test]
fn value_that_begins_like_the_key_has_no_findings() {
    let server = server();
    get(&server, KEY, &format!("{}&user_id={KEY}-user", target(&queries()[0], 1))).ok();
    clean(&server);
}

/// The examples of the vendor's documentation have this parameter, though its tables do not.
#[test]
fn documented_user_id_has_no_findings() {
    let server = server();
    for query in &queries()[1..3] {
        get(&server, KEY, &format!("{}&user_id=123456", target(query, 1))).ok();
    }
    clean(&server);
}

#[test]
fn encoded_names_and_empty_parts_have_no_findings() {
    let server = server();
    let query = queries()[0].replace("start_time", "start%5Ftime");
    get(&server, KEY, &format!("{query}&&page=1&page%5Fsize=10&")).ok();
    clean(&server);
}

/// Port checks, health checks, and connections that are closed at once.
#[test]
fn no_request_has_no_findings() {
    let server = server();
    for _ in 0..3 {
        drop(connect(server.address()));
    }
    raw(server.address(), b"nonsense\r\n\r\n");
    call(server.address(), "GET", "/__admin/health", &[]).ok();
    clean(&server);
}
