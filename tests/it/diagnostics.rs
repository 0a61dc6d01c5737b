//! What a person reads about a fixture that is not right. Each broken fixture of `broken/` has its
//! diagnostics in `golden/broken/`; what no editor keeps (other line ends, odd bytes) is made here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gptbots_mock::{Server, StartError};

use crate::golden::compare;
use crate::program::{Folder, run};

fn broken() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broken")
}

/// Checks a file of a folder; gives what the user reads.
#[track_caller]
fn told(folder: &Path, file: &str) -> String {
    let ended = run(folder, &["check", file]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{ended:?}");
    ended.err
}

/// The same for bytes of a file `odd.json`.
#[track_caller]
fn told_of(bytes: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    folder.write("odd.json", bytes);
    told(folder.path(), "odd.json")
}

/// The diagnostics of a file are the golden ones, and those that the library gives for its text.
#[track_caller]
fn snapshot(name: &str) {
    let file = format!("{name}.json");
    let told = told(&broken(), &file);
    let text = std::fs::read_to_string(broken().join(&file)).unwrap();
    let Err(StartError::Fixture(error)) = Server::builder().fixture(text).start() else {
        panic!("{file} starts");
    };
    let as_text = format!("\n{error}\n").replace("\nfixture:", &format!("\n{file}:"));
    assert_eq!(as_text.trim_start(), told);
    compare(&format!("tests/it/golden/broken/{name}.txt"), &told);
}

macro_rules! snapshots {
    ($($name:ident)*) => {
        $(#[test] fn $name() { snapshot(stringify!($name)); })*

        const SNAPSHOTS: &[&str] = &[$(stringify!($name)),*];
    };
}

snapshots! {
a_fixture_that_is_a_list
agents_are_missing
an_unknown_key_names_the_nearest
an_unknown_key_like_no_other_lists_them_all
a_key_stands_twice
objects_and_arrays_that_are_something_else
agents_are_no_array
values_of_the_wrong_type
questions_and_answers_of_the_wrong_type
the_name_of_an_agent_is_a_number
numbers_that_are_not_whole
bot_ids_that_are_not_the_agents
a_name_is_missing
names_that_are_empty_or_taken
ids_that_are_empty
keys_that_cannot_be_sent
keys_that_are_taken
names_that_no_key_follows_from
a_name_that_differs_from_another_agents_key
ids_that_stand_twice
a_pair_that_takes_the_id_of_another_question
times_that_fall
counts_and_times_that_do_not_add_up
nothing_is_counted_where_a_message_is_wrong
parents_that_are_not_the_message_before
conversation_types_that_there_are_not
message_types_that_there_are_not
ratings_that_there_are_not
ratings_and_pairs_in_the_wrong_place
a_rating_of_an_answer_of_the_wrong_type
costs_that_cannot_be
gaps_that_cannot_be
texts_that_are_no_instant
two_forms_of_a_message_in_one
messages_that_say_too_little
the_mark_stands_under_wide_characters
the_mark_stands_behind_tabs
a_very_long_line_is_cut_around_the_place
a_very_long_value_is_marked_as_far_as_it_shows
a_value_of_several_lines_is_marked_on_its_first
syntax_a_value_that_is_none
syntax_not_a_number
syntax_single_quotes
syntax_a_comma_too_much
syntax_a_comma_behind_the_last_key
syntax_a_comma_too_few
syntax_a_comma_too_few_between_keys
syntax_a_colon_too_few
syntax_a_bracket_too_few
syntax_a_quote_too_few
syntax_a_string_that_never_ends
syntax_more_behind_the_end
syntax_a_comment
syntax_a_word_that_json_lacks
syntax_a_line_break_in_a_string
syntax_an_escape_that_there_is_not
syntax_half_a_surrogate
syntax_an_escape_that_ends_early
syntax_a_number_with_a_leading_zero
syntax_a_number_that_ends_early
syntax_a_mistake_before_it_is_told_too}

#[test]
fn every_broken_fixture_has_its_diagnostics_and_every_diagnostic_its_fixture() {
    let stems = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut stems: Vec<_> =
            entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        stems.sort();
        stems
    };
    let mut names = SNAPSHOTS.to_vec();
    names.sort_unstable();
    assert_eq!(stems(broken()), names);
    if std::env::var_os("UPDATE").is_none() {
        assert_eq!(stems(broken().join("../golden/broken")), names);
    }
}

#[test]
fn an_empty_file_lacks_a_value() {
    let told = told_of("");
    assert!(told.starts_with("odd.json:1:1: syntax: the document ends too early\n"), "{told}");
    for blank in [" ", "\n\n", "\u{feff}"] {
        assert!(told_of(blank).contains("the document ends too early"), "{blank:?}");
    }
}

#[test]
fn a_byte_order_mark_is_fine() {
    let server = Server::builder().fixture("\u{feff}{\"agents\": [{\"name\": \"mine\"}]}").start();
    assert_eq!(server.unwrap().api_key(), "app-mine");
}

#[test]
fn a_byte_order_mark_is_no_column() {
    let told = told_of("\u{feff}{\"agent\": []}");
    assert!(told.starts_with("odd.json:1:1: key \"agents\" is missing"), "{told}");
    assert!(told.contains("odd.json:1:2: unknown key \"agent\""), "{told}");
    assert!(told.contains("\n 1 | {\"agent\": []}\n   |  ^^^^^^^ did"), "{told:?}");
}

#[test]
fn windows_line_ends_are_fine() {
    let text = "{\r\n\"agents\": [\r\n{\"name\": \"mine\"}\r\n]}\r\n";
    assert_eq!(Server::builder().fixture(text).start().unwrap().api_key(), "app-mine");
}

#[test]
fn windows_line_ends_change_no_place_and_no_mark() {
    for name in ["an_unknown_key_names_the_nearest", "syntax_a_bracket_too_few", "times_that_fall"]
    {
        let text = std::fs::read_to_string(broken().join(format!("{name}.json"))).unwrap();
        assert_eq!(told_of(text.replace('\n', "\r\n")), told_of(&text), "{name}");
    }
}

#[test]
fn what_is_not_utf8_is_told_where_it_stands() {
    let told = told_of(b"{\"agents\": [{\"name\": \"caf\xe9\"}]}");
    assert!(told.starts_with("odd.json:1:"), "{told}");
    let utf16: Vec<u8> =
        "\u{feff}{\"agents\": []}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(told_of(utf16).starts_with("odd.json:1:1: "));
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let told = told_of(format!("{{\"agents\": {}", "[".repeat(100_000)));
    assert!(told.starts_with("odd.json:1:"), "{told}");
    let told = told_of(format!("{{\"zzz\": {}}}", "{\"a\":".repeat(100_000)));
    assert!(told.contains("syntax: nested too deeply"), "{told}");
}

/// One mistake is told once: nothing that follows from it alone is told beside it.
#[track_caller]
fn only(text: &str, message: &str) {
    let Err(StartError::Fixture(error)) = Server::builder().fixture(text).start() else {
        panic!("{text} starts");
    };
    let messages: Vec<_> = error.problems().iter().map(|p| p.message.as_str()).collect();
    assert_eq!(messages, [message]);
}

#[test]
fn a_name_of_the_wrong_type_is_not_missing() {
    only(r#"{"agents": [{"name": 5}]}"#, "expected a string, got a number");
}

#[test]
fn an_answer_of_the_wrong_type_is_not_missing_to_its_rating() {
    let message = r#"{"q": "Hi", "a": 5, "feedback": "GOOD"}"#;
    let text = format!(
        r#"{{"agents": [{{"name": "x", "conversations": [{{"messages": [{message}]}}]}}]}}"#
    );
    only(&text, "expected a string, got a number");
}

#[test]
fn a_cost_without_end_is_not_called_negative() {
    let told = told_of(r#"{"agents": [{"name": "x", "conversations": [{"cost_credit": 1e999}]}]}"#);
    assert!(!told.contains("negative"), "{told}");
}

/// The file holds no control character: the loader adds the line break behind it.
#[test]
fn a_file_that_ends_in_a_string_holds_no_control_character() {
    let told = told_of(r#"{"agents": [{"name": "mine"#);
    assert!(!told.contains("control character"), "{told}");
    assert!(told.starts_with("odd.json:1:27: syntax: "), "{told}");
}

/// An agent without a name, so often.
fn nameless(count: usize) -> String {
    format!("{{\"agents\": [{}]}}", vec!["{}"; count].join(",\n"))
}

#[test]
fn a_thousand_problems_are_listed() {
    let told = told_of(nameless(1000));
    assert_eq!(told.matches("is missing").count(), 1000);
    assert!(told.ends_with("\n\n1000 problems\n"), "{}", &told[told.len() - 80..]);
}

#[test]
fn more_than_a_thousand_problems_are_counted() {
    let told = told_of(nameless(2500));
    assert_eq!(told.matches("is missing").count(), 1000);
    assert!(told.contains("odd.json:1000:"), "the first ones are listed");
    assert!(told.ends_with("\n\n2500 problems, the first 1000 listed\n"));
}

/// Whatever is wrong: the place lies in the text, and the mark below what is shown of it.
#[test]
fn every_place_and_every_mark_lies_in_the_text() {
    for name in SNAPSHOTS {
        let text = std::fs::read_to_string(broken().join(format!("{name}.json"))).unwrap();
        let Err(StartError::Fixture(error)) = Server::builder().fixture(&*text).start() else {
            panic!("{name} starts");
        };
        let mut places = String::new();
        for problem in error.problems() {
            let line = text.lines().nth(problem.line - 1).unwrap_or_default();
            let _ = writeln!(places, "{}:{}", problem.line, problem.column);
            assert!(problem.column <= line.chars().count() + 1, "{name}: {problem}");
            let shown = problem.source.trim_start_matches("...").trim_end_matches("...");
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            // Keys are hidden behind stars.
            assert!(shown.contains('*') || line.contains(shown), "{name}: {problem}");
        }
        assert!(!places.is_empty(), "{name}");
    }
}
