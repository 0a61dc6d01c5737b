//! What the tests call the server with: a client that shows everything and hides nothing.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use gptbots_mock::Server;
use serde_json::Value;

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
}

/// `GET` with a key.
#[track_caller]
pub(crate) fn get(server: &Server, key: &str, path_and_query: &str) -> Answer {
    request(server, "GET", path_and_query, &[("Authorization", &format!("Bearer {key}"))])
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

/// `GET` with a key, to an address.
#[track_caller]
pub(crate) fn fetch(address: SocketAddr, key: &str, target: &str) -> Answer {
    call(address, "GET", target, &[("Authorization", &format!("Bearer {key}"))])
}

/// Sends bytes, and reads one answer to the end of the connection.
#[track_caller]
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    parse(&all)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
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

/// A connection that stays open: requests go in, answers come out one at a time.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::of(connect(address))
    }

    pub(crate) fn of(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
        self.0.read_to_end(bytes)
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer, as long as its `Content-Length` says.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let read = self.0.read_until(b'\n', &mut bytes).unwrap();
            assert!(read > 0, "closed in a head: {:?}", String::from_utf8_lossy(&bytes));
        }
        let head = parse(&bytes);
        let length = head.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Answer { body: String::from_utf8(body).expect("an answer is UTF-8"), ..head }
    }

    /// Asserts that the server closes it without another byte.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("open: {error}"),
            _ => assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest)),
        }
    }
}
