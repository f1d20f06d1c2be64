//! A file system that refuses: errors say what, where and what to do, and nothing that was acknowledged is lost.

mod common;

use std::fs;
use std::io::ErrorKind;

use common::{Plain, all, append, open, reader, rest, segment, settings, single, write};
use ringbus::Sequence;
use ringbus_journal::testing::{Crash, Fault, Operation, SimulatedDisk};
use ringbus_journal::{Extent, Journal, JournalBuilder, JournalError, JournalReader};

fn small() -> JournalBuilder {
    settings().segment_records(4).keep_bytes(5_000)
}

fn records() -> Vec<Plain> {
    single(0, 60, 100)
}

/// Writes all records, two at a time, from where the journal is. Returns how far it is durable, and what went wrong.
fn write_all(disk: &SimulatedDisk, settings: JournalBuilder) -> (u64, Result<(), JournalError>) {
    let records = records();
    let mut durable = 0;
    let outcome = open(disk, settings).and_then(|mut journal| {
        durable = journal.durable().get();
        for batch in records[durable as usize..].chunks(2) {
            match write(&mut journal, batch) {
                Ok(until) => durable = until,
                Err(error) => {
                    expect_failed(&mut journal, &records);
                    assert_eq!(journal.durable().get(), durable);
                    return Err(error);
                }
            }
        }
        Ok(())
    });
    (durable, outcome)
}

/// A journal that has failed takes nothing more, whatever it is asked.
fn expect_failed(journal: &mut Journal, records: &[Plain]) {
    let next = journal.next_sequence().get() as usize;
    let errors = [
        append(journal, &records[next.min(59)..=next.min(59)]).expect_err("it has failed"),
        journal.note_gap(Sequence::new(1_000)).expect_err("it has failed"),
        journal.end_batch(true).expect_err("it has failed"),
        journal.sync().expect_err("it has failed"),
    ];
    for error in errors {
        assert!(matches!(error, JournalError::Failed), "{error}");
        assert!(error.to_string().contains("open it again, which keeps what it had acknowledged"));
    }
}

/// What was acknowledged is there, whatever becomes of the machine.
fn expect_kept(disk: &SimulatedDisk, durable: u64, what: &str) {
    disk.mend();
    let records = records();
    for crash in
        [Crash::keep_nothing(), Crash::keep_everything(), Crash::random(durable), Crash::reordered(durable)]
    {
        let after = disk.crash(crash);
        let read = all(&after);
        let first = read.first().map_or(0, |record| record.0 as usize);
        assert_eq!(read, records[first..first + read.len()], "{what}, {crash:?}");
        let journal = open(&after, small()).unwrap_or_else(|error| panic!("{what}, {crash:?}: {error}"));
        assert!(journal.next_sequence().get() >= durable, "{what}, {crash:?}");
        drop(journal);
        // It goes on from there.
        let (durable, outcome) = write_all(&after, small());
        outcome.unwrap_or_else(|error| panic!("{what}, {crash:?}: {error}"));
        assert_eq!(durable, 60);
    }
}

/// Runs with a fault at each of the operations that it can come at, and returns the errors' texts.
fn at_each(fault: Fault, on: Option<Operation>) -> Vec<String> {
    let mut texts = Vec::new();
    for after in 0.. {
        let disk = SimulatedDisk::new();
        match on {
            Some(operation) => disk.fail_on(operation, after, fault),
            None => disk.fail_after(after, fault),
        }
        let (durable, outcome) = write_all(&disk, small());
        let what = format!("{fault:?} after {after} of {on:?}");
        match outcome {
            // (An index that cannot be made or written is no error.)
            Ok(()) => assert_eq!(durable, 60, "{what}"),
            Err(JournalError::Io { doing, place, source }) => {
                assert!(!doing.is_empty() && place.starts_with("a simulated disk"), "{what}: {place}");
                texts.push(JournalError::Io { doing, place, source }.to_string());
            }
            Err(error) => panic!("{what}: {error}"),
        }
        let met = disk.operations();
        if after > 1_500 || (on.is_none() && after > met) || (durable == 60 && after > 400) {
            break;
        }
        if after % 3 == 0 || after < 40 {
            expect_kept(&disk, durable, &what);
        }
    }
    texts.sort();
    texts.dedup();
    texts
}

#[test]
fn an_error_at_any_operation_loses_nothing() {
    let texts = at_each(Fault::Io, None);
    for doing in ["list", "open", "make", "write", "sync", "sync the directory", "remove"] {
        let text = format!("cannot {doing} `a simulated disk");
        assert!(texts.iter().any(|error| error.starts_with(&text)), "{text}: {texts:#?}");
    }
    assert!(texts.iter().any(|error| error.contains(&segment(8))), "{texts:#?}");
}

#[test]
fn a_sync_that_fails_fails_the_journal() {
    let texts = at_each(Fault::SyncFails, None);
    let expected = ["cannot sync `a simulated disk/", "cannot sync the directory `a simulated disk`: "];
    assert!(texts.len() > 10, "{texts:#?}");
    for text in &texts {
        assert!(expected.iter().any(|expected| text.starts_with(expected)), "{text}");
    }
    for expected in expected {
        assert!(texts.iter().any(|text| text.starts_with(expected)), "{expected}");
    }
}

#[test]
fn a_full_disk_says_what_helps() {
    // From some write on there is no room; when there is some again, the journal goes on.
    for on in [Operation::Append, Operation::Create, Operation::WriteAt] {
        let texts = at_each(Fault::Full, Some(on));
        assert!(!texts.is_empty());
        for text in texts {
            assert!(
                text.ends_with(
                    "make room (a smaller `keep_bytes` removes old segments), and open the journal again: what was acknowledged is in it"
                ),
                "{text}"
            );
        }
    }
}

#[test]
fn with_so_much_room_it_stops_at_any_byte_and_a_smaller_limit_makes_room() {
    let records = records();
    let whole = SimulatedDisk::new();
    write_all(&whole, settings().segment_records(4)).1.expect("nothing fails");
    let bytes: usize = common::files(&whole).iter().map(|(_, bytes)| bytes.len()).sum();
    for room in (200..bytes as u64).step_by(61) {
        let disk = SimulatedDisk::new().with_room_for(room);
        let (durable, outcome) = write_all(&disk, settings().segment_records(4));
        match outcome.expect_err("no room") {
            JournalError::Io { source, .. } => assert_eq!(source.kind(), ErrorKind::StorageFull, "{room}"),
            error => panic!("{room}: {error}"),
        }
        let read = rest(&mut reader(&disk, Extent::Durable)).expect("whole");
        assert_eq!(read, records[..durable as usize], "{room}");
        if room > 4_000 {
            // As the error says.
            let disk = disk.crash(Crash::reordered(room));
            let (durable, outcome) = write_all(&disk, settings().segment_records(4).keep_bytes(1_000));
            outcome.unwrap_or_else(|error| panic!("{room}: {error}"));
            assert_eq!((durable, all(&disk).last()), (60, records.last()), "{room}");
        }
    }
}

#[test]
fn a_write_that_takes_a_part_goes_on_with_the_rest() {
    let records = records();
    for most in [1, 7, 100] {
        let disk = SimulatedDisk::new();
        disk.fail_after(0, Fault::ShortWrite(most));
        disk.fail_after(0, Fault::ShortRead(most));
        let (durable, outcome) = write_all(&disk, settings().segment_records(4));
        outcome.expect("it is slow, and nothing else");
        assert_eq!(durable, 60);
        if most > 1 {
            assert_eq!(rest(&mut reader(&disk, Extent::Written)).expect("whole"), records);
        }
        disk.mend();
        assert_eq!(all(&disk.crash(Crash::keep_nothing())), records, "{most}");
    }
}

#[test]
fn a_reader_says_what_it_could_not_read_and_reads_it_when_it_can() {
    let records = records();
    let disk = SimulatedDisk::new();
    write_all(&disk, settings().segment_records(4)).1.expect("nothing fails");
    let whole = disk.operations();
    let mut errors = 0;
    for after in 0..whole {
        let mut reader = reader(&disk, Extent::Durable);
        disk.fail_after(after, Fault::Io);
        let mut read = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(record)) => read.push(common::plain(record)),
                Ok(None) if read.len() == records.len() => break,
                // The mark could not be read: nothing more is known to be durable, for now.
                Ok(None) => assert!(read.is_empty()),
                Err(JournalError::Io { place, .. }) => {
                    assert!(place.starts_with("a simulated disk"));
                    errors += 1;
                }
                Err(error) => panic!("{after}: {error}"),
            }
        }
        assert_eq!(read, records, "{after}");
        disk.mend();
        if after > 150 {
            break;
        }
    }
    assert!(errors > 30, "{errors}");
}

#[test]
fn a_directory_that_is_read_only_is_told() {
    let records = records();
    let disk = SimulatedDisk::new();
    write_all(&disk, small()).1.expect("nothing fails");
    disk.fail_after(0, Fault::ReadOnly);
    let error = open(&disk, small()).expect_err("nothing can be written");
    let text = error.to_string();
    assert!(
        matches!(&error, JournalError::Io { source, .. } if source.kind() == ErrorKind::ReadOnlyFilesystem)
    );
    assert!(text.starts_with("cannot lock `a simulated disk/lock`: "), "{text}");
    // Who reads needs to write nothing.
    assert_eq!(rest(&mut reader(&disk, Extent::Durable)).expect("whole").last(), records.last());

    // It became so while the journal was open.
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, small()).expect("a new journal");
    write(&mut journal, &records[..2]).expect("room");
    disk.fail_after(0, Fault::ReadOnly);
    let text = write(&mut journal, &records[2..4]).expect_err("nothing can be written").to_string();
    assert!(text.starts_with(&format!("cannot write `a simulated disk/{}`: ", segment(0))), "{text}");
    expect_failed(&mut journal, &records);
}

#[test]
fn real_directories_that_cannot_be_used_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, b"no directory").expect("room");
    let text = settings().open(&file).expect_err("a file").to_string();
    assert!(text.starts_with(&format!("cannot make the directory `{}`: ", file.display())), "{text}");
    let text = settings().open(file.join("below")).expect_err("below a file").to_string();
    assert!(text.starts_with("cannot make the directory `"), "{text}");
    let text = JournalReader::open(&file, Extent::Written).expect_err("a file").to_string();
    assert!(text.starts_with(&format!("cannot list `{}`: ", file.display())), "{text}");

    // A name that is taken by a directory, which root cannot write either.
    let taken = directory.path().join("taken");
    fs::create_dir_all(taken.join("durable")).expect("room");
    let text = settings().open(&taken).expect_err("a directory").to_string();
    assert!(text.starts_with(&format!("cannot open `{}`: ", taken.join("durable").display())), "{text}");
}

#[test]
fn what_failed_at_the_roll_is_there_when_it_is_opened_again() {
    let records = records();
    // The machine runs on: the next process sees what the kernel has. (Nothing is removed: what comes back when that could not be made
    // durable is older than what is kept, and no part of it.)
    let small = || settings().segment_records(4);
    for after in 0..400 {
        let disk = SimulatedDisk::new();
        disk.fail_after(after, Fault::Io);
        let (durable, _) = write_all(&disk, small());
        let next = disk.process_crash();
        let (again, outcome) = write_all(&next, small());
        outcome.unwrap_or_else(|error| panic!("{after}: {error}"));
        assert!(again == 60 && durable <= 60);
        let after_crash = next.crash(Crash::keep_nothing());
        assert_eq!(all(&after_crash).last(), records.last(), "{after}");
        assert_eq!(open(&after_crash, small()).expect("whole").next_sequence().get(), 60, "{after}");
    }
}
