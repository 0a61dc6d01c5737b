//! One connection, byte by byte.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::client::{Answer, NEWEST, connect, head, parse};

/// A connection that stays open: requests go in, answers come out one at a time.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
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

    /// The next head, without what stands behind it.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Answer {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let read = self.0.read_until(b'\n', &mut bytes).unwrap();
            assert!(read > 0, "closed in a head: {:?}", String::from_utf8_lossy(&bytes));
        }
        parse(&bytes)
    }

    /// The next answer, as long as its `Content-Length` says.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let head = self.head();
        let length = head.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Answer { body: String::from_utf8(body).expect("an answer is UTF-8"), ..head }
    }

    /// How many bytes there are to read without waiting, up to 1; 0 where the server has closed.
    fn peek(&self) -> Result<usize, ErrorKind> {
        self.stream().set_nonblocking(true).unwrap();
        let next = self.stream().peek(&mut [0]).map_err(|error| error.kind());
        self.stream().set_nonblocking(false).unwrap();
        next
    }

    /// Whether the connection is open, with nothing to read.
    pub(crate) fn is_open(&self) -> bool {
        self.peek() == Err(ErrorKind::WouldBlock)
    }

    /// Whether something has come behind what was read.
    pub(crate) fn has_more(&self) -> bool {
        !self.0.buffer().is_empty() || self.peek() == Ok(1)
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

/// Requests of which half a body comes, and whether each is answered without the rest.
pub(crate) fn half_bodies() -> [(String, bool); 5] {
    let half = |method: &str, target: &str, (framing, half): (&str, &str)| {
        head(method, target, "app-demo", framing) + half
    };
    let length = ("Content-Length: 100\r\n", "{");
    let chunked = ("Transfer-Encoding: chunked\r\n", "5\r\n{");
    [
        (half("PUT", "/__admin/sandboxes/a", length), false),
        (half("PUT", "/__admin/sandboxes/a", chunked), false),
        (half("POST", "/__admin/nothing", chunked), false),
        (half("GET", NEWEST, chunked), false),
        (half("GET", NEWEST, length), true),
    ]
}
