//! `tail`.

use ringbus::Ring;
use ringbus::bus::Hash;

use crate::ring::{CAPACITY, Process, ring, say_blocks};
use crate::support::{json, run, text};

/// The sequences of the lines that these arguments give, as text and as JSON.
fn sequences(arguments: &[&str]) -> Vec<u64> {
    let of_text = |line: &str| line.split_whitespace().next().and_then(|word| word.parse().ok());
    let shown = run(&[&["tail"], arguments].concat()).fine();
    let shown: Vec<u64> =
        shown.lines().map(|line| of_text(line).expect("it begins with the sequence")).collect();
    let as_json = run(&[&["tail", "--json"], arguments].concat()).fine();
    let as_json: Vec<u64> =
        as_json.lines().map(|line| json(line)["sequence"].as_u64().expect("it has one")).collect();
    assert_eq!(shown, as_json);
    shown
}

#[test]
fn records_are_decoded_by_the_rings_own_schema() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=2);
    let hash = |height: u8| Hash::new([height; 32]);
    let expected = format!(
        "         0          1/1     01010101 BlockBegun {{ hash: {one} }}
         1          1/2     01010101 Order {{ market: 1, account: 250 }}
         2          1/3     01010101 Trade {{ market: 1, size: 250 }}
         3          1/4     01010101 BlockEnded {{ hash: {one}, events: 4, transactions: 0 }}
         4          2/1     02020202 BlockBegun {{ hash: {two} }}
         5          2/2     02020202 Order {{ market: 2, account: 250 }}
         6          2/3     02020202 Trade {{ market: 2, size: 250 }}
         7          2/4     02020202 BlockEnded {{ hash: {two}, events: 4, transactions: 0 }}
",
        one = hash(1),
        two = hash(2)
    );
    assert_eq!(run(&["tail", text(&path)]).fine(), expected);
    let lines = run(&["tail", "--json", text(&path)]).fine();
    let trade = json(lines.lines().nth(6).expect("there are eight"));
    assert_eq!(
        (&trade["event"], &trade["fields"]),
        (&"Trade".into(), &serde_json::json!({"market": 2, "size": 250}))
    );

    writer.close().expect("nobody is in the way");
    assert_eq!(run(&["tail", text(&path)]).fine(), expected);
}

#[test]
fn what_is_asked_for_is_what_is_shown() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    let path = text(&path);
    assert_eq!(sequences(&[path]), [0; 0]);
    say_blocks(&mut writer, 1..=8);
    assert_eq!(sequences(&[path]), (22..32).collect::<Vec<_>>());
    assert_eq!(sequences(&[path, "-n", "2"]), [30, 31]);
    assert_eq!(sequences(&[path, "-n", "0"]), [0; 0]);
    assert_eq!(sequences(&[path, "-n", "1000"]), (0..32).collect::<Vec<_>>());
    assert_eq!(sequences(&[path, "--from", "29"]), [29, 30, 31]);
    assert_eq!(sequences(&[path, "--from", "5", "-n", "2"]), [5, 6]);
    assert_eq!(sequences(&[path, "--from", "32"]), [0; 0]);
    assert_eq!(sequences(&[path, "--kind", "trade", "-n", "3"]), [22, 26, 30]);
    assert_eq!(sequences(&[path, "--kind", "9,Trade", "-n", "3"]), [26, 29, 30]);
    assert_eq!(sequences(&[path, "--kind", "BlockEnded", "--from", "20"]), [23, 27, 31]);
    assert_eq!(sequences(&[path, "--trace", &"07".repeat(32)]), [24, 25, 26, 27]);
    assert_eq!(sequences(&[path, "--trace", &"07".repeat(32), "--kind", "8"]), [26]);
}

#[test]
fn what_there_is_not_is_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=1);
    let error = run(&["tail", text(&path), "--kind", "trad"]).failed(1);
    assert!(error.starts_with("ringbus: the schema has no event `trad`; expected one of "), "{error}");
    let error = run(&["tail", text(&path), "--from", "5"]).failed(1);
    assert!(error.contains('5') && error.contains('4'), "{error}");
    let nowhere = directory.path().join("nowhere");
    let error = run(&["tail", text(&nowhere)]).failed(1);
    assert!(error.starts_with("ringbus: ") && error.contains(text(&nowhere)), "{error}");
    let other = directory.path().join("other");
    std::fs::write(&other, "something else").expect("there is room");
    let error = run(&["tail", text(&other)]).failed(1);
    assert!(error.contains(text(&other)), "{error}");
    run(&["tail"]).failed(2);
}

#[test]
fn losses_are_told_exactly_where_they_are() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=50);
    let shown = run(&["tail", text(&path), "--from", "0"]).fine();
    let (first, rest) = shown.split_once('\n').expect("there are lines");
    let left: Vec<u64> = rest
        .lines()
        .map(|line| line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a sequence"))
        .collect();
    let missed = 200 - left.len() as u64;
    assert_eq!(first, format!("-- missed {missed} (sequences 0..{missed}) --"));
    assert_eq!(left, (missed..200).collect::<Vec<_>>());
    assert!((200 - CAPACITY as u64..200).contains(&missed), "{missed}");

    let lines = run(&["tail", "--json", text(&path), "--from", "0"]).fine();
    let first = json(lines.lines().next().expect("there are lines"));
    assert_eq!(first, serde_json::json!({"missed": missed, "from": 0, "to": missed}));
    assert_eq!(lines.lines().count() as u64, 201 - missed);
    // Who asks for the last ones has missed nothing.
    assert_eq!(sequences(&[text(&path), "-n", "3"]), [197, 198, 199]);
}

#[test]
fn who_is_stopped_is_told_what_he_missed() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=1);
    let mut tail = Process::start(&["tail", "-f", "--kind", "trade", text(&path)]);
    assert!(tail.line().ends_with("Trade { market: 1, size: 250 }"));
    tail.stop();
    say_blocks(&mut writer, 2..=100);
    tail.signal("CONT");
    let missed = tail.line();
    let to: u64 = missed
        .strip_prefix("-- missed ")
        .and_then(|rest| rest.split_once(" (sequences 4.."))
        .and_then(|(missed, rest)| {
            Some((missed.parse::<u64>().ok()?, rest.strip_suffix(") --")?.parse::<u64>().ok()?))
        })
        .map(|(missed, to)| {
            assert_eq!(missed, to - 4);
            to
        })
        .expect("it says what it missed");
    let next_trade = (to..).find(|sequence| sequence % 4 == 2).expect("there is one");
    assert!(tail.line().trim_start().starts_with(&format!("{next_trade} ")));
    tail.signal("TERM");
    assert_eq!(tail.end().code, 0);
}

#[test]
fn following_goes_on_across_a_restart() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    let mut tail = Process::start(&["tail", "-f", "--from", "0", "--kind", "trade", text(&path)]);
    let mut tail_json =
        Process::start(&["tail", "-f", "--from", "0", "--kind", "trade", "--json", text(&path)]);
    for height in 1..=3 {
        say_blocks(&mut writer, height..=height);
        assert!(tail.line().ends_with(&format!("Trade {{ market: {height}, size: 250 }}")));
        assert_eq!(json(&tail_json.line())["sequence"], 4 * height - 2);
    }
    writer.close().expect("nobody is in the way");
    drop(bus);
    assert_eq!(tail.line(), "-- the ring is closed: the producer has finished --");
    let expected = serde_json::json!({"ended": "the ring is closed: the producer has finished", "at": 12});
    assert_eq!(json(&tail_json.line()), expected);

    let (mut writer, _bus, _) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=1);
    let process = std::process::id();
    assert_eq!(tail.line(), format!("-- restarted as process {process}; goes on at sequence 0 --"));
    let expected = serde_json::json!({"restarted": process, "at": 0});
    assert_eq!(json(&tail_json.line()), expected);
    assert!(tail.line().ends_with("Trade { market: 1, size: 250 }"));
    assert_eq!(json(&tail_json.line())["sequence"], 2);
    for tail in [tail, tail_json] {
        tail.signal("INT");
        let ran = tail.end();
        assert_eq!((ran.code, ran.out.as_str(), ran.error.as_str()), (0, "", ""));
    }
}

#[test]
fn a_closed_pipe_is_a_clean_end_though_nothing_comes() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=1);
    let mut tail = Process::start(&["tail", "-f", text(&path)]);
    assert!(tail.line().contains("BlockBegun"));
    tail.close_pipe();
    let ran = tail.end();
    assert_eq!((ran.code, ran.error.as_str()), (0, ""));
}

#[test]
fn what_a_dead_producer_had_published_is_shown() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let demo = Process::demo(&path, &["--rate", "200"]);
    let mut tail = Process::start(&["tail", "-f", "--json", text(&path), "--from", "0"]);
    assert_eq!(json(&tail.line())["sequence"], 0);
    drop(demo);
    let mut next = 1;
    let end = loop {
        let line = json(&tail.line());
        match line["sequence"].as_u64() {
            Some(sequence) => assert_eq!(sequence, next),
            None => break line,
        }
        next += 1;
    };
    assert_eq!(end["at"], next);
    assert!(end["ended"].as_str().is_some_and(|end| end.contains("producer")), "{end}");
}

#[test]
fn a_ring_that_is_no_bus_is_shown_as_words() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (mut producer, _ring) =
        Ring::<[u64; 3]>::builder().capacity(16).shared(&path).build().expect("nobody uses the path");
    for number in 0..3 {
        producer.publish(&[number, 255, u64::MAX]).expect("there is room");
    }
    let expected = "         0 0000000000000000 00000000000000ff ffffffffffffffff
         1 0000000000000001 00000000000000ff ffffffffffffffff
         2 0000000000000002 00000000000000ff ffffffffffffffff
";
    let ran = run(&["tail", text(&path)]);
    let note = format!("`{}` is the ring of no bus: its events are shown as words, in hex\n", path.display());
    assert_eq!((ran.code, ran.out.as_str(), ran.error), (0, expected, note));
    let line = json(&run(&["tail", "--json", "-n", "1", text(&path)]).out);
    assert_eq!(
        line["words"],
        serde_json::json!(["0000000000000002", "00000000000000ff", "ffffffffffffffff"])
    );
    let error = run(&["tail", text(&path), "--kind", "trade"]).failed(1);
    assert!(error.contains("is no bus"), "{error}");
}
