//! The order of the rooms: each folder and each file at the root of `src/` imports only what stands
//! above it in this list, so that no two import each other.

use std::fs;
use std::path::{Path, PathBuf};

/// From what knows nothing to what knows everything.
const ROOMS: &[&str] = &[
    "suggest",
    "surrogates",
    "report",
    "memory",
    "contract",
    "keys",
    "target",
    "redact",
    "document",
    "records",
    "sandbox",
    "settings",
    "api",
    "control",
    "server",
    "verify",
    "cli",
    "docs",
];

#[test]
fn every_room_imports_only_rooms_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut imports = 0;
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = room.trim_end_matches(".rs");
        if ["lib", "main"].contains(&room) {
            continue;
        }
        let own = place(room).unwrap_or_else(|| panic!("{room} is not in the list of rooms"));
        for name in imported(&product_code(&fs::read_to_string(&file).unwrap())) {
            imports += 1;
            match place(&name) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{} imports {name}", inside.display())),
                None => wrong.push(format!("{}: {name} is no room", inside.display())),
            }
        }
    }
    assert!(imports > 300, "only {imports} imports were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_of_the_list_exists() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ROOMS {
        let found = source.join(room).is_dir() || source.join(format!("{room}.rs")).is_file();
        assert!(found, "there is no {room}");
    }
}

#[test]
fn imports_are_found_alone_and_in_braces() {
    let code = "use crate::store::Store;\nuse crate::{api, control::{a, b}};\ncrate::json!()";
    assert_eq!(imported(code), ["store", "api", "control"]);
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|name| *name == room)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files
}

/// Code without comments and without the tests at its end.
fn product_code(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that stand behind `crate::`, macros left out.
fn imported(code: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            let name = word(rest);
            if !rest[name.len()..].starts_with('!') {
                names.push(name);
            }
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && is_word(c) => {
                    names.push(word(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    names
}
