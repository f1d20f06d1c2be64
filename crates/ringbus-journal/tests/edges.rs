//! Where two things meet: restarts and readers, registration and removal, limits and crashes, one stream and another.

mod common;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use common::{all, open, reader, rest, segment, segments, settings, single, write};
use ringbus::Sequence;
use ringbus::bus::{Bus, StreamId, each_record};
use ringbus_journal::testing::{Crash, Fault, Operation, SimulatedDisk};
use ringbus_journal::{
    Extent, File, Journal, JournalError, JournalReader, Lock, RegisteredReader, Replay, Start, Storage,
};

/// Writes them in batches of ten.
fn write_in_tens(journal: &mut Journal, first: u64, count: u64) {
    single(first, count, 50).chunks(10).for_each(|batch| assert!(write(journal, batch).is_ok()));
}

#[test]
fn a_reader_in_an_empty_segment_goes_on_when_the_writer_was_restarted() {
    let disk = SimulatedDisk::new();
    let ten = || settings().segment_records(10);
    let records = single(0, 40, 50);
    let mut journal = open(&disk, ten()).unwrap();
    write(&mut journal, &records[..10]).unwrap();
    let mut follower = reader(&disk, Extent::Durable);
    assert_eq!(rest(&mut follower).unwrap(), records[..10]);
    // The next segment is made, and the write to it fails.
    disk.fail_on(Operation::Append, 2, Fault::Full);
    write(&mut journal, &records[10..20]).unwrap_err();
    assert_eq!(segments(&disk), [segment(0), segment(10)]);
    drop(journal);
    assert_eq!(rest(&mut follower).unwrap(), []);
    disk.mend();
    let mut journal = open(&disk, ten()).unwrap();
    write(&mut journal, &records[10..20]).unwrap();
    write(&mut journal, &records[20..30]).unwrap();
    assert_eq!(rest(&mut follower).unwrap(), records[10..30]);
}

#[test]
fn limits_that_nothing_fits_into_lose_nothing() {
    for (bytes, records, keep) in
        [(0, u64::MAX, 0), (u64::MAX, 0, 0), (100, u64::MAX, 500), (100, u64::MAX, u64::MAX)]
    {
        let tiny = || settings().segment_bytes(bytes).segment_records(records).keep_bytes(keep);
        // A crash between making a segment and writing to it, found by trying.
        let crashed = (0..200).find_map(|at| {
            let disk = SimulatedDisk::new();
            let mut journal = open(&disk, tiny()).unwrap();
            write(&mut journal, &single(0, 3, 50)).unwrap();
            disk.crash_at(disk.operations() + at);
            let _ = write(&mut journal, &single(3, 1, 50));
            let after = disk.crash(Crash::keep_everything());
            let is_empty = all(&after).iter().all(|record| record.0 < 3);
            (segments(&after).last() == Some(&segment(3)) && is_empty).then_some(after)
        });
        let disk = crashed.expect("an empty last segment");
        let mut journal = open(&disk, tiny()).unwrap();
        for next in 3..8 {
            assert_eq!(write(&mut journal, &single(next, 1, 50)).unwrap(), next + 1);
            let read = rest(&mut reader(&disk, Extent::Durable)).unwrap();
            assert_eq!(read.last().map(|record| record.0), Some(next), "{bytes} {records} {keep}");
        }
        drop(journal);
        let after = disk.crash(Crash::keep_nothing());
        assert_eq!(open(&after, tiny()).unwrap().next_sequence(), Sequence::new(8));
    }
}

#[test]
fn a_reader_has_its_name_alone_as_long_as_it_is_there() {
    let disk = SimulatedDisk::new();
    let register = || RegisteredReader::register_in(Arc::new(disk.clone()), "store", Sequence::new(7));
    let one = register().unwrap();
    assert!(matches!(register(), Err(JournalError::ReaderTaken { name }) if name == "store"));
    drop(one);
    assert_eq!(register().unwrap().position(), Sequence::new(7));
}

#[test]
fn who_registers_for_what_was_removed_is_told() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().segment_records(10).keep_bytes(0)).unwrap();
    write_in_tens(&mut journal, 0, 50);
    assert_eq!(segments(&disk), [segment(40)]);
    let register =
        |position| RegisteredReader::register_in(Arc::new(disk.clone()), "late", Sequence::new(position));
    let error = register(20).unwrap_err();
    assert!(
        matches!(error, JournalError::Removed { asked, oldest } if (asked.get(), oldest.get()) == (20, 40))
    );
    // It left nothing behind that would keep segments.
    write_in_tens(&mut journal, 50, 20);
    assert_eq!(segments(&disk), [segment(60)]);
    assert_eq!(register(65).unwrap().position(), Sequence::new(65));
}

type Hook = Box<dyn FnMut(&str) + Send>;

/// A disk that tells before it removes something.
struct Telling {
    disk: SimulatedDisk,
    hook: Mutex<Hook>,
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.disk.fmt(f)
    }
}

impl Storage for Telling {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.disk.create(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        Storage::open(&self.disk, name)
    }

    fn open_to_read(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.disk.open_to_read(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        (self.hook.lock().unwrap())(name);
        self.disk.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync()
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn Lock>> {
        self.disk.lock(name)
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}

#[test]
fn what_somebody_registers_for_during_a_removal_is_kept() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().segment_records(10)).unwrap();
    write_in_tens(&mut journal, 0, 50);
    drop(journal);
    let late: Arc<Mutex<Option<RegisteredReader>>> = Arc::default();
    let (to_register, its_disk) = (Arc::clone(&late), disk.clone());
    let hook = move |name: &str| {
        if name == segment(0) {
            let registered =
                RegisteredReader::register_in(Arc::new(its_disk.clone()), "late", Sequence::new(20));
            *to_register.lock().unwrap() = Some(registered.unwrap());
        }
    };
    let storage = Arc::new(Telling { disk: disk.clone(), hook: Mutex::new(Box::new(hook)) });
    let _journal = settings().segment_records(10).keep_bytes(0).open_in(storage).unwrap();
    assert_eq!(segments(&disk), [segment(20), segment(30), segment(40)]);
    assert_eq!(late.lock().unwrap().as_ref().unwrap().position(), Sequence::new(20));
}

/// A journal of fifty records from `first` on, the header of whose segment `damaged` is damaged.
fn with_a_damaged_header(first: u64, damaged: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    write_in_tens(&mut open(&disk, settings().segment_records(10)).unwrap(), first, 50);
    let mut bytes = disk.file(&segment(damaged)).unwrap();
    bytes[40] ^= 1;
    disk.put(&segment(damaged), bytes);
    disk
}

#[test]
fn damage_before_what_was_asked_for_is_not_in_the_way() {
    let disk = with_a_damaged_header(0, 20);
    for asked in [30, 35, 40, 45] {
        let mut reader = reader(&disk, Extent::Written);
        reader.seek(Start::Sequence(Sequence::new(asked))).unwrap();
        assert_eq!(reader.next().unwrap().map(|record| record.sequence().get()), Some(asked));
    }
}

#[test]
fn a_replay_counts_what_a_damaged_first_header_hides() {
    let disk = with_a_damaged_header(1_000_000, 1_000_000);
    let (writer, _bus) = Bus::<192>::builder(common::STREAM).build().unwrap();
    let mut forwarder = writer.forward_from(&StreamId::new(common::STREAM)).unwrap();
    let replayed = Replay::new(reader(&disk, Extent::Written)).step_over().run(&mut forwarder).unwrap();
    assert_eq!((replayed.records, replayed.missed), (40, 10));
}

mod first {
    ringbus::events! {
        pub schema Exchange, version 1;
        pub event Trade, kind 8, layout 1 { pub price: u64 }
    }
}

mod second {
    ringbus::events! {
        pub schema Exchange, version 2;
        pub event Trade, kind 8, layout 2 { pub price: u64, pub size: u64 }
    }
}

mod again {
    ringbus::events! {
        pub schema Exchange, version 3;
        pub event Trade, kind 8, layout 1 { pub prize: i64 }
    }
}

#[test]
fn a_layout_number_is_not_used_again_for_another_layout() {
    let disk = SimulatedDisk::new();
    for (schema, next) in [(first::Exchange::schema(), 0), (second::Exchange::schema(), 5)] {
        write(&mut open(&disk, settings().schema(schema)).unwrap(), &single(next, 5, 8)).unwrap();
    }
    let error = open(&disk, settings().schema(again::Exchange::schema())).unwrap_err();
    assert!(matches!(error, JournalError::LayoutChanged(_)), "{error}");
    assert_eq!(
        open(&disk, settings().schema(first::Exchange::schema())).unwrap().next_sequence(),
        Sequence::new(10)
    );
}

#[test]
fn a_reader_and_a_follower_take_the_records_of_one_stream_only() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("journal");
    let journal = |stream: &str| Journal::builder(stream).segment_records(10).open(&place).unwrap();
    write_in_tens(&mut journal("one"), 0, 20);
    let mut reader = JournalReader::open(&place, Extent::Written).unwrap();
    assert_eq!(rest(&mut reader).unwrap().len(), 20);
    std::fs::remove_dir_all(&place).unwrap();
    write_in_tens(&mut journal("another"), 0, 50);
    assert!(matches!(rest(&mut reader), Err(JournalError::OtherStream(_))));

    let follow = |stream: &str, from: u64| {
        let nothing = each_record(|_| Ok::<(), io::Error>(()));
        let reader = JournalReader::open(&place, Extent::Durable).unwrap();
        reader.follow("store").stream(&StreamId::new(stream)).from(Sequence::new(from)).spawn(nothing)
    };
    assert!(matches!(follow("one", 0), Err(JournalError::OtherStream(_))));
    // Nor what comes where the journal has lost what the store has.
    let error = follow("another", 60).unwrap_err();
    assert!(
        matches!(error, JournalError::Ahead { asked, end } if (asked.get(), end.get()) == (60, 50)),
        "{error}"
    );
    let following = follow("another", 50).unwrap();
    following.stop();
    following.join().unwrap();

    // A journal that has nothing yet is asked when it has.
    let later = directory.path().join("later");
    let mut reader = JournalReader::open(&later, Extent::Written).unwrap();
    reader.expect_stream(&StreamId::new("one")).unwrap();
    assert!(reader.next().unwrap().is_none());
    write_in_tens(&mut Journal::builder("another").open(&later).unwrap(), 0, 10);
    assert!(matches!(reader.next().map(drop), Err(JournalError::OtherStream(_))));
}
