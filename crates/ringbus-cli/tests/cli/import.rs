//! `import`.

use std::fs;

use ringbus::Sequence;
use ringbus::bus::{Bus, OwnedRecord, StreamId};
use ringbus_journal::{Durability, Extent, Journal, JournalReader};

use crate::support::{events, recording, run, text};

fn read(directory: &std::path::Path) -> (Vec<OwnedRecord>, StreamId) {
    let mut reader = JournalReader::open(directory, Extent::Durable).expect("it is there");
    let mut records = Vec::new();
    while let Some(record) = reader.next().expect("it is whole") {
        records.push(OwnedRecord::from(record));
    }
    (records, reader.stream().expect("it has records").clone())
}

#[test]
fn a_journal_has_what_a_bus_would_have_had() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(40);
    let file = recording(directory.path(), &events);
    let imported = directory.path().join("some/where");
    let said = run(&["import", text(&file), text(&imported)]).fine();
    let (found, stream) = read(&imported);
    assert_eq!((found.len(), stream.as_str()), (events.len(), events[0].chain_id.as_str()));

    let from_bus = directory.path().join("bus");
    let journal = Journal::builder(stream.clone()).slot_payload(448).durability(Durability::Never);
    let journal = journal.open(&from_bus).expect("it is new");
    let (writer, bus) = Bus::<448>::builder(stream.clone()).build().expect("the settings are good");
    let subscription = bus.subscribe("journal").required().join().expect("there is a place");
    let recording = journal.record(subscription).expect("both begin at 0");
    let mut forwarder = writer.forward_from(&stream).expect("it is the stream");
    for event in &events {
        forwarder.forward(&event.header(), &event.encoded).expect("there is room");
    }
    forwarder.close().expect("nobody has failed");
    let end = recording.join().expect("there is room").next;

    let (expected, _) = read(&from_bus);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let (found, expected) = (found.record(), expected.record());
        assert_eq!((found.sequence(), found.header()), (expected.sequence(), expected.header()));
        assert_eq!(found.payload(), expected.payload());
    }
    assert!(end.get() > events.len() as u64, "some events take several slots");
    let expected = format!(
        "{} events of stream `{stream}`, in 41 blocks, {end} slots of 448 bytes, are in the journal `{}`.\n",
        events.len(),
        imported.display()
    );
    assert_eq!(said, expected);
}

#[test]
fn slots_are_as_large_as_is_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(2);
    let file = recording(directory.path(), &events);
    let journal = directory.path().join("journal");
    run(&["import", text(&file), text(&journal), "--slot-payload", "64", "--stream", &events[0].chain_id])
        .fine();
    let mut reader = JournalReader::open(&journal, Extent::Durable).expect("it is there");
    assert_eq!(reader.slot_payload(), Some(64));
    let mut next = 0;
    for event in &events {
        let record = reader.next().expect("it is whole").expect("it has them all");
        assert_eq!((record.sequence(), record.payload()), (Sequence::new(next), &event.encoded[..]));
        next += event.encoded.len().div_ceil(64) as u64;
    }
    assert_eq!(reader.next_sequence(), Some(Sequence::new(next)));
}

#[test]
fn what_is_there_already_is_left_alone() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(2);
    let file = recording(directory.path(), &events);
    let journal = directory.path().join("journal");
    run(&["import", text(&file), text(&journal)]).fine();
    let error = run(&["import", text(&file), text(&journal)]).failed(1);
    let expected =
        format!("`{}` has a journal already; expected an empty directory, or none", journal.display());
    assert!(error.contains(&expected) && error.contains("nothing was imported"), "{error}");
    assert_eq!(read(&journal).0.len(), events.len());
}

#[test]
fn what_comes_before_damage_is_kept_and_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(3);
    let whole = fs::read(recording(directory.path(), &events)).expect("just written");
    let fifth: usize = events[..4].iter().map(|event| 12 + event.encoded.len()).sum();

    let cut = directory.path().join("cut");
    fs::write(&cut, &whole[..fifth + 20]).expect("there is room");
    let journal = directory.path().join("journal of cut");
    let error = run(&["import", text(&cut), text(&journal)]).failed(1);
    assert!(
        error.contains(&format!("frame 5, at byte {fifth} of the unpacked stream: the stream ends")),
        "{error}"
    );
    assert!(error.contains("the 4 events before it are in the journal"), "{error}");
    assert_eq!(read(&journal).0.len(), 4);

    let damaged = directory.path().join("damaged");
    let mut bytes = whole.clone();
    bytes[fifth + 4 + 7] ^= 0x40;
    fs::write(&damaged, &bytes).expect("there is room");
    let journal = directory.path().join("journal of damaged");
    let error = run(&["import", text(&damaged), text(&journal)]).failed(1);
    assert!(error.contains("frame 5") && error.contains("its file sequence is 69, expected 5"), "{error}");
    assert_eq!(read(&journal).0.len(), 4);

    fs::write(&cut, &whole[..10]).expect("there is room");
    let journal = directory.path().join("none");
    let error = run(&["import", text(&cut), text(&journal)]).failed(1);
    assert!(error.contains("frame 1, at byte 0") && error.contains("nothing was imported"), "{error}");
    assert!(!journal.exists());
}

#[test]
fn events_of_another_stream_are_refused() {
    let directory = tempfile::tempdir().expect("there is room");
    let mut events = events(2);
    let mine = events[0].chain_id.clone();
    let whole = recording(directory.path(), &events);
    let journal = directory.path().join("journal");
    let error = run(&["import", text(&whole), text(&journal), "--stream", "mainnet"]).failed(1);
    assert!(error.contains(&format!("frame 1: records of stream `{mine}` were offered")), "{error}");
    assert!(!journal.exists());

    // The name stands in the encoded message, in as many letters.
    let other = "x".repeat(mine.len());
    let event = &mut events[7];
    let at =
        event.encoded.windows(mine.len()).position(|bytes| bytes == mine.as_bytes()).expect("it is there");
    event.encoded[at..at + mine.len()].copy_from_slice(other.as_bytes());
    let mixed = recording(directory.path(), &events);
    let error = run(&["import", text(&mixed), text(&journal)]).failed(1);
    assert!(error.contains(&format!("frame 8: records of stream `{other}` were offered")), "{error}");
    assert!(error.contains("the 7 events before it"), "{error}");
    assert_eq!(read(&journal).0.len(), 7);
}

#[test]
fn files_without_events_are_refused() {
    let directory = tempfile::tempdir().expect("there is room");
    let (empty, journal) = (directory.path().join("empty"), directory.path().join("journal"));
    let error = run(&["import", text(&empty), text(&journal)]).failed(1);
    assert!(error.contains("cannot open") && error.contains("empty"), "{error}");
    fs::write(&empty, b"").expect("there is room");
    let error = run(&["import", text(&empty), text(&journal)]).failed(1);
    assert!(error.contains("the recording has no events"), "{error}");
    assert!(!journal.exists());
}
