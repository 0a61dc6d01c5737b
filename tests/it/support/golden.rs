//! Committed files that the program writes: compared, or with `UPDATE=1` written.

use std::path::Path;

/// Asserts that a file of the repository holds exactly this text, or writes it.
#[track_caller]
pub(crate) fn compare(file: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept != actual {
        let (line, (old, new)) = (1..)
            .zip(kept.lines().map(Some).chain([None]).zip(actual.lines().map(Some).chain([None])))
            .find(|(_, (old, new))| old != new)
            .unwrap_or((0, (None, None)));
        panic!(
            "{file} is not what the program makes (UPDATE=1 cargo test writes it); line {line}:\n\
             file:    {old:?}\nprogram: {new:?}"
        );
    }
}
