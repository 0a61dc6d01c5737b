//! Near misses: the requests that are most similar to a pattern, and the endpoints that are most similar to a
//! request.

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::control::requests::number;
use crate::support::client::{get, request};
use crate::support::control::control;

#[track_caller]
fn ask(server: &Server, method: &str, path: &str, body: &str) -> Vec<Value> {
    let answer = control(server.address(), method, path, body).ok().json();
    let keys: Vec<_> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["nearMisses"]);
    answer["nearMisses"].as_array().unwrap().clone()
}

/// The distances, which must be in ascending order.
#[track_caller]
fn distances(misses: &[Value]) -> Vec<f64> {
    let all = misses.iter().map(|miss| miss["matchResult"]["distance"].as_f64().unwrap());
    let all: Vec<_> = all.collect();
    assert!(
        all.is_sorted() && all.iter().all(|distance| (0.0..=1.0).contains(distance)),
        "{all:?}"
    );
    all
}

fn five() -> Server {
    let server = Server::start().unwrap();
    for target in
        ["/", "/v1/messages?page=1", "/v1/message", "/nowhere/at/all", "/v1/messages?page=2"]
    {
        get(&server, "app-demo", target);
    }
    server
}

#[test]
fn the_three_requests_that_are_most_like_a_pattern_come_first() {
    let server = five();
    let pattern = r#"{"method": "GET", "urlPath": "/v1/mesages",
        "queryParameters": {"page": {"equalTo": "1"}}}"#;
    let misses = ask(&server, "POST", "/near-misses/request-pattern", pattern);
    let numbers: Vec<_> = misses.iter().map(|miss| number(&miss["request"])).collect();
    assert_eq!(numbers, [2, 5, 3]);
    assert!(distances(&misses)[0] > 0.0, "{misses:?}");
    let pattern: Value = serde_json::from_str(pattern).unwrap();
    assert!(misses.iter().all(|miss| miss["requestPattern"] == pattern), "{misses:?}");
    // Of requests that are equally near, the newest is first.
    let misses = ask(&server, "POST", "/near-misses/request-pattern", "{}");
    let numbers: Vec<_> = misses.iter().map(|miss| number(&miss["request"])).collect();
    assert_eq!((numbers, distances(&misses)), (vec![5, 4, 3], vec![0.0; 3]));
}

#[test]
fn each_condition_adds_to_the_distance() {
    let server = Server::start().unwrap();
    request(&server, "GET", "/v1/messages?page=12", &[("Cookie", "lang=en")]);
    let distance = |pattern: &str| {
        distances(&ask(&server, "POST", "/near-misses/request-pattern", pattern))[0]
    };
    for (nearer, farther) in [
        (r#"{"method": "GET"}"#, r#"{"method": "PUT"}"#),
        (r#"{"urlPath": "/v1/mesages"}"#, r#"{"urlPath": "/x"}"#),
        (r#"{"urlPathTemplate": "/v1/{x}"}"#, r#"{"urlPathTemplate": "/v2/{x}"}"#),
        (r#"{"urlPathPattern": "/v1/.*"}"#, r#"{"urlPathPattern": "/v2/.*"}"#),
        (
            r#"{"queryParameters": {"page": {"equalTo": "13"}}}"#,
            r#"{"queryParameters": {"page": {"equalTo": "99"}}}"#,
        ),
        (
            r#"{"queryParameters": {"page": {"and": [{"contains": "1"}, {"contains": "x"}]}}}"#,
            r#"{"queryParameters": {"page": {"and": [{"contains": "y"}, {"contains": "x"}]}}}"#,
        ),
        (
            r#"{"queryParameters": {"page": {"or": [{"equalTo": "13"}, {"contains": "x"}]}}}"#,
            r#"{"queryParameters": {"page": {"or": [{"equalTo": "99"}, {"contains": "x"}]}}}"#,
        ),
        (r#"{"cookies": {"lang": {"equalTo": "en"}}}"#, r#"{"cookies": {"l": {"equalTo": "e"}}}"#),
        (r#"{"host": {"equalTo": "localhast"}}"#, r#"{"host": {"absent": true}}"#),
        (r#"{"port": 80}"#, r#"{"port": 81}"#),
    ] {
        assert!(distance(nearer) < distance(farther), "{nearer}");
    }
}

#[test]
fn a_request_is_compared_with_the_endpoints() {
    let server = Server::start().unwrap();
    let body = r#"{"method": "GET", "url": "/s/a/v1/message?page=1", "headers": {"x": ["y"]}}"#;
    let misses = ask(&server, "POST", "/near-misses/request", body);
    assert_eq!(misses.len(), 3);
    distances(&misses);
    assert_eq!(
        misses[0]["stubMapping"],
        json!({
            "id": "00000000-0000-4000-8000-000000000002",
            "name": "messages",
            "request": {"method": "GET", "urlPath": "/v1/messages"},
            "response": {"status": 200},
        })
    );
    assert_eq!(misses[0]["request"]["url"], "/s/a/v1/message?page=1");
    let right = r#"{"method": "GET", "url": "/v2/messages"}"#;
    assert!(distances(&ask(&server, "POST", "/near-misses/request", right))[0] <= 0.0);
    let wrong = control(server.address(), "POST", "/near-misses/request", r#"{"url": "/"}"#);
    wrong.failed(400, "the request needs url and method");
}

#[test]
fn unmatched_requests_are_compared_with_the_endpoints() {
    let server = five();
    let path = "/requests/unmatched/near-misses";
    let misses = ask(&server, "GET", path, "");
    let of = |number: u64, at: usize| {
        let of: Vec<_> =
            misses.iter().filter(|miss| self::number(&miss["request"]) == number).collect();
        assert_eq!(of.len(), 3);
        of[at]["stubMapping"]["name"].clone()
    };
    assert_eq!(misses.len(), 9);
    assert_eq!((of(3, 0), of(3, 1)), (json!("messages"), json!("messages-v2")));
    get(&server, "app-demo", "/s/a/v1/bot/conversations/page");
    let misses = ask(&server, "GET", &format!("{path}?sandbox=a"), "");
    assert_eq!((misses.len(), &misses[0]["stubMapping"]["name"]), (3, &json!("conversations")));
}

/// No pattern and no request of a near miss contains a key, and expressions still compile.
#[test]
fn near_misses_hide_keys() {
    let server = Server::start().unwrap();
    let key = "sk-own-secret-7733";
    let target = format!("/v1/messages?api_key={key}");
    request(&server, "GET", &target, &[("Authorization", &format!("Bearer {key}"))]);
    let pattern = json!({
        "url": format!("/v1/messages?api_key={key}"),
        "headers": {
            "Authorization": {"equalTo": format!("Bearer {key}")},
            "X-Api-Key": {"or": [{"matches": format!("{key}.*")}, {"absent": "(absent)"}]},
            "X-Other": {"contains": key},
        },
        "queryParameters": {
            "api_key": {"not": {"equalTo": key}},
            "q": {"doesNotMatch": format!(".*{key}")},
            "known": {"equalTo": "app-demo"},
        },
        "cookies": {"sid": {"equalTo": "chocolate-chip-9911"}},
    });
    let misses = ask(&server, "POST", "/near-misses/request-pattern", &pattern.to_string());
    let text = Value::from(misses.clone()).to_string();
    for hidden in [key, "app-demo", "chocolate-chip"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let shown = &misses[0]["requestPattern"];
    assert_eq!(shown["headers"]["Authorization"]["equalTo"], "Bearer ****7733");
    assert_eq!(shown["headers"]["X-Api-Key"]["or"][0]["matches"], "[holds a key]");
    assert_eq!(shown["headers"]["X-Api-Key"]["or"][1]["absent"], "(absent)");
    assert_eq!(shown["headers"]["X-Other"]["contains"], "****7733");
    assert_eq!(shown["queryParameters"]["q"]["doesNotMatch"], "[holds a key]");
    let asked = json!({"method": "GET", "url": format!("/v1/message?token={key}&k=app-demo")});
    let misses = ask(&server, "POST", "/near-misses/request", &asked.to_string());
    assert_eq!(misses[0]["request"]["url"], "/v1/message?token=****7733&k=****demo");
}
