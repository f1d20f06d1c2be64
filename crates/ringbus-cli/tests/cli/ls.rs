//! `ls`.

use std::fs;

use serde_json::json as value;

use crate::ring::{Process, ring, say_blocks};
use crate::support::{json, run, text};

#[test]
fn rings_are_found_among_other_files() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = text(directory.path());
    let (mut writer, _bus, first) = ring(directory.path(), "a");
    say_blocks(&mut writer, 1..=3);
    let (other, other_bus, second) = ring(directory.path(), "b");
    other.close().expect("nobody is in the way");
    drop(other_bus);
    fs::write(directory.path().join("c"), [7; 8192]).expect("there is room");
    fs::write(directory.path().join("d"), "").expect("there is room");
    fs::create_dir(directory.path().join("e")).expect("there is room");
    std::os::unix::fs::symlink(&first, directory.path().join("f")).expect("there is room");

    let found: Vec<_> = run(&["ls", "--json", place]).fine().lines().map(json).collect();
    let row = |path, state, cursor| {
        value!({"path": text(path), "name": found[0]["name"], "state": state, "process_id": std::process::id(),
                "stream": "testnet", "capacity": 64, "cursor": cursor, "rate": 0.0})
    };
    assert_eq!(found, [row(&first, "alive", 12), row(&second, "closed", 0)]);

    let shown = run(&["ls", place]).fine();
    let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 3, "{shown}");
    assert_eq!(rows[0], ["PATH", "STATE", "PROCESS", "NAME", "STREAM", "CAPACITY", "CURSOR", "EVENTS/S"]);
    assert_eq!((rows[1][0], rows[1][1]), (text(&first), "alive"));
    assert_eq!((rows[2][0], rows[2][1]), (text(&second), "closed"));
}

#[test]
fn stale_rings_are_removed_and_others_are_not() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = text(directory.path());
    let (_writer, _bus, live) = ring(directory.path(), "live");
    let stale = directory.path().join("stale");
    drop(Process::demo(&stale, &[]));
    assert_eq!(run(&["ls", place]).fine().lines().count(), 3);
    let ran = run(&["ls", "--remove-stale", "--json", place]);
    assert_eq!((ran.code, ran.error), (0, format!("removed `{}`\n", stale.display())));
    assert_eq!(ran.out.lines().count(), 1);
    assert_eq!(json(&ran.out)["path"], text(&live));
    assert!(!stale.exists() && live.exists());
}

#[test]
fn where_there_are_none_it_says_so() {
    let directory = tempfile::tempdir().expect("there is room");
    let ran = run(&["ls", text(directory.path())]);
    let expected = format!("no rings in `{}`\n", directory.path().display());
    assert_eq!((ran.code, ran.out.as_str(), ran.error), (0, "", expected));
    assert_eq!(run(&["ls", "--json", text(directory.path())]).fine(), "");
    let nowhere = directory.path().join("nowhere");
    let error = run(&["ls", text(&nowhere)]).failed(1);
    assert!(error.starts_with(&format!("ringbus: cannot list `{}`", nowhere.display())), "{error}");
}
