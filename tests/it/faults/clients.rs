//! Faults as real clients report them: the table of `docs/faults.md` for `curl`, Python's
//! `http.client` and Node's `fetch`. A client that is not installed is skipped.

use std::process::{Command, Output, Stdio};

use gptbots_mock::Server;

use crate::support::client::get;
use crate::support::faults::{KEY, MESSAGES, server};

/// Prints the response, or the name of the error: before the head, in the body, or when the body is decoded.
const PYTHON: &str = r"
import http.client, sys
host, port, target, key, timeout = sys.argv[1:]
where = 'head'
try:
    client = http.client.HTTPConnection(host, int(port), timeout=float(timeout))
    client.request('GET', target, headers={'Authorization': 'Bearer ' + key})
    answer = client.getresponse()
    where = 'body'
    body = answer.read()
    where = 'text'
    print('whole', answer.status, repr(body) if len(body) < 9 else len(body))
    body.decode()
except Exception as error:
    print(where, type(error).__name__)
";

const NODE: &str = r"
const [url, key, timeout] = process.argv.slice(1);
let where = 'head';
(async () => {
    try {
        const headers = { Authorization: `Bearer ${key}` };
        const signal = AbortSignal.timeout(Number(timeout));
        const answer = await fetch(url, { headers, signal });
        where = 'body';
        console.log('whole', answer.status, JSON.stringify(await answer.json()).length);
    } catch (error) {
        const cause = error.cause ? `, cause ${error.cause.code} ${error.cause.message}` : '';
        console.log(where, `${error.name}: ${error.message}${cause}`);
    }
})();
";

/// The output of a client; `None` if it is not installed.
fn say(client: &str, args: &[&str]) -> Option<Output> {
    let mut command = Command::new(client);
    match command.args(args).env("LC_ALL", "C").stdin(Stdio::null()).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("{client} is left out: {error}");
            None
        }
    }
}

/// Asserts the exit code and the message of `curl`.
#[track_caller]
fn curl(fault: &str, most_seconds: &str, code: i32, says: &str) {
    let server = server(&[fault]);
    let (url, key) =
        (format!("{}{MESSAGES}", server.url()), format!("Authorization: Bearer {KEY}"));
    // Without the settings and proxies of the user.
    let args = ["-q", "-sS", "--noproxy", "*", "--max-time", most_seconds, "-H", &key, &url];
    let Some(output) = say("curl", &args) else { return };
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    assert!(err.contains(says), "{err}");
}

/// The output of the Python client.
fn python(fault: &str, timeout: &str) -> Option<String> {
    let server = server(&[fault]);
    let port = server.address().port().to_string();
    let output = say("python3", &["-c", PYTHON, "127.0.0.1", &port, MESSAGES, KEY, timeout])?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The output of the Node client.
fn node(fault: &str, timeout: &str) -> Option<String> {
    let server = server(&[fault]);
    let output = say("node", &["-e", NODE, &format!("{}{MESSAGES}", server.url()), KEY, timeout])?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The number of bytes of the original response.
fn whole() -> usize {
    get(&Server::start().unwrap(), KEY, MESSAGES).ok().body.len()
}

/// More seconds than any response here takes.
const LONG: &str = "20";
const LONG_MS: &str = "20000";

#[test]
fn curl_names_a_reset() {
    curl("break=reset", LONG, 56, "Connection reset by peer");
}

#[test]
fn curl_names_no_answer() {
    curl("break=no-answer", "0.4", 28, "0 bytes received");
}

#[test]
fn curl_takes_an_empty_body_for_an_answer() {
    curl("body=empty", LONG, 0, "");
}

#[test]
fn curl_names_half_an_answer() {
    curl("body=truncated", LONG, 18, "bytes");
}

#[test]
fn curl_takes_garbage_for_an_answer() {
    curl("body=garbage", LONG, 0, "");
}

#[test]
fn curl_names_a_drip() {
    curl("drip=100", "0.6", 28, &format!("out of {} bytes received", whole()));
}

#[test]
fn curl_names_a_delay() {
    curl("delay=600000", "0.4", 28, "0 bytes received");
}

/// Asserts the output of each of the two clients, if it is installed.
#[track_caller]
fn prints(said: Option<String>, expected: &str) {
    if let Some(said) = said {
        assert_eq!(said.trim_end(), expected);
    }
}

#[test]
fn python_names_a_reset() {
    prints(python("break=reset", LONG), "head ConnectionResetError");
}

#[test]
fn python_names_no_answer() {
    prints(python("break=no-answer", "0.4"), "head TimeoutError");
}

#[test]
fn python_takes_an_empty_body_for_an_answer() {
    prints(python("body=empty", LONG), "whole 200 b''");
}

#[test]
fn python_names_half_an_answer() {
    prints(python("body=truncated", LONG), "body IncompleteRead");
}

#[test]
fn python_names_garbage_when_it_is_decoded() {
    let said = format!("whole 200 {}\ntext UnicodeDecodeError", whole());
    prints(python("body=garbage", LONG), &said);
}

/// Its timeout limits each pause, not the whole response.
#[test]
fn python_names_a_drip_whose_pauses_are_too_long() {
    prints(python("drip=1", "0.4"), "body TimeoutError");
}

#[test]
fn python_names_a_delay() {
    prints(python("delay=600000", "0.4"), "head TimeoutError");
}

#[test]
fn node_names_a_reset() {
    let said = "head TypeError: fetch failed, cause ECONNRESET read ECONNRESET";
    prints(node("break=reset", LONG_MS), said);
}

/// The error of `AbortSignal.timeout`.
const ABORTED: &str = "TimeoutError: The operation was aborted due to timeout";

#[test]
fn node_names_no_answer() {
    prints(node("break=no-answer", "400"), &format!("head {ABORTED}"));
}

#[test]
fn node_names_an_empty_body() {
    let said = "body SyntaxError: Unexpected end of JSON input";
    prints(node("body=empty", LONG_MS), said);
}

#[test]
fn node_names_half_an_answer() {
    let said = "body TypeError: terminated, cause UND_ERR_SOCKET other side closed";
    prints(node("body=truncated", LONG_MS), said);
}

#[test]
fn node_names_garbage() {
    if let Some(said) = node("body=garbage", LONG_MS) {
        assert!(said.starts_with("body SyntaxError: "), "{said}");
    }
}

/// The head arrives before the client's timeout, however slowly the client starts.
#[test]
fn node_names_a_drip() {
    prints(node("drip=100", "2500"), &format!("body {ABORTED}"));
}

#[test]
fn node_names_a_delay() {
    prints(node("delay=600000", "400"), &format!("head {ABORTED}"));
}
