//! A bus with all on threads of their own: subscriptions that come and go while the writer runs, on workers and in own loops.

#[path = "bus_threads/checker.rs"]
mod checker;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use checker::{Checker, LONGEST, PAYLOAD, emit, is_wanted, slots, wanted};
use ringbus::bus::{
    Batch, BlockStart, Bus, ControlError, Emit, Filter, Hash, Kind, Origin, RecordRef, Subscriber, Topic,
    Writer,
};
use ringbus::stats::ConsumerState;
use ringbus::wait::{BusySpin, Park, Yield};
use ringbus::worker::Shutdown;
use ringbus::{End, ReadFrom, RecvError, Sequence};

const EVENTS: u64 = 20_000;
const EVENTS_A_BLOCK: u64 = 100;

fn build(starts_with: usize) -> (Writer<PAYLOAD>, Bus<PAYLOAD>) {
    let (writer, bus) = Bus::builder("test").capacity(256).starts_with(starts_with).build().unwrap();
    assert!(writer.max_payload() >= LONGEST);
    (writer, bus)
}

/// Emits all events, some alone and some in batches, and closes.
fn run(mut writer: Writer<PAYLOAD>) {
    for block in 0..EVENTS / EVENTS_A_BLOCK {
        let hash = Hash::new([block as u8; 32]);
        writer.begin_block(BlockStart { height: block, time: block as i64, hash }).unwrap();
        let mut number = block * EVENTS_A_BLOCK;
        while number < (block + 1) * EVENTS_A_BLOCK {
            if number.is_multiple_of(3) {
                emit(&mut writer, number);
                number += 1;
            } else {
                let mut batch = writer.batch();
                for number in number..number + 2 {
                    emit(&mut batch, number);
                }
                batch.publish().unwrap();
                number += 2;
            }
            // (Blocks begin at multiples of 100, of which the number says what comes after it; no batch crosses one.)
            if number % EVENTS_A_BLOCK == EVENTS_A_BLOCK - 1 {
                emit(&mut writer, number);
                number += 1;
            }
        }
        writer.end_block().unwrap();
    }
    writer.close().unwrap();
}

/// All slots that are published: events, and a beginning and an end for each block.
fn all_slots() -> u64 {
    (0..EVENTS).map(slots).sum::<u64>() + 2 * (EVENTS / EVENTS_A_BLOCK)
}

#[test]
fn required_workers_get_what_passes_and_optional_ones_account_for_the_rest() {
    let (writer, bus) = build(4);
    let all = bus.subscribe("all").required().spawn(Checker::of(|_| true)).unwrap();
    let third = bus.subscribe("third").filter(wanted(3)).required().wait(Park::default());
    let third = third.spawn(Checker::of(|number| is_wanted(3, number))).unwrap();
    let limited = bus.subscribe("limited").filter(wanted(2)).required().limit(3);
    let limited = limited.spawn(Checker::of(|number| is_wanted(2, number))).unwrap();
    let seldom = bus.subscribe("seldom").filter(wanted(5)).optional().wait(Yield);
    let seldom = seldom.spawn(Checker::lossy(|number| is_wanted(5, number))).unwrap();
    let writing = thread::spawn(move || run(writer));

    for (worker, every) in [(all, 1), (third, 3), (limited, 2)] {
        let done = worker.join().unwrap();
        assert_eq!(done.reason, Shutdown::Ended(End::Closed));
        let checker = done.handler.into_subscriber();
        let expected = (0..EVENTS).filter(|number| every == 1 || is_wanted(every, *number));
        assert_eq!(checker.seen, expected.clone().count() as u64, "of every {every}");
        assert_eq!((checker.blocks_begun, checker.blocks_ended), (200, 200), "of every {every}");
        assert!((1..=if every == 2 { 3 } else { 256 }).contains(&checker.largest_batch));
        assert_eq!(done.stats.delivered, all_slots());
        assert_eq!(checker.missed, 0);
    }
    let done = seldom.join().unwrap();
    assert_eq!(done.stats.delivered + done.stats.missed, all_slots());
    let checker = done.handler.into_subscriber();
    assert!(checker.missed >= done.stats.missed, "fragments whose rest is lost are lost too");
    writing.join().unwrap();
    assert!(bus.subscriptions().is_empty());
}

/// Each time one has joined, it gets all from there on; what it was told when it left is what it has had.
#[test]
fn subscriptions_come_and_go_while_the_writer_runs() {
    let (writer, bus) = build(1);
    let stays = bus.subscribe("stays").required().spawn(Checker::of(|_| true)).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let coming_and_going: Vec<_> = (0..2)
        .map(|which| {
            let (bus, over) = (bus.clone(), Arc::clone(&over));
            thread::spawn(move || {
                let mut rounds = 0;
                while !over.load(Ordering::Relaxed) {
                    let mut required = bus.subscribe("comes").filter(wanted(3)).required().join().unwrap();
                    let mut checker = Checker::of(|number| is_wanted(3, number)).joined_late();
                    for _ in 0..which * 3 + 2 {
                        let Ok(mut records) = required.read() else { break };
                        while let Some(record) = records.next() {
                            checker.check(record);
                        }
                        records.acknowledge();
                    }
                    let (joined_at, tally) = (required.joined_at(), required.tally());
                    assert_eq!(required.leave().since(joined_at), tally.total());
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    run(writer);
    over.store(true, Ordering::Relaxed);
    assert!(coming_and_going.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>() > 0);
    assert_eq!(stays.join().unwrap().handler.into_subscriber().seen, EVENTS);
}

#[test]
fn an_optional_subscription_accounts_for_all_while_it_is_overrun() {
    let (writer, bus) = build(2);
    let slow = bus.subscribe("slow").filter(wanted(2)).optional().start(ReadFrom::Newest);
    let mut slow = slow.join().unwrap();
    let fast = bus.subscribe("fast").required().spawn(Checker::of(|_| true)).unwrap();
    let writing = thread::spawn(move || run(writer));
    let mut checker = Checker::lossy(|number| is_wanted(2, number));
    let end = loop {
        match slow.recv() {
            Ok(record) => {
                // It takes its time.
                (0..20_000).for_each(|_| std::hint::spin_loop());
                checker.check(record);
            }
            Err(RecvError::Lagged { missed, .. }) => checker.lose(missed),
            Err(RecvError::Ended(end)) => break end,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(end, End::Closed);
    let tally = slow.tally();
    assert_eq!(tally.total(), all_slots());
    assert_eq!((tally.missed, tally.passed), (checker.missed, checker.slots));
    assert!(tally.missed > 0, "it was never overrun, and so the test shows nothing");
    writing.join().unwrap();
    fast.join().unwrap();
}

/// Overruns in the middle of copying: what was copied before is whole and in its place, and what comes after is not taken for it.
#[test]
fn records_stand_where_they_were_published_however_often_it_is_overrun() {
    let sequences: Vec<u64> = checker::sequences(EVENTS, EVENTS_A_BLOCK).collect();
    let (writer, bus) = Bus::builder("test").capacity(64).starts_with(2).build().unwrap();
    let check = move |checker: &mut Checker, record: RecordRef<'_>| {
        checker.check(record);
        if !record.kind().is_reserved() {
            let number = u64::from_le_bytes(record.payload()[..8].try_into().unwrap());
            assert_eq!(record.sequence().get(), sequences[number as usize], "of event {number}");
        }
    };
    let reading: Vec<_> = [1, 5]
        .into_iter()
        .map(|every| {
            let filter = if every == 1 { Filter::all() } else { wanted(every) };
            let mut subscription =
                bus.subscribe("overrun").filter(filter).optional().wait(BusySpin).join().unwrap();
            let check = check.clone();
            thread::spawn(move || {
                let mut checker = Checker::lossy(|_| true);
                loop {
                    match subscription.recv() {
                        Ok(record) => check(&mut checker, record),
                        Err(RecvError::Lagged { .. }) => {}
                        Err(_) => break subscription.tally(),
                    }
                }
            })
        })
        .collect();
    run(writer);
    for thread in reading {
        assert_eq!(thread.join().unwrap().total(), all_slots());
    }
}

/// What a worker is given at once, of records that were published together before it began.
fn batches_of(limit: Option<usize>, filter: Filter, emit: impl Fn(&mut Batch<'_, 64>)) -> Vec<u64> {
    struct Sizes {
        records: u64,
        batches: mpsc::Sender<u64>,
    }
    impl Subscriber for Sizes {
        type Error = Infallible;

        fn record(&mut self, _: RecordRef<'_>) -> Result<(), Infallible> {
            self.records += 1;
            Ok(())
        }

        fn batch_ended(&mut self) -> Result<(), Infallible> {
            self.batches.send(std::mem::take(&mut self.records)).unwrap();
            Ok(())
        }
    }
    let (mut writer, bus) = Bus::<64>::builder("test").capacity(16).build().unwrap();
    writer.begin_block(BlockStart { height: 0, time: 0, hash: Hash::default() }).unwrap();
    let builder = bus.subscribe("batches").filter(filter).required();
    let builder = if let Some(limit) = limit { builder.limit(limit) } else { builder };
    let subscription = builder.join().unwrap();
    for _ in 0..4 {
        let mut batch = writer.batch();
        emit(&mut batch);
        batch.publish().unwrap();
    }
    let _ = writer.close();
    let (batches, sizes) = mpsc::channel();
    subscription.into_worker(Sizes { records: 0, batches }).spawn().unwrap().join().unwrap();
    sizes.iter().collect()
}

#[test]
fn what_was_published_together_is_given_together_and_a_quarter_of_the_ring_is_acknowledged_at_once() {
    let bytes = |batch: &mut Batch<'_, 64>, kind, len: usize| {
        batch.emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), &vec![0; len]).unwrap();
    };
    let three = |batch: &mut Batch<'_, 64>| (0..3).for_each(|_| bytes(batch, 1, 1));
    // A quarter is 4 slots, so a batch ends with the second of what was published together.
    assert_eq!(batches_of(None, Filter::all(), three), [6, 6]);
    assert_eq!(batches_of(Some(5), Filter::all(), three), [5, 4, 3]);
    assert_eq!(batches_of(None, Filter::kinds([Kind::new(2)]), three), [0; 0]);
    // The last of each takes two slots.
    let one_and_two = |batch: &mut Batch<'_, 64>| {
        bytes(batch, 1, 1);
        bytes(batch, 2, 65);
    };
    assert_eq!(batches_of(None, Filter::all(), one_and_two), [4, 4]);
    assert_eq!(batches_of(None, Filter::kinds([Kind::new(2)]), one_and_two), [2, 2]);
}

/// The account of an optional worker, as others see it.
#[test]
fn a_workers_account_holds_what_it_was_told() {
    struct Slow {
        go_on: mpsc::Receiver<()>,
        lagged: mpsc::Sender<u64>,
    }
    impl Subscriber for Slow {
        type Error = Infallible;

        fn record(&mut self, _: RecordRef<'_>) -> Result<(), Infallible> {
            let _ = self.go_on.recv();
            Ok(())
        }

        fn lagged(&mut self, missed: u64, _: Sequence) -> Result<(), Infallible> {
            self.lagged.send(missed).unwrap();
            Ok(())
        }
    }
    let (mut writer, bus) = Bus::<64>::builder("test").capacity(16).build().unwrap();
    let ((let_go, go_on), (lagged, losses)) = (mpsc::channel(), mpsc::channel());
    let subscription = bus.subscribe("slow").optional().join().unwrap();
    let id = subscription.id();
    let worker = subscription.into_worker(Slow { go_on, lagged }).spawn().unwrap();
    writer.begin_block(BlockStart { height: 0, time: 0, hash: Hash::default() }).unwrap();
    for _ in 0..100 {
        writer.emit_bytes(Origin::default(), Kind::new(1), Topic::default(), b"").unwrap();
    }
    drop(let_go);
    let missed = losses.recv().unwrap();
    let settled = loop {
        let stats = bus.subscriptions();
        let stats = stats.iter().find(|stats| stats.id == id).unwrap();
        if stats.lag == 0 {
            break stats.tally;
        }
        thread::yield_now();
    };
    let missed = missed + losses.try_iter().sum::<u64>();
    assert_eq!((settled.missed, settled.passed), (missed, 101 - missed));

    bus.pause(id).unwrap();
    while bus.stats().consumer("slow").unwrap().state != ConsumerState::Paused {
        thread::yield_now();
    }
    for _ in 0..7 {
        writer.emit_bytes(Origin::default(), Kind::new(1), Topic::default(), b"").unwrap();
    }
    bus.resume(id).unwrap();
    let let_pass = loop {
        let stats = bus.subscriptions()[0].clone();
        if stats.lag == 0 {
            break stats.tally.let_pass;
        }
        thread::yield_now();
    };
    assert_eq!(let_pass, 7);
    drop(writer);
    worker.join().unwrap();
}

#[test]
fn a_group_starts_at_one_sequence() {
    let (mut writer, bus) = Bus::<64>::builder("test").build().unwrap();
    writer.begin_block(BlockStart { height: 0, time: 0, hash: Hash::default() }).unwrap();
    let mut early = bus.subscribe("early").required().join().unwrap();
    writer.emit_bytes(Origin::default(), Kind::new(1), Topic::default(), b"").unwrap();
    let mut late = bus.subscribe("late").required().wait(Yield).join().unwrap();
    assert_eq!(late.stream(), bus.stream());
    assert_eq!(bus.start_together(&mut [&mut early, &mut late]), Ok(Sequence::new(2)));
    writer.end_block().unwrap();
    assert_eq!(early.poll(|record| assert!(record.ends_block())), Ok(1));
    assert_eq!(late.poll(|record| assert!(record.ends_block())), Ok(1));
    for stats in bus.subscriptions() {
        assert_eq!((stats.joined_at.get(), stats.tally.total(), stats.lag), (2, 1, 0));
    }
    early.leave();
    late.leave();
}

/// However quick the writer is, those that it was to wait for get the first record.
#[test]
fn a_bus_starts_when_as_many_have_subscribed_as_it_was_told() {
    for _ in 0..50 {
        let (mut writer, bus) = Bus::<64>::builder("test").starts_with(2).build().unwrap();
        let (running, is_running) = mpsc::channel();
        let writing = thread::spawn(move || {
            running.send(()).unwrap();
            writer.begin_block(BlockStart { height: 0, time: 0, hash: Hash::default() }).unwrap();
            writer.end_block().unwrap();
            writer.close().unwrap();
        });
        is_running.recv().unwrap();
        let subscriptions = ["one", "two"].map(|name| bus.subscribe(name).required().join().unwrap());
        for mut subscription in subscriptions {
            let mut seen = 0;
            while let Ok(mut records) = subscription.read() {
                while records.next().is_some() {
                    seen += 1;
                }
                records.acknowledge();
            }
            assert_eq!((subscription.joined_at().get(), seen), (0, 2));
        }
        writing.join().unwrap();
    }
}

#[test]
fn control_handles_reach_workers_by_identifier_and_nobody_else() {
    let (mut writer, bus) = build(0);
    let worker = bus.subscribe("first").required().join().unwrap();
    let first = worker.id();
    assert_eq!(bus.pause(first), Err(ControlError::NotOnAWorker { id: first, name: "first".into() }));
    let worker = worker.into_worker(Checker::of(|_| true)).spawn().unwrap();
    bus.pause(first).unwrap();
    writer.begin_block(BlockStart { height: 0, time: 0, hash: Hash::default() }).unwrap();
    bus.resume(first).unwrap();
    bus.unsubscribe(first).unwrap();
    assert_eq!(worker.join().unwrap().reason, Shutdown::Requested);
    let second = bus.subscribe("second").required().join().unwrap();
    assert_eq!(bus.unsubscribe(first), Err(ControlError::Gone { id: first }));
    assert_eq!(bus.subscriptions().iter().map(|stats| stats.id).collect::<Vec<_>>(), [second.id()]);
    assert!(second.id() > first);
    second.leave();
}

/// A stop reaches a writer that waits for subscriptions which never come.
#[test]
fn a_stop_ends_the_wait_for_subscriptions() {
    let (mut writer, bus) = build(1);
    let waiting =
        thread::spawn(move || writer.begin_block(BlockStart { height: 0, time: 0, hash: Hash::default() }));
    bus.stop();
    let refused = waiting.join().unwrap().unwrap_err();
    assert_eq!(refused, ringbus::bus::WriteError::Publish(ringbus::PublishError::Stopped));
}
