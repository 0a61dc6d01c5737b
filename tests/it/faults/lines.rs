//! The text form of a fault, with random lines: none panics, and a parsed line is written as one
//! that parses to the same fault.

use gptbots_mock::{Fault, Server};
use proptest::prelude::{Strategy, any, prop, prop_oneof};

use crate::support::cases::for_all;

/// Parts of valid and invalid lines, mixed with random text.
fn lines() -> impl Strategy<Value = String> {
    let pieces = [
        "conversations",
        "messages",
        "messages-v2",
        "qa",
        "+",
        ":",
        ",",
        "=",
        "..",
        "id=",
        "code=",
        "status=",
        "body=",
        "retry_after=",
        "delay=",
        "drip=",
        "break=",
        "page=",
        "user_id=",
        "user_feedback=",
        "BAD",
        "%2C",
        "%",
        "times=",
        "after=",
        "every=",
        "probability=",
        "40000",
        "40356",
        "50000",
        "503",
        "json",
        "html",
        "empty",
        "truncated",
        "garbage",
        "reset",
        "no-answer",
        "lognormal:",
        "1",
        "0",
        "-1",
        "+1",
        "0.5",
        "1e-320",
        "NaN",
        "inf",
        "18446744073709551616",
        "600000",
        "é",
        "\u{0}",
        "\n",
        " ",
    ];
    let piece = prop::sample::select(pieces.to_vec()).prop_map(str::to_owned);
    let text = any::<String>();
    prop::collection::vec(prop_oneof![12 => piece, 1 => text], 0..14).prop_map(|all| all.concat())
}

/// Lines of valid pairs, which may contradict each other.
fn nearly_right() -> impl Strategy<Value = String> {
    let operations = ["", "qa:", "messages:", "messages+messages-v2:", "conversations+qa:"];
    let pairs = [
        "id=a-B_9",
        "code=40000",
        "code=40356",
        "code=50000",
        "status=200",
        "status=599",
        "body=json",
        "body=html",
        "body=empty",
        "body=truncated",
        "body=garbage",
        "retry_after=0",
        "retry_after=86400",
        "delay=0",
        "delay=600000",
        "delay=1..2",
        "delay=lognormal:200:0.5",
        "delay=lognormal:1:5e-324",
        "drip=1",
        "drip=4294967295",
        "break=reset",
        "break=no-answer",
        "page=3",
        "page_size=010",
        "start_time=-1",
        "user_feedback=BAD",
        "conversation_id=%2C%3B é+",
        "times=1",
        "after=18446744073709551615",
        "every=18446744073709551615",
        "probability=0.1",
        "probability=1",
        "probability=2.2250738585072014e-308",
    ];
    let operations = prop::sample::select(operations.to_vec());
    let pairs = prop::sample::subsequence(pairs.to_vec(), 1..5).prop_shuffle();
    (operations, pairs).prop_map(|(operations, pairs)| format!("{operations}{}", pairs.join(",")))
}

/// A parsed fault is written as a line that parses to the same fault; an invalid line has an error message.
fn judge(line: &str) -> bool {
    match line.parse::<Fault>() {
        Ok(fault) => {
            let written = fault.to_string();
            assert_eq!(written.parse(), Ok(fault), "{line:?} as {written}");
            assert!(written.bytes().all(|byte| byte.is_ascii_graphic()), "{written}");
            true
        }
        Err(error) => {
            let told = error.to_string();
            let right = !told.is_empty() && told.len() < 1000 && !told.contains('\n');
            assert!(right, "{line:?}: {told}");
            false
        }
    }
}

#[test]
fn any_line_is_parsed_or_refused() {
    for_all(5000, &lines(), |line| {
        judge(&line);
    });
}

#[test]
fn written_line_parses_to_the_same_fault() {
    let read = std::cell::Cell::new(0);
    for_all(5000, &nearly_right(), |line| read.set(read.get() + u32::from(judge(&line))));
    assert!(read.get() > 500, "only {} lines were right", read.get());
}

/// A server accepts every fault that the parser accepts, and responds.
#[test]
fn every_parsed_line_starts_a_server() {
    for_all(200, &nearly_right(), |line| {
        if let Ok(fault) = line.parse() {
            Server::builder().conversations(1).fault(fault).unserved().unwrap();
        }
    });
}

/// The error for a line of a megabyte is short.
#[test]
fn error_on_a_long_line_is_short() {
    let long = "x".repeat(1_000_000);
    for line in [
        long.clone(),
        format!("{long}=1"),
        format!("{long}:code=50000"),
        format!("code={long}"),
        format!("id={long}"),
        format!("delay={long}"),
        format!("delay=lognormal:{long}:1"),
        format!("{long}+qa:code=50000"),
        format!("body={long}"),
        format!("code=50000,{long}=1"),
    ] {
        judge(&line);
    }
}
