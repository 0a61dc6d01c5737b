//! `gptbots-mock check`, run on texts and files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// What `check --json` says of a text: the message and the help of each problem.
#[track_caller]
pub(crate) fn check(text: &str) -> Vec<String> {
    let folder = Folder::new();
    std::fs::write(folder.path().join("fixture.json"), text).unwrap();
    let output = gptbots_mock(folder.path(), ["check", "--json", "fixture.json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    let code = if problems.is_empty() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let words = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    problems.iter().map(|p| format!("{}; {}", words(p, "message"), words(p, "help"))).collect()
}

/// Runs the real binary in a folder, to its end.
#[track_caller]
pub(crate) fn gptbots_mock<S: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = S>,
) -> Output {
    let binary = env!("CARGO_BIN_EXE_gptbots-mock");
    Command::new(binary).args(args).current_dir(folder).output().unwrap()
}

/// A folder of a test's own; removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("folder-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
