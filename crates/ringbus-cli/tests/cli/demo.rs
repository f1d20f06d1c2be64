//! `demo`.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use crate::ring::{Process, until};
use crate::support::{command, json, run, text};

fn is_empty(directory: &Path) -> bool {
    directory.read_dir().expect("it is there").next().is_none()
}

#[test]
fn it_runs_as_long_as_it_is_told_and_cleans_up() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let said = run(&["demo", "--path", text(&path), "--rate", "2000", "--duration", "0.2"]).fine();
    assert!(said.contains(&format!("ringbus top {}", path.display())), "{said}");
    assert!(
        said.lines().last().is_some_and(|line| line.contains(" events in ") && line.contains(" blocks, in ")),
        "{said}"
    );
    assert!(is_empty(directory.path()));
}

#[test]
fn a_file_that_somebody_has_removed_is_no_failure() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let demo = Process::demo(&path, &[]);
    fs::remove_file(&path).expect("it is there");
    demo.signal("INT");
    let ran = demo.end();
    assert_eq!((ran.code, ran.error.as_str()), (0, ""));
    assert!(ran.out.contains(" events in "), "{}", ran.out);
}

#[test]
fn it_cleans_up_where_nobody_reads_what_it_says() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let demo = |duration| {
        let mut demo = command();
        demo.args(["demo", "--path", text(&path), "--duration", duration]);
        demo
    };
    // Closed from the beginning, and after the first line.
    let (reader, writer) = std::io::pipe().expect("there are descriptors");
    drop(reader);
    assert!(demo("60").stdout(writer).status().expect("the command was built").success());
    assert!(is_empty(directory.path()));
    let mut closed_later = Process::demo(&path, &["--duration", "0.2"]);
    closed_later.close_pipe();
    let ran = closed_later.end();
    assert_eq!((ran.code, ran.error.as_str()), (0, ""));
    assert!(is_empty(directory.path()));
    // A file system without room.
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = demo("60").stdout(full).stderr(Stdio::piped()).output().expect("the command was built");
    assert_eq!(output.status.code(), Some(1));
    assert!(is_empty(directory.path()));
}

#[test]
fn all_can_be_tried_on_it() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let demo = Process::demo(&path, &["--rate", "20000", "--keep"]);
    let mut found = serde_json::Value::Null;
    // The monitor misses something as soon as the ring has come round.
    until(|| {
        found = json(&run(&["stat", "--json", text(&path)]).fine());
        let consumers = found["report"]["consumers"].as_array();
        let slow = consumers.and_then(|all| all.iter().find(|consumer| consumer["name"] == "slow monitor"));
        slow.is_some_and(|slow| slow["missed"].as_u64().is_some_and(|missed| missed > 0))
    });
    assert_eq!(found["report"]["consumers"].as_array().map(Vec::len), Some(5), "{found}");
    assert!(found["rate"].as_f64().is_some_and(|rate| rate > 0.0), "{found}");
    let shown = run(&["tail", text(&path), "--kind", "trade", "-n", "1"]).fine();
    assert!(shown.contains(" Trade { "), "{shown}");
    let journal = directory.path().join("journal");
    let said = run(&["record", text(&path), "-o", text(&journal), "-n", "1000", "--allow-gaps"]).fine();
    assert!(said.starts_with("1,000 records, "), "{said}");
    demo.signal("INT");
    let ran = demo.end();
    assert_eq!((ran.code, ran.error.as_str()), (0, ""));
    assert_eq!(json(&run(&["stat", "--json", text(&path)]).fine())["state"], "closed");
}

#[test]
fn two_do_not_share_a_path() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let demo = Process::demo(&path, &[]);
    let error = run(&["demo", "--path", text(&path)]).failed(1);
    assert!(error.contains(text(&path)) && error.contains(&demo.id().to_string()), "{error}");
}
