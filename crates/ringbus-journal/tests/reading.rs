//! Reading a journal from anywhere, against a plain scan of it.

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{
    Plain, SLOT, all, append, disk_of, end_of, files, index, open, plain, reader, records, records_of, rest,
    segment, segments, settings, trace, write,
};
use ringbus::Sequence;
use ringbus_journal::testing::{Fault, SimulatedDisk};
use ringbus_journal::{Durability, Extent, JournalError, JournalReader, RegisteredReader, Start};

/// A journal of these records, in batches of different sizes.
fn journal(records: &[Plain], settings: ringbus_journal::JournalBuilder) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings).expect("a new journal");
    let mut left = records;
    for size in [1, 4, 9, 2, 17].into_iter().cycle() {
        let (batch, behind) = left.split_at(left.len().min(size));
        write(&mut journal, batch).expect("room");
        left = behind;
        if left.is_empty() {
            break;
        }
    }
    journal.close().expect("room");
    disk
}

/// Many small segments, and some large ones whose indexes have several entries.
fn journals() -> [(Vec<Plain>, SimulatedDisk); 2] {
    let small = records(1_000, 400);
    let large = records_of(1_000, 400, |number| 3_000 + number as usize % 200);
    let small_disk = journal(&small, settings().segment_records(40));
    let large_disk = journal(&large, settings().segment_bytes(700 << 10));
    assert!(segments(&small_disk).len() > 7 && segments(&large_disk).len() == 2);
    [(small, small_disk), (large, large_disk)]
}

/// The same without indexes, and with indexes that are damaged.
fn without_index(disk: &SimulatedDisk) -> [SimulatedDisk; 2] {
    let without: Vec<_> = files(disk).into_iter().filter(|(name, _)| !name.ends_with(".index")).collect();
    let damaged: Vec<_> = files(disk)
        .into_iter()
        .map(|(name, mut bytes)| {
            if name.ends_with(".index") {
                // Of some the first entry, of some the last.
                let at = if name.as_bytes()[18] % 2 == 0 { 70 } else { bytes.len() - 1 };
                bytes[at] ^= 4;
            }
            (name, bytes)
        })
        .collect();
    [disk_of(&without), disk_of(&damaged)]
}

/// A start and what lies at or behind it, by a plain scan.
fn starts(records: &[Plain], step: usize) -> Vec<(Start, Vec<Plain>)> {
    let mut starts = vec![(Start::Oldest, records.to_vec())];
    let end = end_of(records.last().expect("records"));
    let behind = |from: &dyn Fn(&Plain) -> bool| -> Vec<Plain> {
        records.iter().position(from).map_or(vec![], |at| records[at..].to_vec())
    };
    for sequence in (records[0].0..end + 3).step_by(step) {
        let from = behind(&|record| record.0 >= sequence);
        starts.push((Start::Sequence(Sequence::new(sequence)), from));
    }
    let last = records.last().expect("records").1.block_height;
    for height in (0..last + 3).step_by(step) {
        starts.push((Start::Block(height), behind(&|record| record.1.block_height >= height)));
        for time in [height as i64 * 1_000, height as i64 * 1_000 - 1, height as i64 * 1_000 + 1] {
            starts.push((Start::Time(time), behind(&|record| record.1.block_time >= time)));
        }
    }
    starts
}

#[test]
fn each_start_finds_what_a_plain_scan_finds() {
    let [small, large] = journals();
    for ((records, disk), step) in [(small, 1), (large, 23)] {
        let mut disks = vec![disk.clone()];
        disks.extend(without_index(&disk));
        let mut readers: Vec<_> = disks.iter().map(|disk| reader(disk, Extent::Durable)).collect();
        for (start, expected) in starts(&records, step) {
            for reader in &mut readers {
                reader.seek(start).expect("it is there");
                // Half of them only to the first, so that the next start is sought from the middle.
                let first = reader.next().expect("whole").map(plain);
                assert_eq!(first.as_ref(), expected.first(), "{start:?}");
                if reader.next_sequence().is_some_and(|next| next.get() % 2 == 0) {
                    let behind = rest(reader).expect("whole");
                    assert!(behind == expected.get(1..).unwrap_or_default(), "{start:?}");
                }
            }
        }
    }
}

#[test]
fn a_trace_finds_what_a_plain_scan_finds() {
    for (records, disk) in journals() {
        let traces: Vec<_> = (0..205).step_by(3).chain([1_000_000]).map(trace).collect();
        let mut disks = vec![disk.clone()];
        disks.extend(without_index(&disk));
        for disk in &disks {
            let mut reader = reader(disk, Extent::Durable);
            for (number, &trace) in traces.iter().enumerate() {
                let expected: Vec<_> =
                    records.iter().filter(|record| record.1.trace == trace).cloned().collect();
                reader.only_trace(Some(trace));
                reader.seek(Start::Oldest).expect("it is there");
                assert_eq!(rest(&mut reader).expect("whole"), expected);
                // And together with a start.
                let from = records[(number * 37) % records.len()].1.block_height;
                let expected: Vec<_> =
                    expected.into_iter().filter(|record| record.1.block_height >= from).collect();
                reader.seek(Start::Block(from)).expect("it is there");
                assert_eq!(rest(&mut reader).expect("whole"), expected);
                assert_eq!(reader.next_sequence().map(Sequence::get), records.last().map(end_of));
            }
            reader.only_trace(None);
            reader.seek(Start::Oldest).expect("it is there");
            assert!(rest(&mut reader).expect("whole") == records);
        }
    }
}

#[test]
fn the_index_spares_reading() {
    let [_, (records, disk)] = journals();
    // Something is wrong in the middle, which nobody sees who does not look there.
    let [without, _] = without_index(&disk);
    for (disk, is_indexed) in [(disk, true), (without, false)] {
        let first = segments(&disk).remove(0);
        let mut bytes = disk.file(&first).expect("it");
        bytes[300_000] ^= 1;
        disk.put(&first, bytes);
        let mut reader = reader(&disk, Extent::Durable);
        reader.only_trace(Some(trace(1_000_000)));
        match rest(&mut reader) {
            Ok(found) => assert!(is_indexed && found.is_empty()),
            Err(JournalError::Damaged(_)) => assert!(!is_indexed),
            Err(error) => panic!("{error}"),
        }
        let last = records.last().expect("records");
        reader.only_trace(None);
        reader.seek(Start::Block(last.1.block_height)).expect("it is there");
        assert_eq!(rest(&mut reader).expect("the end is whole").last(), Some(last));
    }
}

#[test]
fn the_answers_are_the_same_while_the_index_is_being_written() {
    // Of the last segment only a part is in the index.
    let records = records_of(0, 300, |number| 4_000 + number as usize % 9);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings()).expect("a new journal");
    for batch in records.chunks(7) {
        write(&mut journal, batch).expect("room");
    }
    assert!(!disk.file(&index(0)).expect("an index").is_empty());
    for (start, expected) in starts(&records, 97) {
        let mut reader = reader(&disk, Extent::Durable);
        reader.seek(start).expect("it is there");
        assert!(rest(&mut reader).expect("whole") == expected, "{start:?}");
    }
    // Nor does it lead anybody on to what is not durable.
    let disk = SimulatedDisk::new();
    let mut journal =
        open(&disk, settings().durability(Durability::Every(Duration::MAX))).expect("a new journal");
    append(&mut journal, &records[..5]).expect("room");
    let durable = journal.sync().expect("room");
    write(&mut journal, &records[5..]).expect("room");
    assert!(!disk.file(&index(0)).expect("an index").is_empty());
    let mut looking = reader(&disk, Extent::Durable);
    looking.only_trace(Some(trace(1_000_000)));
    assert!(rest(&mut looking).expect("whole").is_empty());
    assert!(looking.next_sequence().is_some_and(|next| next <= durable));
    journal.sync().expect("room");
    for number in [0, 70, 149] {
        let mut reader = reader(&disk, Extent::Written);
        reader.only_trace(Some(trace(number)));
        assert_eq!(rest(&mut reader).expect("whole"), records[number as usize * 2..][..2]);
    }
}

#[test]
fn a_start_behind_the_end_waits_for_what_comes() {
    let records = records_of(0, 60, |_| 30);
    for (start, first) in [
        (Start::Sequence(Sequence::new(33)), 33),
        (Start::Block(8), 40),
        (Start::Time(8_001), 45),
        (Start::Time(i64::MAX), 60),
        (Start::Sequence(Sequence::new(20)), 20),
    ] {
        let disk = SimulatedDisk::new();
        let mut journal = open(&disk, settings().segment_records(10)).expect("a new journal");
        write(&mut journal, &records[..20]).expect("room");
        let mut reader = reader(&disk, Extent::Durable);
        reader.seek(start).expect("no error");
        assert!(reader.next().expect("whole").is_none());
        let mut read = Vec::new();
        for batch in records[20..].chunks(3) {
            write(&mut journal, batch).expect("room");
            read.extend(rest(&mut reader).expect("whole"));
        }
        assert_eq!(read, records[first..], "{start:?}");
    }
}

#[test]
fn a_reader_may_be_there_before_the_journal() {
    let records = records_of(10, 20, |_| 30);
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("later");
    let mut waiting = JournalReader::open(&place, Extent::Durable).expect("nothing is no error");
    let mut sought = JournalReader::open(&place, Extent::Durable).expect("nothing is no error");
    sought.seek(Start::Sequence(Sequence::new(15))).expect("it may come");
    let mut too_late = JournalReader::open(&place, Extent::Durable).expect("nothing is no error");
    too_late.seek(Start::Sequence(Sequence::new(9))).expect("it may come");
    for _ in 0..2 {
        assert!(waiting.next().expect("nothing").is_none());
        assert_eq!((waiting.next_sequence(), waiting.stream(), waiting.schema()), (None, None, None));
    }
    let mut journal = settings().open(&place).expect("a new journal");
    assert!(waiting.next().expect("nothing").is_none());
    write(&mut journal, &records).expect("room");
    assert_eq!(rest(&mut waiting).expect("whole"), records);
    assert_eq!(rest(&mut sought).expect("whole"), records[5..]);
    for _ in 0..2 {
        let error = too_late.next().expect_err("the journal begins behind it");
        assert!(
            matches!(error, JournalError::Removed { asked, oldest } if (asked.get(), oldest.get()) == (9, 10)),
            "{error}"
        );
    }
    too_late.seek(Start::Oldest).expect("that is there");
    assert_eq!(rest(&mut too_late).expect("whole"), records);
}

#[test]
fn a_reader_follows_the_one_who_writes() {
    let records = records(0, 300);
    let disk = SimulatedDisk::new();
    let settings = settings().segment_records(12).durability(Durability::EachBlock);
    let mut journal = open(&disk, settings).expect("a new journal");
    let (mut written, mut durable) = (reader(&disk, Extent::Written), reader(&disk, Extent::Durable));
    let (mut all_written, mut all_durable) = (Vec::new(), Vec::new());
    let mut behind = 0;
    for (number, batch) in records.chunks(3).enumerate() {
        append(&mut journal, batch).expect("room");
        // Nothing of a batch is seen before it is written.
        let taken = rest(&mut written).expect("whole").len();
        all_written.extend(records[all_written.len()..][..taken].to_vec());
        let acknowledged = journal.end_batch(number % 7 == 0).expect("room").get();
        all_written.extend(rest(&mut written).expect("whole"));
        all_durable.extend(rest(&mut durable).expect("whole"));
        let end = number * 3 + batch.len();
        assert!(all_written == records[..end] && all_durable == records[..all_durable.len()]);
        assert_eq!(all_durable.last().map_or(0, end_of), acknowledged);
        behind += usize::from(all_durable.len() < end);
        assert_eq!(written.next_sequence(), Some(journal.next_sequence()));
    }
    assert!(behind > 20, "{behind}");
    // Other places of the same journal, by the same reader.
    durable.seek(Start::Sequence(Sequence::new(records[17].0))).expect("it is there");
    assert_eq!(durable.next().expect("whole").map(plain).as_ref(), Some(&records[17]));
}

#[test]
fn what_is_half_written_or_half_made_is_not_there_yet() {
    let records = records_of(0, 20, |_| 30);
    let disk = journal(&records, settings().segment_records(5));
    let names = segments(&disk);
    let (last, bytes) =
        (names.last().expect("segments"), disk.file(names.last().expect("segments")).expect("it"));
    let first = all(&disk_of(&files(&disk)[..])).len();
    assert_eq!(first, 20);
    // The bytes come one by one; the reader looks all the time.
    let header = 128;
    let growing =
        disk_of(&files(&disk).into_iter().filter(|(name, _)| name != "durable").collect::<Vec<_>>());
    growing.put(last, &bytes[..header]);
    let mut reader = JournalReader::open_in(Arc::new(growing.clone()), Extent::Written).expect("a journal");
    let before = rest(&mut reader).expect("whole").len();
    assert!(before < 20);
    drop(reader);
    let mut counts = Vec::new();
    for end in header..=bytes.len() {
        growing.put(last, &bytes[..end]);
        let mut reader =
            JournalReader::open_in(Arc::new(growing.clone()), Extent::Written).expect("a journal");
        counts.push(rest(&mut reader).expect("nothing is wrong").len());
    }
    counts.dedup();
    assert_eq!((counts.first(), counts.last()), (Some(&before), Some(&20)));
    assert!(counts.is_sorted() && counts.len() > 1);
}

#[test]
fn thousands_of_segments_take_no_more_stack_than_one() {
    let records = records_of(0, 1_500, |_| 1);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().segment_records(1)).expect("a new journal");
    records.chunks(1).for_each(|batch| _ = write(&mut journal, batch).expect("room"));
    assert_eq!(segments(&disk).len(), 1_500);
    let small_stack = thread::Builder::new().stack_size(192 << 10);
    let found = small_stack.spawn(move || {
        let mut reader = reader(&disk, Extent::Written);
        // By the indexes all segments but the last are passed over in one call.
        reader.only_trace(Some(trace(749)));
        rest(&mut reader).expect("whole")
    });
    assert_eq!(found.expect("a thread").join().expect("room on its stack"), records[1_498..]);
}

#[test]
fn what_was_removed_is_told_and_an_open_segment_is_read_to_its_end() {
    let records = records_of(0, 100, |_| 30);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().segment_records(10).keep_bytes(4_000)).expect("a new journal");
    let mut registered =
        RegisteredReader::register_in(Arc::new(disk.clone()), "slow", Sequence::new(0)).expect("a name");
    let write_on = |journal: &mut _, part: std::ops::Range<usize>| {
        records[part].chunks(10).for_each(|batch| _ = write(journal, batch).expect("room"));
    };
    write_on(&mut journal, 0..50);
    let mut one_behind = reader(&disk, Extent::Durable);
    let mut far_behind = reader(&disk, Extent::Durable);
    let seek = |reader: &mut JournalReader, sequence| {
        reader.seek(Start::Sequence(Sequence::new(sequence))).expect("it is there");
        let record = reader.next().expect("whole").map(plain);
        assert_eq!(record.as_ref(), Some(&records[sequence as usize]));
    };
    seek(&mut one_behind, 15);
    seek(&mut far_behind, 3);
    // The first two are removed.
    registered.has_passed(Sequence::new(20)).expect("room");
    write_on(&mut journal, 50..70);
    assert_eq!(segments(&disk)[0], segment(20));
    assert_eq!(rest(&mut one_behind).expect("the next is there"), records[16..70]);
    let mut read = Vec::new();
    for _ in 0..2 {
        let error = loop {
            match far_behind.next() {
                Ok(record) => read.push(plain(record.expect("the end is not here"))),
                Err(error) => break error,
            }
        };
        let text = error.to_string();
        assert!(
            matches!(error, JournalError::Removed { asked, oldest } if (asked.get(), oldest.get()) == (10, 20)),
            "{text}"
        );
        assert!(
            text.contains("sequence 10 has been removed") && text.contains("begin anew from 20"),
            "{text}"
        );
    }
    assert_eq!(read, records[4..10]);
    // There is nothing to step over: who wants to go on says from where.
    assert_eq!(far_behind.step_over().expect("no error").map(Sequence::get), Some(10));
    assert!(matches!(far_behind.next(), Err(JournalError::Removed { .. })));
    let error = far_behind.seek(Start::Sequence(Sequence::new(19))).expect_err("it is gone");
    assert!(
        matches!(error, JournalError::Removed { asked, oldest } if (asked.get(), oldest.get()) == (19, 20))
    );
    far_behind.seek(Start::Oldest).expect("that is there");
    assert_eq!(rest(&mut far_behind).expect("whole"), records[20..70]);
}

#[test]
fn payloads_of_several_slots_are_found_by_the_sequences_within() {
    let records = records_of(0, 30, |number| SLOT * (number as usize % 4));
    let disk = journal(&records, settings().segment_records(4));
    for sequence in 0..end_of(&records[29]) {
        let mut reader = reader(&disk, Extent::Durable);
        reader.seek(Start::Sequence(Sequence::new(sequence))).expect("it is there");
        let expected = records.iter().find(|record| record.0 >= sequence);
        assert_eq!(reader.next().expect("whole").map(plain).as_ref(), expected, "{sequence}");
    }
}

/// The reader looks at any moment, also in the middle of a write, of a roll, of a removal.
#[test]
fn what_is_written_meanwhile_is_no_damage() {
    let records = records(0, 3_000);
    let end = end_of(records.last().expect("records"));
    for most in [usize::MAX, 50] {
        let disk = SimulatedDisk::new();
        // Each write shows bit by bit.
        disk.fail_after(0, Fault::ShortWrite(most));
        let settings = settings().segment_records(8).durability(Durability::EachBlock).keep_bytes(20_000);
        let mut journal = open(&disk, settings).expect("a new journal");
        let follow = |extent| {
            let disk = disk.clone();
            let name = format!("{extent:?}");
            let mut registered =
                RegisteredReader::register_in(Arc::new(disk.clone()), &name, Sequence::new(0))
                    .expect("a name");
            thread::spawn(move || {
                let mut reader = reader(&disk, extent);
                let mut read = Vec::new();
                while reader.next_sequence().is_none_or(|next| next.get() < end) {
                    match reader.next() {
                        Ok(Some(record)) => read.push(plain(record)),
                        Ok(None) => thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                    if read.len() % 8 == 0 {
                        let position = reader.next_sequence().unwrap_or_default();
                        registered.has_passed(position).expect("room");
                    }
                }
                read
            })
        };
        let followers = [follow(Extent::Written), follow(Extent::Durable)];
        for batch in records.chunks(3) {
            write(&mut journal, batch).expect("room");
        }
        journal.sync().expect("room");
        for follower in followers {
            assert!(follower.join().expect("no error") == records);
        }
        drop(journal);
        assert!(segments(&disk).len() < 100);
    }
}
