//! The consumers' handlers on a ring that the test drives by hand.

use std::time::Duration;

use exchange::consumers::{BlockStore, DroppedBlock, Monitor};
use exchange::{Core, Event, Header, OrderFlow, Payload, Settings};
use ringbus::worker::{Done, WorkerError};
use ringbus::{ReadFrom, Ring};

/// The events of so many blocks, of ten transactions each.
fn blocks(count: usize) -> (Core, Vec<Event>) {
    let settings = Settings::default();
    let mut core = Core::new(&settings).unwrap();
    let mut flow = OrderFlow::new(3, &settings).unwrap();
    let mut events = Vec::new();
    for _ in 0..count {
        core.begin_block(&mut events);
        for transaction in flow.by_ref().take(10) {
            core.execute(&transaction, &mut events);
        }
        core.end_block(&mut events);
    }
    (core, events)
}

/// What a block store makes of these events.
fn store(events: &[Event]) -> Result<Done<BlockStore>, WorkerError> {
    let (mut producer, ring) = Ring::builder().capacity(1_024).build().unwrap();
    let store = ring.required("block store").join().unwrap().into_worker();
    let store = store.spawn(BlockStore::new(&Settings::default()).unwrap()).unwrap();
    for event in events {
        // It may have failed at one before.
        if producer.publish(event).is_err() {
            break;
        }
    }
    drop(producer);
    store.join()
}

#[test]
fn the_store_has_what_the_core_has_after_the_last_whole_block() {
    let (core, events) = blocks(30);
    let done = store(&events).unwrap();
    assert!(done.handler.agrees_with(&core));
    assert_eq!((done.handler.blocks(), done.handler.dropped()), (30, None));
}

#[test]
fn an_unfinished_block_is_dropped_and_said_to_be() {
    let (core, whole) = blocks(30);
    let (longer, events) = blocks(31);
    // Everything but the end of the last block.
    let done = store(&events[..events.len() - 1]).unwrap();
    assert!(done.handler.agrees_with(&core) && !done.handler.agrees_with(&longer));
    assert_eq!(done.handler.last().unwrap().height, 30);
    let dropped = done.handler.dropped().unwrap();
    assert_eq!(dropped, DroppedBlock { height: 31, events: (events.len() - 1 - whole.len()) as u32 });
    let said = format!("block 31 was dropped after {} events: its end did not come", dropped.events);
    assert_eq!(dropped.to_string(), said);
}

#[test]
fn the_store_fails_where_blocks_are_not_whole() {
    let (_, events) = blocks(3);
    let length = |height| events.iter().filter(|event| event.header().block == height).count();
    let (first, second) = (length(1), length(2));
    let end = |events, state_hash| {
        let header = Header { block: 1, trace: 0, number: first as u32 };
        Event::new(header, Payload::EndBlock { events, state_hash })
    };
    let without =
        |left_out: std::ops::Range<usize>| [&events[..left_out.start], &events[left_out.end..]].concat();
    let with_end = |end| [&events[..first - 1], &[end]].concat();
    for (broken, at, message) in [
        (without(5..6), 5, format!("expected event 6 of block 1, got `{}`", events[6])),
        (without(0..1), 0, format!("expected the begin of block 1, got `{}`", events[1])),
        (
            without(first..first + second),
            first,
            format!("expected the begin of block 2, got `{}`", events[first + second]),
        ),
        (
            with_end(end(7, 1)),
            first - 1,
            format!("block 1 ends by saying that it has 7 events, and had {first}"),
        ),
        (with_end(end(first as u32, 0)), first - 1, "block 1 ends without a state hash".to_owned()),
    ] {
        let error = store(&broken).unwrap_err();
        assert_eq!(error.sequence.get(), at as u64, "{error}");
        let advice = "; look for what publishes between the core and the ring, and start again";
        assert_eq!(&*error.message, format!("{message}{advice}"));
    }
}

#[test]
fn a_monitor_is_told_how_much_it_missed_and_does_not_sleep_after_the_end() {
    let (_, events) = blocks(30);
    let (mut producer, ring) = Ring::builder().capacity(256).max_batch(1).build().unwrap();
    let monitor = ring.optional("monitor").resume(ReadFrom::Oldest { headroom: 0 }).join().unwrap();
    for event in &events {
        producer.publish(event).unwrap();
    }
    producer.close().unwrap();
    // It would take a day for each event.
    let handler = Monitor::new(Duration::from_hours(24), ring.clone());
    let done = monitor.into_worker().spawn(handler).unwrap().join().unwrap();
    let missed = events.len() as u64 - 255;
    assert_eq!((done.stats.delivered, done.stats.missed), (255, missed));
    let monitor = done.handler;
    assert_eq!((monitor.events(), monitor.missed()), (255, missed));
    assert_eq!((monitor.gaps(), monitor.largest_gap()), (1, missed));
}
