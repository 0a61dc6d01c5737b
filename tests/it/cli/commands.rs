//! The commands beside `serve` (`readings`, `contract`, `healthcheck`, help): what they print, and
//! their exit codes.

use std::net::{TcpListener, TcpStream};

use crate::support::process::{Process, command, run, shell};

#[test]
fn help_is_as_checked_in() {
    for (name, args) in [
        ("help-short", &["-h"][..]),
        ("help", &["--help"]),
        ("exec-help-short", &["exec", "-h"]),
        ("exec-help", &["exec", "--help"]),
        ("serve-help", &["serve", "--help"]),
        ("healthcheck-help", &["healthcheck", "--help"]),
        ("verify-help", &["verify", "--help"]),
    ] {
        let ended = run(&mut command(args));
        assert_eq!((ended.code, &*ended.stderr), (0, ""));
        let path = format!("{}/tests/it/cli/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &ended.stdout).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = golden.lines().zip(ended.stdout.lines()).find(|(old, new)| old != new);
        let same = golden == ended.stdout;
        assert!(same, "{path}, first change {changed:?}; UPDATE=1 writes it");
    }
}

#[test]
fn the_version_is_the_packages() {
    for flag in ["--version", "-V"] {
        let ended = run(&mut command(&[flag]));
        let version = concat!("gptbots-mock ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (0, version, ""));
    }
}

/// Typed from the contract: name, then its values, the default first.
const READINGS: [&[&str]; 13] = [
    &["error-status", "mapped", "ok"],
    &["messages-total", "number", "string"],
    &["messages-order", "oldest-first", "newest-first"],
    &["v2-messages-order", "newest-first", "oldest-first"],
    &["qa-time", "seconds", "milliseconds"],
    &["qa-order", "oldest-first", "newest-first"],
    &["qa-total", "absent", "present"],
    &["feedback-absent", "reject", "all"],
    &["page-size", "reject", "clamp"],
    &["page-past-end", "documented", "empty", "error"],
    &["list-total", "all", "page"],
    &["anonymous-id", "absent", "present"],
    &["wording", "agent", "bot"],
];

#[test]
fn readings_lists_every_name_with_its_values_and_why() {
    let ended = run(&mut command(&["readings"]));
    assert_eq!((ended.code, &*ended.stderr), (0, ""));
    // A paragraph on how to read it, then one for each reading.
    let listed: Vec<&str> = ended.stdout.trim_end().split("\n\n").skip(1).collect();
    assert_eq!(listed.len(), READINGS.len());
    for (listed, expected) in listed.iter().zip(READINGS) {
        let mut lines: Vec<&str> = listed.lines().collect();
        let why = lines.pop().unwrap().trim();
        assert!(why.strip_prefix("uncertain because ").is_some_and(|why| why.len() > 20), "{why}");
        let words = lines.iter().map(|line| line.split_whitespace().next().unwrap());
        assert_eq!(words.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn contract_prints_every_path_code_and_message() {
    let ended = run(&mut command(&["contract"]));
    assert_eq!((ended.code, &*ended.stderr), (0, ""));
    let sections: Vec<&str> = ended.stdout.split("\n## ").collect();
    let invalid = ["40000 400 Invalid parameter", "40127 401 Authentication failed."];
    let of_lists = [&invalid[..], &["20059 400 Agent deleted"]].concat();
    let of_messages = [
        "40000 400 Invalid parameter.",
        "40005 400 Page number exceeds total.",
        "40127 401 Authentication failed.",
        "40356 400 Conversation does not exist.",
        "20059 400 Agent deleted",
    ];
    let of_v2 = [
        "40000 400 Invalid parameters",
        "40005 400 Pagination parameter exceeds actual count",
        "40127 401 Developer authentication failed",
        "40356 400 Conversation does not exist",
        "20059 400 Agent has been deleted",
    ];
    let everywhere = [
        "404 404 Not found",
        "405 405 Method not allowed",
        "40008 429 Agent RPM request limit exceeded. \
         Please contact the service provider to increase the limit.",
        "50000 500 Internal system error",
    ];
    for (title, rows) in [
        ("GET /v1/bot/conversation/page", &of_lists[..]),
        ("GET /v1/messages", &of_messages),
        ("GET /v2/messages", &of_v2),
        ("GET /v1/message/qa/record/page", &of_lists),
        ("Everywhere", &everywhere),
    ] {
        let section = sections.iter().find(|section| section.starts_with(&format!("{title}\n")));
        let section = section.unwrap_or_else(|| panic!("no {title}: {}", ended.stdout));
        for row in rows {
            let mut cells = row.splitn(3, ' ');
            let expected = [(); 3].map(|()| cells.next().unwrap());
            let found = section.lines().any(|line| {
                let cells: Vec<_> = line.split('|').map(|c| c.trim().trim_matches('`')).collect();
                cells.len() > 3 && cells[1..4] == expected
            });
            assert!(found, "no `{row}` under {title}: {section}");
        }
    }
}

#[test]
fn closed_stdout_ends_with_0() {
    for args in ["contract", "readings", "--help", "--version"] {
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        let ended = run(command(&[args]).stdout(gone));
        assert_eq!((ended.code, &*ended.stderr), (0, ""), "{args}");
    }
    let ended = run(&mut shell("\"$0\" contract | head -1"));
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (0, "# The contract\n", ""));
}

#[test]
fn healthcheck_finds_a_running_server() {
    for host in ["127.0.0.1", "0.0.0.0"] {
        let (_server, address) = Process::serve(&["--host", host]);
        let port = address.port().to_string();
        let args = ["healthcheck", "--host", host, "--port", &port];
        let ended = run(&mut command(&args));
        assert_eq!(ended.code, 0, "{ended:?}");
        let by_variable = run(command(&["healthcheck"])
            .env("GPTBOTS_MOCK_PORT", &port)
            .env("GPTBOTS_MOCK_HOST", host));
        assert_eq!(by_variable.code, 0, "{by_variable:?}");
    }
}

#[test]
fn healthcheck_fails_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    // Taken by a connection, so nobody can come to listen there.
    let port = client.local_addr().unwrap().port().to_string();
    let ended = run(&mut command(&["healthcheck", "--port", &port]));
    assert_eq!((ended.code, &*ended.stdout), (1, ""));
    assert!(ended.stderr.contains(&format!("127.0.0.1:{port}")), "{ended:?}");
}

#[test]
fn healthcheck_fails_on_another_server() {
    for answer in ["HTTP/1.1 404 Not Found\r\n\r\n", "\x1b[31mSSH-2.0-garbage\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let other = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = listener.accept().unwrap();
            // Read first: closing over unread bytes would take the answer back.
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let ended = run(&mut command(&["healthcheck", "--port", &port]));
        assert_eq!((ended.code, &*ended.stdout), (1, ""), "{answer:?}");
        assert!(!ended.stderr.contains('\x1b'), "{ended:?}");
        other.join().unwrap();
    }
}

/// A byte comes now and then, and never the last one.
#[test]
fn healthcheck_times_out_on_a_slow_server() {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (done, pause) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        while stream.write_all(b"H").is_ok() {
            let pause = pause.recv_timeout(std::time::Duration::from_millis(100));
            if pause != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                break;
            }
        }
    });
    let ended = run(&mut command(&["healthcheck", "--port", &port]));
    assert_eq!((ended.code, &*ended.stdout), (1, ""));
    assert!(ended.stderr.contains(&format!("127.0.0.1:{port}")), "{ended:?}");
    drop(done);
    other.join().unwrap();
}
