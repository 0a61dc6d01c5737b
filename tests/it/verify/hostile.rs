//! `verify` against servers that break HTTP: each is reported by name, none crashes it, and the key
//! goes to no other server.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use gptbots_mock::Server;
use serde_json::json;

use crate::support::control::put;
use crate::verify::scripted::{
    Found, IMPATIENT, KEY, Scripted, answer, drip, finds, handed_on, hang, json, statement,
    troubles, verify,
};

/// Asserts that the server is given up after its first answer, and what is said of it.
#[track_caller]
fn gives_up(server: &Scripted, says: &str) -> Found {
    gives_up_as(server, &[], says)
}

/// The same of servers that give no answer in time, all at once.
fn are_late(servers: &[(Scripted, &str)]) {
    std::thread::scope(|scope| {
        for (server, says) in servers {
            scope.spawn(move || gives_up_as(server, &IMPATIENT, says));
        }
    });
}

#[track_caller]
fn gives_up_as(server: &Scripted, env: &[(&str, &str)], says: &str) -> Found {
    let found = finds(&server.url(), env, says);
    assert_eq!(server.met(), 1, "{}", found.stdout);
    assert_eq!(found.json["requests"], 1);
    found
}

#[test]
fn closed_port_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = "the connection was refused: no server listens at this address";
    let found = finds(&format!("http://{address}"), &[], refused);
    // The reason is the whole text after the counts.
    let all = found.json["statements"].as_array().unwrap().len();
    let says = format!("0 statements hold, 0 differ, {all} could not be tried (1 request)");
    let whole = format!("http://{address}: {says}\n\nserver: {refused}\n");
    assert_eq!(found.stdout, whole);
}

#[test]
fn unknown_host_name_is_reported() {
    finds("http://no-such-host.invalid", &[], "the host name cannot be resolved");
}

#[test]
fn html_page_is_reported() {
    let page = "<html><body>It works!</body></html>";
    let ok = Scripted::sending(answer("200 OK", "text/html; charset=utf-8", page));
    gives_up(&ok, "not the API: HTTP 200, text/html, 35 bytes that are not JSON");
    let none = Scripted::sending(answer("404 Not Found", "text/html", page));
    gives_up(&none, "not the API: HTTP 404, text/html, 35 bytes that are not JSON");
}

/// The key goes with no redirect, whichever it is.
#[test]
fn a_redirect_is_not_followed_to_another_host() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 Moved"] {
        let other = Scripted::new(|stream, _| hang(stream));
        let to = format!("127.0.0.1:{}", other.port());
        let head = format!("HTTP/1.1 {status}\r\nLocation: http://{to}/x?y=");
        let server = Scripted::sending(format!("{head}{KEY}\r\nContent-Length: 0\r\n\r\n"));
        let says = "a redirect to another path or port of the server, which was not followed";
        gives_up(&server, says);
        assert_eq!(other.met(), 0);
    }
}

#[test]
fn a_redirect_is_not_followed_on_the_same_host() {
    for (to, says) in [
        ("Location: /elsewhere\r\n", "HTTP 302, a redirect to another path of the server"),
        ("Location: https:///\r\n", "HTTP 302, a redirect to an invalid URL"),
        ("Location: \u{1}\r\n", "the response is not HTTP"),
        ("Location: \u{e9}\r\n", "HTTP 302, an empty body"),
        ("", "HTTP 302, an empty body"),
    ] {
        let server =
            Scripted::sending(format!("HTTP/1.1 302 Found\r\n{to}Content-Length: 0\r\n\r\n"));
        gives_up(&server, says);
    }
}

/// What is said of a server that gives no answer, and of one that stops in the middle of a body.
const LATE: &str = "no complete response within 1 s";
const LATE_BODY: &str = "HTTP 200, then no complete response within 1 s";

#[test]
fn a_server_that_hangs_is_left_after_the_timeout() {
    let after = |part: &'static str| {
        Scripted::new(move |stream, _| {
            stream.write_all(part.as_bytes())?;
            hang(stream)
        })
    };
    are_late(&[
        (after(""), LATE),
        (after("HTTP/1.1 200 O"), LATE),
        (after("HTTP/1.1 200 OK\r\nContent-Type: appl"), LATE),
        (after("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"li"), LATE_BODY),
    ]);
}

/// The timeout is of the whole answer, not of each pause.
#[test]
fn a_server_that_drips_is_left_after_the_timeout() {
    let dripping = |head: &'static str, rest: &'static str| {
        let rest = rest.repeat(900);
        Scripted::new(move |stream, _| {
            stream.write_all(head.as_bytes())?;
            drip(stream, rest.as_bytes())
        })
    };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    are_late(&[
        (dripping("HTTP/1.1 200 OK\r\nX: ", "y"), LATE),
        (dripping("", "HTTP/1.1 103 Early Hints\r\n\r\n"), LATE),
        (dripping("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", " "), LATE_BODY),
        (dripping(chunked, "1\r\n \r\n"), LATE_BODY),
    ]);
}

#[test]
fn connection_closed_early_is_reported() {
    let soon = "the connection was closed too early";
    gives_up(&Scripted::raw(|_| Ok(())), soon);
    gives_up(&Scripted::new(|_, _| Ok(())), soon);
    gives_up(&Scripted::sending("HTTP/1.1 200 OK\r\nContent-Le"), soon);
    let cut = Scripted::sending("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"list\":[");
    gives_up(&cut, &format!("HTTP 200, then {soon}"));
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"l";
    gives_up(&Scripted::sending(chunk), &format!("HTTP 200, then {soon}"));
    let more = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n";
    gives_up(&Scripted::sending(more), &format!("HTTP 200, then {soon}"));
}

/// A server that closes with unread bytes resets the connection.
#[test]
fn connection_reset_is_reported() {
    let server = Scripted::raw(|stream| {
        // Waits until the request is there, and leaves it there.
        stream.peek(&mut [0])?;
        Ok(())
    });
    gives_up(&server, "the connection was closed too early");
}

#[test]
fn invalid_content_length_is_reported() {
    for (length, says) in [
        (
            "Content-Length: 2\r\nContent-Length: 3",
            "two Content-Length headers with different values",
        ),
        ("Content-Length: -1", "a Content-Length that is not a number"),
        ("Content-Length: x", "a Content-Length that is not a number"),
        ("Content-Length: 99999999999999999999999", "a Content-Length that is not a number"),
        ("Content-Length: \r\n", "a Content-Length that is not a number"),
    ] {
        let server = Scripted::sending(format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n{{}}"));
        gives_up(&server, says);
    }
}

#[test]
fn huge_content_length_is_reported() {
    let length = "Content-Length: 18446744073709551615";
    let server = Scripted::sending(format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n{{}}"));
    gives_up(&server, "HTTP 200, then ");
}

#[test]
fn invalid_chunks_are_reported() {
    for chunks in [
        "zz\r\n{}\r\n",
        "-1\r\n",
        "2\r\n{}xx\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}",
        "\u{e9}\r\n",
    ] {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        gives_up(&Scripted::sending(format!("{head}{chunks}")), "HTTP 200, then ");
    }
}

/// What comes without end is left at a size, and the server sees that the client has gone.
#[test]
fn endless_answer_is_cut_at_a_size() {
    let endless = |head: &'static str, part: &'static str| {
        let part = part.repeat(4096);
        Scripted::new(move |stream, _| {
            stream.write_all(head.as_bytes())?;
            loop {
                stream.write_all(part.as_bytes())?;
            }
        })
    };
    let large = "HTTP 200, then a body of more than 16 MiB";
    gives_up(&endless("HTTP/1.1 200 OK\r\n\r\n", "[1,2,3],"), large);
    gives_up(&endless("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "abcdefgh"), large);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    gives_up(&endless(chunked, "12\r\nabcdefghijklmnopqr\r\n"), large);
    let headers = "too many response headers";
    let long = endless("HTTP/1.1 200 OK\r\nX: ", "abcdefgh");
    gives_up(&long, &format!("{headers} (more than 64 KiB)"));
    let many = endless("HTTP/1.1 200 OK\r\n", "a: b\r\n");
    gives_up(&many, &format!("{headers} (more than 128)"));
}

#[test]
fn too_many_headers_are_reported() {
    let headers = "x: y\r\n".repeat(1000);
    let server = Scripted::sending(format!("HTTP/1.1 200 OK\r\n{headers}\r\n{{}}"));
    gives_up(&server, "too many response headers (more than 128)");
}

#[test]
fn answer_that_is_not_http_is_reported() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"\x00\x01\x02\xff\xfe\x1b[31m\r\n\r\n",
        b"{\"list\":[],\"total\":0}",
        b"HTTP/0.9 200 OK\r\n\r\n{}",
        b"HTTP/2.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 abc OK\r\n\r\n{}",
        b"HTTP/1.1 099 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n{}",
    ] {
        let server = Scripted::sending(bytes);
        gives_up(&server, "the response is not HTTP");
    }
}

/// HTTP/1.0 and a body that ends with the connection are right.
#[test]
fn http_1_0_server_is_understood() {
    let body = r#"{"code":40127,"message":"Authentication failed."}"#;
    let head = "HTTP/1.0 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n";
    gives_up(&Scripted::sending(format!("{head}{body}")), "the key is refused");
}

#[test]
fn interim_1xx_answers_are_skipped() {
    let refused = r#"{"code":40127,"message":"Authentication failed."}"#;
    let refused = answer("401 Unauthorized", "application/json", refused);
    for before in ["100 Continue", "102 Processing", "103 Early Hints"] {
        let before = format!("HTTP/1.1 {before}\r\n\r\n").repeat(3);
        let server = Scripted::sending([before.as_bytes(), &refused].concat());
        gives_up(&server, "the key is refused");
    }
}

/// A server in front of an emulator, which makes of each answer what a closure says.
fn before(
    mut change: impl FnMut(usize, &str, Vec<u8>) -> Option<Vec<u8>> + Send + 'static,
) -> Scripted {
    let emulator = Server::start().unwrap();
    let mut number = 0;
    Scripted::new(move |stream, head| {
        let answer = handed_on(emulator.address(), head)?;
        number += 1;
        change(number, head, answer).map_or(Ok(()), |answer| stream.write_all(&answer))
    })
}

#[test]
fn everything_holds_through_a_forwarder() {
    let server = before(|_, _, answer| Some(answer));
    let found = verify(&server.url(), &[]);
    assert_eq!(found.code, 0, "{}", found.stdout);
    assert_eq!(found.json["requests"], server.met());
}

/// A server may leave the connection open: each request has its own connection.
#[test]
fn surplus_bytes_are_never_the_next_answer() {
    for more in [&b""[..], &json(r#"{"list":[],"total":12345}"#)] {
        let (emulator, more) = (Server::start().unwrap(), more.to_vec());
        let server = Scripted::new(move |stream, head| {
            let answer = handed_on(emulator.address(), head)?;
            let answer = String::from_utf8(answer).expect("an answer is UTF-8");
            let open = answer.replacen("connection: close\r\n", "", 1);
            assert_ne!(open, answer);
            stream.write_all(&[open.as_bytes(), &more].concat())?;
            hang(stream)
        });
        let found = verify(&server.url(), &[]);
        assert_eq!(found.code, 0, "{}", found.stdout);
        assert_eq!(found.json["requests"], server.met());
    }
}

/// One answer that goes wrong in the middle of a run is asked for again, and nothing differs for it.
#[test]
fn a_request_without_an_answer_is_sent_again() {
    let server = before(|number, _, answer| {
        Some(if number == 5 { answer[..answer.len() - 5].to_vec() } else { answer })
    });
    let found = verify(&server.url(), &[]);
    assert_eq!((found.code, troubles(&found).len()), (0, 0), "{}", found.stdout);
    assert_eq!(statement(&found, "messages.past-end").0, "holds");
    assert_eq!(found.json["sent_again"], 1);
    let told =
        "requests, 1 of them a retry)\n\nnote: 1 request got no response and was sent again\n";
    assert!(found.stdout.contains(told), "{}", found.stdout);
}

/// Requests that never get a response are a problem of the server, not of the contract.
#[test]
fn unanswered_requests_are_not_tried() {
    for (broken, says) in [
        ("", "the connection was closed too early"),
        (
            "HTTP/1.1 503 X\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>",
            "HTTP 503, text/html",
        ),
        (
            "HTTP/1.1 500 X\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n{\"code\":50000,\"message\":\"Internal system error\"}",
            "HTTP 500",
        ),
    ] {
        let server = before(move |_, head, answer| {
            let fails = head.contains("/v2/messages");
            Some(if fails { broken.as_bytes().to_vec() } else { answer })
        });
        let found = finds(&server.url(), &[], says);
        assert!(server.met() > 40, "{}", found.stdout);
        assert_eq!(found.json["differs"], 0, "{}", found.stdout);
        assert_eq!(statement(&found, "messages-v2.total").0, "not tried");
        assert_eq!(statement(&found, "messages.total").0, "holds");
    }
}

#[test]
fn server_with_only_the_list_is_soon_given_up() {
    let server = before(|number, _, answer| (number == 1).then_some(answer));
    let found = finds(&server.url(), &[], "the connection was closed too early");
    assert_eq!(server.met(), 7, "{}", found.stdout);
    assert_eq!(troubles(&found)[1..], ["6 requests in a row got no response"]);
}

/// There were responses, but none that was usable, and the report says what they were.
#[test]
fn server_that_only_fails_is_given_up_for_what_it_answers() {
    for (statuses, says) in [
        (["500", "500"], "6 requests in a row got HTTP 500"),
        (["503", "500"], "6 requests in a row got HTTP 500 or HTTP 503"),
        (["", "502"], "6 requests in a row got no response or HTTP 502"),
    ] {
        let server = before(move |number, _, good| match (number, statuses[number % 2]) {
            (1, _) => Some(good),
            (_, "") => None,
            (_, status) => Some(answer(status, "text/plain", "no")),
        });
        let found = verify(&server.url(), &[]);
        assert_eq!(found.code, 6, "{}", found.stdout);
        assert_eq!(troubles(&found).last(), Some(&says), "{}", found.stdout);
        assert_eq!(statement(&found, "messages.total"), ("not tried", says));
    }
}

#[test]
fn retried_failures_are_noted() {
    let server = Server::start().unwrap();
    for (fault, says) in [
        ("code=50000,every=3", "requests got HTTP 500 and were sent again"),
        ("break=reset,every=2", "requests got no response and were sent again"),
    ] {
        put(&server, "v", &json!({"faults": [fault]}));
        let found = verify(&format!("{}/s/v", server.url()), &[]);
        assert_eq!(found.code, 0, "{}", found.stdout);
        let line = format!("\nnote: {} {says}\n", found.json["sent_again"]);
        assert!(found.stdout.contains(&line), "{line}: {}", found.stdout);
        // With so many retries, it is not known how many requests would be enough.
        let spent = "the limit of 120 requests was reached; use a larger --max-requests";
        assert!(found.stdout.contains(spent), "{}", found.stdout);
    }
}

/// A proxy that is in the way is not asked for a server on this machine.
#[test]
fn proxy_is_not_used_for_loopback() {
    let proxy = Scripted::new(|stream: &mut TcpStream, _| hang(stream));
    let server = Scripted::sending(json("{}"));
    let found = verify(&server.url(), &[("http_proxy", &proxy.url()), ("ALL_PROXY", &proxy.url())]);
    assert_eq!((found.code, server.met(), proxy.met()), (6, 1, 0));
}
