//! The real binary as a child process. It is killed when the test ends.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::support::client::PATIENCE;

/// The longest that a test waits for a process to begin or to run to its end: a debug build on a busy
/// machine takes half a minute for a large fixture.
const LONG: Duration = Duration::from_secs(120);

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_gptbots-mock");

/// The binary under test: the one that was built with the tests, or the file that `TEST_BINARY`
/// names, because memory is measured on the release build.
fn binary() -> OsString {
    std::env::var_os("TEST_BINARY").unwrap_or_else(|| BINARY.into())
}

/// The binary with arguments, and none of its variables but those that are added.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = bare(&binary());
    command.args(args);
    command
}

/// A shell line in which `$0` is the binary.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = bare("sh".as_ref());
    command.args(["-c", line, BINARY]);
    command
}

/// A shell script that runs in a folder and finds the binary by its name, as where it is installed.
pub(crate) fn script(text: &str, folder: &Path) -> Command {
    let mut command = bare("sh".as_ref());
    let binaries = Path::new(BINARY).parent().unwrap().to_str().unwrap();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    command.args(["-c", text]).current_dir(folder).env("PATH", path);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn bare(program: &OsStr) -> Command {
    let mut command = with_default_signals(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let of_colours = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].contains(&&*name);
        if name.starts_with("GPTBOTS_MOCK_") || of_colours {
            command.env_remove(&*name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `nohup`, and a script that starts the tests in its background, have them ignore signals, and a
/// child would inherit that.
fn with_default_signals(program: &OsStr) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |bits| u64::from_str_radix(bits.trim(), 16).unwrap());
    let is_ignored = |signal: u32| ignored >> (signal - 1) & 1 == 1;
    let [hangup, interrupt, quit] = [1, 2, 3];
    if ![hangup, interrupt, quit].into_iter().any(is_ignored) {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP,INT,QUIT").arg(program);
    command
}

/// A running child. It is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

/// How a child ended, and what of its output nobody had taken before.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Asserts this exit code, nothing on stdout, and each of these words on stderr.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, &*self.stdout), (code, ""), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}`: {}", self.stderr);
        }
    }
}

impl Process {
    /// Starts a command. What it prints is read by threads, where it goes to pipes.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = Self::unread(command);
        process.read_stderr();
        process
    }

    /// The same, but nobody reads stderr before [`Process::read_stderr`].
    #[track_caller]
    pub(crate) fn unread(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map_or_else(Lines::none, Lines::of);
        Self { child, stdout, stderr: Lines::none() }
    }

    /// Writes to its standard input.
    #[track_caller]
    pub(crate) fn write_stdin(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().expect("stdin is a pipe").write_all(bytes).unwrap();
    }

    /// Closes our end of its standard input.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.child.stdin.take().expect("stdin is a pipe"));
    }

    pub(crate) fn read_stderr(&mut self) {
        if let Some(stderr) = self.child.stderr.take() {
            self.stderr = Lines::of(stderr);
        }
    }

    /// Closes the reading end of stderr, if nobody reads it yet.
    pub(crate) fn close_stderr(&mut self) {
        drop(self.child.stderr.take());
    }

    /// A server on a free port, and its address.
    #[track_caller]
    pub(crate) fn serve(args: &[&str]) -> (Self, SocketAddr) {
        Self::serving(command(args).args(["--port", "0"]))
    }

    #[track_caller]
    pub(crate) fn serving(command: &mut Command) -> (Self, SocketAddr) {
        let mut server = Self::spawn(command);
        let address = server.address();
        (server, address)
    }

    /// The address on the first line of stdout.
    #[track_caller]
    pub(crate) fn address(&mut self) -> SocketAddr {
        let Some(line) = self.stdout.next_within(LONG) else {
            panic!("ended without an address: {}", self.stderr.rest());
        };
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("not an address: {line:?}"))
    }

    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    #[track_caller]
    fn end_within(mut self, patience: Duration) -> Ended {
        let status = self.wait_within(patience);
        let code = status.code().unwrap_or_else(|| panic!("killed: {status}"));
        Ended { code, stdout: self.stdout.rest(), stderr: self.stderr.rest() }
    }

    /// Waits for the end, and leaves what it has printed alone.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.wait_within(PATIENCE)
    }

    #[track_caller]
    fn wait_within(&mut self, patience: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < patience, "the process does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it as a user does.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        self.end()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory in KiB, as Linux tells it; none elsewhere.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        self.memory_kib("VmRSS:")
    }

    /// The most resident memory that it had, in KiB, as Linux tells it; none elsewhere.
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        self.memory_kib("VmHWM:")
    }

    fn memory_kib(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// How many threads it has, as Linux tells it; none elsewhere.
    pub(crate) fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).map_or(0, Iterator::count)
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ended {
    Process::spawn(command).end_within(LONG)
}

/// Runs a line of shell under `exec`; `$0` is the binary.
pub(crate) fn exec(flags: &[&str], line: &str) -> Command {
    command(&[&["exec"], flags, &["--", "sh", "-c", line, BINARY]].concat())
}

/// Whether a program is there to be called.
pub(crate) fn is_installed(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output();
    is_there.is_ok_and(|output| output.status.success())
}

/// Runs the binary in a folder to its end.
#[track_caller]
pub(crate) fn run_in(folder: &Path, args: &[&str]) -> Ended {
    run(command(args).current_dir(folder))
}

/// The lines of a stream, read by a thread.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    fn none() -> Self {
        Self(channel().1)
    }

    fn of(stream: impl Read + Send + 'static) -> Self {
        let (lines, read) = channel();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8(std::mem::take(&mut line)).expect("output is UTF-8");
                if lines.send(text).is_err() {
                    break;
                }
            }
        });
        Self(read)
    }

    /// The next line with its end; none at the end of the stream.
    #[track_caller]
    fn next_within(&mut self, patience: Duration) -> Option<String> {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        match self.0.recv_timeout(patience) {
            Ok(line) => Some(line),
            Err(Disconnected) => None,
            Err(Timeout) => panic!("no line comes"),
        }
    }

    /// The next line without its end; none at the end of the stream.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<String> {
        self.next_within(PATIENCE).map(|line| line.trim_end_matches('\n').to_owned())
    }

    /// The first line that holds a text; those before it are gone.
    #[track_caller]
    pub(crate) fn find(&mut self, text: &str) -> String {
        self.through(text).lines().next_back().expect("a line was found").to_owned()
    }

    /// Everything up to the first line that holds a text, and that line.
    #[track_caller]
    pub(crate) fn through(&mut self, text: &str) -> String {
        let mut all = String::new();
        while let Some(line) = self.next_within(PATIENCE) {
            all += &line;
            if line.contains(text) {
                return all;
            }
        }
        panic!("no line holds {text:?}: {all:?}")
    }

    /// Everything that is left, to the end of the stream.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> String {
        std::iter::from_fn(|| self.next_within(PATIENCE)).collect()
    }
}

/// Whether a process is there, and is not one that has ended and was not waited for.
pub(crate) fn lives(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// Waits until the server has read all that was sent on a connection, as the kernel tells it.
/// Elsewhere than on Linux it does not wait.
pub(crate) fn wait_until_read(stream: &TcpStream) {
    let hex = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => {
            format!("{:08X}:{:04X}", u32::from_le_bytes(v4.ip().octets()), v4.port())
        }
        SocketAddr::V6(v6) => panic!("{v6} stands in another table"),
    };
    let (server, client) = (hex(stream.peer_addr().unwrap()), hex(stream.local_addr().unwrap()));
    let begun = Instant::now();
    // Columns: number, local address, remote address, state, sending:receiving queue.
    let unread = |table: &str| {
        let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row[1] == server && row[2] == client);
        row.is_some_and(|row| !row[4].ends_with(":00000000"))
    };
    while std::fs::read_to_string("/proc/net/tcp").is_ok_and(|table| unread(&table)) {
        assert!(begun.elapsed() < PATIENCE, "the server does not read");
        std::thread::yield_now();
    }
}
