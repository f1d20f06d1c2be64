//! What `ExactlyOnce` feeds to a store, whatever it is fed.

#[path = "../../../tests/common/cases.rs"]
mod cases;
mod common;

use std::error::Error;
use std::sync::{Arc, Mutex};

use common::{
    Block, Ending, Run, block_hash, blocks, check_stats, feed, kept, place, plain, records, runs, stream,
    tell,
};
use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::{
    BlockStart, Bus, Emit, Filter, Flags, Hash, Header, Kind, Origin, OwnedRecord, RecordRef, StreamId,
    Subscriber,
};
use ringbus::worker::Shutdown;
use ringbus_store::testing::MemoryStore;
use ringbus_store::{BlockStore, Checkpoint, ExactlyOnce, StoreError};

type Store = ExactlyOnce<MemoryStore>;

fn fed_by(store: &MemoryStore) -> Store {
    ExactlyOnce::new(store.clone(), &stream()).expect("it is the same stream")
}

/// Blocks of three records: sequences 3 n to 3 n + 2.
fn three_each(count: usize) -> Vec<OwnedRecord> {
    let block = Block { is_repeated: false, ends: true, events: vec![(0, 10), (1, 20), (0, 30)] };
    records(&vec![block; count], 0)
}

fn at(sequence: u64) -> Sequence {
    Sequence::new(sequence)
}

proptest! {
    #![proptest_config(cases::config(2_000))]

    #[test]
    fn every_block_is_there_once_however_often_it_is_fed(
        blocks in blocks(),
        first in prop_oneof![Just(0), 0..1_000_u64],
        runs in runs(),
    ) {
        let records = records(&blocks, first);
        let all = Run { back: 3, take: usize::MAX, batch: 3, most_blocks: 2, ending: Ending::Shutdown };
        let memory = MemoryStore::new();
        for run in runs.into_iter().chain([all]) {
            let told = Arc::new(Mutex::new(memory.clone().checkpoint().unwrap()));
            let note = Arc::clone(&told);
            let mut store = fed_by(&memory)
                .most_blocks_per_commit(run.most_blocks)
                .after_commit(move |checkpoint| *note.lock().unwrap() = Some(checkpoint.clone()));
            let resumed = place(&records, store.resume_at());
            let from = resumed.saturating_sub(run.back);
            let fed = &records[from..from.saturating_add(run.take).min(records.len())];
            store.start(fed.first().map_or(at(0), |record| record.record().sequence())).unwrap();
            feed(&mut store, fed, run.batch);
            check_stats(&store, from, resumed, fed);
            match run.ending {
                Ending::Crash => memory.crash(),
                Ending::Shutdown => store.shutdown(&Shutdown::Ended(ringbus::End::Closed)).unwrap(),
            }
            prop_assert_eq!(memory.clone().checkpoint().unwrap(), told.lock().unwrap().clone());
        }

        let expected = kept(&records);
        prop_assert_eq!(plain(&memory.records()), plain(&expected));
        let last = expected.last().map(|last| {
            let (record, blocks) = (last.record(), blocks.iter().filter(|block| block.ends).count());
            Checkpoint {
                stream: stream(),
                next: record.sequence() + (record.payload().len().div_ceil(64)).max(1) as u64,
                height: record.block_height(),
                time: record.block_time(),
                hash: record.trace(),
                blocks: blocks as u64,
                records: expected.len() as u64,
            }
        });
        prop_assert_eq!(memory.clone().checkpoint().unwrap(), last);
    }
}

#[test]
fn a_gap_is_an_error_that_says_where_to_go_on() {
    let records = three_each(3);
    let memory = MemoryStore::new();
    let mut store = fed_by(&memory);
    feed(&mut store, &records[..4], 2);
    let error = tell(&mut store, &records[5]).unwrap_err();
    assert_eq!(error, StoreError::Gap { expected: at(4), found: at(5) });
    assert!(
        error
            .to_string()
            .starts_with("the store needs sequence 4 next, and got 5: feed it from the journal, from 4 on")
    );

    // What is missing can come yet.
    feed(&mut store, &records[4..], 2);
    assert_eq!((memory.records().len(), store.stats().skipped), (9, 0));
}

#[test]
fn a_gap_shows_at_the_start_and_after_an_overrun() {
    let records = three_each(2);
    let memory = MemoryStore::new();
    feed(&mut fed_by(&memory), &records[..3], 3);
    let gap = |found| Err(StoreError::Gap { expected: at(3), found: at(found) });

    let mut store = fed_by(&memory);
    assert_eq!(store.resume_at(), Some(at(3)));
    assert_eq!(store.start(at(4)), gap(4));
    assert_eq!(store.start(at(3)), Ok(()));
    assert_eq!(store.lagged(2, at(5)), gap(5));
    assert_eq!(store.lagged(0, at(5)), Ok(()));
    // What was missed is what it has.
    assert_eq!(store.lagged(2, at(3)), Ok(()));
    assert_eq!(fed_by(&MemoryStore::new()).start(at(1_000)), Ok(()));
}

#[test]
fn an_error_commits_what_has_ended_and_drops_what_is_open() {
    let records = three_each(3);
    let memory = MemoryStore::new();
    let mut store = fed_by(&memory);
    records[..5].iter().for_each(|record| tell(&mut store, record).unwrap());
    assert_eq!(memory.records().len(), 0);
    let gap = tell(&mut store, &records[6]).unwrap_err();
    store.failed(&gap);
    assert_eq!((memory.records().len(), store.resume_at()), (3, Some(at(3))));
    feed(&mut store, &records[3..], 9);
    assert_eq!(plain(&memory.records()), plain(&records));
    assert_eq!(store.stats().abandoned, 1);
}

#[test]
fn another_stream_is_refused() {
    let memory = MemoryStore::new();
    let other = StreamId::new("mainnet");
    assert!(ExactlyOnce::new(memory.clone(), &other).is_ok(), "an empty store is anybody's");
    feed(&mut fed_by(&memory), &three_each(1), 3);
    let error = ExactlyOnce::new(memory, &other).unwrap_err();
    assert_eq!(error, StoreError::OtherStream(stream().check(&other).unwrap_err()));
}

#[test]
fn what_a_restarted_core_says_differently_is_found_out() {
    let records = three_each(2);
    let memory = MemoryStore::new();
    feed(&mut fed_by(&memory), &records[..3], 3);

    // The end of the block that the store has, with another hash, another height, another time, or in the midst of a block.
    let last = records[2].record();
    let diverged = |sequence| Err(StoreError::Diverged { sequence: at(sequence), expected: at(3) });
    let changes: [fn(&mut Header); 4] = [
        |header| header.trace = block_hash(9),
        |header| header.block_height = 9,
        |header| header.block_time = 9,
        |header| header.flags = header.flags.without(Flags::ENDS_BLOCK),
    ];
    for change in changes {
        let mut header = *last.header();
        change(&mut header);
        let other = OwnedRecord::from(RecordRef::new(at(2), &header, last.payload()));
        assert_eq!(tell(&mut fed_by(&memory), &other), diverged(2));
    }
    // One that goes on where the store's ends.
    let header = Header { len: 8, ..*records[1].record().header() };
    let longer = OwnedRecord::from(RecordRef::new(at(1), &header, &[0; 24]));
    assert_eq!(tell(&mut fed_by(&memory), &longer), diverged(1));
    // The same once more.
    assert_eq!(tell(&mut fed_by(&memory), &records[2]), Ok(()));
}

#[test]
fn records_outside_of_blocks_are_passed_over_before_the_first_and_refused_later() {
    let records = three_each(2);
    let memory = MemoryStore::new();
    let mut store = fed_by(&memory);
    feed(&mut store, &records[1..], 5);
    assert_eq!((store.stats().skipped, store.stats().blocks, memory.records().len()), (2, 1, 3));

    let header = Header { flags: Flags::NONE, ..*records[1].record().header() };
    let error = store.record(RecordRef::new(at(6), &header, b"")).unwrap_err();
    assert_eq!(error, StoreError::OutsideBlock { sequence: at(6) });
}

#[test]
fn a_record_of_another_block_is_refused() {
    let records = three_each(1);
    let found = |change: fn(&mut Header)| {
        let mut store = fed_by(&MemoryStore::new());
        tell(&mut store, &records[0]).unwrap();
        let mut header = *records[1].record().header();
        change(&mut header);
        store.record(RecordRef::new(at(1), &header, b"")).unwrap_err()
    };
    let error = |found| StoreError::OtherBlock { sequence: at(1), block: (1, -1), found };
    assert_eq!(found(|header| header.block_height = 2), error((2, -1)));
    assert_eq!(found(|header| header.block_time = 7), error((1, 7)));
}

#[test]
fn a_block_that_was_not_ended_gives_way_to_the_next_beginning() {
    let ends = |ends| Block { is_repeated: true, ends, events: vec![(0, 1), (1, 1), (2, 1)] };
    let records = records(&[ends(true), ends(false), ends(false), ends(true)], 0);
    let memory = MemoryStore::new();
    let mut store = fed_by(&memory);
    feed(&mut store, &records, 100);
    assert_eq!((store.stats().blocks, store.stats().abandoned, store.stats().commits), (2, 2, 1));
    let sequences: Vec<_> = memory.records().iter().map(|record| record.record().sequence().get()).collect();
    assert_eq!(sequences, [0, 1, 2, 9, 10, 11]);
}

#[test]
fn it_commits_by_the_batch_and_in_long_ones_by_blocks_or_records() {
    let records = three_each(10);
    let commits = |make: fn(Store) -> Store, batch| {
        let mut store = make(fed_by(&MemoryStore::new()));
        feed(&mut store, &records, batch);
        store.stats().commits
    };
    assert_eq!(commits(|store| store, 30), 1);
    assert_eq!(commits(|store| store, 6), 5);
    // Only four of these batches of two end a block each; six end none or one.
    assert_eq!(commits(|store| store, 2), 10);
    assert_eq!(commits(|store| store.most_blocks_per_commit(4), 30), 3);
    assert_eq!(commits(|store| store.most_records_per_commit(7), 30), 4);
    assert_eq!(commits(|store| store.most_blocks_per_commit(0), 30), 10);
}

#[test]
fn a_pause_in_the_stream_commits_nothing_twice() {
    let mut store = fed_by(&MemoryStore::new());
    feed(&mut store, &three_each(1), 3);
    store.idle().unwrap();
    store.batch_ended().unwrap();
    assert_eq!(store.stats().commits, 1);
}

#[test]
fn fed_again_from_earlier_it_passes_over_what_it_has_while_a_block_is_open() {
    let records = three_each(2);
    let memory = MemoryStore::new();
    let mut store = fed_by(&memory);
    feed(&mut store, &records[..5], 5);
    store.start(at(0)).unwrap();
    feed(&mut store, &records, 6);
    assert_eq!(plain(&memory.records()), plain(&records));
    assert_eq!((store.stats().skipped, store.stats().abandoned), (5, 0));
}

/// What a store says that is subscribed with this filter.
fn filtered(filter: Filter) -> Result<String, Box<dyn Error>> {
    let (mut writer, bus) = Bus::<64>::builder("exchange").build()?;
    let store = bus.subscribe("store").filter(filter).required().spawn(fed_by(&MemoryStore::new()))?;
    for height in 1..3 {
        // The bus fails by the store.
        let _ = writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([height as u8; 32]) });
        for kind in [7, 8] {
            let _ = writer.emit_bytes(Origin::default(), Kind::new(kind), ringbus::bus::Topic::new(0), b"");
        }
        let _ = writer.end_block();
    }
    drop(writer);
    Ok(store.join().map(|_| "it went well".to_owned()).unwrap_or_else(|error| error.to_string()))
}

#[test]
fn a_filter_is_found_out() -> Result<(), Box<dyn Error>> {
    assert_eq!(filtered(Filter::all())?, "it went well");
    let kinds = |kinds: &[Kind]| Filter::kinds(kinds.iter().copied());
    let not_whole = "subscribe the store without a filter";
    for some in [
        &[][..],
        &[Kind::new(7)],
        &[Kind::BLOCK_BEGUN],
        &[Kind::BLOCK_ENDED],
        &[Kind::BLOCK_BEGUN, Kind::new(7)],
    ] {
        let said = filtered(kinds(some))?;
        assert!(said.contains(not_whole), "{some:?}: {said}");
    }
    let said = filtered(Filter::all().matching(|record| record.block_height() == 1))?;
    assert!(said.contains("block 2") && said.contains(not_whole), "{said}");
    let said = filtered(kinds(&[Kind::BLOCK_BEGUN, Kind::BLOCK_ENDED]))?;
    assert!(said.contains("the store needs sequence 1 next, and got 3"), "{said}");
    Ok(())
}

#[test]
fn it_keeps_what_a_writer_said_payloads_of_several_slots_too() -> Result<(), Box<dyn Error>> {
    let (mut writer, bus) = Bus::<64>::builder("exchange").build()?;
    let memory = MemoryStore::new();
    let store = bus.subscribe("store").required().spawn(fed_by(&memory))?;
    let lengths = [0, 1, 63, 64, 65, 128, 129, 1_000];
    for height in 1..4 {
        writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([height as u8; 32]) })?;
        for length in lengths {
            writer.emit_bytes(
                Origin::default(),
                Kind::new(9),
                ringbus::bus::Topic::new(0),
                &vec![height as u8; length],
            )?;
        }
        writer.end_block()?;
    }
    let end = writer.next_sequence();
    drop(writer);
    let store = store.join()?.handler.into_subscriber();
    assert_eq!((store.stats().blocks, store.resume_at()), (3, Some(end)));
    let found: Vec<_> = memory.records().iter().map(|record| record.record().payload().len()).collect();
    let each: Vec<_> = [32].into_iter().chain(lengths).chain([40]).collect();
    assert_eq!(found, [&each[..], &each, &each].concat());
    Ok(())
}
