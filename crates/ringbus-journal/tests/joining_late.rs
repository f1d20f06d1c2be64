//! A required subscriber that comes late: everything from where it says, in order and once, at whatever moment it comes.

mod common;
mod live;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use live::failing::{Failing, assert_told_once};
use live::{BLOCK, Checker, Core, PAYLOAD, bus, open, reader, settings, soon, wait_until};
use ringbus::bus::{Bus, Driver, RequiredSubscription};
use ringbus::worker::Worker;
use ringbus::{JoinError, Sequence};
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{
    Continued, Durability, Extent, FollowError, Journal, JournalError, JournalReader, LateError, Recording,
};

const POLICIES: [Durability; 4] = [
    Durability::EachBatch,
    Durability::EachBlock,
    Durability::Every(Duration::from_millis(1)),
    Durability::Never,
];

fn subscribe(bus: &Bus<PAYLOAD>) -> RequiredSubscription<PAYLOAD> {
    bus.subscribe("journal").required().join().expect("there is room")
}

fn recorded(disk: &SimulatedDisk, durability: Durability) -> (Core, Bus<PAYLOAD>, Recording) {
    let (core, bus) = bus(64, 0);
    let recording = open(disk, durability).record(subscribe(&bus)).unwrap();
    (core, bus, recording)
}

/// Joins with a checker of everything from `first` on.
fn join(
    reader: JournalReader,
    bus: &Bus<PAYLOAD>,
    first: u64,
    checker: Checker,
) -> Result<Worker<Driver<Continued<Checker>, PAYLOAD>>, LateError> {
    reader.join_required(bus, Sequence::new(first), bus.subscribe("late").required(), checker)
}

fn end(worker: Worker<Driver<Continued<Checker>, PAYLOAD>>) -> Checker {
    worker.join().unwrap().handler.into_subscriber().into_subscriber()
}

#[test]
fn by_each_policy_it_gets_everything_from_an_idle_core() {
    for durability in POLICIES {
        for extent in [Extent::Durable, Extent::Written] {
            let disk = SimulatedDisk::new();
            let (mut core, bus, recording) = recorded(&disk, durability);
            core.run_to(2_000).unwrap();
            core.end_block().unwrap();
            let published = core.next();
            let (checker, seen) = Checker::new(BLOCK);
            let worker = join(reader(&disk, extent), &bus, 0, checker).unwrap();
            // All of it came from the journal, on this thread.
            assert_eq!(seen.next(), published, "{durability:?}, {extent:?}");
            core.run_to(published + 500).unwrap();
            let last = core.close();
            let checker = end(worker);
            assert_eq!((checker.next(), checker.in_batch), (last, 0));
            assert_eq!(checker.shut_down.as_deref(), Some("the ring is closed: the producer has finished"));
            recording.join().unwrap();
        }
    }
}

/// In the middle of a block the journal may not have synced.
#[test]
fn a_core_that_pauses_within_a_block_holds_up_only_who_wants_what_is_durable() {
    for durability in POLICIES {
        let disk = SimulatedDisk::new();
        let (mut core, bus, recording) = recorded(&disk, durability);
        core.run_to(1_000).unwrap();
        core.end_block().unwrap();
        // So that what comes then is another batch.
        recording.progress().wait_for(Sequence::new(core.next() - 1), soon()).unwrap();
        core.publish(2).unwrap();
        let published = core.next();
        let (checker, seen) = Checker::new(BLOCK);
        let worker = join(reader(&disk, Extent::Written), &bus, 0, checker).unwrap();
        assert_eq!(seen.next(), published);

        let (checker, durable) = Checker::new(BLOCK);
        let joining = {
            let (reader, bus) = (reader(&disk, Extent::Durable), bus.clone());
            thread::spawn(move || join(reader, &bus, 0, checker).map(end))
        };
        if durability == Durability::EachBlock {
            wait_until("it has what is durable", || durable.next() == published / BLOCK * BLOCK);
            assert!(!joining.is_finished());
        }
        core.end_block().unwrap();
        let last = core.close();
        assert_eq!(joining.join().unwrap().unwrap().next(), last, "{durability:?}");
        assert_eq!(end(worker).next(), last);
        recording.join().unwrap();
    }
}

/// At hundreds of moments, under full load: each reads a part of the journal, and goes on with live records for a while.
#[test]
fn under_full_load_everything_comes_once_and_in_order() {
    let joins: u64 = std::env::var("RINGBUS_JOINS").map_or(200, |joins| joins.parse().expect("a number"));
    let mut live_records = 0;
    for (number, capacity) in [64, 1_024].into_iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let durability = [Durability::Never, Durability::EachBlock][number];
        let journal = settings(durability).segment_bytes(300_000).open(directory.path()).unwrap();
        let (mut core, bus) = bus(capacity, 0);
        let recording = journal.record(subscribe(&bus)).unwrap();
        let enough = Arc::new(AtomicBool::new(false));
        let is_enough = Arc::clone(&enough);
        let core = thread::spawn(move || {
            while !is_enough.load(Ordering::Relaxed) {
                core.run_to(core.next() + 200).unwrap();
            }
            core.close()
        });
        let mut random = fastrand::Rng::with_seed(number as u64);
        let mut stays = Vec::new();
        for join_number in 0..joins / 2 {
            let extent = if random.bool() { Extent::Written } else { Extent::Durable };
            let behind = [0, 100, 2_000, 10_000][random.usize(0..4)];
            let first = bus.cursor().get().saturating_sub(behind) / BLOCK * BLOCK;
            let (checker, seen) = Checker::new(BLOCK);
            let reader = JournalReader::open(directory.path(), extent).unwrap();
            let worker = join(reader, &bus, first, checker).unwrap();
            let joined_at = bus.subscriptions().last().expect("it has joined").joined_at.get();
            assert!(seen.next() >= joined_at, "what lies before came before");
            if join_number % 40 == 0 {
                stays.push(worker);
                continue;
            }
            let enough = joined_at + random.u64(1..500);
            wait_until("it gets live records", || seen.next() >= enough);
            worker.stop();
            let checker = end(worker);
            assert!(checker.next() >= enough && checker.in_batch == 0);
            live_records += checker.next() - joined_at;
        }
        enough.store(true, Ordering::Relaxed);
        let last = core.join().unwrap();
        assert!(!stays.is_empty());
        for worker in stays {
            assert_eq!(end(worker).next(), last);
        }
        assert_eq!(recording.join().unwrap().next.get(), last);
    }
    assert!(live_records > joins, "{live_records}");
}

/// A gateway that comes late: nothing that is not durable, neither from the journal nor from the ring.
#[test]
fn it_can_come_after_the_journal() {
    let disk = SimulatedDisk::new();
    let (mut core, bus, recording) = recorded(&disk, Durability::EachBlock);
    core.run_to(500).unwrap();
    core.end_block().unwrap();
    let subscribe = bus.subscribe("gateway").required().after(&[&recording.progress()]);
    let (checker, seen) = Checker::new(BLOCK);
    let gateway =
        reader(&disk, Extent::Durable).join_required(&bus, Sequence::new(0), subscribe, checker).unwrap();
    assert_eq!(seen.next(), core.next());
    for _ in 0..100 {
        let begun = core.next();
        core.publish(4).unwrap();
        assert!(seen.next() <= recording.progress().position().get());
        core.end_block().unwrap();
        wait_until("it gets the block", || seen.next() == core.next());
        assert!(recording.progress().position().get() > begun);
    }
    let last = core.close();
    assert_eq!(end(gateway).next(), last);
    recording.join().unwrap();
}

#[test]
fn it_joins_what_has_ended_too() {
    let disk = SimulatedDisk::new();
    let (mut core, bus, recording) = recorded(&disk, Durability::EachBatch);
    core.run_to(700).unwrap();
    let last = core.close();
    recording.join().unwrap();
    let (checker, _) = Checker::new(BLOCK);
    let checker = end(join(reader(&disk, Extent::Durable), &bus, 0, checker).unwrap());
    assert_eq!(checker.next(), last);
    assert_eq!(checker.shut_down.as_deref(), Some("the ring is closed: the producer has finished"));
}

/// What an error has left: the subscription has left, and the core goes on.
fn goes_on(core: &mut Core, bus: &Bus<PAYLOAD>) {
    assert!(bus.subscriptions().iter().all(|subscription| &*subscription.name != "late"), "it has left");
    core.run_to(core.next() + 500).expect("the core goes on");
}

#[test]
fn what_cannot_be_joined_is_an_error_and_the_core_goes_on() {
    let disk = SimulatedDisk::new();
    let (mut core, bus, recording) = recorded(&disk, Durability::EachBatch);
    core.run_to(1_000).unwrap();

    // Another stream.
    let other = SimulatedDisk::new();
    let mut journal = Journal::builder("mainnet").open_in(Arc::new(other.clone())).unwrap();
    journal.append(common::as_record(&common::record(0, 0, 0, 4))).unwrap();
    journal.close().unwrap();
    let error = join(reader(&other, Extent::Durable), &bus, 0, Checker::new(BLOCK).0).unwrap_err();
    assert!(
        matches!(error, LateError::Follow(FollowError::Journal(JournalError::OtherStream(_)))),
        "{error:?}"
    );
    goes_on(&mut core, &bus);

    // One that has been further than the bus.
    let ahead = core.next() + 1;
    let error = join(reader(&disk, Extent::Durable), &bus, ahead, Checker::new(BLOCK).0).unwrap_err();
    assert!(matches!(error, LateError::Ahead { from, .. } if from.get() == ahead), "{error:?}");
    assert!(error.to_string().contains("first_sequence"), "{error}");
    goes_on(&mut core, &bus);

    let last = core.close();
    assert_eq!(recording.join().unwrap().next.get(), last);

    // What the journal has removed.
    let disk = SimulatedDisk::new();
    let builder = settings(Durability::EachBatch).segment_bytes(2_000).keep_bytes(4_000);
    let (mut core, bus) = live::bus(64, 0);
    let recording = builder.open_in(Arc::new(disk.clone())).unwrap().record(subscribe(&bus)).unwrap();
    core.run_to(3_000).unwrap();
    recording.progress().wait_for(Sequence::new(core.next() - 1), soon()).unwrap();
    let error = join(reader(&disk, Extent::Durable), &bus, 0, Checker::new(BLOCK).0).unwrap_err();
    assert!(
        matches!(error, LateError::Follow(FollowError::Journal(JournalError::Removed { .. }))),
        "{error:?}"
    );
    goes_on(&mut core, &bus);
    core.close();
    recording.join().unwrap();
}

#[test]
fn a_journal_that_nobody_feeds_is_found_out_at_once() {
    // Nobody ever did.
    let disk = SimulatedDisk::new();
    let (mut core, bus) = bus(64, 0);
    core.run_to(1_000).unwrap();
    let error = join(reader(&disk, Extent::Written), &bus, 0, Checker::new(BLOCK).0).unwrap_err();
    let LateError::NotInJournal { position, wanted, end: None } = error else { panic!("{error:?}") };
    assert_eq!((position.get(), wanted.get()), (0, core.next()));
    assert!(error.to_string().contains("required consumer of this bus that runs"), "{error}");
    goes_on(&mut core, &bus);

    // Near the core, so that it has joined before it finds out.
    let first = core.next();
    core.publish(3).unwrap();
    let error = join(reader(&disk, Extent::Written), &bus, first, Checker::new(BLOCK).0).unwrap_err();
    assert!(
        matches!(error, LateError::NotInJournal { position, .. } if position.get() == first),
        "{error:?}"
    );
    goes_on(&mut core, &bus);

    // The journal has failed, and with it the bus.
    let disk = SimulatedDisk::new().with_room_for(30_000);
    let (mut core, bus, recording) = recorded(&disk, Durability::EachBatch);
    core.run_to(u64::MAX).unwrap_err();
    recording.join().unwrap_err();
    let (checker, seen) = Checker::new(BLOCK);
    let error = join(reader(&disk, Extent::Durable), &bus, 0, checker).unwrap_err();
    let LateError::NotInJournal { position, end: Some(end), .. } = &error else { panic!("{error:?}") };
    assert_eq!(position.get(), seen.next());
    assert!(seen.next() > 50 && error.to_string().contains(&end.to_string()), "{error}");
    assert_eq!(bus.subscriptions().len(), 0);
}

#[test]
fn no_room_for_another_is_an_error() {
    let disk = SimulatedDisk::new();
    let builder = Bus::<PAYLOAD>::builder(common::STREAM).capacity(64).max_required(1);
    let (_writer, bus) = builder.build().unwrap();
    let recording = open(&disk, Durability::EachBatch).record(subscribe(&bus)).unwrap();
    let error = join(reader(&disk, Extent::Durable), &bus, 0, Checker::new(BLOCK).0).unwrap_err();
    let LateError::Subscribe(ringbus::bus::SubscribeError::Join(error)) = error else { panic!("{error:?}") };
    assert!(matches!(error, JoinError::TooManyRequired { .. }), "{error:?}");
    bus.stop();
    recording.join().unwrap();
}

#[test]
fn a_subscriber_that_fails_while_it_catches_up_does_not_hurt_the_core() {
    for at in ["start", "block_begun", "record", "block_ended", "batch_ended"] {
        let disk = SimulatedDisk::new();
        let (mut core, bus, recording) = recorded(&disk, Durability::EachBatch);
        core.run_to(1_000).unwrap();
        let calls = Arc::default();
        let failing = Failing { at, records: 0, calls: Arc::clone(&calls) };
        let subscribe = bus.subscribe("late").required();
        let error = reader(&disk, Extent::Durable)
            .join_required(&bus, Sequence::new(0), subscribe, failing)
            .unwrap_err();
        let LateError::Follow(FollowError::Subscriber { message }) = &error else { panic!("{error:?}") };
        assert_eq!(*message, format!("no {at} today"));
        assert_told_once(&calls, at);
        goes_on(&mut core, &bus);
        core.close();
        recording.join().unwrap();
    }
}

/// Once it has joined, it is a required subscriber like any other.
#[test]
fn a_subscriber_that_fails_live_fails_the_bus() {
    for at in ["record", "block_ended", "batch_ended", "idle"] {
        let disk = SimulatedDisk::new();
        let (mut core, bus, recording) = recorded(&disk, Durability::EachBatch);
        let mut records = 0;
        while core.next() < 1_000 {
            core.publish(1).unwrap();
            records += 1;
        }
        let calls = Arc::default();
        let failing = Failing { at, records: records + 30, calls: Arc::clone(&calls) };
        let subscribe = bus.subscribe("late").required();
        let worker =
            reader(&disk, Extent::Durable).join_required(&bus, Sequence::new(0), subscribe, failing).unwrap();
        let error = loop {
            if let Err(error) = core.publish(1) {
                break error.to_string();
            }
        };
        assert!(error.contains("`late`") && error.contains(&format!("no {at} today")), "{error}");
        assert!(worker.join().unwrap_err().to_string().contains(&format!("no {at} today")));
        assert_told_once(&calls, at);
        recording.join().unwrap();
    }
}
