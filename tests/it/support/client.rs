//! The HTTP client of the tests. It follows, retries and hides nothing, and checks every answer of
//! the emulated API against the `OpenAPI` document.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use gptbots_mock::Server;
use serde_json::Value;

use crate::support::schemas::hold;
use crate::support::wire::Wire;

/// The longest that any test waits for an answer; none should come near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A window that holds everything.
pub(crate) const ALWAYS: &str = "start_time=0&end_time=9999999999999";

/// The newest conversation of agent *demo*.
pub(crate) const NEWEST: &str = "/v1/bot/conversation/page?conversation_type=ALL\
    &start_time=0&end_time=9999999999999&page=1&page_size=1";

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The only header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands twice: {:?}", self.headers);
        value
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The rows under a key.
    #[track_caller]
    pub(crate) fn rows(&self, key: &str) -> Vec<Value> {
        self.ok().json()[key].as_array().unwrap_or_else(|| panic!("no {key}: {self:?}")).clone()
    }

    /// One value of every row: a string bare, anything else as JSON.
    #[track_caller]
    pub(crate) fn column(&self, key: &str, name: &str) -> Vec<String> {
        let plain = |row: &Value| row[name].as_str().map_or(row[name].to_string(), str::to_owned);
        self.rows(key).iter().map(plain).collect()
    }

    /// Asserts a 200 that is JSON.
    #[track_caller]
    pub(crate) fn ok(&self) -> &Self {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("x-mock-reason"), None);
        self
    }

    /// Asserts a refusal with exactly this body, and a reason that holds `reason`.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: u32, message: &str, reason: &str) {
        let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        assert_eq!((self.status, self.body.as_str()), (status, body.as_str()), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let why = self.header("x-mock-reason").unwrap_or_default();
        assert!(why.contains(reason), "the reason is `{why}`, not `{reason}`");
        assert!(why.bytes().all(|b| (0x20..0x7f).contains(&b)), "{why:?}");
    }

    /// Asserts a failure of the control API that says why.
    #[track_caller]
    pub(crate) fn failed(&self, status: u16, why: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let errors = self.errors();
        let says = |error: &Value| {
            [&error["title"], &error["detail"]]
                .iter()
                .any(|text| text.as_str().is_some_and(|text| text.contains(why)))
        };
        assert!(errors.iter().any(says), "{errors:?} do not say `{why}`");
    }

    /// The mistakes that a failure of the control API lists, in WireMock's form.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<Value> {
        let json = self.json();
        let keys: Vec<_> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["errors"], "{self:?}");
        let errors = json["errors"].as_array().unwrap();
        assert!(!errors.is_empty(), "{self:?}");
        assert!(errors.iter().all(|error| error["code"] == self.status), "{self:?}");
        errors.clone()
    }

    /// What is wrong, as the first mistake of a failure of the control API says.
    #[track_caller]
    pub(crate) fn title(&self) -> String {
        self.errors()[0]["title"].as_str().unwrap().to_owned()
    }
}

/// `GET` with a key.
#[track_caller]
pub(crate) fn get(server: &Server, key: &str, path_and_query: &str) -> Answer {
    request(server, "GET", path_and_query, &[("Authorization", &format!("Bearer {key}"))])
}

/// The same, but the answer is not checked against the document: its rows may have a channel that no page
/// lists.
#[track_caller]
pub(crate) fn get_unchecked(server: &Server, key: &str, path_and_query: &str) -> Answer {
    let head = head("GET", path_and_query, key, "Connection: close\r\n");
    parse(&exchange(server.address(), head.as_bytes()))
}

/// The rows of every page of a query, until a page is short.
#[track_caller]
pub(crate) fn walk(
    server: &Server,
    key: &str,
    query: &str,
    rows: &str,
    page_size: usize,
) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let query = format!("{query}&page={page}&page_size={page_size}");
        let answer = get(server, key, &query);
        // Where the rows end with a full page, v1 and v2 messages refuse the next one.
        if answer.status == 400 && page > 1 && answer.json()["code"] == 40005 {
            break;
        }
        let found = answer.rows(rows);
        let short = found.len() < page_size;
        all.extend(found);
        if short {
            break;
        }
    }
    all
}

/// One request on a connection of its own.
#[track_caller]
pub(crate) fn request(
    server: &Server,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Answer {
    call(server.address(), method, target, headers)
}

/// The same, to a server that is known by its address.
#[track_caller]
pub(crate) fn call(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([*name, ": ", *value, "\r\n"]);
    }
    head.push_str("\r\n");
    raw(address, head.as_bytes())
}

/// The head of a request with a key, on a connection that stays open; more headers each end in a
/// line break.
pub(crate) fn head(method: &str, target: &str, key: &str, more: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{more}\r\n"
    )
}

/// A connection on which bytes were sent.
#[track_caller]
pub(crate) fn sent(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(bytes.as_ref()).unwrap();
    stream
}

/// `GET` with a key, to an address.
#[track_caller]
pub(crate) fn fetch(address: SocketAddr, key: &str, target: &str) -> Answer {
    call(address, "GET", target, &[("Authorization", &format!("Bearer {key}"))])
}

/// Sends bytes, and reads all that comes to the end of the connection.
#[track_caller]
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    sent(address, bytes).read_to_end(&mut all).unwrap();
    all
}

/// Sends bytes, and reads one answer to the end of the connection.
#[track_caller]
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let answer = parse(&exchange(address, bytes));
    hold(address, bytes, &answer);
    answer
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection that stays open, for tests that ask thousands of times.
pub(crate) struct Connection {
    wire: Wire,
    key: String,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, key: &str) -> Self {
        let wire = Wire::open(address);
        wire.stream().set_nodelay(true).unwrap();
        Self { wire, key: key.to_owned() }
    }

    /// `GET` with the connection's key.
    #[track_caller]
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        let head = head("GET", target, &self.key, "");
        self.wire.send(&head);
        let answer = self.wire.answer();
        assert!(!self.wire.has_more(), "more than one answer to {target}");
        hold(self.wire.stream().peer_addr().unwrap(), head.as_bytes(), &answer);
        answer
    }
}

/// Takes an answer apart. The body is everything behind the head.
#[track_caller]
pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8(bytes.to_vec()).expect("an answer is UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Answer { status: status.parse().unwrap(), headers, body: body.to_owned() }
}
