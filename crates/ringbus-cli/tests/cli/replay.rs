//! `replay`.

use crate::support::{builder, damage, events, imported, journal, journal_with_gap, put, run, segment, text};

/// The first line less what depends on the time it took, and the rows of the kinds.
fn replayed(arguments: &[&str]) -> (String, Vec<Vec<String>>) {
    let out = run(&[&["replay"], arguments].concat()).fine();
    parse(&out)
}

fn parse(out: &str) -> (String, Vec<Vec<String>>) {
    let (first, rest) = out.split_once(", in ").expect("it says how long it took");
    let rows = rest.lines().skip_while(|line| !line.trim_start().starts_with("kind")).skip(1);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    (first.to_owned(), rows.map(words).collect())
}

#[test]
fn everything_comes_by_and_is_counted_by_kind() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    let (said, kinds) = replayed(&[text(&place)]);
    assert_eq!(said, "29 records in 10 blocks, 232 bytes");
    assert_eq!(kinds, [["9", "Order", "19", "152"], ["8", "Trade", "10", "80"]]);
}

#[test]
fn it_begins_and_ends_where_it_is_told() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    let place = text(&place);
    let records = |arguments: &[&str]| {
        let (said, _) = replayed(&[&[place], arguments].concat());
        said.split_once(',').expect("it says how many bytes").0.to_owned()
    };
    assert_eq!(records(&["--from", "28"]), "1 records in 0 blocks");
    assert_eq!(records(&["--from", "2", "--to", "5"]), "3 records in 1 blocks");
    assert_eq!(records(&["--from-block", "14"]), "8 records in 3 blocks");
    assert_eq!(records(&["--from-block", "8", "--to-block", "9"]), "6 records in 2 blocks");
    // The blocks are nanoseconds apart.
    assert_eq!(records(&["--speed", "recorded"]), "29 records in 10 blocks");
    assert_eq!(records(&["--speed", "0.5x"]), "29 records in 10 blocks");
    assert_eq!(records(&["--each-block", "1"]), "29 records in 10 blocks");
    let error = run(&["replay", place, "--from", "29"]).failed(1);
    assert!(error.contains("there are no records to replay"), "{error}");
}

#[test]
fn a_recording_is_replayed_in_slots_of_any_size_there_is() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(100);
    let place = imported(directory.path(), &events);
    let (said, kinds) = replayed(&[text(&place)]);
    let bytes: usize = events.iter().map(|event| event.encoded.len()).sum();
    let grouped = |number: usize| indicatif::HumanCount(number as u64).to_string();
    assert_eq!(said, format!("{} records in 101 blocks, {} bytes", grouped(events.len()), grouped(bytes)));
    let of = |kind: &str| kinds.iter().find(|row| row[0] == kind).map(|row| row[1].as_str());
    assert_eq!((of("49"), of("50")), (Some("101"), Some("101")));

    for (slot, replays) in [(64, true), (128, false), (192, true), (960, true)] {
        let place = directory.path().join(format!("slots of {slot}"));
        let mut journal = builder().slot_payload(slot).open(&place).expect("it is new");
        put(&mut journal, 0);
        journal.close().expect("there is room");
        if replays {
            assert_eq!(replayed(&[text(&place)]).0, "1 records in 1 blocks, 8 bytes");
        } else {
            let error = run(&["replay", text(&place)]).failed(1);
            assert!(
                error.contains("slots have 128 bytes of payload; this command has buses with 64, 192, 448"),
                "{error}"
            );
        }
    }
}

#[test]
fn damage_and_gaps_are_stepped_over_on_request() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    damage(&segment(&place, 10), 1);
    let error = run(&["replay", text(&place)]).failed(1);
    assert!(error.contains("sequences 19 up to 20 cannot be read"), "{error}");
    let out = run(&["replay", "--step-over", text(&place)]).fine();
    assert!(out.contains("\n1 sequences could not be read, and were stepped over\n"), "{out}");
    assert_eq!(parse(&out).0, "28 records in 10 blocks, 224 bytes");

    let directory = tempfile::tempdir().expect("there is room");
    let place = journal_with_gap(directory.path());
    let out = run(&["replay", "--step-over", text(&place)]).fine();
    assert!(out.contains("\n20 sequences could not be read"), "{out}");
}
