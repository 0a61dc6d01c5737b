//! Sends keys in every place of a request that `tests/key-places.txt` lists, and checks every text in which the
//! server shows requests: none contains a key.

use std::net::SocketAddr;

use crate::control::events::Listener;
use crate::support::client::{Answer, NEWEST, exchange, parse};
use crate::support::process::Process;

const PLACES: &str = include_str!("../../key-places.txt");

/// The requirement of a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    /// Every key in this place is hidden.
    Hide,
    /// A key that the server knows is hidden.
    Known,
}

/// The requests with a key at a place. The second text is the line of `Authorization`.
type Requests = Box<dyn Fn(&str, &str) -> Vec<String>>;

/// A place: its words in the file, and the bytes of requests with a key there.
struct Place {
    rule: Rule,
    name: String,
    requests: Requests,
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"))
}

fn doubly_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| format!("{all}%25{byte:02x}"))
}

/// `u:KEY` in the encoding of `Basic`.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let bits = bytes.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - bytes.len()));
        let digit = |at: usize| {
            let is_there = at <= bytes.len();
            if is_there { char::from(DIGITS[bits >> (18 - 6 * at) & 63]) } else { '=' }
        };
        [0, 1, 2, 3].map(digit)
    };
    text.as_bytes().chunks(3).flat_map(group).collect()
}

/// Reads one response without checking it against the document, because many of these requests are invalid.
fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    parse(&exchange(address, request))
}

/// A request with header lines of its own.
fn asked(method: &str, target: &str, lines: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n")
}

/// The places of the file. Each of its lines is one that is known here.
#[allow(clippy::too_many_lines, reason = "one arm for each line of the file")]
fn places() -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |rule, name: &str, requests: Requests| {
        places.push(Place { rule, name: name.to_owned(), requests });
    };
    // Each place has a request that succeeds, one that is refused, and one without an endpoint.
    let targets = [NEWEST, "/v1/messages?page=x", "/v1/nothing"];
    let by_header = move |name: &str, value: Box<dyn Fn(&str) -> String>| {
        let name = name.to_owned();
        Box::new(move |key: &str, authorization: &str| {
            let is_own = name == "Authorization";
            let own = if is_own { "" } else { authorization };
            let lines = format!("{own}{name}: {}\r\n", value(key));
            targets.iter().map(|target| asked("GET", target, &lines)).collect()
        })
    };
    let in_query = |name: &str, write: fn(&str) -> String| {
        let name = name.to_owned();
        Box::new(move |key: &str, authorization: &str| {
            let pair = format!("{name}={}", write(key));
            let targets = [
                format!("{NEWEST}&{pair}"),
                format!("/v1/messages?{pair}&page_size=1"),
                format!("/v1/nothing?{pair}"),
            ];
            targets.iter().map(|target| asked("GET", target, authorization)).collect()
        })
    };
    let plain = |key: &str| key.to_owned();
    for line in PLACES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (rule, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim();
        match (rule, rest.split_once(' ').unwrap()) {
            ("hide", ("Authorization:", forms)) => {
                for form in forms.split(" | ") {
                    let written = form.to_owned();
                    let value = move |key: &str| match &*written {
                        "Basic base64(u:KEY)" => format!("Basic {}", base64(&format!("u:{key}"))),
                        form => form.replace("KEY", key),
                    };
                    add(Rule::Hide, form, by_header("Authorization", Box::new(value)));
                }
            }
            ("hide", ("header", "Cookie (values; names stay) Set-Cookie")) => {
                for name in ["Cookie", "Set-Cookie"] {
                    let value = |key: &str| format!("theme=dark; id={key}");
                    add(Rule::Hide, name, by_header(name, Box::new(value)));
                }
            }
            ("hide", ("header", names)) => {
                for name in names.split(' ') {
                    add(Rule::Hide, name, by_header(name, Box::new(plain)));
                }
            }
            ("hide", ("query", names)) => {
                for name in names.split(' ') {
                    add(Rule::Hide, name, in_query(name, plain));
                }
            }
            ("hide", ("userinfo", "of an absolute target: http://u:KEY@localhost/v1/messages")) => {
                let requests = |key: &str, authorization: &str| {
                    let target = format!("http://u:{key}@localhost/v1/messages");
                    vec![asked("GET", &target, authorization)]
                };
                add(Rule::Hide, "userinfo", Box::new(requests));
            }
            ("known", ("query", all)) => {
                let (names, others) = all.split_once("; ").unwrap();
                for name in names.split(' ') {
                    for write in [plain, encoded, doubly_encoded] {
                        add(Rule::Known, name, in_query(name, write));
                    }
                }
                assert_eq!(
                    others,
                    "a parameter's name; /v1/KEY; /s/KEY/v1/messages; ;key=KEY in a path; #KEY; \
                     percent-encoded and doubly encoded forms of these"
                );
                for form in [
                    "/v1/messages?KEY=1",
                    "/v1/bot/conversation/page?conversation_type=ALL&KEY",
                    "/v1/KEY",
                    "/v1/messages/KEY/more",
                    "/s/KEY/v1/messages",
                    "/s/KEY/v1/nothing",
                    "/v1/messages;key=KEY",
                    "/v1/messages#KEY",
                    "/__admin/KEY",
                    "/__admin/sandboxes/KEY",
                    "/__admin/sandboxes/KEY/verdict",
                    "/__admin/requests/KEY",
                    "/__admin/requests?limit=KEY",
                    "/__admin/requests?KEY=1",
                    "/__admin/requests?sandbox=KEY",
                ] {
                    for write in [plain, encoded, doubly_encoded] {
                        let requests = move |key: &str, authorization: &str| {
                            let target = form.replace("KEY", &write(key));
                            vec![asked("GET", &target, authorization)]
                        };
                        add(Rule::Known, form, Box::new(requests));
                    }
                }
                // A truncated text may end within a key.
                for filled in (0..240).step_by(7) {
                    let requests = move |key: &str, authorization: &str| {
                        let long = "x".repeat(filled) + key;
                        let targets = [
                            format!("/v1/messages?conversation_id=x&page={long}"),
                            format!("/v1/!{long}"),
                            format!("/__admin/!{long}"),
                        ];
                        targets.iter().map(|target| asked("GET", target, authorization)).collect()
                    };
                    add(Rule::Known, "a long text", Box::new(requests));
                }
                for body in [
                    r#"{"KEY": 1}"#,
                    r#"{"seed": "KEY"}"#,
                    r#"{"faults": ["KEY"]}"#,
                    r#"{"readings": {"KEY": "KEY"}}"#,
                    r#"{"hazards": ["KEY"]} KEY"#,
                ] {
                    let requests = move |key: &str, authorization: &str| {
                        let body = body.replace("KEY", key);
                        let length = format!("{authorization}Content-Length: {}\r\n", body.len());
                        vec![asked("PUT", "/__admin/sandboxes/a", &length) + &body]
                    };
                    add(Rule::Known, body, Box::new(requests));
                }
            }
            ("known", ("header", names)) => {
                let names = names.strip_suffix("; the method").unwrap();
                for name in names.split(' ') {
                    for write in [plain, encoded, doubly_encoded] {
                        let value = move |key: &str| match name {
                            "Referer" => format!("http://localhost/?a={}", write(key)),
                            "Prefer" => format!("code=50000{}", write(key)),
                            _ => write(key),
                        };
                        add(Rule::Known, name, by_header(name, Box::new(value)));
                    }
                }
                let requests = |key: &str, authorization: &str| {
                    let targets = ["/v1/messages", "/__admin/requests"];
                    targets.iter().map(|target| asked(key, target, authorization)).collect()
                };
                add(Rule::Known, "the method", Box::new(requests));
                let requests = |key: &str, authorization: &str| {
                    let request = asked("GET", "/v1/messages", authorization);
                    vec![request.replace("Host: localhost", &format!("Host: a b{key}"))]
                };
                add(Rule::Known, "a wrong host", Box::new(requests));
            }
            ("token", ("the", "admin token in each of these places")) => {}
            _ => panic!("{line}"),
        }
    }
    places
}

/// A key in the vendor's format. No two keys have the same last characters.
fn key(number: usize) -> String {
    let mut word = String::new();
    let mut rest = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..24 {
        rest = rest.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        word.push(char::from(
            b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQR"[(rest >> 33) as usize % 40],
        ));
    }
    format!("app-{word}")
}

/// All texts in which the server shows requests, with their names.
fn shown(address: SocketAddr, authorization: &str) -> Vec<(&'static str, String)> {
    let get = |target: &str, accept: &str| {
        let lines = format!("{authorization}Accept: {accept}\r\n");
        raw(address, asked("GET", target, &lines).as_bytes())
    };
    let json = |target: &str| get(target, "application/json").body;
    let find = {
        let lines = format!("{authorization}Content-Length: 2\r\n");
        raw(address, (asked("POST", "/__admin/requests/find", &lines) + "{}").as_bytes()).body
    };
    let requests = json("/__admin/requests");
    let last: serde_json::Value = serde_json::from_str(&requests).unwrap();
    let last = last["requests"][0]["request"]["mock"]["number"].as_u64().unwrap();
    let mut listener = Listener::open(address, "", &format!("{authorization}Last-Event-ID: 0\r\n"));
    let mut events = String::new();
    while let Some(event) = listener.next() {
        events += &event.data.to_string();
        if event.id == Some(last) {
            break;
        }
    }
    vec![
        ("journal", requests),
        ("find", find),
        ("unmatched", json("/__admin/requests/unmatched")),
        ("events", events),
        ("sandboxes", json("/__admin/sandboxes")),
        ("verdict", json("/__admin/verdict")),
        ("verdict as text", get("/__admin/verdict", "text/plain").body),
        ("verdict as XML", get("/__admin/verdict", "application/xml").body),
    ]
}

/// Sends a key to a place, and returns what the answers show.
fn answers(address: SocketAddr, place: &Place, key: &str, authorization: &str) -> String {
    let requests = (place.requests)(key, authorization);
    // Repeating a refused request causes a finding.
    let answers = requests.iter().chain(&requests).map(|request| {
        let Answer { headers, body, .. } = raw(address, request.as_bytes());
        format!("{headers:?} {body}")
    });
    answers.collect()
}

/// Adds the places whose keys are in a text.
fn search(leaks: &mut Vec<String>, sent: &[(String, String)], (what, text): (&str, &str)) {
    for (place, key) in sent {
        let end = &key[key.len() - 18..];
        let (upper, lower) = (encoded(key), encoded(key).to_lowercase());
        if [key, end, &upper, &lower].iter().any(|form| text.contains(&**form)) {
            let at = text.find(end).unwrap_or(0);
            let near = text.get(at.saturating_sub(60)..at + 18).unwrap_or_default();
            leaks.push(format!("{what}: {place}: …{near}"));
        }
    }
}

/// Sends a key of each kind to each place, and returns where one is shown.
fn leaks_of(format: &str, token: Option<&str>) -> Vec<String> {
    let places = places();
    assert!(places.len() > 100, "{}", places.len());
    let known: Vec<String> = (0..places.len()).map(key).collect();
    let mut args = vec!["--log-format", format, "--journal-memory", "64", "--journal", "100000"];
    args.extend(known.iter().flat_map(|key| ["--api-key", key]));
    args.extend(token.into_iter().flat_map(|token| ["--admin-token", token]));
    let (server, address) = Process::serve(&args);
    let authorization = format!("Authorization: Bearer {}\r\n", token.unwrap_or("app-demo"));
    let (mut sent, mut leaks) = (Vec::new(), Vec::new());
    for (number, place) in places.iter().enumerate() {
        let keys = match token {
            Some(token) => vec![("token", token.to_owned())],
            None if place.rule == Rule::Known => vec![("known", known[number].clone())],
            None => vec![("known", known[number].clone()), ("unknown", key(number + 10_000))],
        };
        for (kind, key) in keys {
            let authorization = if token.is_some() && place.rule == Rule::Hide {
                "Authorization: Bearer app-demo\r\n"
            } else {
                &authorization
            };
            let answers = answers(address, place, &key, authorization);
            let sent_now = (format!("{kind} {:?} {}", place.rule, place.name), key);
            search(&mut leaks, std::slice::from_ref(&sent_now), ("answer", &answers));
            sent.push(sent_now);
        }
    }
    for (what, text) in shown(address, &authorization) {
        assert!(text.contains("****") || what == "sandboxes", "{what} hides nothing: {text:.500}");
        search(&mut leaks, &sent, (what, &text));
    }
    let log = server.stop().stderr;
    let hides = ["****", "[holds a key]"].iter().any(|mask| log.contains(mask));
    assert!(hides, "{log:.500}");
    search(&mut leaks, &sent, ("log", &log));
    leaks
}

#[test]
fn no_key_is_shown_from_any_place() {
    let leaks = leaks_of("text", None);
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
}

#[test]
fn the_admin_token_is_not_shown_either() {
    let leaks = leaks_of("json", Some("t0kEnt0kEnt0kEnt0kEnt0kEn"));
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
}

/// The name of a cookie helps the reader, but its value may be a session, so only the value is hidden.
#[test]
fn cookies_keep_their_names() {
    let (_server, address) = Process::serve(&[]);
    let lines = "Authorization: Bearer app-demo\r\nCookie: theme=dark; id=1234567890\r\n";
    raw(address, asked("GET", NEWEST, lines).as_bytes()).ok();
    let requests = raw(address, asked("GET", "/__admin/requests", "").as_bytes()).ok().json();
    let request = &requests["requests"][0]["request"];
    assert_eq!(request["headers"]["cookie"], "theme=****; id=****7890");
    assert_eq!(request["cookies"], serde_json::json!({"theme": "****", "id": "****7890"}));
}
