//! Per-block batches, against a plain scan of the stream.

#[path = "common/block_stream.rs"]
mod block_stream;
#[path = "common/cases.rs"]
mod cases;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, Mutex};

use block_stream::{Event, Stream, Told, streams};
use proptest::prelude::*;
use ringbus::bus::{
    BlockStart, Bus, Commit, Damage, Damaged, Emit, Filter, Gather, Hash, Header, Kind, Origin, PerBlock,
    RecordRef, Subscriber, Topic,
};
use ringbus::worker::Shutdown;
use ringbus::{End, Sequence};

/// What a store was told.
#[derive(Clone, Debug, PartialEq)]
enum Said<T> {
    /// Time of the block, order number of its end, values.
    Committed(i64, u32, Vec<T>),
    Damaged(i64, Damage),
    Done(i64),
}

/// Notes what it is told. Leaves the values of every other block where they are.
struct Store<T>(Arc<Mutex<Vec<Said<T>>>>);

impl<T: Clone + Send + 'static> Commit<T> for Store<T> {
    type Error = Infallible;

    fn commit(&mut self, block: &Header, values: &mut Vec<T>) -> Result<(), Infallible> {
        let taken = values.clone();
        if !block.block_height.is_multiple_of(2) {
            values.clear();
        }
        self.0.lock().expect("nobody panics").push(Said::Committed(block.block_time, block.order, taken));
        Ok(())
    }

    fn damaged(&mut self, block: &Damaged) -> Result<(), Infallible> {
        self.0.lock().expect("nobody panics").push(Said::Damaged(block.time, block.damage));
        Ok(())
    }
}

type Notes<T> = Arc<Mutex<Vec<Said<T>>>>;

fn notes<T>() -> Notes<T> {
    Arc::new(Mutex::new(Vec::new()))
}

fn with_done<T, G>(block: PerBlock<G, Store<T>>, notes: &Notes<T>) -> PerBlock<G, Store<T>>
where
    T: Clone + Send + 'static,
    G: Gather<Value = T>,
{
    let notes = Arc::clone(notes);
    block.after_commit(move |block| notes.lock().expect("nobody panics").push(Said::Done(block.block_time)))
}

fn shut_down<S: Subscriber<Error = Infallible>>(subscriber: &mut S) {
    let Ok(()) = subscriber.shutdown(&Shutdown::Ended(End::Closed));
}

/// The sequence of a record, unless the length of its payload is a multiple of three.
fn value(record: RecordRef<'_>) -> Option<u64> {
    (!record.payload().len().is_multiple_of(3)).then(|| record.sequence().get())
}

fn entry(record: RecordRef<'_>) -> Option<(u8, u64)> {
    value(record).map(|value| (record.trace().bytes()[2], value))
}

/// What the stream's blocks are to a subscription: by number, the told events, and whether it is whole.
fn blocks(stream: &Stream) -> BTreeMap<usize, (Vec<&Event>, bool)> {
    let mut blocks: BTreeMap<usize, (Vec<&Event>, bool)> = BTreeMap::new();
    for event in &stream.events {
        let (told, whole) = blocks.entry(event.emission).or_insert((Vec::new(), true));
        if event.unseen {
            *whole = false;
        } else if event.passes || event.begins() || event.ends() {
            told.push(event);
        }
    }
    for (told, whole) in blocks.values_mut() {
        *whole &= told.last().is_some_and(|event| event.ends());
    }
    blocks
}

/// What is expected of a subscription: what is said, in order, except why a block is damaged and when that is noticed; and how many
/// damaged blocks there are.
fn expected<T>(
    stream: &Stream,
    commits_damaged: bool,
    values: impl Fn(&[RecordRef<'_>]) -> Vec<T>,
) -> (Vec<Said<T>>, Vec<i64>) {
    let mut said = Vec::new();
    let mut damaged = Vec::new();
    for (told, whole) in blocks(stream).into_values().filter(|(told, _)| !told.is_empty()) {
        let last = told[told.len() - 1];
        let time = last.header.block_time;
        if !whole {
            damaged.push(time);
        }
        if last.ends() && (whole || commits_damaged) {
            let records: Vec<_> =
                told.iter().filter(|event| event.passes).map(|event| event.record()).collect();
            said.push(Said::Committed(time, last.header.order, values(&records)));
            said.push(Said::Done(time));
        }
    }
    (said, damaged)
}

fn check<T, G>(
    stream: &Stream,
    mut subscriber: PerBlock<G, Store<T>>,
    (expected, expected_damaged): (Vec<Said<T>>, Vec<i64>),
) -> Result<(), TestCaseError>
where
    T: Clone + PartialEq + std::fmt::Debug + Send + 'static,
    G: Gather<Value = T>,
{
    let Ok(()) = subscriber.start(stream.start());
    for told in stream.told() {
        told.tell(&mut subscriber);
    }
    shut_down(&mut subscriber);
    let (committed, damaged) = (subscriber.committed(), subscriber.damaged());
    let said = std::mem::take(&mut *subscriber.into_commit().0.lock().expect("nobody panics"));
    let damages = said.iter().filter_map(|said| match said {
        Said::Damaged(time, damage) => Some((*time, *damage)),
        _ => None,
    });
    let damages: Vec<(i64, Damage)> = damages.collect();
    let others: Vec<_> = said.into_iter().filter(|said| !matches!(said, Said::Damaged(..))).collect();
    prop_assert_eq!(committed * 2, others.len() as u64);
    prop_assert_eq!(others, expected);
    prop_assert_eq!(damaged, damages.len() as u64);
    let times: Vec<i64> = damages.iter().map(|damage| damage.0).collect();
    prop_assert_eq!(times, expected_damaged);
    let lost: Vec<u64> = stream
        .told()
        .iter()
        .filter_map(|told| match told {
            Told::Missed { count, .. } | Told::LetPass { count, .. } => Some(*count),
            _ => None,
        })
        .collect();
    for (_, damage) in damages {
        if let Damage::Missed(count) | Damage::LetPass(count) = damage {
            prop_assert!(lost.contains(&count));
        }
    }
    Ok(())
}

/// By the slow way: of each key, in the order in which they come up, the last value.
fn last_by_key(records: &[RecordRef<'_>]) -> Vec<(u8, u64)> {
    let entries: Vec<_> = records.iter().filter_map(|record| entry(*record)).collect();
    let mut keys: Vec<u8> = Vec::new();
    for (key, _) in &entries {
        if !keys.contains(key) {
            keys.push(*key);
        }
    }
    let last = |key: &u8| entries.iter().rfind(|entry| entry.0 == *key).expect("it came up").1;
    keys.iter().map(|key| (*key, last(key))).collect()
}

fn all_values(records: &[RecordRef<'_>]) -> Vec<u64> {
    records.iter().filter_map(|record| value(*record)).collect()
}

proptest! {
    #![proptest_config(cases::config(512))]

    #[test]
    fn whole_blocks_are_committed_with_all_their_values(stream in streams(true)) {
        let notes = notes();
        let append = with_done(PerBlock::append(value, Store(Arc::clone(&notes))), &notes);
        check(&stream, append, expected(&stream, false, all_values))?;
    }

    #[test]
    fn damaged_blocks_are_committed_where_that_is_asked_for(stream in streams(true)) {
        let notes = notes();
        let append = with_done(PerBlock::append(value, Store(Arc::clone(&notes))), &notes).commit_damaged();
        check(&stream, append, expected(&stream, true, all_values))?;
    }

    #[test]
    fn the_last_value_of_each_key_is_committed(stream in streams(true), commits_damaged in any::<bool>()) {
        let notes = notes();
        let mut last = with_done(PerBlock::last_by_key(entry, Store(Arc::clone(&notes))), &notes);
        if commits_damaged {
            last = last.commit_damaged();
        }
        check(&stream, last, expected(&stream, commits_damaged, last_by_key))?;
    }
}

// By hand

fn header(height: u64, order: u32) -> Header {
    Header { block_height: height, block_time: height as i64, order, ..Header::default() }
}

/// One record of a block, with the sequence as its value.
fn tell(subscriber: &mut impl Subscriber<Error = Infallible>, height: u64, sequence: u64) {
    let header = header(height, 2);
    let Ok(()) = subscriber.record(RecordRef::new(Sequence::new(sequence), &header, b"x"));
}

fn begin(subscriber: &mut impl Subscriber<Error = Infallible>, height: u64) {
    let Ok(()) = subscriber.block_begun(&header(height, 1));
}

fn end(subscriber: &mut impl Subscriber<Error = Infallible>, height: u64) {
    let Ok(()) = subscriber.block_ended(&header(height, 3));
}

fn said<T: Clone>(notes: &Notes<T>) -> Vec<Said<T>> {
    notes.lock().expect("nobody panics").clone()
}

#[test]
fn each_damage_is_told_once_and_by_its_name() {
    let notes = notes();
    let mut store = PerBlock::append(value, Store(Arc::clone(&notes)));
    // Joined inside block 1.
    tell(&mut store, 1, 10);
    tell(&mut store, 1, 11);
    end(&mut store, 1);
    // Missed inside block 2, twice; nothing was missed the first time.
    begin(&mut store, 2);
    for missed in [0, 4, 5] {
        let Ok(()) = store.lagged(missed, Sequence::new(20));
        tell(&mut store, 2, 20);
    }
    end(&mut store, 2);
    // Between blocks, nothing is damaged.
    let Ok(()) = store.lagged(7, Sequence::new(30));
    let Ok(()) = store.resumed(8);
    begin(&mut store, 3);
    let Ok(()) = store.resumed(0);
    tell(&mut store, 3, 30);
    end(&mut store, 3);
    // Paused in block 4, and resumed in block 6.
    begin(&mut store, 4);
    let Ok(()) = store.resumed(9);
    tell(&mut store, 6, 40);
    // Block 6 never ends, and neither does block 7.
    begin(&mut store, 7);
    tell(&mut store, 7, 50);
    begin(&mut store, 8);
    tell(&mut store, 8, 60);
    shut_down(&mut store);
    assert_eq!(
        said(&notes),
        [
            Said::Damaged(1, Damage::BeginningUnseen),
            Said::Damaged(2, Damage::Missed(4)),
            Said::Committed(3, 3, vec![30]),
            Said::Damaged(4, Damage::LetPass(9)),
            Said::Damaged(6, Damage::BeginningUnseen),
            Said::Damaged(7, Damage::EndUnseen),
            Said::Damaged(8, Damage::EndUnseen),
        ]
    );
    assert_eq!((store.committed(), store.damaged()), (1, 6));
}

#[test]
fn records_of_a_damaged_block_are_looked_at_only_if_it_may_be_committed() {
    for (commits_damaged, expected) in [(false, 1), (true, 3)] {
        let looked_at = Arc::new(Mutex::new(0));
        let count = Arc::clone(&looked_at);
        let look = move |_: RecordRef<'_>| {
            *count.lock().expect("nobody panics") += 1;
            None::<u64>
        };
        let mut store = PerBlock::append(look, Store(notes()));
        if commits_damaged {
            store = store.commit_damaged();
        }
        begin(&mut store, 1);
        tell(&mut store, 1, 1);
        let Ok(()) = store.resumed(2);
        tell(&mut store, 1, 4);
        tell(&mut store, 1, 5);
        assert_eq!(*looked_at.lock().expect("nobody panics"), expected);
    }
}

#[test]
fn a_block_without_its_end_or_beginning_does_not_mix_with_its_neighbour() {
    let notes = notes();
    let mut store = PerBlock::append(value, Store(Arc::clone(&notes))).commit_damaged();
    begin(&mut store, 1);
    tell(&mut store, 1, 1);
    tell(&mut store, 2, 2);
    end(&mut store, 2);
    end(&mut store, 3);
    begin(&mut store, 4);
    tell(&mut store, 4, 3);
    end(&mut store, 5);
    assert_eq!(
        said(&notes),
        [
            Said::Damaged(1, Damage::EndUnseen),
            Said::Damaged(2, Damage::BeginningUnseen),
            Said::Committed(2, 3, vec![2]),
            Said::Damaged(3, Damage::BeginningUnseen),
            Said::Committed(3, 3, vec![]),
            Said::Damaged(4, Damage::EndUnseen),
            Said::Damaged(5, Damage::BeginningUnseen),
            Said::Committed(5, 3, vec![]),
        ]
    );
}

#[test]
fn a_subscriber_goes_on_with_another_stream_after_shutdown() {
    let notes = notes();
    let mut store = PerBlock::append(value, Store(Arc::clone(&notes))).commit_damaged();
    begin(&mut store, 1);
    tell(&mut store, 1, 1);
    shut_down(&mut store);
    shut_down(&mut store);
    tell(&mut store, 1, 2);
    end(&mut store, 1);
    let expected = [
        Said::Damaged(1, Damage::EndUnseen),
        Said::Damaged(1, Damage::BeginningUnseen),
        Said::Committed(1, 3, vec![2]),
    ];
    assert_eq!(said(&notes), expected);
}

#[test]
fn an_error_of_the_store_is_passed_on_and_the_block_is_not_counted() {
    let done = Arc::new(Mutex::new(0));
    let count = Arc::clone(&done);
    let commit = |block: &Header, values: &mut Vec<u64>| match values.len() {
        2 => Err(format!("block {} is too large", block.block_height)),
        _ => Ok(()),
    };
    let mut store =
        PerBlock::append(value, commit).after_commit(move |_| *count.lock().expect("nobody panics") += 1);
    for (height, records) in [(1, 1), (2, 2)] {
        store.block_begun(&header(height, 1)).expect("no store is asked");
        for _ in 0..records {
            let header = header(height, 2);
            let record = RecordRef::new(Sequence::new(0), &header, b"x");
            store.record(record).expect("no store is asked");
        }
        let ended = store.block_ended(&header(height, 3));
        assert_eq!(ended, if records == 2 { Err("block 2 is too large".to_owned()) } else { Ok(()) });
    }
    assert_eq!((store.committed(), *done.lock().expect("nobody panics")), (1, 1));
}

/// Does not put up with damage.
struct Strict;

impl Commit<u64> for Strict {
    type Error = String;

    fn commit(&mut self, _: &Header, _: &mut Vec<u64>) -> Result<(), String> {
        Ok(())
    }

    fn damaged(&mut self, block: &Damaged) -> Result<(), String> {
        Err(block.to_string())
    }
}

#[test]
fn a_store_can_refuse_to_go_on_after_damage() {
    let error = |text: &str| Err(text.to_owned());
    let block = header(5, 1);
    let strict = || {
        let mut strict = PerBlock::append(value, Strict);
        strict.block_begun(&block).expect("it begins well");
        strict
    };
    assert_eq!(strict().lagged(3, Sequence::new(0)), error("block 5 is damaged: 3 sequences were missed"));
    assert_eq!(strict().resumed(2), error("block 5 is damaged: 2 sequences were let pass during a pause"));
    assert_eq!(strict().block_begun(&header(6, 1)), error("block 5 is damaged: its end was not seen"));
    assert_eq!(strict().shutdown(&Shutdown::Requested), error("block 5 is damaged: its end was not seen"));
    assert_eq!(
        PerBlock::append(value, Strict).block_ended(&block),
        error("block 5 is damaged: its beginning was not seen")
    );
}

/// Adds up the lengths of all payloads.
#[derive(Default)]
struct Lengths {
    sum: Vec<usize>,
}

impl Gather for Lengths {
    type Value = usize;

    fn gather(&mut self, record: RecordRef<'_>) {
        match self.sum.first_mut() {
            Some(sum) => *sum += record.payload().len(),
            None => self.sum.push(record.payload().len()),
        }
    }

    fn values(&mut self) -> &mut Vec<usize> {
        &mut self.sum
    }

    fn clear(&mut self) {
        self.sum.clear();
    }
}

#[test]
fn values_can_be_gathered_by_ones_own_rule() {
    let notes = notes();
    let mut lengths = PerBlock::new(Lengths::default(), Store(Arc::clone(&notes)));
    for height in 1..=2 {
        begin(&mut lengths, height);
        for sequence in 0..=height {
            tell(&mut lengths, height, sequence);
        }
        end(&mut lengths, height);
    }
    let expected = [Said::Committed(1, 3, vec![2]), Said::Committed(2, 3, vec![3])];
    assert_eq!(said(&notes), expected);
}

#[test]
fn what_the_store_leaves_is_dropped_when_the_block_or_the_stream_ends() {
    let value = Arc::new(());
    let copy = Arc::clone(&value);
    let leave = |_: &Header, values: &mut Vec<Arc<()>>| {
        assert_eq!(values.len(), 2);
        Ok::<(), Infallible>(())
    };
    let mut store = PerBlock::append(move |_| Some(Arc::clone(&copy)), leave);
    let unused = Arc::strong_count(&value);
    for ends in [true, false] {
        begin(&mut store, 1);
        tell(&mut store, 1, 1);
        tell(&mut store, 1, 2);
        assert_eq!(Arc::strong_count(&value), unused + 2);
        if ends {
            end(&mut store, 1);
        } else {
            shut_down(&mut store);
        }
        assert_eq!(Arc::strong_count(&value), unused);
    }
}

#[test]
fn the_buffer_is_used_again() {
    let capacities = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&capacities);
    let commit = move |_: &Header, values: &mut Vec<(u8, u64)>| {
        noted.lock().expect("nobody panics").push((values.as_ptr() as usize, values.capacity()));
        Ok::<(), Infallible>(())
    };
    let mut store =
        PerBlock::last_by_key(|record| entry(record).map(|(_, value)| (value as u8, value)), commit);
    for (height, records) in [(1, 50), (2, 3), (3, 50)] {
        begin(&mut store, height);
        for sequence in 0..records {
            tell(&mut store, height, sequence);
        }
        end(&mut store, height);
    }
    let capacities = capacities.lock().expect("nobody panics");
    assert_eq!(capacities.len(), 3);
    assert!(capacities.iter().all(|buffer| *buffer == capacities[0]), "{capacities:?}");
}

#[test]
fn a_store_on_a_bus_commits_at_the_end_of_each_block() -> Result<(), Box<dyn Error>> {
    let (mut writer, bus) = Bus::<64>::builder("testnet").capacity(64).build()?;
    let notes = notes();
    let store = with_done(PerBlock::append(value, Store(Arc::clone(&notes))), &notes);
    let filter = Filter::kinds([Kind::new(9)]);
    let worker = bus.subscribe("store").filter(filter).required().spawn(store)?;
    let mut expected = Vec::new();
    for height in 1..=3 {
        let hash = Hash::new([height as u8; 32]);
        writer.begin_block(BlockStart { height, time: height as i64, hash })?;
        let mut values = Vec::new();
        for number in 0..height {
            values.push(writer.next_sequence().get());
            writer.emit_bytes(Origin::default(), Kind::new(9), Topic::new(0), &[number as u8])?;
            writer.emit_bytes(Origin::default(), Kind::new(8), Topic::new(0), &[number as u8])?;
        }
        // The third block is never ended.
        if height < 3 {
            writer.end_block()?;
            let end = 2 + 2 * height as u32;
            expected.extend([Said::Committed(height as i64, end, values), Said::Done(height as i64)]);
        } else {
            expected.push(Said::Damaged(3, Damage::EndUnseen));
        }
    }
    drop(writer);
    let store = worker.join()?.handler.into_subscriber();
    assert_eq!((store.committed(), store.damaged()), (2, 1));
    assert_eq!(said(&notes), expected);
    Ok(())
}
