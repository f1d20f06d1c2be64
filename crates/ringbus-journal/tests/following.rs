//! Following a journal: everything, in order and once, and never a record that is not durable.

mod common;
mod live;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{STREAM, trace};
use live::failing::{Failing, assert_told_once};
use live::{BLOCK, Checker, NEVER, PAYLOAD, bus, open, reader, settings, wait_until, written};
use ringbus::Sequence;
use ringbus::bus::{Header, each_record};
use ringbus_journal::testing::{Crash, SimulatedDisk};
use ringbus_journal::{Durability, Extent, FollowError, Journal, JournalError, JournalReader, Start};

/// Appends what a core would, up to `end`, in batches of so many records.
fn append(journal: &mut Journal, end: u64, batch: u64) {
    let mut in_batch = 0;
    while journal.next_sequence().get() < end {
        journal.append(common::as_record(&live_record(journal.next_sequence().get()))).unwrap();
        in_batch += 1;
        if in_batch == batch {
            journal.end_batch(false).unwrap();
            in_batch = 0;
        }
    }
    journal.end_batch(false).unwrap();
}

/// As it comes from a ring.
fn live_record(sequence: u64) -> common::Plain {
    let (header, payload) = live::content(sequence, BLOCK);
    (sequence, Header { len: payload.len().min(PAYLOAD) as u16, ..header }, payload)
}

#[test]
fn a_follower_gets_everything_and_ends_where_it_is_told() {
    let disk = SimulatedDisk::new();
    let mut journal =
        settings(Durability::EachBatch).segment_bytes(10_000).open_in(Arc::new(disk.clone())).unwrap();
    let (checker, seen) = Checker::new(BLOCK);
    let following = reader(&disk, Extent::Durable).follow("follower").spawn(checker).unwrap();
    append(&mut journal, 3_000, 7);
    let so_far = journal.next_sequence().get();
    wait_until("it has followed", || following.position().get() == so_far);
    assert_eq!(seen.next(), so_far, "the position is of what the subscriber has had");
    append(&mut journal, 5_000, 100);
    let end = journal.close().unwrap();
    following.finish_at(end);
    wait_until("it has had everything", || following.position() == end);
    let checker = following.join().unwrap();
    assert_eq!((checker.next(), checker.in_batch), (end.get(), 0));
    assert!(checker.idles > 0);
    assert_eq!(checker.shut_down.as_deref(), Some("the worker was told to stop"));
}

#[test]
fn it_can_end_in_the_middle_and_others_go_on_there() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    append(&mut journal, 500, 10);
    let end = journal.close().unwrap();
    let mut from = 0;
    // Each sequence is the end of one; not each is the beginning of a record.
    for sequence in (1..end.get()).step_by(37) {
        let (begin, gate) = std::sync::mpsc::channel();
        let checker = Checker::new(BLOCK).0.waiting(gate);
        let follow = reader(&disk, Extent::Durable).follow("part").from(Sequence::new(from));
        let following = follow.nap(Duration::from_micros(1)).spawn(checker).unwrap();
        following.finish_at(Sequence::new(sequence));
        begin.send(()).unwrap();
        let checker = following.join().unwrap();
        assert!(
            checker.next() >= sequence && checker.next() < sequence + 3,
            "{} of {sequence}",
            checker.next()
        );
        from = checker.next();
    }
    assert!(from > 400);
}

#[test]
fn the_position_goes_on_while_there_is_always_more() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    append(&mut journal, 20_000, 1_000);
    // It stops at a record until it is let go on: there is more to read all the time.
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (told, tell) = std::sync::mpsc::channel();
    let mut records = 0;
    let subscriber = each_record(move |_| {
        records += 1;
        if records == 5_000 {
            told.send(()).unwrap();
            let _ = wait.recv();
        }
        Ok::<(), String>(())
    });
    let following = reader(&disk, Extent::Durable).follow("follower").spawn(subscriber).unwrap();
    tell.recv().unwrap();
    let position = following.position().get();
    assert!(position > 4_000, "four batches have ended, but the position is {position}");
    following.stop();
    drop(go_on);
    following.join().unwrap();
}

#[test]
fn batches_are_of_what_is_at_hand_and_not_endless() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    append(&mut journal, 10_000, 5_000);
    let (checker, _) = Checker::new(BLOCK);
    let following = reader(&disk, Extent::Durable).follow("follower").spawn(checker).unwrap();
    following.finish_at(journal.next_sequence());
    assert_eq!(following.join().unwrap().longest_batch, 1_024);
    // A single record is a batch when nothing follows.
    let (checker, _) = Checker::new(BLOCK);
    let following = reader(&disk, Extent::Durable)
        .follow("follower")
        .from(journal.next_sequence())
        .spawn(checker)
        .unwrap();
    for _ in 0..3 {
        let next = journal.next_sequence().get() + 1;
        append(&mut journal, next, 1);
        let next = journal.next_sequence();
        wait_until("it has it", || following.position() == next);
    }
    following.stop();
    assert_eq!(following.join().unwrap().longest_batch, 1);
}

/// Only what a crash cannot take back: under load, at a random moment, with a journal that syncs seldom.
#[test]
fn a_follower_of_what_is_durable_sees_nothing_that_a_crash_takes_back() {
    let mut seen_in_all = 0;
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let disk = SimulatedDisk::new();
        let durability =
            [Durability::EachBlock, Durability::Every(Duration::from_micros(500))][seed as usize % 2];
        let journal = settings(durability).segment_bytes(20_000).open_in(Arc::new(disk.clone())).unwrap();
        let (mut core, bus) = bus(256, 0);
        let (checker, seen) = Checker::new(BLOCK);
        let following = reader(&disk, Extent::Durable)
            .follow("store")
            .nap(Duration::from_micros(20))
            .spawn(checker)
            .unwrap();
        let recording = journal.record(bus.subscribe("journal").required().join().unwrap()).unwrap();
        disk.crash_at(random.u64(300..3_000));
        core.run_to(u64::MAX).expect_err("the disk stops");
        recording.join().expect_err("the disk has stopped");
        following.stop();
        match following.join() {
            // It may have been waiting.
            Ok(checker) => assert_eq!(checker.next(), seen.next()),
            Err(error) => assert!(matches!(error, FollowError::Journal(JournalError::Io { .. })), "{error}"),
        }
        for crash in [Crash::keep_nothing(), Crash::reordered(seed), Crash::random(seed)] {
            let rebooted = disk.crash(crash);
            let next = open(&rebooted, durability).next_sequence().get();
            assert!(next >= seen.next(), "seed {seed}: {} were seen, {next} are there", seen.next());
        }
        seen_in_all += seen.next();
    }
    assert!(seen_in_all > 2_000, "{seen_in_all}");
}

#[test]
fn what_is_written_is_followed_before_it_is_durable() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::Every(NEVER));
    let (checker, written) = Checker::new(BLOCK);
    let of_written = reader(&disk, Extent::Written).follow("written").spawn(checker).unwrap();
    let (checker, durable) = Checker::new(BLOCK);
    let of_durable = reader(&disk, Extent::Durable).follow("durable").spawn(checker).unwrap();
    append(&mut journal, 100, 10);
    wait_until("it is followed", || of_written.position() == journal.next_sequence());
    assert_eq!((written.next(), durable.next()), (journal.next_sequence().get(), 0));
    let end = journal.close().unwrap();
    for following in [of_written, of_durable] {
        following.finish_at(end);
        assert_eq!(following.join().unwrap().next(), end.get());
    }
}

#[test]
fn a_follower_of_one_trace_ends_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = common::settings().segment_records(100).open(directory.path()).unwrap();
    let records = common::records(0, 1_000);
    common::write(&mut journal, &records).unwrap();
    let mut reader = JournalReader::open(directory.path(), Extent::Durable).unwrap();
    reader.only_trace(Some(trace(77)));
    let (told, heard) = std::sync::mpsc::channel();
    let following = reader
        .follow("auditor")
        .spawn(each_record(move |record| told.send(common::plain(record)).map_err(|_| "nobody hears")))
        .unwrap();
    let end = journal.next_sequence();
    wait_until("it has looked at everything", || following.position() == end);
    // The last record is not of this trace.
    following.finish_at(end);
    following.join().unwrap();
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), records[154..156]);
}

#[test]
fn it_begins_where_the_reader_stands_or_where_it_is_told() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    append(&mut journal, 1_000, 10);
    let end = journal.close().unwrap();

    let mut middle = reader(&disk, Extent::Durable);
    middle.seek(Start::Block(7)).unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    let following =
        middle.follow("later").spawn(each_record(move |record| told.send(record.sequence().get()))).unwrap();
    following.finish_at(end);
    following.join().unwrap();
    let heard: Vec<u64> = heard.try_iter().collect();
    assert_eq!(
        (heard[0], heard.last().map(|&last| last + live::slots(last, BLOCK))),
        (7 * BLOCK, Some(end.get()))
    );

    // Behind the end: it waits there.
    let (checker, _) = Checker::new(BLOCK);
    let following = reader(&disk, Extent::Durable).follow("waits").from(end).spawn(checker).unwrap();
    assert_eq!(following.position(), end);
    let mut journal = open(&disk, Durability::EachBatch);
    append(&mut journal, 1_500, 10);
    following.finish_at(journal.next_sequence());
    assert_eq!(following.join().unwrap().next(), journal.next_sequence().get());

    // A journal that is not there yet.
    let disk = SimulatedDisk::new();
    let (checker, _) = Checker::new(BLOCK);
    let following = reader(&disk, Extent::Durable).follow("early").spawn(checker).unwrap();
    append(&mut open(&disk, Durability::EachBatch), 100, 10);
    following.finish_at(Sequence::new(100));
    assert_eq!(following.join().unwrap().next(), written(&disk, BLOCK));
}

#[test]
fn what_has_been_removed_is_an_error() {
    let disk = SimulatedDisk::new();
    let builder = settings(Durability::EachBatch).segment_bytes(2_000).keep_bytes(4_000);
    let mut journal = builder.open_in(Arc::new(disk.clone())).unwrap();
    let (late, early) = (reader(&disk, Extent::Durable), reader(&disk, Extent::Durable));
    append(&mut journal, 2_000, 10);
    let (checker, _) = Checker::new(BLOCK);
    let error = late.follow("late").from(Sequence::new(5)).spawn(checker).unwrap_err();
    assert!(matches!(error, JournalError::Removed { asked, .. } if asked.get() == 5), "{error:?}");

    // One that it had begun with.
    let oldest = early.follow("early").spawn(each_record(|_| Ok::<(), String>(()))).unwrap();
    oldest.finish_at(journal.next_sequence());
    oldest.join().unwrap();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let slow = each_record(move |_| wait.recv());
    let following = reader(&disk, Extent::Durable).follow("slow").spawn(slow).unwrap();
    append(&mut journal, 6_000, 10);
    for _ in 0..1_000 {
        let _ = go_on.send(());
    }
    let error = following.join().unwrap_err();
    assert!(matches!(error, FollowError::Journal(JournalError::Removed { .. })), "{error:?}");
    assert!(error.to_string().contains("register a reader"), "{error}");
}

#[test]
fn an_error_is_told_once_and_ends_it() {
    for at in ["start", "block_begun", "record", "block_ended", "batch_ended", "idle", "shutdown"] {
        let disk = SimulatedDisk::new();
        let mut journal = open(&disk, Durability::EachBatch);
        append(&mut journal, BLOCK, 5);
        let calls = Arc::default();
        let failing = Failing { at, records: 0, calls: Arc::clone(&calls) };
        let following = reader(&disk, Extent::Durable).follow("failing").spawn(failing).unwrap();
        if at == "shutdown" {
            following.finish_at(journal.next_sequence());
        }
        let error = following.join().map(drop).expect_err("it fails");
        assert!(
            matches!(&error, FollowError::Subscriber { message } if *message == format!("no {at} today"))
        );
        assert_told_once(&calls, at);
    }
}

#[test]
fn a_panic_is_told_by_join() {
    let disk = SimulatedDisk::new();
    append(&mut open(&disk, Durability::EachBatch), 10, 5);
    let panics = each_record(|_| -> Result<(), String> { panic!("enough") });
    let following = reader(&disk, Extent::Durable).follow("a name\0").spawn(panics).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| following.join())).map(drop).expect_err("it panicked");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"enough"));
}

#[test]
fn a_dropped_handle_does_not_end_it() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    let (checker, seen) = Checker::new(BLOCK);
    drop(reader(&disk, Extent::Durable).follow("goes on").spawn(checker).unwrap());
    append(&mut journal, 1_000, 10);
    let end = journal.next_sequence().get();
    wait_until("it goes on", || seen.next() == end);
}

/// Several follow while the journal is written at full speed, on a real disk, and none holds anything up.
#[test]
fn many_follow_under_load() {
    let directory = tempfile::tempdir().unwrap();
    let journal = settings(Durability::Never).segment_bytes(50_000).open(directory.path()).unwrap();
    let (mut core, bus) = bus(256, 0);
    let recording = journal.record(bus.subscribe("journal").required().join().unwrap()).unwrap();
    let core = thread::spawn(move || {
        core.run_to(60_000).unwrap();
        core.close()
    });
    let followings: Vec<_> = [Extent::Durable, Extent::Written, Extent::Durable]
        .into_iter()
        .enumerate()
        .map(|(number, extent)| {
            let (checker, _) = Checker::new(BLOCK);
            let checker =
                if number == 2 { checker.pausing(1_000, Duration::from_millis(1)) } else { checker };
            let reader = JournalReader::open(directory.path(), extent).unwrap();
            reader.follow("follower").spawn(checker).unwrap()
        })
        .collect();
    let end = core.join().unwrap();
    assert_eq!(recording.join().unwrap().next.get(), end);
    for following in followings {
        following.finish_at(Sequence::new(end));
        assert_eq!(following.join().unwrap().next(), end);
    }
    assert_eq!(Journal::builder(STREAM).open(directory.path()).unwrap().next_sequence().get(), end);
}
