//! `--watch`, with the real binary: an edit is live, a broken one changes nothing.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::ALWAYS;
use crate::program::{Folder, Serving, get_at, run, until};

/// A fixture of agent `mine` whose every row says which edit it is of.
fn edit(number: u32) -> String {
    let talk = |n: u32| {
        format!(
            r#"{{"conversation_id": "c{n}", "user_id": "{number}", "subject": "{number}",
                "messages": [{{"q": "{number}", "a": "{number}"}}]}}"#
        )
    };
    let talks: Vec<_> = (0..30).map(talk).collect();
    agent("mine", &talks.join(",\n"))
}

fn agent(name: &str, conversations: &str) -> String {
    format!("{{\"agents\": [{{\"name\": \"{name}\", \"conversations\": [{conversations}]}}]}}")
}

#[track_caller]
fn watch(path: &Path) -> Serving {
    Serving::start([OsStr::new("--watch"), OsStr::new("--fixtures"), path.as_os_str()])
}

const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&page=1&page_size=100";
const QA: &str = "/v1/message/qa/record/page?user_feedback=ALL&page=1&page_size=100";

/// The edit that all rows of the list are of.
#[track_caller]
fn live(serving: &Serving) -> u32 {
    let answer = serving.get("app-mine", &format!("{LIST}&{ALWAYS}"));
    one_edit(&answer.column("list", "user_id"), 30)
}

#[track_caller]
fn one_edit(column: &[String], rows: usize) -> u32 {
    assert_eq!(column.len(), rows);
    assert!(column.iter().all(|value| *value == column[0]), "edits are mixed: {column:?}");
    column[0].parse().unwrap()
}

#[track_caller]
fn status(serving: &Serving, key: &str) -> u16 {
    serving.get(key, &format!("{LIST}&{ALWAYS}")).status
}

#[test]
fn an_edit_is_live() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    assert_eq!(live(&serving), 1);
    folder.write("f.json", edit(2));
    until("the second edit", || live(&serving) == 2);
    until("it is said", || serving.said().contains("fixtures read again\n"));
}

/// Somebody who never stops typing sees edits, too.
#[test]
fn edits_are_live_though_they_never_pause() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _raised = Raise(&done);
        scope.spawn(|| {
            for number in (2..).take_while(|_| !done.load(Ordering::Relaxed)) {
                let part = folder.write("f.json.part", edit(number));
                std::fs::rename(part, &path).unwrap();
            }
        });
        until("one of the edits", || live(&serving) > 1);
    });
}

#[test]
fn without_watch_an_edit_changes_nothing() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let fixed = Serving::start([OsStr::new("--fixtures"), path.as_os_str()]);
    let watching = watch(&path);
    folder.write("f.json", edit(2));
    until("the other sees it", || live(&watching) == 2);
    assert_eq!(live(&fixed), 1);
}

#[test]
fn a_broken_edit_keeps_the_last_good_records_and_is_told() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    let broken = "{\"agents\": [{\"nam\": \"mine\"}]}";
    folder.write("f.json", broken);
    until("the diagnostics", || serving.said().contains("the last good records stay\n"));
    let told = run(folder.path(), &["check", path.to_str().unwrap()]).err;
    assert!(serving.said().contains(&told), "{}", serving.said());
    assert_eq!(live(&serving), 1);
    folder.write("f.json", edit(3));
    until("the repaired fixture", || live(&serving) == 3);
}

#[test]
fn an_editor_that_replaces_the_file_is_followed() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    for number in 2..5 {
        let part = folder.write("f.json~part", edit(number));
        std::fs::rename(part, &path).unwrap();
        until("the replaced file", || live(&serving) == number);
    }
}

#[test]
fn an_editor_that_moves_the_old_file_away_is_followed() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    std::fs::rename(&path, folder.path().join("f.json~")).unwrap();
    folder.write("f.json", edit(2));
    until("the new file", || live(&serving) == 2);
}

/// As `cp -p` and `rsync -t` leave it behind.
#[test]
fn a_replaced_file_of_the_same_length_and_time_is_followed() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    let old = path.metadata().unwrap();
    let part = folder.write("f.json~part", edit(2));
    let file = std::fs::File::options().write(true).open(&part).unwrap();
    file.set_modified(old.modified().unwrap()).unwrap();
    assert_eq!(part.metadata().unwrap().len(), old.len());
    std::fs::rename(part, &path).unwrap();
    until("the replaced file", || live(&serving) == 2);
}

/// Opening a pipe waits for someone who writes into it.
#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_is_told_and_the_file_that_comes_back_is_followed() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::rename(pipe, &path).unwrap();
    until("it is told", || serving.said().contains("f.json: is no file\n"));
    assert_eq!(live(&serving), 1);
    let part = folder.write("f.json~part", edit(2));
    std::fs::rename(part, &path).unwrap();
    until("the file is back", || live(&serving) == 2);
}

/// The files of a mounted `ConfigMap`: links into a folder behind `..data`, which is switched over.
#[cfg(unix)]
#[test]
fn a_mounted_config_map_is_read_once_and_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("..1")).unwrap();
    folder.write("..1/f.json", edit(1));
    symlink("..1", path("..data")).unwrap();
    symlink("..data/f.json", path("f.json")).unwrap();
    // An editor's own file, which is no JSON.
    folder.write(".f.json", "{");
    let serving = watch(folder.path());
    assert_eq!(live(&serving), 1);
    std::fs::create_dir(path("..2")).unwrap();
    folder.write("..2/f.json", edit(2));
    symlink("..2", path("..new")).unwrap();
    std::fs::rename(path("..new"), path("..data")).unwrap();
    until("the new data", || live(&serving) == 2);
    assert!(!serving.said().contains("not read"), "{}", serving.said());
}

#[test]
fn a_folder_that_is_removed_keeps_the_last_good_records_until_it_comes_back() {
    let folder = Folder::new();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    folder.write("inner/f.json", edit(1));
    let serving = watch(&inner);
    std::fs::rename(&inner, folder.path().join("away")).unwrap();
    until("it is told", || serving.said().contains("inner: cannot be read: "));
    assert_eq!(live(&serving), 1);
    std::fs::create_dir(&inner).unwrap();
    folder.write("inner/f.json", edit(2));
    until("it is back", || live(&serving) == 2);
}

#[test]
fn a_file_that_is_removed_keeps_the_last_good_records_until_it_comes_back() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    std::fs::remove_file(&path).unwrap();
    until("it is told", || serving.said().contains("f.json: cannot be read: "));
    assert_eq!(live(&serving), 1);
    folder.write("f.json", edit(2));
    until("it is back", || live(&serving) == 2);
}

#[test]
fn a_file_beside_the_fixture_is_none_of_it() {
    let folder = Folder::new();
    let path = folder.write("f.json", edit(1));
    let serving = watch(&path);
    folder.write("other.json", edit(7));
    folder.write("f.json", edit(2));
    until("the edit", || live(&serving) == 2);
    assert!(!serving.said().contains("not right"), "{}", serving.said());
}

#[test]
fn a_folder_gains_and_loses_files() {
    let folder = Folder::new();
    folder.write("a.json", edit(1));
    let serving = watch(folder.path());
    assert_eq!(status(&serving, "app-other"), 401);
    let other = folder.write("b.json", agent("other", ""));
    until("the gained file", || status(&serving, "app-other") == 200);
    assert_eq!(live(&serving), 1);
    std::fs::remove_file(other).unwrap();
    until("the lost file", || status(&serving, "app-other") == 401);
    assert_eq!(live(&serving), 1);
}

#[test]
fn a_folder_without_its_last_file_keeps_the_last_good_records() {
    let folder = Folder::new();
    let path = folder.write("a.json", edit(1));
    let serving = watch(folder.path());
    std::fs::remove_file(path).unwrap();
    until("it is told", || serving.said().contains("the folder holds no .json file"));
    assert_eq!(live(&serving), 1);
}

#[test]
fn several_paths_are_followed() {
    let (one, two) = (Folder::new(), Folder::new());
    let path = one.write("a.json", edit(1));
    two.write("b.json", agent("two", ""));
    let serving = Serving::start([
        OsStr::new("--watch"),
        OsStr::new("--fixtures"),
        path.as_os_str(),
        two.path().as_os_str(),
    ]);
    two.write("c.json", agent("three", ""));
    until("the folder", || status(&serving, "app-three") == 200);
    one.write("a.json", edit(2));
    until("the file", || live(&serving) == 2);
}

#[test]
fn a_key_that_an_edit_brings_works_and_one_that_it_takes_does_not() {
    let folder = Folder::new();
    let path = folder.write("f.json", agent("old", ""));
    let serving = watch(&path);
    assert_eq!((status(&serving, "app-old"), status(&serving, "app-new")), (200, 401));
    folder.write("f.json", agent("new", ""));
    until("the new key", || status(&serving, "app-new") == 200);
    assert_eq!(status(&serving, "app-old"), 401);
}

/// The key of the command line goes with the fixture's first agent, whichever that is by then.
#[test]
fn a_key_of_the_command_line_outlives_an_edit() {
    let folder = Folder::new();
    let path = folder.write("f.json", agent("old", ""));
    let args = ["--watch", "--api-key", "extra", "--fixtures", path.to_str().unwrap()];
    let serving = Serving::start(args);
    assert_eq!(status(&serving, "extra"), 200);
    folder.write("f.json", agent("new", "{}"));
    until("the new key", || status(&serving, "app-new") == 200);
    let answer = serving.get("extra", &format!("{LIST}&{ALWAYS}"));
    assert_eq!(answer.rows("list").len(), 1);
}

/// Raises a flag when dropped, so that a failure ends the other threads, too.
struct Raise<'a>(&'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client that never pauses sees each edit whole or not at all, and in the end the last one.
#[test]
fn no_answer_mixes_edits_and_the_last_one_wins() {
    const EDITS: u32 = 100;
    let folder = Folder::new();
    let path = folder.write("f.json", edit(0));
    let serving = watch(&path);
    let (address, done) = (serving.address, AtomicBool::new(false));
    let seen = std::thread::scope(|scope| {
        let raised = Raise(&done);
        let client = scope.spawn(|| {
            let mut seen = vec![0];
            while !done.load(Ordering::Relaxed) {
                let list = get_at(address, "app-mine", &format!("{LIST}&{ALWAYS}"));
                seen.push(one_edit(&list.column("list", "user_id"), 30));
                let qa = get_at(address, "app-mine", &format!("{QA}&{ALWAYS}"));
                seen.push(one_edit(&qa.column("qa", "q"), 30));
            }
            seen
        });
        for number in 1..=EDITS {
            // Every other edit is written in place, where a reader can see half of it.
            let name = if number % 2 == 0 { "f.json" } else { "f.json.part" };
            let part = folder.write(name, edit(number));
            std::fs::rename(part, &path).unwrap();
            // So that some are read while others are written.
            if number % 20 == 0 {
                until("an edit of the last ones", || live(&serving) + 20 > number);
            }
        }
        until("the last edit", || live(&serving) == EDITS);
        drop(raised);
        client.join().unwrap()
    });
    assert!(seen.is_sorted(), "an old edit came back: {seen:?}");
    assert!(seen.len() > 10, "the client hardly asked: {seen:?}");
    assert_eq!(live(&serving), EDITS);
}

#[test]
fn without_fixtures_there_is_nothing_to_watch() {
    let ended = run(&std::env::temp_dir(), &["--port", "0", "--watch"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert_eq!(ended.err, "error: --watch needs --fixtures to watch\n");
}

#[test]
fn what_is_wrong_at_the_start_is_refused_though_it_is_watched() {
    let folder = Folder::new();
    for args in [["--fixtures", "none.json"], ["--fixtures", "."]] {
        let ended = run(folder.path(), &[&["--port", "0", "--watch"], &args[..]].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{ended:?}");
    }
}
