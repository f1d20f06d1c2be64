//! A journal put back on a bus.

mod common;
mod live;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{Plain, STREAM, plain};
use live::{BLOCK, PAYLOAD, bus, reader, settings};
use ringbus::Sequence;
use ringbus::bus::{Bus, Flags, Header, StreamId, WriteError};
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{
    Durability, Extent, Journal, JournalError, JournalReader, Replay, ReplayError, Replayed, Speed, Start,
};

/// A disk with the journal of a core that went from `first` to 2,000 beyond, in several segments.
fn journal_from(first: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let builder = settings(Durability::Never).segment_bytes(30_000);
    let (mut core, bus) = bus(256, first);
    let subscription = bus.subscribe("journal").required().join().unwrap();
    let recording = builder.open_in(Arc::new(disk.clone())).unwrap().record(subscription).unwrap();
    while core.next() < first + 2_000 {
        core.end_block().unwrap();
    }
    core.close();
    recording.join().unwrap();
    assert!(common::segments(&disk).len() > 5);
    disk
}

/// Everything the disk's journal has.
fn all(disk: &SimulatedDisk) -> Vec<Plain> {
    common::rest(&mut reader(disk, Extent::Written)).unwrap()
}

/// What does not depend on the ring that a record lies on.
fn without_place((_, header, payload): &Plain) -> (Header, Vec<u8>) {
    let place = Flags::FIRST_FRAGMENT.with(Flags::LAST_FRAGMENT).with(Flags::LAST_OF_BATCH);
    (Header { len: 0, flags: header.flags.without(place), ..*header }, payload.clone())
}

/// Replays on a bus with slots of `SLOT` bytes; what came of it, and what was on the ring.
fn replay_on<const SLOT: usize>(first: u64, replay: Replay) -> (Result<Replayed, ReplayError>, Vec<Plain>) {
    let builder = Bus::<SLOT>::builder(STREAM).capacity(256).first_sequence(Sequence::new(first));
    let (writer, bus) = builder.build().unwrap();
    let mut subscription = bus.subscribe("reader").required().join().unwrap();
    let reading = thread::spawn(move || {
        let mut records = Vec::new();
        while let Ok(batch) = subscription.read() {
            batch.for_each(|record| records.push(plain(record)));
        }
        records
    });
    let mut forwarder = writer.forward_from(&StreamId::new(STREAM)).unwrap();
    let replayed = replay.run(&mut forwarder);
    forwarder.close().unwrap();
    (replayed, reading.join().unwrap())
}

fn replayed(records: u64, blocks: u64, missed: u64) -> (u64, u64, u64) {
    (records, blocks, missed)
}

fn counts(of: Result<Replayed, ReplayError>) -> (u64, u64, u64) {
    let of = of.unwrap();
    (of.records, of.blocks, of.missed)
}

fn blocks(records: &[Plain]) -> u64 {
    records.iter().filter(|record| common::as_record(record).begins_block()).count() as u64
}

#[test]
fn on_equal_slots_every_record_has_its_sequence() {
    for first in [0, 5_000 * BLOCK] {
        let disk = journal_from(first);
        let recorded = all(&disk);
        let (of, found) = replay_on::<PAYLOAD>(first, Replay::new(reader(&disk, Extent::Durable)));
        assert_eq!(counts(of), replayed(recorded.len() as u64, blocks(&recorded), 0));
        let place = |records: &[Plain]| -> Vec<_> {
            records.iter().map(|record| (record.0, common::end_of(record), without_place(record))).collect()
        };
        assert_eq!(place(&found), place(&recorded));
    }
}

#[test]
fn on_other_slots_the_records_are_the_same() {
    let disk = journal_from(0);
    let recorded: Vec<_> = all(&disk).iter().map(without_place).collect();
    let replay = || Replay::new(reader(&disk, Extent::Durable));
    let (of, found) = replay_on::<128>(7, replay());
    assert_eq!(of.unwrap().records, recorded.len() as u64);
    assert_eq!(found.iter().map(without_place).collect::<Vec<_>>(), recorded);
    let (_, found) = replay_on::<192>(0, replay());
    assert_eq!(found.iter().map(without_place).collect::<Vec<_>>(), recorded);
    assert!(found.last().unwrap().0 < recorded.len() as u64, "a slot each");
}

#[test]
fn it_begins_and_ends_where_it_is_told() {
    let disk = journal_from(0);
    let recorded = all(&disk);
    let part = |replay: Replay, expected: &[Plain]| {
        let (of, found) = replay_on::<PAYLOAD>(0, replay);
        assert_eq!(counts(of), replayed(expected.len() as u64, blocks(expected), 0));
        let expected: Vec<_> = expected.iter().map(without_place).collect();
        assert_eq!(found.iter().map(without_place).collect::<Vec<_>>(), expected);
    };
    let new = || Replay::new(reader(&disk, Extent::Written));
    let from = |first: u64| recorded.iter().position(|record| record.0 >= first).unwrap_or(recorded.len());
    let to = |end: u64| recorded.iter().position(|record| record.0 >= end).unwrap_or(recorded.len());
    let last_of_block =
        |height: u64| recorded.iter().rposition(|record| record.1.block_height == height).unwrap();
    for first in (0..2_100).step_by(173) {
        let start = Start::Sequence(Sequence::new(first));
        part(new().from(start), &recorded[from(first)..]);
        part(new().until_sequence(Sequence::new(first)), &recorded[..to(first)]);
        part(
            new().from(start).until_sequence(Sequence::new(first + 300)),
            &recorded[from(first)..to(first + 300)],
        );
    }
    for height in (0..80).step_by(7) {
        part(new().from(Start::Block(height)), &recorded[from(height * BLOCK)..]);
        part(new().until_block(height), &recorded[..=last_of_block(height)]);
        part(new().from(Start::Time(height as i64 * 1_000 - 1)).until_block(height), {
            &recorded[from(height * BLOCK)..=last_of_block(height)]
        });
    }
    part(new().until_block(1_000_000), &recorded);
    part(new().from(Start::Block(1_000_000)), &[]);
    part(new().from(Start::Block(9)).until_block(3), &[]);
    // From where the reader stands.
    let mut stands = reader(&disk, Extent::Written);
    for _ in 0..10 {
        stands.next().unwrap();
    }
    part(Replay::new(stands), &recorded[10..]);
}

/// Where a replay waits it does so between blocks: all that it waits for here is no time at all.
#[test]
fn each_speed_replays_the_same() {
    let disk = journal_from(0);
    let recorded = all(&disk);
    let speeds = [
        Speed::Full,
        Speed::Recorded,
        Speed::Times(1e6),
        Speed::EachBlock(Duration::ZERO),
        Speed::Times(f64::INFINITY),
    ];
    for speed in speeds {
        // Blocks are 1,000 ns apart.
        let (of, found) = replay_on::<PAYLOAD>(0, Replay::new(reader(&disk, Extent::Written)).speed(speed));
        assert_eq!(counts(of), replayed(recorded.len() as u64, blocks(&recorded), 0), "{speed:?}");
        assert!(found.iter().map(without_place).eq(recorded.iter().map(without_place)), "{speed:?}");
    }
}

/// Someone who waits between blocks has put all that lies before on the bus.
#[test]
fn a_replay_that_waits_has_published_what_comes_before() {
    let disk = journal_from(0);
    let recorded = all(&disk);
    let (writer, bus) = Bus::<PAYLOAD>::builder(STREAM).capacity(1 << 12).build().unwrap();
    let mut forwarder = writer.forward_from(&StreamId::new(STREAM)).unwrap();
    let mut told = Vec::new();
    let replay =
        Replay::new(reader(&disk, Extent::Written)).speed(Speed::EachBlock(Duration::ZERO)).until_block(20);
    let of = replay.run_with(&mut forwarder, |so_far| told.push((*so_far, bus.cursor().get()))).unwrap();
    // Before each block: as many blocks, and all of their records.
    for block in 0..=20_u64 {
        let before = recorded.iter().filter(|record| record.1.block_height < block).count() as u64;
        assert!(told.iter().any(|(so_far, cursor)| {
            (so_far.blocks, so_far.records, *cursor) == (block, before, block * BLOCK)
        }));
    }
    assert_eq!(told.last().unwrap().0, of);
}

#[test]
fn at_full_speed_progress_is_told_all_along() {
    let disk = journal_from(0);
    let (writer, bus) = Bus::<PAYLOAD>::builder(STREAM).capacity(1 << 12).build().unwrap();
    let mut forwarder = writer.forward_from(&StreamId::new(STREAM)).unwrap();
    let mut told = vec![0];
    let replay = Replay::new(reader(&disk, Extent::Written));
    let of = replay.run_with(&mut forwarder, |so_far| told.push(so_far.records)).unwrap();
    assert!(told.windows(2).all(|two| two[0] < two[1] && two[1] - two[0] <= 64), "{told:?}");
    assert_eq!((told.last(), bus.cursor().get() >= 2_000), (Some(&of.records), true));
}

/// A disk whose journal is damaged in the middle, from this sequence up to that one; the rest of it.
fn damaged() -> (SimulatedDisk, u64, u64, Vec<Plain>) {
    // In chunks of a batch each.
    let disk = SimulatedDisk::new();
    let builder = common::settings().slot_payload(PAYLOAD).segment_records(200);
    let mut journal = builder.open_in(Arc::new(disk.clone())).unwrap();
    let mut next = 0;
    let mut sizes = Vec::new();
    while next < 1_000 {
        let (header, payload) = live::content(next, BLOCK);
        let record = (next, Header { len: payload.len().min(PAYLOAD) as u16, ..header }, payload);
        let size = disk.file(&common::segment(0)).map_or(0, |bytes| bytes.len());
        common::write(&mut journal, std::slice::from_ref(&record)).unwrap();
        sizes.push((next, size));
        next = common::end_of(&record);
    }
    journal.close().unwrap();
    let recorded = all(&disk);
    // In the middle of the chunk of the hundredth record, in the first segment.
    let (first, at) = sizes[100];
    let end = sizes[101].0;
    let mut bytes = disk.file(&common::segment(0)).unwrap();
    bytes[at + 30] ^= 0xFF;
    disk.put(&common::segment(0), bytes);
    let rest = recorded.into_iter().filter(|record| record.0 != first).collect();
    (disk, first, end, rest)
}

#[test]
fn damage_is_an_error_behind_what_comes_before() {
    let (disk, first, _, rest) = damaged();
    let (of, found) = replay_on::<PAYLOAD>(0, Replay::new(reader(&disk, Extent::Written)));
    let error = of.unwrap_err();
    let ReplayError::Journal(JournalError::Damaged(damage)) = &error else { panic!("{error:?}") };
    assert_eq!(damage.first.get(), first);
    assert!(error.to_string().contains(&common::segment(0)), "{error}");
    let before = rest.iter().filter(|record| record.0 < first);
    assert!(found.iter().map(without_place).eq(before.map(without_place)));
}

#[test]
fn damage_is_stepped_over_and_counted() {
    let (disk, first, end, rest) = damaged();
    let (of, found) = replay_on::<PAYLOAD>(0, Replay::new(reader(&disk, Extent::Written)).step_over());
    assert_eq!(counts(of), replayed(rest.len() as u64, blocks(&rest), end - first));
    assert!(found.iter().map(without_place).eq(rest.iter().map(without_place)));

    // A segment whose header cannot be read.
    let second = common::segments(&disk)[1].clone();
    let third: u64 = common::segments(&disk)[2].trim_end_matches(".journal").parse().unwrap();
    let second_first: u64 = second.trim_end_matches(".journal").parse().unwrap();
    let mut bytes = disk.file(&second).unwrap();
    bytes[20] ^= 0xFF;
    disk.put(&second, bytes);
    let rest: Vec<_> =
        rest.into_iter().filter(|record| record.0 < second_first || record.0 >= third).collect();
    let (of, found) = replay_on::<PAYLOAD>(0, Replay::new(reader(&disk, Extent::Written)).step_over());
    assert_eq!(counts(of), replayed(rest.len() as u64, blocks(&rest), end - first + third - second_first));
    assert!(found.iter().map(without_place).eq(rest.iter().map(without_place)));
}

#[test]
fn damage_behind_which_there_is_nothing_is_an_error_still() {
    let (disk, _, _, rest) = damaged();
    let last = common::segments(&disk).pop().unwrap();
    let mut bytes = disk.file(&last).unwrap();
    // The last chunk of all. (It has been synced, so that it is no torn end.)
    let at = bytes.len() - 20;
    bytes[at] ^= 0xFF;
    disk.put(&last, bytes);
    let (of, found) = replay_on::<PAYLOAD>(0, Replay::new(reader(&disk, Extent::Written)).step_over());
    let error = of.unwrap_err();
    assert!(matches!(error, ReplayError::Journal(JournalError::Damaged(_))), "{error}");
    let before = &rest[..rest.len() - 1];
    assert!(found.iter().map(without_place).eq(before.iter().map(without_place)));
}

#[test]
fn gaps_are_errors_or_stepped_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = common::settings().open(directory.path()).unwrap();
    let before = common::records(0, 50);
    common::write(&mut journal, &before).unwrap();
    let at = journal.next_sequence().get();
    journal.note_gap(Sequence::new(at + 77)).unwrap();
    let behind = common::records(at + 77, 50);
    common::write(&mut journal, &behind).unwrap();
    journal.close().unwrap();
    let replay = || Replay::new(JournalReader::open(directory.path(), Extent::Durable).unwrap());
    let (of, found) = replay_on::<{ common::SLOT }>(0, replay());
    let error = of.unwrap_err();
    assert!(
        matches!(error, ReplayError::Journal(JournalError::Gap { first, .. }) if first.get() == at),
        "{error}"
    );
    assert!(found.iter().map(without_place).eq(before.iter().map(without_place)));
    let (of, found) = replay_on::<{ common::SLOT }>(0, replay().step_over());
    assert_eq!(counts(of), replayed(100, 20, 77));
    assert!(found.iter().map(without_place).eq(before.iter().chain(&behind).map(without_place)));
}

#[test]
fn what_the_bus_does_not_take_is_an_error() {
    // Another stream.
    let disk = journal_from(0);
    let (writer, _bus) = Bus::<PAYLOAD>::builder("mainnet").build().unwrap();
    let reader_of = reader(&disk, Extent::Written);
    let error = writer.forward_from(reader_of.stream().unwrap()).unwrap_err().to_string();
    assert!(error.contains("mainnet") && error.contains(STREAM), "{error}");

    // A record that is longer than a batch of this bus.
    let disk = SimulatedDisk::new();
    let mut journal = Journal::builder(STREAM).open_in(Arc::new(disk.clone())).unwrap();
    let records = common::records_of(0, 5, |number| if number == 3 { 2_000 } else { 10 });
    common::write(&mut journal, &records).unwrap();
    journal.close().unwrap();
    let (writer, bus) = Bus::<64>::builder(STREAM).capacity(64).build().unwrap();
    let mut forwarder = writer.forward_from(&StreamId::new(STREAM)).unwrap();
    let error = Replay::new(reader(&disk, Extent::Written)).run(&mut forwarder).unwrap_err();
    assert!(matches!(error, ReplayError::Write(WriteError::PayloadTooLong { .. })), "{error:?}");
    assert_eq!(bus.cursor().get(), 3, "what came before is there");

    // A bus that was stopped.
    bus.stop();
    let error = Replay::new(reader(&disk, Extent::Written)).run(&mut forwarder).unwrap_err();
    assert!(matches!(error, ReplayError::Write(WriteError::Publish(_))), "{error:?}");
}

#[test]
fn an_empty_journal_replays_nothing() {
    let (of, found) = replay_on::<PAYLOAD>(0, Replay::new(reader(&SimulatedDisk::new(), Extent::Durable)));
    assert_eq!((of.unwrap(), found.len()), (Replayed::default(), 0));
}
