//! `demo`.

use crate::ring::{Process, until};
use crate::support::{json, run, text};

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
    assert_eq!(directory.path().read_dir().expect("it is there").count(), 0);
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
