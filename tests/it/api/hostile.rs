//! Random and malformed requests: each gets an answer of the contract or an empty 4xx of the HTTP
//! parser, and the next client is served. Tests `emulator.only-json`.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use gptbots_mock::Server;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use serde_json::Value;

use crate::support::cases::for_all;
use crate::support::client::{Answer, connect, get, parse};
use crate::support::walk::{LIST, MESSAGES, MESSAGES_V2, QA, whole_list};

const PATHS: [&str; 4] = [LIST, MESSAGES, MESSAGES_V2, QA];

/// Every refusal that a server with default settings can give, typed from the contract:
/// (HTTP status, code, messages). 500 is not among them.
const REFUSALS: [(u16, u32, &[&str]); 9] = [
    (400, 40000, &["Invalid parameter", "Invalid parameter.", "Invalid parameters"]),
    (400, 40005, &["Page number exceeds total.", "Pagination parameter exceeds actual count"]),
    (400, 40356, &["Conversation does not exist.", "Conversation does not exist"]),
    (401, 40127, &["Authentication failed.", "Developer authentication failed"]),
    (400, 20059, &["Agent deleted", "Agent has been deleted"]),
    (404, 404, &["Not found"]),
    (405, 405, &["Method not allowed"]),
    (400, 400, &["Bad request"]),
    (501, 501, &["Not implemented"]),
];

/// Sends bytes and reads every answer until the server closes.
#[track_caller]
fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = connect(address);
    // A server that refuses early does not read the rest.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => all.extend_from_slice(&chunk[..read]),
            // A close while bytes are unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&all)),
        }
    }
    answers(&all)
}

/// Takes a stream of answers apart by their lengths.
#[track_caller]
fn answers(mut bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").expect("a whole head") + 4;
        let length = parse(&bytes[..head]).header("content-length").map(str::parse::<usize>);
        let end = head + length.expect("a length").unwrap();
        assert!(end <= bytes.len(), "cut off: {:?}", String::from_utf8_lossy(bytes));
        answers.push(parse(&bytes[..end]));
        bytes = &bytes[end..];
    }
    answers
}

/// Asserts that an answer has the contract's form, or is an empty 4xx of the HTTP parser.
#[track_caller]
fn assert_form(answer: &Answer) {
    let Answer { status, body, .. } = answer;
    if body.is_empty() {
        assert!([400, 414, 431].contains(status), "{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
        return;
    }
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    if *status == 200 {
        assert!(answer.ok().json().is_object());
        return;
    }
    let known = REFUSALS.iter().any(|(of, code, messages)| {
        let is = |message| *body == format!(r#"{{"code":{code},"message":"{message}"}}"#);
        of == status && messages.iter().any(is)
    });
    assert!(known, "{answer:?}");
    let reason = answer.header("x-mock-reason").expect("a reason");
    assert!(reason.bytes().all(|b| (0x20..0x7f).contains(&b)), "{reason:?}");
    assert!(reason.len() < 1000, "{} bytes of reason", reason.len());
}

/// Asserts that a good request is answered as ever.
#[track_caller]
fn assert_serves(server: &Server) {
    let query = format!("{}&page=1&page_size=1", whole_list());
    let answer = get(server, "app-demo", &query);
    assert_eq!((answer.rows("list").len(), &answer.json()["total"]), (1, &Value::from(20)));
}

fn server() -> Server {
    Server::builder().conversations(20).start().unwrap()
}

/// Sends a request with any bytes on its own connection.
fn head(method: &[u8], target: &[u8], authorization: &[u8]) -> Vec<u8> {
    let line = [method, b" ", target, b" HTTP/1.1\r\nHost: localhost\r\n"].concat();
    let close: &[u8] = b"\r\nConnection: close\r\n\r\n";
    [&line[..], b"Authorization: ", authorization, close].concat()
}

/// Visible ASCII, as a target holds it, without what ends one.
fn visible() -> impl Strategy<Value = String> {
    vec(0x21..0x7fu8, 0..12).prop_map(|bytes| bytes.into_iter().map(char::from).collect())
}

/// Text that a query or a path may be made of: near the right one, or far from it.
fn piece() -> impl Strategy<Value = String> {
    let of = |words: &'static str| select(words.split(' ').collect::<Vec<_>>());
    let names = of("conversation_type user_id start_time end_time page page_size conversation_id \
                    user_feedback");
    let values = of("ALL API api NONE xxxxxx 0 1 -1 10 100 101 007 9999999999999 \
                     9223372036854775808 -9223372036854775808");
    let signs = of("& = + % %% %4 %zz %00 %ff %26 %3D ? ; []");
    prop_oneof![
        4 => names.prop_map(str::to_owned),
        4 => values.prop_map(str::to_owned),
        6 => signs.prop_map(str::to_owned),
        3 => any::<u8>().prop_map(|byte| format!("%{byte:02x}")),
        2 => visible(),
        1 => any::<char>().prop_map(String::from),
    ]
}

/// Beginnings of right queries, so that cases go beyond the first check.
const STARTS: &[&str] = &[
    "",
    "start_time=0&end_time=9999999999999&page=1&page_size=10&conversation_type=",
    "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10&user_id=",
    "user_feedback=ALL&start_time=0&end_time=9999999999999&page=1&page_size=10",
    "page=1&page_size=10&conversation_id=",
];

#[test]
fn no_query_breaks_the_server() {
    let server = server();
    let key = select(&["app-demo", "your_apikey", "app-deleted"][..]);
    let query = (select(STARTS), vec(piece(), 0..16)).prop_map(|(start, pieces)| {
        // No space or control character: these end the target.
        let tail: String = pieces.concat().chars().filter(|c| !c.is_whitespace()).collect();
        format!("{start}{tail}")
    });
    for_all(600, &(select(&PATHS[..]), query, key), |(path, query, key)| {
        let target = format!("{path}?{query}");
        let bytes = head(b"GET", target.as_bytes(), format!("Bearer {key}").as_bytes());
        let answers = exchange(server.address(), &bytes);
        assert_eq!(answers.len(), 1, "{target}");
        assert_form(&answers[0]);
    });
    assert_serves(&server);
}

#[test]
fn long_queries_are_answered() {
    let server = server();
    for filler in ["A", "%", "+", "%41", "&", "=", "&page=1", "%ff", "\u{6f22}"] {
        for path in PATHS {
            // Both sides of what a target may hold.
            for (bytes, status) in [(60_000, None), (70_000, Some(414)), (140_000, Some(431))] {
                let filler = filler.repeat(bytes / filler.len());
                let target = format!("{path}?conversation_id={filler}");
                let bytes = head(b"GET", target.as_bytes(), b"Bearer app-demo");
                let answers = exchange(server.address(), &bytes);
                assert_eq!(answers.len(), 1);
                assert_form(&answers[0]);
                let refused = Some(answers[0].status).filter(|_| answers[0].body.is_empty());
                assert_eq!(refused, status, "{} bytes of {target:.60}", bytes.len());
            }
        }
    }
    assert_serves(&server);
}

#[test]
fn no_authorization_that_holds_no_key_lets_anyone_in() {
    let server = server();
    let start = select(&["", "Bearer ", "bearer  ", "Basic ", "Bearer app-demo ", "Bearer"][..]);
    // Without the line breaks that would end the header.
    let bytes = vec(any::<u8>().prop_filter("a line break", |b| !b"\r\n".contains(b)), 1..40);
    for_all(300, &(select(&PATHS[..]), start, bytes), |(path, start, bytes)| {
        let value = [start.as_bytes(), b"x", &bytes[..]].concat();
        let answers = exchange(server.address(), &head(b"GET", path.as_bytes(), &value));
        assert_eq!(answers.len(), 1);
        assert_form(&answers[0]);
        let control = |b: &u8| *b == 0x7f || (*b < 0x20 && *b != b'\t');
        let expected = if bytes.iter().any(control) { 400 } else { 401 };
        assert_eq!(answers[0].status, expected, "{:?}", answers[0]);
    });
    assert_serves(&server);
}

#[test]
fn every_other_path_is_not_found() {
    let server = server();
    let near = (select(&PATHS[..]), piece()).prop_flat_map(|(path, piece)| {
        let len = path.len();
        (Just(path), Just(piece), 1..=len, 0..2usize)
    });
    let near = near.prop_map(|(path, piece, at, cut)| {
        format!("{}{piece}{}", &path[..at - cut.min(at - 1)], &path[at..])
    });
    let far = vec(piece(), 0..8).prop_map(|pieces| format!("/{}", pieces.concat()));
    let path = prop_oneof![near, far].prop_map(|path| {
        path.chars().filter(|c| !c.is_whitespace() && !"?#".contains(*c)).collect::<String>()
    });
    for_all(300, &path, |path| {
        let bytes = head(b"GET", path.as_bytes(), b"Bearer app-demo");
        let answers = exchange(server.address(), &bytes);
        assert_eq!(answers.len(), 1, "{path}");
        assert_form(&answers[0]);
        if !PATHS.contains(&&*path) && !answers[0].body.is_empty() {
            answers[0].refused(404, 404, "Not found", "no endpoint at");
        }
    });
    assert_serves(&server);
}

#[test]
fn every_other_method_is_not_allowed() {
    let server = server();
    let methods = ["POST", "PUT", "OPTIONS", "TRACE", "CONNECT", "get", "GETS", "M-SEARCH", "!#$"];
    for (method, path) in methods.iter().flat_map(|method| PATHS.map(|path| (method, path))) {
        let bytes = head(method.as_bytes(), path.as_bytes(), b"Bearer app-demo");
        let answers = exchange(server.address(), &bytes);
        assert_eq!(answers.len(), 1, "{method}");
        answers[0].refused(405, 405, "Method not allowed", method);
        assert_eq!(answers[0].header("allow"), Some("GET, HEAD"));
    }
}

/// Any bytes at all, made of what heads are made of; a good request follows on the connection.
#[test]
fn no_head_breaks_the_server() {
    let server = server();
    let parts: &[&[u8]] = &[
        b"GET",
        b"POST",
        b"CONNECT",
        b" ",
        b" /",
        b"/v1/messages",
        b"*",
        b"http://h/v2/messages",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b" HTTP/2.0",
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"Host: h",
        b"Authorization: Bearer app-demo",
        b"Content-Length: 7",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Upgrade: h2c",
        b"Connection: upgrade",
        b"Connection: close",
        b": ",
        b":",
        b"\t",
        b"7\r\n1234567\r\n",
    ];
    let noise = vec(any::<u8>(), 0..20);
    let part = prop_oneof![4 => select(parts).prop_map(<[u8]>::to_vec), 1 => noise];
    for_all(500, &vec(part, 0..20), |parts| {
        let good: &[u8] = b"\r\n\r\nGET /else HTTP/1.1\r\nConnection: close\r\n\r\n";
        let bytes = [&parts.concat()[..], good].concat();
        let answers = exchange(server.address(), &bytes);
        assert!(!answers.is_empty(), "no answer to {:?}", String::from_utf8_lossy(&bytes));
        answers.iter().for_each(assert_form);
    });
    assert_serves(&server);
}

/// A client may close its sending half behind its last request, as `nc -N` does. Many at once, so
/// that the server sees request and end together.
#[test]
fn clients_that_close_their_sending_half_are_answered() {
    let server = server();
    let streams: Vec<_> = (0..100).map(|_| connect(server.address())).collect();
    for mut stream in &streams {
        stream.write_all(b"GET /__admin/health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    }
    let answered = |mut stream: TcpStream| stream.read_to_end(&mut Vec::new()).unwrap() > 0;
    assert_eq!(streams.into_iter().map(answered).filter(|answered| *answered).count(), 100);
}
