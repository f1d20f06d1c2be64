//! What the journal writes and syncs, and when it acknowledges.

mod common;

use std::time::{Duration, Instant};

use common::{
    Plain, SLOT, STREAM, all, append, as_record, end_of, open, reader, record, records, records_of, rest,
    segment, segments, settings, small_schema, write,
};
use ringbus::Sequence;
use ringbus::bus::StreamId;
use ringbus_journal::testing::{Counts, Crash, SimulatedDisk};
use ringbus_journal::{Durability, Extent, Journal, JournalBuilder, JournalError, JournalReader};

/// What was done since `before`: appends, syncs, syncs of the directory.
fn since(disk: &SimulatedDisk, before: Counts) -> (u64, u64, u64) {
    let now = disk.counts();
    (now.appends - before.appends, now.syncs - before.syncs, now.directory_syncs - before.directory_syncs)
}

/// A journal with the first of these records, so that its segment is there.
fn begun(settings: JournalBuilder, records: &[Plain]) -> (SimulatedDisk, Journal) {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings).expect("a new journal");
    write(&mut journal, &records[..1]).expect("room");
    (disk, journal)
}

#[test]
fn a_batch_is_one_write_and_one_sync() {
    let records = records(0, 120);
    let (disk, mut journal) = begun(settings(), &records);
    assert_eq!(journal.durable(), Sequence::new(1));
    let mut at = 1;
    for size in [1, 7, 2, 100] {
        let before = disk.counts();
        append(&mut journal, &records[at..at + size]).expect("room");
        assert_eq!((since(&disk, before), journal.durable().get()), ((0, 0, 0), records[at].0));
        at += size;
        assert_eq!(journal.end_batch(false).expect("room").get(), records[at].0);
        assert_eq!(since(&disk, before), (1, 1, 0), "{size}");
        assert_eq!(journal.durable(), journal.next_sequence());
        // Nothing new: nothing to do.
        assert_eq!(journal.end_batch(true).expect("nothing to do").get(), records[at].0);
        assert_eq!(since(&disk, before), (1, 1, 0), "{size}");
    }
    assert_eq!(all(&disk.crash(Crash::keep_nothing())), records[..at]);
}

#[test]
fn a_policy_of_blocks_syncs_where_a_block_has_ended_or_when_it_is_pressed() {
    let records = records_of(0, 40, |_| 10);
    let (disk, mut journal) = begun(settings().durability(Durability::EachBlock), &records);
    assert_eq!(journal.durable(), Sequence::new(0));
    // Records 4, 9, 14, 19, ... end blocks.
    for (batch, pressed, syncs, durable) in [
        (1..3, false, 0, 0),
        (3..5, false, 1, 5),
        (5..8, false, 0, 5),
        (8..9, true, 1, 9),
        (9..10, false, 1, 10),
        (10..22, false, 1, 22),
        (22..24, false, 0, 22),
    ] {
        let before = disk.counts();
        append(&mut journal, &records[batch.clone()]).expect("room");
        let told = journal.end_batch(pressed).expect("room").get();
        assert_eq!((told, since(&disk, before)), (durable, (1, syncs, 0)), "{batch:?}");
        assert_eq!(journal.durable().get(), durable);
    }
    let before = disk.counts();
    assert_eq!((journal.sync().expect("room").get(), since(&disk, before)), (24, (0, 1, 0)));
}

#[test]
fn a_block_that_ended_in_the_middle_of_a_long_batch_is_synced_at_its_end() {
    // The end of the block, record 4, is written long before the batch ends.
    let records = records_of(0, 9, |number| if number == 5 { 5 << 20 } else { 10 });
    let (disk, mut journal) = begun(settings().durability(Durability::EachBlock), &records);
    append(&mut journal, &records[1..8]).expect("room");
    let (before, next) = (disk.counts(), records[8].0);
    assert_eq!((journal.end_batch(false).expect("room").get(), since(&disk, before).1), (next, 1));
    // It counts once.
    append(&mut journal, &records[8..]).expect("room");
    assert_eq!(journal.end_batch(false).expect("room").get(), next);
}

#[test]
fn without_a_policy_it_syncs_when_a_segment_is_full_and_at_the_end() {
    let records = records_of(0, 40, |_| 10);
    let (disk, mut journal) = begun(settings().durability(Durability::Never).segment_records(10), &records);
    assert_eq!(journal.durable(), Sequence::new(1));
    let before = disk.counts();
    for at in 1..10 {
        assert_eq!(write(&mut journal, &records[at..=at]).expect("room"), at as u64 + 1);
    }
    // Pressed or not.
    assert_eq!(journal.end_batch(true).expect("room").get(), 10);
    assert_eq!(since(&disk, before), (9, 0, 0));
    // The full one, and the header of the next; the index of the full one, the header, and the record are written.
    assert_eq!(write(&mut journal, &records[10..11]).expect("room"), 11);
    assert_eq!(since(&disk, before), (9 + 3, 2, 1));
    write(&mut journal, &records[11..15]).expect("room");
    assert_eq!(since(&disk, before), (9 + 3 + 1, 2, 1));
    assert_eq!(journal.close().expect("room").get(), 15);
    assert_eq!(since(&disk, before), (9 + 3 + 2, 3, 1));
    assert_eq!(all(&disk.crash(Crash::keep_nothing())), records[..15]);
}

#[test]
fn an_interval_is_counted_from_the_oldest_record_that_is_not_durable() {
    let records = records_of(0, 40, |_| 10);
    let hour = Duration::from_secs(3_600);
    let earliest = Instant::now() + hour;
    let (disk, mut journal) = begun(settings().durability(Durability::Every(hour)), &records);
    let at = journal.sync_at().expect("something is not durable");
    assert!(earliest <= at && at <= Instant::now() + hour);
    let before = disk.counts();
    assert_eq!(write(&mut journal, &records[1..20]).expect("room"), 0);
    assert_eq!((journal.sync_at(), since(&disk, before)), (Some(at), (1, 0, 0)));
    append(&mut journal, &records[20..21]).expect("room");
    assert_eq!(journal.end_batch(true).expect("room").get(), 21);
    assert_eq!((journal.sync_at(), since(&disk, before)), (None, (2, 1, 0)));

    let (disk, mut journal) = begun(settings().durability(Durability::Every(Duration::ZERO)), &records);
    let before = disk.counts();
    assert_eq!(write(&mut journal, &records[1..3]).expect("room"), 3);
    assert_eq!((journal.sync_at(), since(&disk, before)), (None, (1, 1, 0)));

    // So long an interval never ends.
    let (_, mut journal) = begun(settings().durability(Durability::Every(Duration::MAX)), &records);
    assert_eq!((write(&mut journal, &records[1..3]).expect("room"), journal.sync_at()), (0, None));
    for durability in [Durability::EachBatch, Durability::EachBlock, Durability::Never] {
        let (_, journal) = begun(settings().durability(durability), &records);
        assert_eq!(journal.sync_at(), None, "{durability:?}");
    }
}

#[test]
fn segments_are_full_by_records_or_by_bytes() {
    let records = records_of(0, 100, |_| 60);
    let (disk, mut journal) = begun(settings().segment_records(10), &records);
    for batch in records[1..].chunks(4) {
        write(&mut journal, batch).expect("room");
    }
    // A batch is not divided: 1 and 4 times three, then 4 times three again and again.
    let firsts: Vec<_> =
        (0..8).map(|number| segment(if number == 0 { 0 } else { 13 + 12 * (number - 1) })).collect();
    assert_eq!(segments(&disk), [firsts, vec![segment(97)]].concat());
    assert_eq!(all(&disk), records);

    let (disk, mut journal) = begun(settings().segment_bytes(2_000), &records);
    for batch in records[1..].chunks(2) {
        write(&mut journal, batch).expect("room");
    }
    let sizes: Vec<_> =
        segments(&disk).iter().map(|name| disk.file(name).expect("it is there").len()).collect();
    // Two records of 4 + 64 + 60 bytes and the header of their chunk.
    let batch = 2 * 128 + 88;
    let (last, full) = sizes.split_last().expect("segments");
    assert!(full.len() > 5 && full.iter().all(|&size| (2_000..2_000 + batch).contains(&size)), "{sizes:?}");
    assert!(*last < 2_000 + batch);
    assert_eq!(all(&disk), records);
}

#[test]
fn a_long_batch_is_written_in_parts_and_acknowledged_at_its_end() {
    let records = records_of(0, 96, |_| 100_000);
    let (disk, mut journal) = begun(settings(), &records);
    let before = disk.counts();
    append(&mut journal, &records[1..]).expect("room");
    // Parts of 11 records, of which 10 have not quite 1 MiB, each with its index; and 7 records that are left.
    assert_eq!((since(&disk, before), journal.durable().get()), ((16, 0, 0), records[1].0));
    let end = end_of(&records[95]);
    assert_eq!(journal.end_batch(false).expect("room").get(), end);
    assert_eq!(since(&disk, before), (18, 1, 0));
    assert!(all(&disk) == records);
}

#[test]
fn payloads_of_all_lengths_come_back() {
    let lengths = [0, 1, SLOT - 1, SLOT, SLOT + 1, 2 * SLOT, 2 * SLOT + 1, 0, 1 << 16, (4 << 20) + 5, 0, 3];
    let records = records_of(7, lengths.len() as u64, |number| lengths[number as usize]);
    let slots: Vec<_> = records.iter().map(|record| end_of(record) - record.0).collect();
    assert_eq!(slots, [1, 1, 1, 1, 2, 2, 3, 1, 342, 21_846, 1, 1]);
    for batch in [1, 5, 12] {
        let disk = SimulatedDisk::new();
        let mut journal = open(&disk, settings()).expect("a new journal");
        for batch in records.chunks(batch) {
            write(&mut journal, batch).expect("room");
        }
        assert_eq!(journal.durable().get(), end_of(&records[11]));
        let mut reader = reader(&disk, Extent::Durable);
        assert!(rest(&mut reader).expect("whole") == records, "{batch}");
        assert_eq!(reader.next_sequence(), Some(journal.durable()));
    }
}

#[test]
fn what_does_not_come_next_is_refused_and_the_journal_goes_on() {
    let records = records(10, 20);
    let (disk, mut journal) = begun(settings(), &records);
    append(&mut journal, &records[1..4]).expect("room");
    for other in [&records[0], &records[3], &records[5]] {
        let error = journal.append(as_record(other)).expect_err("it is not the next");
        let text = error.to_string();
        assert!(
            matches!(error, JournalError::NotNext { expected, found } if expected.get() == records[4].0 && found.get() == other.0)
        );
        assert!(text.contains(&format!("`first_sequence({})`", records[4].0)), "{text}");
    }
    append(&mut journal, &records[4..]).expect("room");
    assert_eq!(journal.end_batch(false).expect("room"), journal.next_sequence());
    assert_eq!(all(&disk), records);
}

#[test]
fn a_gap_is_noted_and_told() {
    let records = records_of(10, 20, |_| 10);
    let later = records_of(50, 20, |_| 10);
    let (disk, mut journal) = begun(settings().segment_records(10), &records);
    append(&mut journal, &records[1..]).expect("room");
    for not_behind in [0, 30] {
        let error = journal.note_gap(Sequence::new(not_behind)).expect_err("no gap");
        assert!(matches!(error, JournalError::NotNext { expected, .. } if expected.get() == 30));
    }
    journal.note_gap(Sequence::new(50)).expect("room");
    assert_eq!(journal.next_sequence().get(), 50);
    append(&mut journal, &later[..5]).expect("room");
    assert_eq!(journal.end_batch(false).expect("room").get(), 55);
    // Alone in its batch, and in its segment.
    journal.note_gap(Sequence::new(60)).expect("room");
    assert_eq!(journal.end_batch(false).expect("room").get(), 60);
    write(&mut journal, &later[10..]).expect("room");
    drop(journal);
    let journal = open(&disk, settings().segment_records(10)).expect("it is whole");
    assert_eq!(journal.next_sequence().get(), 70);

    for only_trace in [true, false] {
        let mut reader = reader(&disk, Extent::Durable);
        // Who looks for a trace that the index says is nowhere is told of a gap too.
        if only_trace {
            reader.only_trace(Some(common::trace(1_000)));
        }
        let of = |part: &[Plain]| if only_trace { Vec::new() } else { part.to_vec() };
        let mut read = Vec::new();
        for (part, first, next) in [(&records[..], 30, 50), (&later[..5], 55, 60)] {
            for again in 0..3 {
                let error = loop {
                    match reader.next() {
                        Ok(Some(record)) => read.push(common::plain(record)),
                        Ok(None) => panic!("the gap was not told"),
                        Err(error) => break error,
                    }
                };
                assert_eq!(read, if again == 0 { of(part) } else { vec![] });
                read.clear();
                let text = error.to_string();
                assert!(
                    matches!(error, JournalError::Gap { first: from, next: to } if (from.get(), to.get()) == (first, next)),
                    "{text}"
                );
                assert!(text.contains(&format!("sequences {first} up to {next}")), "{text}");
            }
            assert_eq!(reader.step_over().expect("more"), Some(Sequence::new(next)));
        }
        assert_eq!(rest(&mut reader).expect("whole"), of(&later[10..]));
    }
}

#[test]
fn a_journal_has_one_writer() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = settings().open(directory.path()).expect("a new journal");
    let error = settings().open(directory.path()).expect_err("it is open");
    let text = error.to_string();
    assert!(
        matches!(&error, JournalError::Locked { place } if *place == directory.path().display().to_string())
    );
    assert!(text.contains("is being written by somebody else") && text.contains("end the other"), "{text}");
    drop(journal);
    settings().open(directory.path()).expect("nobody has it any more");
}

#[test]
fn a_journal_has_one_stream() {
    let records = records(0, 10);
    let (disk, journal) = begun(settings(), &records);
    drop(journal);
    let before = common::files(&disk);
    let error =
        open(&disk, Journal::builder("mainnet").schema(&small_schema(1))).expect_err("another stream");
    assert!(matches!(&error, JournalError::OtherStream(other) if other.expected.as_str() == "mainnet"));
    let text = error.to_string();
    assert!(text.contains("`testnet`") && text.contains("`mainnet`"), "{text}");
    assert_eq!(common::files(&disk), before);
}

#[test]
fn with_another_schema_or_other_slots_it_goes_on_in_a_new_segment() {
    let records = records_of(3, 30, |_| 20);
    let disk = SimulatedDisk::new();
    let parts = [
        (settings(), 0..10, small_schema(1), SLOT),
        (settings().schema(&small_schema(2)), 10..15, small_schema(2), SLOT),
        (settings().schema(&small_schema(2)), 15..20, small_schema(2), SLOT),
        (settings().schema(&small_schema(2)).slot_payload(64), 20..30, small_schema(2), 64),
    ];
    for (settings, part, ..) in &parts {
        let mut journal = open(&disk, settings.clone()).expect("whole");
        assert_eq!(journal.next_sequence().get(), if part.start == 0 { 0 } else { part.start as u64 + 3 });
        write(&mut journal, &records[part.clone()]).expect("room");
    }
    assert_eq!(segments(&disk), [segment(3), segment(13), segment(23)]);
    let mut reader = reader(&disk, Extent::Durable);
    assert_eq!(reader.stream().map(StreamId::as_str), Some(STREAM));
    for (_, part, schema, slot) in parts {
        for expected in &records[part] {
            assert_eq!(reader.next().expect("whole").map(common::plain).as_ref(), Some(expected));
            assert_eq!((reader.schema(), reader.slot_payload()), (Some(&schema), Some(slot)));
        }
    }
    assert!(reader.next().expect("whole").is_none());
}

#[test]
fn a_segment_that_got_no_record_is_made_again() {
    let records = records_of(30, 10, |_| 20);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings()).expect("a new journal");
    // The segment is made; the record stays in memory.
    append(&mut journal, &records[..1]).expect("room");
    drop(journal);
    assert_eq!(segments(&disk), [segment(30)]);
    let settings = settings().schema(&small_schema(2));
    let mut journal = open(&disk, settings).expect("whole");
    assert_eq!((journal.next_sequence().get(), journal.recovery().cut.as_ref()), (30, None));
    write(&mut journal, &records).expect("room");
    let mut reader = reader(&disk, Extent::Durable);
    assert_eq!(reader.schema(), Some(&small_schema(2)));
    assert_eq!(rest(&mut reader).expect("whole"), records);
}

#[test]
fn sequences_end_where_those_of_rings_do() {
    let last = 1 << 63;
    // 2^62 is the greatest that a ring begins with.
    for first in [1, 1 << 62, last - 10] {
        let records = records_of(first, 6, |number| if number == 2 { 2 * SLOT } else { 1 });
        let (disk, mut journal) = begun(settings().segment_records(2), &records);
        records[1..]
            .iter()
            .for_each(|record| _ = write(&mut journal, std::slice::from_ref(record)).expect("room"));
        assert_eq!(journal.durable().get(), first + 7);
        drop(journal);
        assert_eq!(open(&disk, settings()).expect("whole").next_sequence().get(), first + 7);
        assert_eq!(all(&disk), records);
    }
    let too_late = |error: JournalError| matches!(error, JournalError::NotNext { .. });
    for first in [last, last + 1, u64::MAX] {
        let mut journal = open(&SimulatedDisk::new(), settings()).expect("a new journal");
        assert!(too_late(journal.append(as_record(&record(first, 0, 0, 1))).expect_err("no sequence")));
        assert!(too_late(
            journal.note_gap(Sequence::new(first + u64::from(first == last))).expect_err("none")
        ));
    }
    let records = [record(last - 2, 0, 0, 2 * SLOT), record(last - 2, 0, 0, 2 * SLOT + 1)];
    let mut journal = open(&SimulatedDisk::new(), settings()).expect("a new journal");
    assert!(too_late(journal.append(as_record(&records[1])).expect_err("its end")));
    assert_eq!(write(&mut journal, &records[..1]).expect("room"), last);
}

#[test]
fn a_journal_in_a_directory_is_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("core/journal");
    let records = records(5, 300);
    for part in records.chunks(60) {
        let mut journal = settings().segment_bytes(4_000).open(&place).expect("a journal");
        for batch in part.chunks(9) {
            write(&mut journal, batch).expect("room");
        }
        let next = journal.close().expect("room");
        let mut reader = JournalReader::open(&place, Extent::Durable).expect("a journal");
        let read = rest(&mut reader).expect("whole");
        assert_eq!((read.last(), reader.next_sequence()), (part.last(), Some(next)));
    }
    let mut reader = JournalReader::open(&place, Extent::Written).expect("a journal");
    assert_eq!(rest(&mut reader).expect("whole"), records);
}
