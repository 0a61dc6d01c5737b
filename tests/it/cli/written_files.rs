//! Files that the program writes (port file, reports): links, modes, owners and pipes at their path
//! are respected.
#![cfg(unix)]

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::folder::Folder;
use crate::support::process::{Process, command, run, shell};

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

#[track_caller]
fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_port_file_behind_a_link_keeps_link_and_mode() {
    let directory = Folder::new();
    let (link, middle, file) =
        (directory.join("link"), directory.join("middle"), directory.join("port"));
    symlink("middle", &link).unwrap();
    symlink(&file, &middle).unwrap();
    std::fs::write(&file, "old").unwrap();
    set_mode(&file, 0o604);
    let (_server, address) = Process::serve(&["--port-file", link.to_str().unwrap()]);
    assert_eq!(text(&link), format!("{}\n", address.port()));
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(middle.symlink_metadata().unwrap().is_symlink());
    assert_eq!(mode(&file), 0o604);
    assert_eq!(directory.names().len(), 3, "{:?}", directory.names());
}

#[test]
fn a_port_file_behind_a_link_to_nothing_is_made() {
    let directory = Folder::new();
    let (link, file) = (directory.join("link"), directory.join("port"));
    symlink("port", &link).unwrap();
    let (_server, address) = Process::serve(&["--port-file", link.to_str().unwrap()]);
    assert_eq!(text(&file), format!("{}\n", address.port()));
    assert!(link.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_port_file_behind_links_in_a_circle_is_refused() {
    let directory = Folder::new();
    let link = directory.join("link");
    symlink("link", &link).unwrap();
    let ended = run(&mut command(&["--port", "0", "--port-file", link.to_str().unwrap()]));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("too many levels of symbolic links"), "{ended:?}");
}

/// Only root may give files away, so elsewhere there is nothing to see.
#[test]
fn a_file_of_another_owner_stays_theirs() {
    let directory = Folder::new();
    let file = directory.join("port");
    std::fs::write(&file, "old").unwrap();
    set_mode(&file, 0o640);
    if std::os::unix::fs::chown(&file, Some(4711), Some(4712)).is_err() {
        println!("skipped: only root may give files away");
        return;
    }
    let (_server, address) = Process::serve(&["--port-file", file.to_str().unwrap()]);
    assert_eq!(text(&file), format!("{}\n", address.port()));
    let about = file.metadata().unwrap();
    assert_eq!((about.uid(), about.gid(), mode(&file)), (4711, 4712, 0o640));
}

/// `$$` is the number of the process that the shell becomes.
#[test]
fn a_link_that_stands_where_the_part_would_is_never_followed() {
    let directory = Folder::new();
    let (file, other) = (directory.join("port"), directory.join("other"));
    std::fs::write(&other, "precious").unwrap();
    let line = "for end in .part -0.part; do ln -s other \"$FILE.$$$end\"; done; \
                exec \"$0\" --port 0 --port-file \"$FILE\"";
    let (_server, address) = Process::serving(shell(line).env("FILE", &file));
    assert_eq!(text(&file), format!("{}\n", address.port()));
    assert_eq!(text(&other), "precious");
    assert!(!file.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_port_file_that_is_a_pipe_is_refused() {
    let directory = Folder::new();
    let file = directory.join("port");
    make_fifo(&file);
    let ended = run(&mut command(&["--port", "0", "--port-file", file.to_str().unwrap()]));
    assert_eq!((ended.code, &*ended.stdout), (1, ""), "{ended:?}");
    assert!(
        ended.stderr.contains("the path is a pipe; the port must be written to a file"),
        "{ended:?}"
    );
    assert!(file.metadata().unwrap().file_type().is_fifo());
}

#[test]
fn the_port_file_goes_away_at_the_end() {
    let directory = Folder::new();
    let file = directory.join("port");
    for signal in ["TERM", "INT"] {
        let (server, address) = Process::serve(&["--port-file", file.to_str().unwrap()]);
        assert_eq!(text(&file), format!("{}\n", address.port()));
        server.signal(signal);
        assert_eq!(server.end().code, 0);
        assert!(directory.names().is_empty(), "{signal}: {:?}", directory.names());
    }
}

#[test]
fn a_port_file_that_another_server_wrote_stays() {
    let directory = Folder::new();
    let file = directory.join("port");
    let path = file.to_str().unwrap();
    let (first, _) = Process::serve(&["--port-file", path]);
    let (_second, address) = Process::serve(&["--port-file", path]);
    assert_eq!(first.stop().code, 0);
    assert_eq!(text(&file), format!("{}\n", address.port()));
}

#[test]
fn a_report_behind_a_link_keeps_link_and_mode() {
    let directory = Folder::new();
    let (link, file) = (directory.join("link.json"), directory.join("report"));
    symlink("report", &link).unwrap();
    std::fs::write(&file, "old").unwrap();
    set_mode(&file, 0o600);
    run(&mut command(&["exec", "--report", link.to_str().unwrap(), "--", "true"]));
    assert!(text(&link).starts_with('{'), "{}", text(&link));
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(mode(&file), 0o600);
    assert_eq!(directory.names().len(), 2, "{:?}", directory.names());
}

/// The shell has the file open: what it and others write later must land in the same one. The link
/// is as `/dev/stdout` is, which root could replace.
#[test]
fn an_open_file_behind_a_link_is_written_to_and_not_replaced() {
    if !Path::new("/proc/self/fd").exists() {
        println!("skipped: this machine names its open files otherwise");
        return;
    }
    let directory = Folder::new();
    let (link, file) = (directory.join("stdout"), directory.join("out"));
    symlink("/proc/self/fd/1", &link).unwrap();
    for out in [link.to_str().unwrap(), "/dev/fd/1"] {
        let script = "{ \"$0\" generate --conversations 1 --out \"$OUT\"; echo more; } >>\"$FILE\"";
        let ended = run(shell(script).env("FILE", &file).env("OUT", out));
        assert_eq!((ended.code, &*ended.stderr), (0, ""), "{out}: {ended:?}");
        let all = text(&file);
        assert!(all.starts_with('{') && all.ends_with("more\n"), "{out}: {all}");
        std::fs::remove_file(&file).unwrap();
    }
    assert_eq!(directory.names(), ["stdout"]);
}

/// Opening such a pipe would wait for a reader.
#[test]
fn a_report_to_a_pipe_that_nobody_reads_is_an_error() {
    let directory = Folder::new();
    let file = directory.join("v.txt");
    make_fifo(&file);
    let ended = run(&mut command(&["exec", "--report", file.to_str().unwrap(), "--", "true"]));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("v.txt: no process reads this pipe"), "{ended:?}");
}

#[test]
fn a_report_to_a_pipe_reaches_its_reader_whole() {
    let directory = Folder::new();
    let file = directory.join("v.txt");
    make_fifo(&file);
    // The shell waits here until `cat` has opened the pipe.
    let line = "cat v.txt & exec 3>v.txt
        \"$0\" exec --report v.txt -- true; code=$?; exec 3>&-; wait; exit $code";
    let ended = run(shell(line).current_dir(directory.path()));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.starts_with("verdict: 1 finding"), "{ended:?}");
    assert!(ended.stdout.contains("\nnot covered:\n"), "{ended:?}");
}
