//! `gptbots-mock check`: several files at once, folders, exit codes, and what `--json` prints; and
//! that serving refuses the same for the same reasons.

use serde_json::{Value, json};

use crate::program::{Folder, Serving, run, until};

const GOOD: &str = r#"{"agents": [{"name": "mine", "conversations": [{}, {}]}]}"#;

/// Checks paths of a folder; gives the exit code and what `--json` printed.
#[track_caller]
fn json(folder: &Folder, paths: &[&str]) -> (Option<i32>, Value) {
    let args = [&["check", "--json"], paths].concat();
    let ended = run(folder.path(), &args);
    assert_eq!(ended.err, "", "nothing is said beside the JSON");
    (ended.code, serde_json::from_str(&ended.out).unwrap())
}

/// Where the problems of some paths are: `file:line`, in their order.
#[track_caller]
fn places(folder: &Folder, paths: &[&str]) -> Vec<String> {
    let (code, report) = json(folder, paths);
    assert_eq!(code, Some(3));
    let problems = report["problems"].as_array().unwrap();
    problems.iter().map(|p| format!("{}:{}", p["file"].as_str().unwrap(), p["line"])).collect()
}

#[test]
fn a_fixture_that_is_right_is_counted_and_ends_with_0() {
    let folder = Folder::new();
    folder.write("good.json", GOOD);
    let ended = run(folder.path(), &["check", "good.json"]);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.out, "fine: agents 1, conversations 2\n");
    assert_eq!(ended.err, "");
}

#[test]
fn a_fixture_that_is_right_has_no_problems_in_json() {
    let folder = Folder::new();
    folder.write("good.json", GOOD);
    assert_eq!(json(&folder, &["good.json"]), (Some(0), json!({"problems": [], "more": 0})));
}

#[test]
fn a_problem_in_json_has_everything_that_its_text_has() {
    let folder = Folder::new();
    folder.write("one.json", "{\"agents\": [\n\t{\"name\": \"mine\", \"key\": []}\n]}");
    let problem = json!({
        "file": "one.json",
        "line": 2,
        "column": 19,
        "message": "unknown key \"key\"",
        "help": "did you mean \"keys\"?",
        "source": " {\"name\": \"mine\", \"key\": []}",
    });
    assert_eq!(json(&folder, &["one.json"]), (Some(3), json!({"problems": [problem], "more": 0})));
}

#[test]
fn a_problem_without_help_has_null() {
    let folder = Folder::new();
    folder.write("one.json", "{\"agents\": [5]}");
    assert_eq!(json(&folder, &["one.json"]).1["problems"][0]["help"], Value::Null);
}

#[test]
fn json_lists_a_thousand_problems_and_counts_the_rest() {
    let folder = Folder::new();
    folder.write("many.json", format!("{{\"agents\": [{}5]}}", "5,".repeat(1233)));
    let (code, report) = json(&folder, &["many.json"]);
    assert_eq!((code, report["problems"].as_array().unwrap().len()), (Some(3), 1000));
    assert_eq!(report["more"], 234);
}

#[test]
fn the_problems_of_several_files_are_told_at_once_by_file_and_place() {
    let folder = Folder::new();
    // An agent without a name is found behind its inner problems, and stands before them.
    let text = "{\"agents\": [\n{\"conversations\": [\n{\"gap\": -1}]},\n5]}";
    folder.write("b.json", text);
    folder.write("a.json", text);
    let of = |file: &str| [2, 3, 4].map(|line| format!("{file}.json:{line}"));
    assert_eq!(places(&folder, &["b.json", "a.json"]), [of("b"), of("a")].concat());
    assert_eq!(places(&folder, &["a.json", "b.json"]), [of("a"), of("b")].concat());
}

#[test]
fn one_syntax_error_ends_its_file_and_no_other() {
    let folder = Folder::new();
    folder.write("a.json", "{\"agents\": [5,\n}");
    folder.write("b.json", "{\"agents\": [\n5\n5");
    folder.write("c.json", "{\"agents\": [\n\n\n5]}");
    let expected = ["a.json:1", "a.json:2", "b.json:2", "b.json:3", "c.json:4"];
    assert_eq!(places(&folder, &["a.json", "b.json", "c.json"]), expected);
}

#[test]
fn agents_of_several_files_must_differ() {
    let folder = Folder::new();
    folder.write("a.json", GOOD);
    folder.write("b.json", GOOD.replace("mine", "other"));
    folder.write("c.json", format!("\n{GOOD}"));
    let ended = run(folder.path(), &["check", "a.json", "b.json"]);
    assert_eq!(ended.out, "fine: agents 2, conversations 4\n");
    assert_eq!(places(&folder, &["a.json", "b.json", "c.json"]), ["c.json:2", "c.json:2"]);
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::new();
    let ended = run(folder.path(), &["check", "none.json"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""));
    assert!(ended.err.starts_with("none.json: cannot be read: No such file"), "{ended:?}");
    assert!(ended.err.ends_with("\n1 problem\n"), "{ended:?}");
}

#[test]
fn a_missing_file_hides_no_problem_of_the_others() {
    let folder = Folder::new();
    folder.write("a.json", "{\"agents\": [5]}");
    assert_eq!(places(&folder, &["a.json", "none.json"]), ["none.json:0", "a.json:1"]);
}

#[test]
fn a_folder_without_fixtures_is_refused() {
    let folder = Folder::new();
    let ended = run(folder.path(), &["check", "."]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.starts_with(".: cannot be read: the folder holds no .json file"));
    folder.write("fixture.schema.json", "{}");
    folder.write("notes.txt", "none");
    assert_eq!(run(folder.path(), &["check", "."]).code, Some(3));
}

#[test]
fn a_folder_gives_its_json_files_by_name_and_no_schema() {
    let folder = Folder::new();
    for name in ["c.json", "a.json", "b.JSON", "d.jsonl", "e.txt", "schema.json", "x.schema.json"] {
        folder.write(name, "5");
    }
    std::fs::create_dir(folder.path().join("folder.json")).unwrap();
    std::fs::create_dir(folder.path().join("deeper")).unwrap();
    folder.write("deeper/f.json", "5");
    assert_eq!(places(&folder, &["."]), ["./a.json:1", "./b.JSON:1", "./c.json:1"]);
}

#[test]
fn names_that_begin_with_a_dot_are_not_read() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("..data")).unwrap();
    for name in [".a.json", "._b.json", "..data/c.json"] {
        folder.write(name, "5");
    }
    let ended = run(folder.path(), &["check", "."]);
    assert_eq!(ended.code, Some(3));
    assert_eq!(ended.err, ".: cannot be read: the folder holds no .json file\n\n1 problem\n");
    folder.write("d.json", GOOD);
    let ended = run(folder.path(), &["check", "."]);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    // A file that is named is meant.
    assert_eq!(places(&folder, &[".a.json"]), [".a.json:1"]);
}

#[test]
fn folders_in_a_folder_that_hold_json_are_named() {
    let folder = Folder::new();
    folder.write("a.json", GOOD);
    for inner in ["old", "new", "empty", ".hidden", "texts"] {
        std::fs::create_dir(folder.path().join(inner)).unwrap();
    }
    for name in ["old/b.json", "new/c.JSON", ".hidden/d.json", "texts/schema.json"] {
        folder.write(name, GOOD);
    }
    let note = "note: folders in a fixture folder are not read: ./new, ./old\n";
    let ended = run(folder.path(), &["check", "."]);
    assert_eq!((ended.code, &*ended.err), (Some(0), note), "{ended:?}");
    let path = folder.path().to_str().unwrap();
    let serving = Serving::start(["--fixtures", path]);
    let note = format!("note: folders in a fixture folder are not read: {path}/new, {path}/old\n");
    until("the note", || serving.said().contains(&note));
    for number in 0..10 {
        std::fs::create_dir(folder.path().join(number.to_string())).unwrap();
        folder.write(&format!("{number}/x.json"), GOOD);
    }
    let ended = run(folder.path(), &["check", "."]);
    assert!(ended.err.ends_with("./0, ./1, ./2, ./3, ./4 and 7 more\n"), "{ended:?}");
}

#[test]
fn files_and_folders_may_be_mixed() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    folder.write("more/b.json", "5");
    folder.write("a.json", "5");
    assert_eq!(places(&folder, &["more", "a.json"]), ["more/b.json:1", "a.json:1"]);
}

#[test]
fn a_schema_that_is_named_is_read() {
    let folder = Folder::new();
    folder.write("schema.json", "5");
    assert_eq!(places(&folder, &["schema.json"]), ["schema.json:1"]);
}

#[test]
fn without_a_path_nothing_can_be_checked() {
    let ended = run(Folder::new().path(), &["check"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
}

#[test]
fn serving_refuses_what_check_refuses() {
    let folder = Folder::new();
    folder.write("a.json", "{\"agents\": [5]}");
    folder.write("b.json", "{\"agents\": [");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for paths in [&["a.json"][..], &["a.json", "b.json"], &["."], &["none.json"], &["empty"]] {
        let checked = run(folder.path(), &[&["check"], paths].concat());
        let served = run(folder.path(), &[&["--port", "0", "--fixtures"], paths].concat());
        assert_eq!((served.code, served.out.as_str()), (Some(3), ""), "{served:?}");
        let told = served.err.strip_prefix("error: ").unwrap_or(&served.err);
        assert_eq!(told, checked.err, "{paths:?}");
    }
}
