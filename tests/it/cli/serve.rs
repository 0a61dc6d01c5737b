//! `serve`: what it prints on stdout and stderr, and that it never prints a key.

use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::SystemTime;

use gptbots_mock::Day;

use crate::support::client::{NEWEST, connect, fetch};
use crate::support::folder::Folder;
use crate::support::process::{Process, command, run, shell};

#[test]
fn stdout_holds_the_address_and_nothing_else() {
    let mut server = Process::spawn(&mut command(&["--port", "0"]));
    let line = server.stdout.next().unwrap();
    let port = line.strip_prefix("listening on http://127.0.0.1:").unwrap();
    let address = format!("127.0.0.1:{}", port.parse::<u16>().unwrap()).parse().unwrap();
    fetch(address, "app-demo", NEWEST).ok();
    fetch(address, "none", "/none").refused(404, 404, "Not found", "/none");
    let ended = server.stop();
    assert_eq!((ended.code, &*ended.stdout), (0, ""));
}

#[test]
fn an_ipv6_address_stands_in_brackets() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let mut server = Process::spawn(&mut command(&["--host", "::1", "--port", "0"]));
    let line = server.stdout.next().unwrap();
    let port = line.strip_prefix("listening on http://[::1]:").unwrap();
    let address = format!("[::1]:{}", port.parse::<u16>().unwrap()).parse().unwrap();
    fetch(address, "app-demo", NEWEST).ok();
}

#[test]
fn localhost_is_an_address() {
    let (_server, address) = Process::serve(&["--host", "localhost"]);
    assert_eq!(address.ip().to_string(), "127.0.0.1");
}

#[test]
fn serve_is_the_command_without_a_command() {
    let (_server, address) = Process::serve(&["serve", "--seed", "7"]);
    let (_other, plain) = Process::serve(&["--seed", "7"]);
    let answer = fetch(address, "app-demo", NEWEST);
    assert_eq!(answer.ok().body, fetch(plain, "app-demo", NEWEST).ok().body);
}

#[test]
fn the_port_file_holds_the_port_and_no_part_of_it_stays() {
    let directory = Folder::new();
    let path = directory.join("port");
    // What stands there already is replaced, not appended to.
    std::fs::write(&path, "123456789").unwrap();
    let (_server, address) = Process::serve(&["--port-file", path.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(path).unwrap(), format!("{}\n", address.port()));
    assert_eq!(directory.names(), ["port"]);
}

#[test]
fn a_port_file_that_cannot_be_written_is_named() {
    let directory = Folder::new();
    for path in [directory.join("missing/port"), directory.join("")] {
        let path = path.to_str().unwrap();
        let ended = run(&mut command(&["--port", "0", "--port-file", path]));
        assert_eq!((ended.code, &*ended.stdout), (1, ""), "{path}");
        assert!(ended.stderr.contains(path), "{ended:?}");
        assert!(ended.stderr.contains("--port-file"), "{ended:?}");
    }
    assert!(directory.names().is_empty(), "{:?}", directory.names());
}

#[test]
fn start_text_has_address_keys_documents_and_a_command_that_works() {
    let (mut server, address) = Process::serve(&["--any-key"]);
    let mut text = Vec::new();
    while text.last().is_none_or(|line: &String| !line.starts_with("try: ")) {
        text.push(server.stderr.next().unwrap());
    }
    let version = env!("CARGO_PKG_VERSION");
    let call = text.pop().unwrap();
    assert_eq!(
        text,
        [
            format!("gptbots-mock {version} serves http://{address}"),
            "  agent documented: key your_apikey or YOUR_API_KEY; 5 conversations, the examples of the \
             vendor's documentation"
                .to_owned(),
            "  agent demo: key app-demo or any other key; 200 conversations, generated from seed 1, \
             until 2025-10-20"
                .to_owned(),
            "  agent deleted: key app-deleted; 0 conversations, every request gets error 20059 \
             (agent deleted)"
                .to_owned(),
            format!("control API: http://{address}/__admin, described by /__admin/admin-openapi.json"),
            "help: gptbots-mock --help lists all options, gptbots-mock contract describes the API"
                .to_owned(),
        ]
    );
    // The GitHub Action reads the key from this line.
    let quoted: Vec<&str> = call.split('\'').collect();
    let ["try: curl -H ", header, " ", url, ""] = quoted[..] else { panic!("{call}") };
    let key = header.strip_prefix("Authorization: Bearer ").unwrap();
    let target = url.strip_prefix(&format!("http://{address}")).unwrap();
    assert_eq!((key, fetch(address, key, target).rows("list").len()), ("app-demo", 2));
}

#[test]
fn start_text_of_fixtures_is_short_and_shows_no_secret() {
    let folder = Folder::new();
    let agents: Vec<_> =
        (0..7).map(|n| format!(r#"{{"name": "a{n}", "keys": ["k-{n}"]}}"#)).collect();
    let file = folder.write("f.json", format!(r#"{{"agents": [{}]}}"#, agents.join(",")));
    let args = ["--fixtures", file.to_str().unwrap(), "--no-admin", "--api-key", "k-x"];
    let (mut server, _) = Process::serve(&args);
    let text = server.stderr.through("'Authorization: Bearer <API key>' ");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 9, "{text}");
    assert_eq!(
        lines[1],
        "  agent a0: keys of the fixture or one of --api-key; 0 conversations, from fixtures"
    );
    assert_eq!(lines[5], "  agent a4: keys of the fixture; 0 conversations, from fixtures");
    assert_eq!(lines[6], "  and 2 more agents");
    assert!(!text.contains("k-") && !text.contains("control API"), "{text}");
}

#[test]
fn a_given_key_works_and_is_never_printed() {
    const KEY: &str = "sEcReT-8d1f";
    let (server, address) = Process::serve(&["--api-key", KEY]);
    fetch(address, KEY, NEWEST).ok();
    fetch(address, "app-demo", NEWEST).ok();
    fetch(address, "another", NEWEST).refused(401, 40127, "Authentication failed.", "unknown");
    let ended = server.stop();
    assert!(ended.stderr.contains("GET /v1/bot/conversation/page 200"), "{ended:?}");
    assert!(!ended.stderr.contains(KEY), "{ended:?}");
    for args in [&["--help"][..], &["-h"], &["serve", "--help"], &["--sed", "3"], &["readings"]] {
        let ended = run(command(args).env("GPTBOTS_MOCK_API_KEY", KEY));
        assert!(!format!("{ended:?}").contains(KEY), "{args:?}: {ended:?}");
    }
}

/// A variable set from a secret that ends in a line break is a common slip, and the log of a CI
/// job is read by many.
#[test]
fn a_refused_key_is_not_printed_either() {
    for key in ["sEcReT-8d1f\n", "sEcReT-8d1f x", "sEcReT-8d1fé"] {
        let given = run(&mut command(&["--port", "0", "--api-key", key]));
        let set = run(command(&["--port", "0"]).env("GPTBOTS_MOCK_API_KEY", key));
        for ended in [given, set] {
            assert_eq!(ended.code, 2);
            assert!(ended.stderr.contains("--api-key"), "{ended:?}");
            assert!(!ended.stderr.contains("sEcReT"), "{ended:?}");
        }
    }
}

#[test]
fn any_key_accepts_unknown_keys() {
    let (_server, address) = Process::serve(&["--any-key"]);
    let of_demo = fetch(address, "app-demo", NEWEST).ok().body.clone();
    assert_eq!(fetch(address, "whatever", NEWEST).ok().body, of_demo);
    assert_ne!(fetch(address, "your_apikey", NEWEST).ok().body, of_demo);
    fetch(address, "app-deleted", NEWEST).refused(400, 20059, "Agent deleted", "deleted");
    fetch(address, "", NEWEST).refused(401, 40127, "Authentication failed.", "");
}

#[test]
fn listening_on_all_interfaces_prints_a_warning() {
    let (mut server, address) = Process::serve(&["--host", "0.0.0.0"]);
    let warning = server.stderr.find("warning");
    assert!(warning.contains(&format!("0.0.0.0:{}", address.port())), "{warning}");
    let ended = Process::serve(&[]).0.stop();
    assert!(!ended.stderr.contains("warning"), "{ended:?}");
}

/// The times of the newest conversations of a server, in milliseconds, and how many there are.
fn newest(args: &[&str]) -> (Vec<i64>, u64) {
    let (_server, address) = Process::serve(args);
    let answer = fetch(address, "app-demo", &NEWEST.replace("page_size=1", "page_size=100"));
    let times =
        answer.rows("list").into_iter().map(|row| row["recent_chat_time"].as_i64().unwrap());
    (times.collect(), answer.json()["total"].as_u64().unwrap())
}

#[test]
fn now_is_the_day_of_the_newest_record() {
    let day = |args: &[&str]| {
        let since_epoch = std::time::Duration::from_millis(newest(args).0[0].try_into().unwrap());
        Day::of(SystemTime::UNIX_EPOCH + since_epoch).to_string()
    };
    assert_eq!(day(&[]), "2025-10-20");
    assert_eq!(day(&["--now", "2024-02-29"]), "2024-02-29");
    // A moment late on the day; its hours are those of UTC.
    assert_eq!(day(&["--now", "2024-02-29T23:00:00Z"]), "2024-02-29");
    assert_eq!(day(&["--now", "2024-03-01T01:00:00+02:00"]), "2024-02-29");
}

#[test]
fn records_until_a_moment_lie_before_it_and_are_as_many() {
    // Millisecond 1760950800000 is 2025-10-20T09:00:00Z.
    for (moment, ms) in [
        ("2025-10-20T09:00:00Z", 1_760_950_800_000),
        ("2025-10-20t09:00:00.250z", 1_760_950_800_250),
        ("2025-10-20T00:00:00Z", 1_760_918_400_000),
        ("2025-10-19T22:00:00-02:00", 1_760_918_400_000),
        ("2025-10-20T23:59:59.999Z", 1_761_004_799_999),
    ] {
        let (times, total) = newest(&["--conversations", "5000", "--now", moment]);
        assert_eq!(total, 5000, "{moment}");
        assert!(times[0] < ms, "{moment}: {}", times[0]);
        // The last day is as busy as it is: the newest are hours old at most.
        assert!(times[0] > ms - 6 * 3_600_000, "{moment}: {}", times[0]);
    }
}

#[test]
fn today_ends_at_the_moment_of_the_start() {
    let ms = || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(now.as_millis()).unwrap()
    };
    let before = ms();
    let (times, total) = newest(&["--conversations", "5000", "--now", "today"]);
    assert_eq!(total, 5000);
    assert!(times[0] <= ms(), "{}", times[0]);
    assert!(times[0] > before - 12 * 3_600_000, "{}", times[0]);
}

#[test]
fn a_closed_stdout_does_not_stop_serving() {
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    let mut to_nobody = command(&["--port", "0"]);
    to_nobody.stdout(gone);
    let mut to_null = command(&["--port", "0"]);
    to_null.stdout(Stdio::null());
    for mut command in [to_nobody, to_null, shell("exec \"$0\" --port 0 >&-")] {
        let mut server = Process::spawn(&mut command);
        let call = server.stderr.find("try: ");
        let address = call.split_once("http://").unwrap().1.split_once('/').unwrap().0;
        fetch(address.parse().unwrap(), "app-demo", NEWEST).ok();
        assert_eq!(server.stop().code, 0);
    }
}

#[test]
fn a_closed_stderr_does_not_stop_serving() {
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    let mut to_nobody = command(&["--port", "0"]);
    to_nobody.stderr(gone);
    let mut to_null = command(&["--port", "0"]);
    to_null.stderr(Stdio::null());
    for mut command in [to_nobody, to_null, shell("exec \"$0\" --port 0 2>&-")] {
        let (mut server, address) = Process::serving(&mut command);
        for _ in 0..10 {
            fetch(address, "app-demo", NEWEST).ok();
        }
        assert!(server.lives());
        assert_eq!(server.stop().code, 0);
    }
}

#[test]
fn pipes_and_no_color_get_no_escape_sequences() {
    // Colours are forced so that there is something for NO_COLOR to forbid.
    for variables in [&[][..], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]] {
        let variables = || variables.iter().copied();
        for args in [&["--help"][..], &["--sed"], &["--now", "x"], &["readings"], &["contract"]] {
            let ended = run(command(args).envs(variables()));
            assert!(!format!("{}{}", ended.stdout, ended.stderr).contains('\x1b'), "{ended:?}");
        }
        let (server, address) = Process::serving(command(&["--port", "0"]).envs(variables()));
        fetch(address, "app-demo", NEWEST).ok();
        assert!(!server.stop().stderr.contains('\x1b'));
    }
}

#[test]
fn nothing_listens_after_the_process_ended() {
    let (server, address) = Process::serve(&[]);
    let open = connect(address);
    assert_eq!(server.stop().code, 0);
    drop(open);
    assert!(TcpStream::connect(address).is_err());
}

/// HTTP cannot write such a date: every connection would end without an answer.
#[test]
fn clock_before_1970_prints_a_warning() {
    let clock = || SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1);
    let mut out = Vec::new();
    let args = ["gptbots-mock", "--port", "0"].map(Into::into);
    let code = gptbots_mock::cli::run(args, &mut out, clock);
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::from(1)));
    assert!(out.is_empty());
}
