//! `record`, and `replay` on a ring.

use std::fs;

use ringbus::bus::{Bus, OwnedRecord};
use ringbus_journal::{Extent, Journal, JournalReader};

use crate::ring::{Process, ring, say_blocks, until};
use crate::support::{Exchange, builder, journal, json, put, reopen, run, text};

fn read(directory: &std::path::Path) -> Vec<OwnedRecord> {
    let mut reader = JournalReader::open(directory, Extent::Written).expect("it is there");
    let mut records = Vec::new();
    while let Ok(Some(record)) = reader.next() {
        records.push(OwnedRecord::from(record));
    }
    records
}

#[test]
fn a_recording_has_what_the_ring_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, bus, path) = ring(directory.path(), "ring");
    let mut observer = bus.subscribe("observer").optional().join().expect("there is a place");
    say_blocks(&mut writer, 1..=10);
    writer.close().expect("nobody is in the way");
    let journal = directory.path().join("some/journal");
    let said = run(&["record", text(&path), "-o", text(&journal), "--from", "oldest"]).fine();
    let expected = format!(
        "40 records, sequences 0 to 39, are in the journal `{}`; 0 sequences are missing, in 0 gaps\nit ended with the ring: the ring is \
         closed: the producer has finished\n",
        journal.display()
    );
    assert_eq!(said, expected);
    let records = read(&journal);
    assert_eq!(records.len(), 40);
    for record in &records {
        let expected = observer.recv().expect("it has not lapped");
        assert_eq!(
            (record.record().sequence(), record.record().header()),
            (expected.sequence(), expected.header())
        );
        assert_eq!(record.record().payload(), expected.payload());
    }
    let verified = json(&run(&["verify", "--json", text(&journal)]).fine());
    assert_eq!((&verified["whole"], &verified["blocks_ended"]), (&true.into(), &10.into()));
    assert_eq!(verified["layouts"][0]["fingerprint"], Exchange::schema().fingerprint().to_string());
    assert_eq!(verified["layouts"][0]["slot_payload"], 64);
}

#[test]
fn it_ends_when_it_is_told_to() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=10);
    let journal = directory.path().join("counted");
    let said = run(&["record", text(&path), "-o", text(&journal), "--from", "3", "-n", "7"]).fine();
    assert!(
        said.starts_with("7 records, sequences 3 to 9, ") && said.ends_with("it ended as it was told to\n"),
        "{said}"
    );
    assert_eq!(read(&journal).len(), 7);

    let journal = directory.path().join("timed");
    let said = run(&["record", text(&path), "-o", text(&journal), "--duration", "0.1"]).fine();
    assert_eq!(said, "nothing came, and no journal was made\nit ended as it was told to\n");
    assert!(!journal.exists());

    let journal = directory.path().join("interrupted");
    let recording = Process::start(&["record", text(&path), "-o", text(&journal), "--from", "oldest"]);
    until(|| journal.exists() && read(&journal).len() == 40);
    recording.signal("INT");
    let ran = recording.end();
    assert!(ran.code == 0 && ran.out.ends_with("it was interrupted\n"), "{ran:?}");
    run(&["verify", text(&journal)]).fine();
}

/// Overruns a recording in its middle. What came of it, and where the journal is.
fn overrun(directory: &std::path::Path, more: &[&str]) -> (crate::support::Ran, std::path::PathBuf) {
    let (mut writer, _bus, path) = ring(directory, "ring");
    say_blocks(&mut writer, 1..=1);
    let journal = directory.join("journal");
    let arguments = ["record", text(&path), "-o", text(&journal), "--from", "0"];
    let recording = Process::start(&[&arguments, more].concat());
    until(|| journal.exists() && read(&journal).len() == 4);
    recording.stop();
    say_blocks(&mut writer, 2..=100);
    writer.close().expect("nobody is in the way");
    recording.signal("CONT");
    (recording.end(), journal)
}

#[test]
fn a_recording_with_gaps_says_so_and_fails() {
    let directory = tempfile::tempdir().expect("there is room");
    let (ran, journal) = overrun(directory.path(), &[]);
    assert_eq!(ran.code, 1);
    let verified = run(&["verify", "--json", text(&journal)]);
    assert_eq!(verified.code, 1);
    let verified = json(&verified.out);
    let gap = &verified["gaps"][0];
    let (first, next) =
        (gap["first"].as_u64().expect("it has one"), gap["next"].as_u64().expect("it has one"));
    assert_eq!((first, verified["gaps"].as_array().map(Vec::len)), (4, Some(1)));
    assert_eq!(verified["records"], 400 - (next - first));
    assert_eq!((&verified["damage"], &verified["last_sequence"]), (&serde_json::json!([]), &399.into()));
    let expected = format!("ringbus: the recording lacks {} sequences, in 1 gap: ", next - first);
    assert!(ran.error.starts_with(&expected), "{}", ran.error);
}

#[test]
fn gaps_may_be_allowed() {
    let directory = tempfile::tempdir().expect("there is room");
    let (ran, journal) = overrun(directory.path(), &["--allow-gaps"]);
    assert_eq!((ran.code, ran.error.as_str()), (0, ""));
    assert!(ran.out.contains(" sequences are missing, in 1 gap\n"), "{}", ran.out);
    assert_eq!(run(&["verify", text(&journal)]).code, 1);
}

#[test]
fn what_is_lost_before_the_first_record_is_a_loss_too() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=50);
    writer.close().expect("nobody is in the way");
    let journal = directory.path().join("journal");
    let ran = run(&["record", text(&path), "-o", text(&journal), "--from", "0"]);
    let first = read(&journal)[0].record().sequence();
    assert_eq!(ran.code, 1);
    assert!(
        ran.error.starts_with(&format!("ringbus: the recording lacks {first} sequences, in 1 gap: ")),
        "{}",
        ran.error
    );
    assert_eq!(read(&journal).len() as u64, 200 - first.get());
}

#[test]
fn nothing_is_overwritten() {
    let directory = tempfile::tempdir().expect("there is room");
    let (mut writer, _bus, path) = ring(directory.path(), "ring");
    say_blocks(&mut writer, 1..=1);
    let kept = journal(directory.path(), 3);
    let before = read(&kept).len();
    let error = run(&["record", text(&path), "-o", text(&kept), "--from", "oldest", "-n", "1"]).failed(1);
    assert!(
        error.contains(&format!(
            "`{}` has something in it already; expected an empty directory, or none",
            kept.display()
        )),
        "{error}"
    );
    assert_eq!(read(&kept).len(), before);
    run(&["record", text(&path)]).failed(2);
}

#[test]
fn a_journal_is_put_on_a_ring() {
    let directory = tempfile::tempdir().expect("there is room");
    let kept = journal(directory.path(), 29);
    let path = directory.path().join("ring");
    let said = run(&["replay", text(&kept), "--to-ring", text(&path)]).fine();
    assert!(said.starts_with("29 records in 10 blocks, 232 bytes"), "{said}");
    let dumped = run(&["dump", text(&kept)]).fine();
    assert_eq!(run(&["tail", text(&path), "-n", "100"]).fine(), dumped);
    let found = json(&run(&["stat", "--json", text(&path)]).fine());
    assert_eq!((&found["state"], &found["stream"]), (&"closed".into(), &"testnet".into()));
    // It may be replaced, by what has the same schema.
    run(&["replay", text(&kept), "--to-ring", text(&path), "--schema-of", text(&kept), "--from", "9"]).fine();
    assert_eq!(run(&["tail", text(&path), "-n", "100"]).fine().lines().count(), 20);
}

mod other {
    ringbus::events! {
        /// What another exchange says.
        pub(super) schema Exchange, version 9;

        /// Two orders met.
        event Trade, kind 8 { size: u64 }
    }
}

#[test]
fn another_schema_is_refused() {
    let directory = tempfile::tempdir().expect("there is room");
    let kept = journal(directory.path(), 3);
    let path = directory.path().join("ring");
    let (writer, bus) = Bus::<64>::builder("testnet")
        .schema(other::Exchange::schema())
        .shared(&path)
        .build()
        .expect("it is new");
    writer.close().expect("nobody is in the way");
    drop(bus);
    let before = fs::read(&path).expect("it is there");
    let elsewhere = directory.path().join("elsewhere");
    for arguments in [["--to-ring", text(&path)], ["--schema-of", text(&path)]] {
        let error = run(&[&["replay", text(&kept)], &arguments[..]].concat()).failed(1);
        assert!(error.contains("are of schema `Exchange`, version 3"), "{error}");
        assert!(error.contains("has schema `Exchange`, version 9"), "{error}");
    }
    assert!(fs::read(&path).expect("it is there") == before);

    // Nor are two schemas put on one ring.
    let mixed = directory.path().join("mixed");
    let mut journal = builder().open(&mixed).expect("it is new");
    put(&mut journal, 0);
    journal.close().expect("there is room");
    let mut journal = reopen(&Journal::builder("testnet"), &mixed);
    put(&mut journal, 1);
    journal.close().expect("there is room");
    let error = run(&["replay", text(&mixed), "--to-ring", text(&elsewhere)]).failed(1);
    assert!(error.contains("a ring has one schema"), "{error}");
    assert!(!elsewhere.exists());
}
