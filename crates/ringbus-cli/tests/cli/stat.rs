//! `stat`, also as a health check.

use std::convert::Infallible;

use ringbus::bus::each_record;
use serde_json::json as value;

use crate::ring::{CAPACITY, Process, ring, say_blocks};
use crate::support::{Exchange, json, run, text};

#[test]
fn a_live_ring_is_told_about() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    let ignore = || each_record(|_| Ok::<(), Infallible>(()));
    let keeper = bus.subscribe("keeper").required().spawn(ignore()).expect("there is a place");
    say_blocks(&mut writer, 1..=5);
    let found = json(&run(&["stat", "--json", text(&path)]).fine());
    for (member, expected) in [
        ("path", value!(text(&path))),
        ("state", value!("alive")),
        ("stream", value!("testnet")),
        ("process_id", value!(std::process::id())),
        ("cursor", value!(20)),
        ("first_sequence", value!(0)),
        ("rate", value!(0.0)),
        ("capacity", value!(CAPACITY)),
        ("max_batch", value!(4)),
        ("slot_payload", value!(64)),
        ("is_replaced", value!(false)),
        ("why", value!(null)),
        ("file_bytes", value!(path.metadata().expect("it is there").len())),
    ] {
        assert_eq!(found[member], expected, "{member}: {found}");
    }
    let schema = &found["schema"];
    assert_eq!(schema["name"], "Exchange");
    assert_eq!(schema["fingerprint"], Exchange::schema().fingerprint().to_string());
    writer.close().expect("nobody is in the way");
    keeper.join().expect("it has not failed");
}

#[test]
fn consumers_are_told_as_their_process_sees_them() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    let _keeper = bus.subscribe("keeper").required().join().expect("there is a place");
    let _monitor = bus.subscribe("monitor").optional().join().expect("there is a place");
    say_blocks(&mut writer, 1..=4);
    let mut found = value!(null);
    crate::ring::until(|| {
        found = json(&run(&["stat", "--json", text(&path)]).fine());
        found["report"]["cursor"] == 16
            && found["report"]["consumers"].as_array().is_some_and(|all| all.len() == 2)
    });
    let report = &found["report"];
    assert_eq!(report["fill"], 16.0 / CAPACITY as f64);
    let keeper = &report["consumers"][0];
    let expected =
        [value!("keeper"), value!("required"), value!("running"), value!(0), value!(16), value!(0)];
    assert_eq!(
        ["name", "kind", "state", "position", "lag", "missed"].map(|member| keeper[member].clone()),
        expected
    );
    assert_eq!(report["consumers"][1]["kind"], "optional");

    let shown = run(&["stat", text(&path)]).fine();
    for expected in [
        "state           alive\n",
        "stream          testnet\n",
        "cursor          16, from 0\n",
        "fill            25.0 %\n",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
    let row = shown.lines().find(|line| line.starts_with("keeper")).expect("it has a row");
    let words: Vec<_> = row.split_whitespace().take(6).collect();
    assert_eq!(words, ["keeper", "required", "running", "0", "16", "0"]);
}

#[test]
fn a_closed_ring_is_well() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=5);
    writer.close().expect("nobody is in the way");
    drop(bus);
    let found = json(&run(&["stat", "--json", text(&path)]).fine());
    assert_eq!((&found["state"], &found["cursor"]), (&value!("closed"), &value!(20)));
    // There is nothing to wait for.
    let shown = run(&["stat", "--watch", text(&path)]).fine();
    assert_eq!(shown.matches("state           closed\n").count(), 1, "{shown}");
}

#[test]
fn a_poisoned_ring_is_not() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    let keeper = bus.subscribe("keeper").required().join().expect("there is a place");
    keeper.fail("the disk is full");
    let start = ringbus::bus::BlockStart { height: 1, time: 0, hash: ringbus::bus::Hash::new([1; 32]) };
    writer.begin_block(start).expect_err("a required consumer has failed");
    let ran = run(&["stat", "--json", text(&path)]);
    let found = json(&ran.out);
    assert_eq!((ran.code, ran.error.as_str(), &found["state"]), (5, "", &value!("poisoned")));
}

#[test]
fn processes_that_stop_or_die_are_told_from_those_that_live() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let demo = Process::demo(&path, &["--rate", "1000"]);
    let found = json(&run(&["stat", "--json", "--stalled-after", "600", text(&path)]).fine());
    assert_eq!((&found["state"], &found["process_id"]), (&value!("alive"), &value!(demo.id())));
    assert!(found["heartbeat_age"].is_number(), "{found}");

    demo.stop();
    // It looks for 200 ms itself.
    let ran = run(&["stat", "--json", "--stalled-after", "0.1", text(&path)]);
    let found = json(&ran.out);
    assert_eq!((ran.code, &found["state"]), (3, &value!("stalled")));
    assert!(found["silent_for"].as_f64().is_some_and(|seconds| seconds >= 0.1), "{found}");

    drop(demo);
    let ran = run(&["stat", text(&path)]);
    assert_eq!((ran.code, ran.error.as_str()), (4, ""));
    assert!(ran.out.contains("state           dead\n"), "{}", ran.out);
}

#[test]
fn who_publishes_has_not_stalled() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    writer.heartbeat();
    let mut stat =
        Process::start(&["stat", "--json", "--watch=0.01", "--stalled-after", "0.000001", text(&path)]);
    assert_eq!(json(&stat.line())["state"], "stalled");
    for height in 1.. {
        say_blocks(&mut writer, height..=height);
        let found = json(&stat.line());
        let is_moving = found["rate"].as_f64().expect("it has one") > 0.0;
        assert_eq!(found["state"], if is_moving { "alive" } else { "stalled" });
        assert_eq!(found["silent_for"].is_null(), is_moving);
        if is_moving {
            break;
        }
    }
}

#[test]
fn watching_tells_again_until_the_end() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    let mut stat = Process::start(&["stat", "--json", "--watch=0.01", text(&path)]);
    for cursor in [0, 4, 8] {
        while json(&stat.line())["cursor"] != cursor {}
        say_blocks(&mut writer, cursor / 4 + 1..=cursor / 4 + 1);
    }
    writer.close().expect("nobody is in the way");
    drop(bus);
    let ran = stat.end();
    let last = json(ran.out.lines().last().expect("it tells how it ended"));
    assert_eq!((ran.code, &last["state"], &last["cursor"]), (0, &value!("closed"), &value!(12)));
}

#[test]
fn what_is_no_ring_is_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let other = directory.path().join("other");
    std::fs::write(&other, [7; 8192]).expect("there is room");
    for place in [&other, &directory.path().join("nowhere"), directory.path()] {
        let error = run(&["stat", text(place)]).failed(1);
        assert!(error.starts_with("ringbus: ") && error.contains(text(place)), "{error}");
    }
    run(&["stat", text(&other), "--watch=0"]).failed(2);
    assert!(run(&["stat", "--help"]).fine().contains("4 if its producer is dead"));
}
