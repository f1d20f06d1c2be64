//! Journals that a process, a machine or both have left in the middle: what is found, goes on and stays.

mod common;

use common::{
    Plain, all, crashes, end_of, open, reader, record, rest, segment, segments, settings, single,
    small_schema, write,
};
use ringbus::Sequence;
use ringbus::bus::Header;
use ringbus_journal::testing::{Crash, Fault, Operation, SimulatedDisk};
use ringbus_journal::{Durability, Extent, JournalError, Storage};

/// A journal whose process dies, and whose machine loses power later.
#[test]
fn what_was_acknowledged_is_there_after_the_process_and_then_the_machine_have_died() {
    let records = single(0, 12, 400);
    for durability in [Durability::EachBatch, Durability::EachBlock, Durability::Never] {
        let disk = SimulatedDisk::new();
        let mut journal = open(&disk, settings().durability(durability)).expect("a new journal");
        write(&mut journal, &records[..3]).expect("room");
        write(&mut journal, &records[3..4]).expect("room");
        let killed = disk.process_crash();
        // Without a record of its own life: who reads it sees what is there from now on.
        assert_eq!(open(&killed, settings()).expect("whole").durable().get(), 4);
        let after = killed.crash(Crash::keep_nothing());
        assert_eq!(open(&after, settings()).expect("whole").durable().get(), 4, "{durability:?}");
        assert_eq!(all(&after), records[..4]);
    }
}

#[test]
fn with_another_schema_too_what_it_was_left_with_is_made_durable() {
    let records = single(0, 12, 400);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().durability(Durability::Never)).expect("a new journal");
    write(&mut journal, &records[..4]).expect("room");
    let disk = disk.process_crash();
    let journal = open(&disk, settings().schema(&small_schema(2))).expect("whole");
    assert_eq!(journal.durable().get(), 4);
    let disk = disk.crash(Crash::keep_nothing());
    assert_eq!(open(&disk, settings()).expect("whole").durable().get(), 4);
    assert_eq!(all(&disk), records[..4]);
}

#[test]
fn what_it_goes_on_behind_damage_is_durable_too() {
    let records = single(0, 12, 400);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().durability(Durability::EachBlock)).expect("a new journal");
    write(&mut journal, &records[..5]).expect("room");
    write(&mut journal, &records[5..6]).expect("room");
    write(&mut journal, &records[6..7]).expect("room");
    let disk = disk.process_crash();
    // Record 2 is damaged; 5 and 6 are whole, but not durable.
    let mut bytes = disk.file(&segment(0)).expect("it");
    bytes[1_300] ^= 1;
    let mut file = Storage::open(&disk, &segment(0)).expect("it");
    file.write_at(&bytes[1_300..1_301], 1_300).expect("room");
    // And something torn behind them.
    file.append(&[7; 40]).expect("room");
    drop(file);
    assert!(matches!(open(&disk, settings()), Err(JournalError::Damaged(_))));
    let disk = disk.process_crash();
    let mut journal = open(&disk, settings().after_damage()).expect("as it was asked to");
    assert_eq!(journal.durable().get(), 7);
    write(&mut journal, &[record(7, 0, 1, 10)]).expect("room");
    let disk = disk.crash(Crash::keep_nothing());
    let mut reader = reader(&disk, Extent::Written);
    let error = reader.next().expect_err("damaged");
    assert!(
        matches!(&error, JournalError::Damaged(damage) if damage.next == Some(Sequence::new(5))),
        "{error}"
    );
    reader.step_over().expect("more");
    let read: Vec<_> = rest(&mut reader).expect("whole").iter().map(|record| record.0).collect();
    assert_eq!(read, [5, 6, 7]);
}

/// An index may describe records that a crash took back; when others come in their place, it must be gone.
#[test]
fn an_index_of_records_that_were_lost_is_never_believed() {
    let lost = single(0, 80, 4_000);
    let settings = |durability| settings().durability(durability).segment_records(80);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings(Durability::Never)).expect("a new journal");
    write(&mut journal, &lost[..1]).expect("room");
    journal.sync().expect("room");
    write(&mut journal, &lost[1..]).expect("room");
    // The index is kept, the records are not.
    let mut index = Storage::open(&disk, &common::index(0)).expect("it");
    index.sync().expect("room");
    assert!(index.size().expect("a size") > 0);
    let disk = disk.crash(Crash::keep_nothing());
    let mut journal = open(&disk, settings(Durability::EachBatch)).expect("whole");
    assert_eq!(journal.next_sequence().get(), 1);
    // Others of the same lengths, with other traces.
    let others: Vec<Plain> = lost[1..]
        .iter()
        .map(|(sequence, header, payload)| {
            (*sequence, Header { trace: common::trace(1_000 + sequence), ..*header }, payload.clone())
        })
        .collect();
    write(&mut journal, &others).expect("room");
    // It is full: its index is not written again.
    write(&mut journal, &[record(80, 0, 1, 10)]).expect("room");
    let disk = disk.crash(Crash::keep_nothing());
    drop(open(&disk, settings(Durability::EachBatch)).expect("whole"));
    assert_eq!(segments(&disk), [segment(0), segment(80)]);
    for number in [1, 40, 79] {
        let mut reader = reader(&disk, Extent::Written);
        reader.only_trace(Some(common::trace(1_000 + number)));
        assert_eq!(rest(&mut reader).expect("whole"), others[number as usize - 1..][..1]);
    }
}

/// Removing, making and syncing the segments around a roll, with a crash at each operation: the journal knows where it was.
#[test]
fn a_journal_that_keeps_nothing_knows_where_it_was() {
    let records = single(500, 30, 100);
    let settings = || settings().segment_records(3).keep_bytes(0);
    let live = |disk: &SimulatedDisk| -> (u64, Result<(), JournalError>) {
        let mut durable = 0;
        let outcome = open(disk, settings()).and_then(|mut journal| {
            records.chunks(3).try_for_each(|batch| {
                durable = write(&mut journal, batch)?;
                Ok(())
            })
        });
        (durable, outcome)
    };
    let whole = SimulatedDisk::new();
    live(&whole).1.expect("nothing fails");
    assert_eq!(segments(&whole), [segment(527)]);
    for operation in 0..whole.operations() {
        let disk = SimulatedDisk::new();
        disk.crash_at(operation);
        let (durable, outcome) = live(&disk);
        outcome.expect_err("the machine has stopped");
        for crash in crashes(operation) {
            let after = disk.crash(crash);
            let mut read = reader(&after, Extent::Written);
            let records = rest(&mut read).unwrap_or_else(|error| panic!("{operation}, {crash:?}: {error}"));
            assert!(records.is_sorted_by(|one, next| end_of(one) == next.0), "{operation}, {crash:?}");
            let journal =
                open(&after, settings()).unwrap_or_else(|error| panic!("{operation}, {crash:?}: {error}"));
            assert!(journal.next_sequence().get() >= durable, "{operation}, {crash:?}");
        }
    }
}

/// A machine that lost power while it was being started, again and again.
#[test]
fn a_recovery_can_crash_too() {
    let records = single(0, 40, 200);
    let disk = SimulatedDisk::new();
    let settings = || settings().segment_bytes(1_200).durability(Durability::EachBlock);
    let mut journal = open(&disk, settings()).expect("a new journal");
    records.chunks(3).for_each(|batch| _ = write(&mut journal, batch).expect("room"));
    let durable = journal.durable().get();
    for seed in 0..60 {
        let mut torn = disk.crash(Crash::random(seed));
        for operation in 0.. {
            let attempt = torn.process_crash();
            attempt.crash_at(operation);
            if open(&attempt, settings()).is_ok() {
                assert!(operation > 8, "{operation}");
                break;
            }
            torn = attempt.crash(crashes(seed + operation)[operation as usize % 5]);
        }
        let left = torn.process_crash();
        let journal = open(&left, settings()).expect("whole");
        assert!(journal.next_sequence().get() >= durable);
        let read = all(&left);
        assert_eq!(read, records[..read.len()], "{seed}");
        assert!(end_of(read.last().expect("records")) >= durable, "{seed}");
    }
}

/// Linux takes a page for stored that it could not store: a sync that fails can be followed by one that succeeds and does nothing.
#[test]
fn a_sync_that_failed_is_not_trusted_later() {
    let records = single(0, 20, 300);
    for syncs in 0..12 {
        for on in [Operation::Sync, Operation::SyncDirectory] {
            let disk = SimulatedDisk::new();
            disk.fail_on(on, syncs, Fault::SyncFails);
            let settings = || settings().segment_records(4);
            let mut durable = 0;
            // Opened again by the next process each time it fails; the machine runs on.
            let mut machine = disk.clone();
            let mut failures = 0;
            while durable < 20 {
                let outcome = open(&machine, settings()).and_then(|mut journal| {
                    durable = durable.max(journal.durable().get());
                    while durable < 20 {
                        let from = journal.next_sequence().get() as usize;
                        durable = write(&mut journal, &records[from..][..2])?;
                    }
                    Ok(())
                });
                if outcome.is_err() {
                    failures += 1;
                    assert!(failures < 3, "{syncs}, {on:?}: it fails for ever");
                    machine = machine.process_crash();
                }
            }
            let after = machine.crash(Crash::keep_nothing());
            let journal = open(&after, settings()).unwrap_or_else(|error| panic!("{syncs}, {on:?}: {error}"));
            assert_eq!(journal.next_sequence().get(), 20, "{syncs}, {on:?}");
            assert_eq!(all(&after), records, "{syncs}, {on:?}");
        }
    }
}
