//! Deferring on a bus: whole records, counted when they are acknowledged.

mod common;

use std::convert::Infallible;
use std::sync::mpsc::{Sender, channel};

use common::{Dice, at};
use ringbus::bus::{
    Bus, Emit, Filter, Header, Kind, Origin, RecordRef, RequiredSubscription, Subscriber, Tally, Topic,
    WriteError, Writer,
};
use ringbus::{End, PublishError, ReadError, Sequence};

const PAYLOAD: usize = 64;

/// In a block, so that any kind can be emitted; its beginning is sequence 0.
fn bus(capacity: usize) -> (Writer<PAYLOAD>, Bus<PAYLOAD>) {
    let (mut writer, bus) = Bus::builder("test").capacity(capacity).build().unwrap();
    writer.begin_block(ringbus::bus::BlockStart::default()).unwrap();
    (writer, bus)
}

fn try_emit(writer: &mut Writer<PAYLOAD>, kind: u16, len: usize) -> Result<Sequence, WriteError> {
    writer.try_emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), &vec![kind as u8; len])
}

#[track_caller]
fn emit(writer: &mut Writer<PAYLOAD>, kind: u16, len: usize) {
    try_emit(writer, kind, len).unwrap();
}

/// Takes at most so many records, and defers them. Returns their sequences.
fn defer(subscription: &mut RequiredSubscription<PAYLOAD>, at_most: usize) -> Vec<u64> {
    let mut records = subscription.try_read().unwrap();
    let mut taken = Vec::new();
    while taken.len() < at_most
        && let Some(record) = records.next()
    {
        taken.push(record.sequence().get());
    }
    records.defer();
    taken
}

/// What passed, was filtered out, and passed in pauses; what is deferred; the lag.
fn numbers(subscription: &RequiredSubscription<PAYLOAD>) -> [u64; 5] {
    let Tally { passed, filtered_out, let_pass, .. } = subscription.tally();
    [passed, filtered_out, let_pass, subscription.deferred(), subscription.lag()]
}

#[test]
fn deferred_records_count_when_they_are_acknowledged() {
    let (mut writer, bus) = bus(32);
    let filter = Filter::kinds([Kind::new(1)]);
    let mut journal = bus.subscribe("journal").filter(filter).required().join().unwrap();
    assert_eq!(journal.capacity(), 32);
    for (kind, len) in [(2, 10), (1, 2 * PAYLOAD), (2, PAYLOAD + 1), (1, 3), (2, 0), (1, 1)] {
        emit(&mut writer, kind, len);
    }
    // The first two that pass, and what lies before: slots 1 to 6.
    assert_eq!(defer(&mut journal, 2), [2, 6]);
    assert_eq!(numbers(&journal), [0, 0, 0, 6, 8]);
    assert_eq!(journal.position(), at(1));
    let mut records = journal.try_read().unwrap();
    assert_eq!((records.first_sequence(), records.slots()), (at(7), 2));
    assert_eq!(records.next().unwrap().sequence(), at(8));
    drop(records);
    assert_eq!(defer(&mut journal, 0), [], "nothing taken, nothing deferred");
    assert_eq!(numbers(&journal), [0, 0, 0, 6, 8]);
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [3, 3, 0, 0, 2]);
    assert_eq!(journal.position(), at(7));
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [3, 3, 0, 0, 2], "counted once");
    assert_eq!(defer(&mut journal, usize::MAX), [8]);
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [4, 4, 0, 0, 0]);
    assert_eq!(bus.subscriptions()[0].tally, journal.tally());
    journal.leave();
}

#[test]
fn acknowledging_later_records_counts_the_deferred_too() {
    let ways: [fn(&mut RequiredSubscription<PAYLOAD>); 3] = [
        |journal| {
            let mut records = journal.try_read().unwrap();
            assert_eq!(records.next().map(|record| record.sequence()), Some(at(4)));
            records.acknowledge();
        },
        |journal| assert_eq!(journal.try_read().unwrap().for_each(|_| {}), 1),
        |journal| assert_eq!(journal.poll(|_| {}), Ok(1)),
    ];
    for way in ways {
        let (mut writer, bus) = bus(32);
        let mut journal = bus.subscribe("journal").required().join().unwrap();
        emit(&mut writer, 1, 3 * PAYLOAD);
        defer(&mut journal, 1);
        emit(&mut writer, 1, 5);
        journal.try_read().unwrap().acknowledge();
        assert_eq!(numbers(&journal), [0, 0, 0, 3, 4], "nothing was taken");
        way(&mut journal);
        assert_eq!(numbers(&journal), [4, 0, 0, 0, 0]);
        journal.leave();
    }
}

#[test]
fn the_writer_waits_when_all_slots_are_deferred() {
    let (mut writer, bus) = bus(16);
    let mut journal = bus.subscribe("journal").required().join().unwrap();
    for nth in 0..8 {
        emit(&mut writer, 1, 2 * PAYLOAD);
        assert_eq!(defer(&mut journal, 9), [1 + 2 * nth]);
    }
    assert_eq!(journal.deferred(), journal.capacity() as u64);
    let full = try_emit(&mut writer, 1, 0);
    assert!(matches!(full, Err(WriteError::Publish(PublishError::Full { needed: 1 }))), "{full:?}");
    journal.acknowledge_deferred();
    assert_eq!(try_emit(&mut writer, 1, 0).unwrap(), at(17));
    assert_eq!(numbers(&journal), [16, 0, 0, 0, 1]);
    journal.leave();
}

#[test]
fn the_last_of_what_was_published_together_is_told() {
    let (mut writer, bus) = bus(64);
    let filter = Filter::kinds([Kind::new(1)]);
    let mut all = bus.subscribe("all").required().join().unwrap();
    let mut some = bus.subscribe("some").filter(filter).required().join().unwrap();
    emit(&mut writer, 1, 0);
    let mut batch = writer.batch();
    for (kind, len) in [(1, 2 * PAYLOAD), (2, 1), (1, PAYLOAD + 1), (2, 3 * PAYLOAD)] {
        batch.emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), &vec![0; len]).unwrap();
    }
    batch.publish().unwrap();
    emit(&mut writer, 1, 3 * PAYLOAD);

    let ends = |subscription: &mut RequiredSubscription<PAYLOAD>| {
        let mut records = subscription.try_read().unwrap();
        assert!(!records.ends_batch(), "nothing was taken");
        let mut ends = Vec::new();
        while let Some(record) = records.next() {
            let sequence = record.sequence().get();
            ends.push((sequence, records.ends_batch()));
        }
        assert!(records.ends_batch());
        ends
    };
    let expected = [(1, true), (2, false), (4, false), (5, false), (7, true), (10, true)];
    assert_eq!(ends(&mut all), expected);
    assert_eq!(ends(&mut some), [(1, true), (2, false), (5, false), (10, true)]);
    // Without the last: what ends with a record that does not pass is seen when `next` has passed over it.
    emit(&mut writer, 2, 2 * PAYLOAD);
    let mut records = some.try_read().unwrap();
    (0..4).for_each(|_| assert!(records.next().is_some()));
    assert!(records.ends_batch());
    assert!(records.next().is_none());
    assert!(records.ends_batch());
    all.leave();
    some.leave();
}

#[test]
fn a_record_knows_the_sequence_behind_it() {
    let lens =
        [0, 1, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 2 * PAYLOAD, 2 * PAYLOAD + 1, 3 * PAYLOAD - 1, 3 * PAYLOAD];
    let slots = [1, 1, 1, 1, 2, 2, 3, 3, 3];
    let (mut writer, bus) = bus(64);
    let mut subscription = bus.subscribe("audit").required().join().unwrap();
    let mut optional = bus.subscribe("monitor").optional().join().unwrap();
    lens.iter().for_each(|len| emit(&mut writer, 1, *len));
    let mut records = subscription.try_read().unwrap();
    let mut next = at(1);
    for (len, slots) in lens.iter().zip(slots) {
        let record = records.next().unwrap();
        assert_eq!((record.payload().len(), record.sequence()), (*len, next));
        next += slots;
        assert_eq!(record.next_sequence(), next, "of {len} bytes");
        assert_eq!(optional.recv().unwrap().next_sequence(), next, "copied, of {len} bytes");
    }
    assert!(records.next().is_none());
    assert_eq!(next, writer.next_sequence());
    // One made by hand, whose header says nothing.
    assert_eq!(RecordRef::new(at(7), &Header::default(), b"some").next_sequence(), at(8));
    subscription.leave();
}

#[test]
fn a_pause_lets_deferred_records_pass() {
    let (mut writer, bus) = bus(32);
    let mut journal = bus.subscribe("journal").required().join().unwrap();
    (0..4).for_each(|_| emit(&mut writer, 1, PAYLOAD + 1));
    let mut records = journal.try_read().unwrap();
    records.next().unwrap();
    records.acknowledge();
    defer(&mut journal, 2);
    let paused = journal.pause().unwrap();
    emit(&mut writer, 1, 5);
    assert_eq!(paused.resume(), 7);
    assert_eq!(numbers(&journal), [2, 0, 7, 0, 0]);
    emit(&mut writer, 1, 5);
    assert_eq!(journal.poll(|_| {}), Ok(1));
    assert_eq!(numbers(&journal), [3, 0, 7, 0, 0], "what was deferred counts as let pass alone");
    journal.leave();
}

#[test]
fn the_end_is_told_behind_deferred_records() {
    let (mut writer, bus) = bus(32);
    let mut journal = bus.subscribe("journal").required().join().unwrap();
    let mut gateway = bus.subscribe("gateway").required().after(&[&journal]).join().unwrap();
    emit(&mut writer, 1, 5);
    writer.end_block().unwrap();
    assert_eq!(defer(&mut journal, 9), [1, 2]);
    writer.close().unwrap();
    assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Closed));
    assert_eq!(gateway.try_read().unwrap_err(), ReadError::Empty);
    journal.acknowledge_deferred();
    assert_eq!((numbers(&journal), journal.leave()), ([2, 0, 0, 0, 0], at(3)));
    assert_eq!(gateway.poll(|record| assert!(record.sequence() < at(3))), Ok(2));
    assert_eq!(gateway.try_read().unwrap_err(), ReadError::Ended(End::Closed));
}

struct Sequences(Sender<u64>);

impl Subscriber for Sequences {
    type Error = Infallible;

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        self.0.send(record.sequence().get()).unwrap();
        Ok(())
    }
}

#[test]
fn a_worker_gets_deferred_records_again_and_counts_them_once() {
    let (mut writer, bus) = bus(32);
    let mut journal = bus.subscribe("journal").required().join().unwrap();
    (0..4).for_each(|_| emit(&mut writer, 1, PAYLOAD + 1));
    assert_eq!(defer(&mut journal, 3), [1, 3, 5]);
    let (seen, sequences) = channel();
    let worker = journal.into_worker(Sequences(seen)).spawn().unwrap();
    common::eventually("the worker acknowledges", || bus.subscriptions()[0].lag == 0);
    let tally = bus.subscriptions()[0].tally;
    assert_eq!((tally.passed, tally.total()), (8, 8));
    assert_eq!(sequences.try_iter().collect::<Vec<_>>(), [1, 3, 5, 7]);
    writer.end_block().unwrap();
    writer.close().unwrap();
    worker.join().unwrap();
}

/// Random lengths and operations, and after each the law: what is accounted for and the lag are all that was published since it joined.
#[test]
fn every_record_comes_once_unless_it_was_put_back() {
    let mut dice = Dice(0x5EED);
    let mut acknowledged_later = 0;
    for _ in 0..200 {
        let (mut writer, bus) = bus(32);
        let mut journal = bus.subscribe("journal").required().join().unwrap();
        let mut published = Vec::new();
        let mut next = 0;
        for _ in 0..100 {
            let len = dice.below(4 * PAYLOAD as u64) as usize;
            if let Ok(sequence) = try_emit(&mut writer, 1, len) {
                published.push((sequence.get(), len));
            }
            if dice.below(3) == 0
                && let Ok(mut records) = journal.try_read()
            {
                let mut taken = 0;
                while taken < dice.below(5) as usize
                    && let Some(record) = records.next()
                {
                    assert_eq!((record.sequence().get(), record.payload().len()), published[next + taken]);
                    taken += 1;
                }
                match dice.below(4) {
                    0 => records.acknowledge(),
                    1 => {
                        drop(records);
                        taken = 0;
                    }
                    _ => records.defer(),
                }
                next += taken;
            }
            if dice.below(10) == 0 {
                acknowledged_later += journal.deferred();
                journal.acknowledge_deferred();
                assert_eq!(journal.deferred(), 0);
            }
            let since = writer.next_sequence().since(journal.joined_at());
            assert_eq!(journal.tally().total() + journal.lag(), since);
            assert_eq!(journal.position(), journal.joined_at() + journal.tally().total());
            assert!(journal.deferred() <= journal.lag());
        }
        journal.leave();
    }
    assert!(acknowledged_later > 1_000, "{acknowledged_later} slots");
}
