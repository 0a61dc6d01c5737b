//! `x-mock-reason` is visible ASCII and bounded, whatever the client sends. Tests
//! `emulator.reason`.

use gptbots_mock::Server;

use proptest::prelude::*;

use crate::support::client::{Answer, get, request};

/// The longest is of a wrong word of 200 bytes, for a parameter that takes one of 29 words.
const BOUND: usize = 600;

/// The reason of a refusal, checked to be visible ASCII of a bounded length.
#[track_caller]
fn reason(target: &str) -> String {
    let answer = get(&Server::start().unwrap(), "app-demo", target);
    let reason = answer.header("x-mock-reason").expect("a refusal has a reason").to_owned();
    assert!(reason.bytes().all(|b| (0x20..0x7f).contains(&b)), "{reason:?}");
    assert!(reason.len() <= BOUND, "{} bytes", reason.len());
    reason
}

/// 10,000 times a byte that is not UTF-8, encoded.
fn binary() -> String {
    "%ff".repeat(10_000)
}

/// 20,000 letters.
fn long() -> String {
    "x".repeat(20_000)
}

#[test]
fn a_wrong_value_is_quoted_as_far_as_it_fits() {
    let target = |page: &str| format!("/v1/messages?conversation_id=x&page={page}&page_size=1");
    let reason = reason(&target(&long()));
    assert!(reason.contains("\"xxxxx") && reason.ends_with("...\""), "{reason}");
    // Cut to 200 bytes, with its quotes.
    assert!(reason.matches('x').count() < 200, "{reason}");
}

#[test]
fn a_wrong_word_is_quoted_as_far_as_it_fits() {
    let query = "start_time=0&end_time=1&page=1&page_size=1";
    reason(&format!("/v1/bot/conversation/page?conversation_type={}&{query}", long()));
}

#[test]
fn a_value_that_is_not_utf_8_is_quoted_as_far_as_it_fits() {
    reason(&format!("/v1/messages?conversation_id={}&page=1&page_size=1", binary()));
}

#[test]
fn a_missing_conversation_is_quoted_as_far_as_it_fits() {
    reason(&format!("/v1/messages?conversation_id={}&page=1&page_size=1", long()));
}

#[test]
fn a_wrong_path_is_quoted_as_far_as_it_fits() {
    reason(&format!("/{}", long()));
    reason(&format!("/{}", binary()));
}

/// Nothing in a value can end the header or begin another.
#[test]
fn line_ends_are_escaped() {
    let target = "/v1/messages?conversation_id=a%0d%0aSet-Cookie:%20b&page=1&page_size=1";
    let reason = reason(target);
    assert!(reason.contains(r"a\r\nSet-Cookie: b"), "{reason}");
}

#[test]
fn letters_beyond_ascii_are_escaped() {
    let reason = reason("/v1/messages?conversation_id=%C3%A9&page=1&page_size=1");
    assert!(reason.contains(r#""\xc3\xa9""#), "{reason}");
}

/// Bytes that a header may hold, with what is nearly a key of a server's among them.
fn value() -> impl Strategy<Value = String> {
    let nearly = "[<\"'$ ]{0,2}(app-|your_|Bearer |~)?[!-~\u{e9}]{0,20}[>\"' ]{0,2}(~[ci/]{0,3})?";
    prop_oneof![Just(String::new()), "[!-~ ]{0,300}", nearly]
}

/// Query strings of names and values that are nearly right.
fn query() -> impl Strategy<Value = String> {
    let name = "(conversation_?[iI]d|page|page_?[sS]ize|start_?[tT]ime|user_feedback|type|token|\
                [a-z%0-9_]{0,80})";
    let value = "(ALL|[0-9.eE+-]{0,14}|20[0-9]{2}-[01][0-9]-[0-3][0-9]|(%[0-9a-f]{2}){0,90}|\
                 [a-zA-Z%~]{0,300})";
    prop::collection::vec((name, value), 0..8).prop_map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })
}

const GIVEN: &str = "app-given-Zq81xKw";

fn sensible(answer: &Answer) -> Result<(), TestCaseError> {
    let Some(reason) = answer.header("x-mock-reason") else { return Ok(()) };
    prop_assert!(reason.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{reason:?}");
    prop_assert!(reason.len() <= BOUND, "{} bytes: {reason}", reason.len());
    prop_assert!(!reason.contains(GIVEN), "{reason}");
    Ok(())
}

#[test]
fn the_reason_is_visible_bounded_and_has_no_secret() {
    let server = Server::builder().api_key(GIVEN).start().unwrap();
    let paths = prop::sample::select(vec![
        "/v1/bot/conversation/page",
        "/v1/messages",
        "/v1/message/qa/record/page",
        "/v2/messages",
        "/s/a/v1/mesages",
    ]);
    let methods = prop::sample::select(vec!["GET", "GET", "GET", "POST", "get"]);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sent = (methods, paths, query(), value(), any::<[u32; 2]>());
    runner
        .run(&sent, |(method, path, query, value, [one, two])| {
            let target = format!("{path}?{query}");
            let given = ("Authorization", &*format!("Bearer {GIVEN}"));
            sensible(&request(&server, method, &target, &[given]))?;
            // A secret that no word of a reason can hold by chance, with a near miss around it.
            let secret = format!("{one:08x}{two:08x}");
            for key in [format!("{value}{secret}"), format!("Bearer {value}{secret}~ci")] {
                let answer = request(&server, method, &target, &[("Authorization", &key)]);
                sensible(&answer)?;
                let reason = answer.header("x-mock-reason").unwrap_or_default();
                prop_assert!(!reason.contains(&secret), "{reason}");
            }
            let answer = request(&server, method, &format!("{target}&key={secret}"), &[]);
            sensible(&answer)?;
            let reason = answer.header("x-mock-reason").unwrap_or_default();
            prop_assert!(!reason.contains(&secret), "{reason}");
            Ok(())
        })
        .unwrap();
}
