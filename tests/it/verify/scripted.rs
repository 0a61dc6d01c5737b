//! Servers that follow a test's script, and `verify` run against them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::support::client::{PATIENCE, connect};
use crate::support::folder::Folder;
use crate::support::process::{command, run};

/// The key that every run here has: that of the built-in records, so that a server may also hand
/// requests on to an emulator.
pub(crate) const KEY: &str = crate::support::faults::KEY;

/// A listener that treats one connection after the other as it is told, until it is dropped.
pub(crate) struct Scripted {
    address: SocketAddr,
    met: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    /// `treat` has each connection as it comes; that a client goes away is no failure of it.
    pub(crate) fn raw(
        mut treat: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (met, stopping) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, stop) = (Arc::clone(&met), Arc::clone(&stopping));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_write_timeout(Some(PATIENCE)).unwrap();
                let _ = treat(&mut stream);
            }
        });
        Self { address, met, stopping, thread: Some(thread) }
    }

    /// `treat` has each connection once a request has come, and its head.
    pub(crate) fn new(
        mut treat: impl FnMut(&mut TcpStream, &str) -> io::Result<()> + Send + 'static,
    ) -> Self {
        Self::raw(move |stream| {
            let head = head_of(stream)?;
            treat(stream, &head)
        })
    }

    /// Sends the same to everyone, and closes.
    pub(crate) fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::new(move |stream, _| stream.write_all(&bytes))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections there were.
    pub(crate) fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// Reads a request's head; those of `verify` have no body.
pub(crate) fn head_of(stream: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).expect("a head is text"))
}

/// Says nothing until the client has gone.
pub(crate) fn hang(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 1024];
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}

/// Sends one byte after the other, with pauses, until the client has gone.
pub(crate) fn drip(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    for byte in bytes {
        // Waits for the end of the connection, which is the pause.
        match stream.read(&mut [0]) {
            Ok(0) => return Ok(()),
            _ => stream.write_all(&[*byte])?,
        }
    }
    hang(stream)
}

/// An answer of this status with a body that has its length.
pub(crate) fn answer(status: &str, kind: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A 200 that says that it is JSON.
pub(crate) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer("200 OK", "application/json", body)
}

/// What an emulator answers to a request's head.
pub(crate) fn handed_on(to: SocketAddr, head: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect(to);
    stream.write_all(head.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// What `verify` found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) json: Value,
    /// All that it wrote, to wherever.
    pub(crate) all: String,
}

/// How many requests a run may send here, unless it says otherwise.
pub(crate) const MOST: usize = 120;

/// The variables of a run against a server that is known to give no answer.
pub(crate) const IMPATIENT: [(&str, &str); 1] = [("GPTBOTS_MOCK_TIMEOUT", "1")];

/// Runs `verify`, and asserts what holds of every run: it ends by itself with a report, and nothing
/// that it writes holds the key or a control character.
#[track_caller]
pub(crate) fn verify(url: &str, env: &[(&str, &str)]) -> Found {
    let directory = Folder::new();
    let reports = ["r.json", "r.txt", "r.xml"].map(|name| directory.join(name));
    let mut verify = command(&["verify", "--against", url]);
    for scheme in ["HTTP", "HTTPS", "ALL"] {
        let name = format!("{scheme}_PROXY");
        verify.env_remove(name.to_lowercase()).env_remove(name);
    }
    verify.env("GPTBOTS_MOCK_KEY", KEY).env("GPTBOTS_MOCK_PER_MINUTE", "1000000");
    verify.env("GPTBOTS_MOCK_TIMEOUT", "15").env("GPTBOTS_MOCK_MAX_REQUESTS", MOST.to_string());
    verify.envs(env.iter().copied());
    for report in &reports {
        verify.arg("--report").arg(report);
    }
    let ended = run(&mut verify);
    assert!(matches!(ended.code, 0 | 6), "{ended:?}");
    assert!(!ended.stderr.contains("panic"), "{ended:?}");
    let written = reports.each_ref().map(|path| std::fs::read_to_string(path).unwrap());
    for text in [&ended.stdout, &ended.stderr].into_iter().chain(&written) {
        assert!(!text.contains(KEY), "{text}");
        let raw = text.chars().find(|char| char.is_control() && *char != '\n');
        assert_eq!(raw, None, "{text:?}");
        let long = text.lines().find(|line| line.len() > 1000);
        assert!(long.is_none(), "{long:?}");
    }
    let json: Value = serde_json::from_str(&written[0]).unwrap();
    assert!(json["requests"].as_u64().unwrap() <= MOST as u64, "{json}");
    let all = written.concat() + &ended.stdout + &ended.stderr;
    Found { code: ended.code, stdout: ended.stdout, json, all }
}

/// What is wrong with the server as a whole.
pub(crate) fn troubles(found: &Found) -> Vec<&str> {
    found.json["troubles"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// Asserts that a run ends with 6, and that the first thing that it says of the server is this.
#[track_caller]
pub(crate) fn finds(url: &str, env: &[(&str, &str)], says: &str) -> Found {
    let found = verify(url, env);
    assert_eq!(found.code, 6, "{}", found.stdout);
    let first = troubles(&found).first().map(|text| (*text).to_owned()).unwrap_or_default();
    assert!(first.contains(says), "`{says}` is not in `{first}`:\n{}", found.stdout);
    assert!(found.stdout.contains(&format!("\nserver: {first}\n")), "{}", found.stdout);
    found
}

/// What became of a statement, and what came instead.
#[track_caller]
pub(crate) fn statement<'f>(found: &'f Found, id: &str) -> (&'f str, &'f str) {
    let all = found.json["statements"].as_array().unwrap();
    let one = all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    (one["found"].as_str().unwrap(), one["came"].as_str().unwrap_or_default())
}
