//! `x-mock-reason`: visible ASCII, bounded, whatever the client sent.

use gptbots_mock::Server;

use crate::client::get;

/// Far longer than any reason with nothing of the client's in it.
const BOUND: usize = 800;

/// The reason of a refusal, checked to be visible ASCII of a bounded length.
#[track_caller]
fn reason(target: &str) -> String {
    let answer = get(&Server::start().unwrap(), "app-demo", target);
    let reason = answer.header("x-mock-reason").expect("a refusal has a reason").to_owned();
    assert!(reason.bytes().all(|b| (0x20..0x7f).contains(&b)), "{reason:?}");
    assert!(reason.len() < BOUND, "{} bytes", reason.len());
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
