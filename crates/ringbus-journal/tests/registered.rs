//! What a journal removes, and what it keeps for whom.

mod common;

use std::sync::Arc;

use common::{Plain, all, open, segment, segments, settings, single, write};
use ringbus::Sequence;
use ringbus_journal::testing::{Crash, Fault, Operation, SimulatedDisk};
use ringbus_journal::{Journal, JournalError, RegisteredReader};

fn register(disk: &SimulatedDisk, name: &str, position: u64) -> Result<RegisteredReader, JournalError> {
    RegisteredReader::register_in(Arc::new(disk.clone()), name, Sequence::new(position))
}

/// Segments of 10 records each, of which so many bytes are kept.
fn journal(disk: &SimulatedDisk, keep_bytes: u64) -> Journal {
    open(disk, settings().segment_records(10).keep_bytes(keep_bytes)).expect("a journal")
}

/// Writes these records in batches of 10, so that each but the last fills a segment.
fn fill(journal: &mut Journal, records: &[Plain]) {
    records.chunks(10).for_each(|batch| _ = write(journal, batch).expect("room"));
}

fn size(disk: &SimulatedDisk, name: &str) -> u64 {
    disk.file(name).expect("it is there").len() as u64
}

fn firsts(disk: &SimulatedDisk) -> Vec<u64> {
    segments(disk).iter().map(|name| name[..20].parse().expect("a number")).collect()
}

#[test]
fn so_many_bytes_are_kept_and_no_more() {
    let records = single(0, 200, 50);
    let whole = SimulatedDisk::new();
    fill(&mut journal(&whole, u64::MAX), &records);
    assert_eq!(firsts(&whole), (0..20).map(|number| number * 10).collect::<Vec<_>>());
    let one = size(&whole, &segment(0));
    // All segments are of the same size: of the full ones as many are kept as fit.
    for (keep, kept) in [(0, 0), (one - 1, 0), (one, 1), (3 * one - 1, 2), (3 * one, 3), (100 * one, 19)] {
        let disk = SimulatedDisk::new();
        let mut journal = journal(&disk, keep);
        for (number, batch) in records.chunks(10).enumerate() {
            write(&mut journal, batch).expect("room");
            assert_eq!(firsts(&disk).len(), 1 + number.min(kept), "{keep}");
            let full: u64 = segments(&disk)[..number.min(kept)].iter().map(|name| size(&disk, name)).sum();
            assert!(full <= keep);
        }
        let oldest = 190 - 10 * kept as u64;
        assert_eq!(firsts(&disk), (oldest..200).step_by(10).collect::<Vec<_>>(), "{keep}");
        assert_eq!(all(&disk), records[oldest as usize..]);
        // The indexes go with them.
        assert_eq!(disk.names().iter().filter(|name| name.ends_with(".index")).count(), 1 + kept);
    }
}

#[test]
fn what_is_too_much_is_removed_when_it_is_opened_too() {
    let records = single(0, 50, 50);
    let disk = SimulatedDisk::new();
    fill(&mut journal(&disk, u64::MAX), &records);
    let one = size(&disk, &segment(0));
    drop(journal(&disk, 2 * one));
    assert_eq!(firsts(&disk), [20, 30, 40]);
    assert_eq!(all(&disk.crash(Crash::keep_nothing())), records[20..]);
}

#[test]
fn what_a_reader_has_not_passed_is_kept() {
    let records = single(0, 200, 50);
    let disk = SimulatedDisk::new();
    let mut journal = journal(&disk, 0);
    let mut slow = register(&disk, "slow", 0).expect("a name");
    let mut fast = register(&disk, "fast", 0).expect("a name");
    let mut at = 0;
    let mut fill_to = |end: usize, journal: &mut Journal| {
        fill(journal, &records[at..end]);
        at = end;
    };
    fill_to(50, &mut journal);
    assert_eq!(firsts(&disk), [0, 10, 20, 30, 40]);
    // What one needs, all keep.
    fast.has_passed(Sequence::new(50)).expect("room");
    fill_to(60, &mut journal);
    assert_eq!(firsts(&disk)[0], 0);
    // Not before the last record of a segment is passed.
    for (passed, oldest) in [(9, 0), (10, 10), (29, 20), (30, 30)] {
        slow.has_passed(Sequence::new(passed)).expect("room");
        assert_eq!(slow.position().get(), passed);
        fill_to(at_end(&disk), &mut journal);
        assert_eq!(firsts(&disk)[0], oldest, "{passed}");
    }
    // Gone, but registered.
    drop((slow, fast));
    fill_to(150, &mut journal);
    assert_eq!(firsts(&disk)[0], 30);
    let slow = register(&disk, "slow", 0).expect("a name");
    assert_eq!((slow.name(), slow.position().get()), ("slow", 30));
    // Unregistered: the other one is at 50.
    slow.unregister().expect("it is there");
    fill_to(160, &mut journal);
    assert_eq!(firsts(&disk)[0], 50);
    register(&disk, "fast", 0).expect("a name").unregister().expect("it is there");
    fill_to(170, &mut journal);
    assert_eq!(firsts(&disk), [160]);
    assert!(!disk.names().iter().any(|name| name.starts_with("reader-")));
    // A new one begins where it says.
    assert_eq!(register(&disk, "slow", 165).expect("a name").position().get(), 165);
}

/// Ten records behind the last segment there is.
fn at_end(disk: &SimulatedDisk) -> usize {
    *firsts(disk).last().expect("segments") as usize + 20
}

#[test]
fn if_it_cannot_be_known_what_a_reader_has_passed_nothing_is_removed() {
    let records = single(0, 100, 50);
    let disk = SimulatedDisk::new();
    let mut journal = journal(&disk, 0);
    fill(&mut journal, &records[..20]);
    let mut reader = register(&disk, "store", 10).expect("a name");
    reader.has_passed(Sequence::new(1_000)).expect("room");
    let whole = disk.file("reader-store").expect("it");
    let mut end = 20;
    let mut torn: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    torn.extend((0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    }));
    let oldest = firsts(&disk)[0];
    for (number, bytes) in torn.into_iter().enumerate() {
        disk.put("reader-store", bytes);
        end += 10;
        fill(&mut journal, &single(end - 10, 10, 50));
        assert_eq!(firsts(&disk)[0], oldest, "{number}");
        assert_eq!(firsts(&disk).len(), 3 - 1 + number, "{number}");
    }
    disk.put("reader-store", whole);
    fill(&mut journal, &single(end, 10, 50));
    assert_eq!(firsts(&disk), [end]);
}

#[test]
fn after_a_crash_it_is_kept_too_much_rather_than_too_little() {
    let records = single(0, 60, 50);
    for seed in 0..200 {
        let disk = SimulatedDisk::new();
        let mut writer = journal(&disk, 0);
        let mut reader = register(&disk, "store", 0).expect("a name");
        fill(&mut writer, &records[..30]);
        reader.has_passed(Sequence::new(15)).expect("room");
        let after = disk.crash(Crash::random(seed));
        // The crash may have torn its file; then whoever it is says where it is.
        let known = register(&after, "store", 3).expect("a name").position().get();
        assert!([0, 3, 15].contains(&known), "{known}");
        let mut writer = journal(&after, 0);
        fill(&mut writer, &records[30..]);
        assert_eq!(firsts(&after)[0], known / 10 * 10);
    }
}

#[test]
fn names_are_those_that_a_file_can_have() {
    let disk = SimulatedDisk::new();
    let long = "n".repeat(200);
    for name in ["a", "store-2", "A_b.c", "..", &long] {
        let reader = register(&disk, name, 7).expect("a name");
        assert_eq!((reader.name(), reader.position().get()), (name, 7));
        assert!(disk.file(&format!("reader-{name}")).is_some());
    }
    let too_long = "n".repeat(201);
    for name in ["", "a/b", "a b", "ä", "a\0", &too_long] {
        let error = register(&disk, name, 7).expect_err("no name");
        assert!(matches!(&error, JournalError::ReaderName { name: refused } if refused == name));
        assert!(
            error.to_string().starts_with(&format!("`{name}` cannot name a reader here: expected letters"))
        );
    }
    assert_eq!(disk.names().len(), 5);
}

#[test]
fn what_the_file_system_refuses_is_told() {
    let disk = SimulatedDisk::new();
    let mut reader = register(&disk, "store", 7).expect("a name");
    disk.fail_on(Operation::WriteAt, 0, Fault::Full);
    let error = reader.has_passed(Sequence::new(9)).expect_err("no room").to_string();
    assert!(error.starts_with("cannot write `a simulated disk/reader-store`: "), "{error}");
    assert_eq!(reader.position().get(), 7);
    disk.mend();
    // A byte at a time.
    disk.fail_on(Operation::WriteAt, 0, Fault::ShortWrite(1));
    reader.has_passed(Sequence::new(11)).expect("room");
    disk.mend();
    drop(reader);
    assert_eq!(register(&disk, "store", 0).expect("a name").position().get(), 11);
    let nowhere =
        RegisteredReader::register("/nowhere/at/all", "store", Sequence::new(0)).expect_err("no directory");
    assert!(nowhere.to_string().starts_with("cannot lock `/nowhere/at/all/reader-store`: "), "{nowhere}");
}
