//! `Server` in a test's own process: where it can be started, that servers share nothing, how it
//! ends, and why it does not start.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use gptbots_mock::contract::{QaTime, Readings};
use gptbots_mock::{MAX_CONVERSATIONS, Server, StartError};

use crate::support::client::{ALWAYS, PATIENCE, connect, get, head, sent};
use crate::support::fixture::{agent, answer, build, question, serve, silent, talk};

fn list() -> String {
    format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}&page=1&page_size=100")
}

/// Starts a server, asks it once, and stops it.
fn start_ask_stop() {
    let server = Server::start().unwrap();
    get(&server, server.api_key(), &list()).ok();
}

#[test]
fn a_server_starts_in_a_plain_test() {
    start_ask_stop();
}

/// So many conversations that their Q&A pairs are indexed in the background.
const MANY: u32 = 60_000;

#[test]
fn pairs_that_are_not_indexed_yet_are_waited_for() {
    let server = Server::builder().conversations(MANY).start().unwrap();
    let key = server.api_key();
    let pairs =
        format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}&page=2000&page_size=100");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| get(&server, key, &pairs));
        get(&server, key, &list()).ok();
        let first = first.join().unwrap();
        assert_eq!(first.ok().rows("qa").len(), 100);
        assert_eq!(get(&server, key, &pairs).rows("qa"), first.rows("qa"));
    });
}

#[test]
fn a_server_stops_while_its_pairs_are_indexed() {
    drop(Server::builder().conversations(MANY).start().unwrap());
    let server = Server::builder().conversations(MANY).start().unwrap();
    let pairs =
        format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}&page=1&page_size=10");
    let mut asking = sent(server.address(), head("GET", &pairs, server.api_key(), ""));
    drop(server);
    // It was answered before, or not at all.
    let _ = asking.read_to_end(&mut Vec::new());
}

#[test]
fn a_server_starts_inside_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { start_ask_stop() });
}

#[test]
fn a_server_starts_inside_a_multi_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async { tokio::spawn(async { start_ask_stop() }).await.unwrap() });
}

#[test]
fn a_server_may_move_to_another_thread() {
    let server = Server::start().unwrap();
    std::thread::spawn(move || get(&server, "app-demo", &list()).ok().status).join().unwrap();
}

#[test]
fn servers_of_one_process_share_nothing() {
    let one = serve(&[silent("of-one", "u", "API", 1)]);
    let two = build(&[agent("other", &[silent("of-two", "u", "API", 1)])]).start().unwrap();
    assert_ne!(one.address(), two.address());
    assert_eq!(get(&one, "k", &list()).column("list", "conversation_id"), ["of-one"]);
    assert_eq!(get(&two, "other", &list()).column("list", "conversation_id"), ["of-two"]);
    assert_eq!(get(&one, "other", &list()).status, 401);
    drop(one);
    get(&two, "other", &list()).ok();
}

#[test]
fn the_same_settings_give_the_same_bytes() {
    let start = || Server::builder().seed(7).conversations(30).start().unwrap();
    let body = |server: &Server| get(server, "app-demo", &list()).body;
    assert_eq!(body(&start()), body(&start()));
}

#[test]
fn the_url_is_the_address() {
    let server = Server::start().unwrap();
    assert_eq!(server.url(), format!("http://{}", server.address()));
}

#[test]
fn listens_on_loopback_only() {
    assert!(Server::start().unwrap().address().ip().is_loopback());
}

#[test]
fn the_key_is_agent_demos() {
    assert_eq!(Server::start().unwrap().api_key(), "app-demo");
}

#[test]
fn with_a_fixture_the_key_is_its_first_agents() {
    let agents = [agent("first", &[]), agent("second", &[])];
    assert_eq!(build(&agents).start().unwrap().api_key(), "first");
}

/// The name `demo` means something among the built-in agents only.
#[test]
fn with_a_fixture_the_key_is_its_first_agents_whatever_the_others_are_called() {
    let agents = [agent("first", &[]), agent("demo", &[])];
    assert_eq!(build(&agents).start().unwrap().api_key(), "first");
}

#[test]
fn all_readings_can_be_set_at_once() {
    let mut readings = Readings::default();
    readings.qa_time = QaTime::Milliseconds;
    let fixture = build(&[agent("k", &[talk("c", &[question("q", 1234), answer("a", 2000)])])]);
    let server = fixture.readings(readings).start().unwrap();
    let target =
        format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}&page=1&page_size=10");
    assert_eq!(get(&server, "k", &target).column("qa", "q_time"), ["1234"]);
}

#[track_caller]
fn nobody_listens(address: std::net::SocketAddr) {
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_port_is_closed_when_the_server_is_dropped() {
    let server = Server::start().unwrap();
    let address = server.address();
    get(&server, "app-demo", &list()).ok();
    drop(server);
    nobody_listens(address);
}

#[test]
fn a_drop_does_not_wait_for_open_connections() {
    let server = Server::start().unwrap();
    let address = server.address();
    let mut idle = connect(address);
    let mut half = connect(address);
    half.write_all(b"GET / HT").unwrap();
    // Served once, so that it is known to be accepted.
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 1]).unwrap() > 0);
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < PATIENCE / 10, "{:?}", begun.elapsed());
    nobody_listens(address);
}

#[test]
fn a_drop_inside_a_runtime_closes_the_port() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let server = Server::start().unwrap();
        let address = server.address();
        drop(server);
        nobody_listens(address);
    });
}

/// The text of a setting that is refused.
#[track_caller]
fn wrong_setting(builder: gptbots_mock::ServerBuilder) -> String {
    match builder.start() {
        Err(StartError::Setting(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_key_does_not_start() {
    assert!(wrong_setting(Server::builder().api_key("")).contains("empty"));
}

#[test]
fn a_key_that_no_header_can_hold_does_not_start() {
    for key in ["a b", "a\n", "é", "\t"] {
        assert!(wrong_setting(Server::builder().api_key(key)).contains("visible ASCII"), "{key:?}");
    }
}

#[test]
fn another_agents_key_does_not_start() {
    assert!(wrong_setting(Server::builder().api_key("your_apikey")).contains("documented"));
    assert!(wrong_setting(Server::builder().api_key("app-deleted")).contains("deleted"));
}

#[test]
fn same_key_twice_starts() {
    let server = Server::builder().api_key("mine").api_key("mine").api_key("app-demo");
    get(&server.start().unwrap(), "mine", &list()).ok();
}

#[test]
fn with_a_fixture_its_own_key_given_again_starts() {
    let server = build(&[agent("first", &[])]).api_key("mine").api_key("mine").api_key("first");
    get(&server.start().unwrap(), "mine", &list()).ok();
}

#[test]
fn too_many_conversations_do_not_start() {
    let most = MAX_CONVERSATIONS.to_string();
    let what = wrong_setting(Server::builder().conversations(MAX_CONVERSATIONS + 1));
    assert!(what.contains(&most), "{what}");
}

#[test]
fn zero_conversations_start() {
    let server = Server::builder().conversations(0).start().unwrap();
    assert_eq!(get(&server, "app-demo", &list()).ok().body, r#"{"list":[],"total":0}"#);
}
