//! From the journal to the ring and back: everything, in order and once, whatever the ring has lost meanwhile.

mod common;
mod live;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use live::{BLOCK, Checker, Core, PAYLOAD, bus, check, check_all, open, reader, settings, soon, wait_until};
use ringbus::bus::{Bus, RequiredSubscription};
use ringbus::{End, Sequence};
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{
    CatchUp, Caught, Durability, Extent, Journal, JournalError, JournalReader, OnBus, Recording,
};

fn subscribe(bus: &Bus<PAYLOAD>) -> RequiredSubscription<PAYLOAD> {
    bus.subscribe("journal").required().join().expect("there is room")
}

/// A bus of 64 slots with a journal on a disk.
struct Recorded {
    disk: SimulatedDisk,
    core: Core,
    bus: Bus<PAYLOAD>,
    recording: Recording,
}

impl Recorded {
    fn new() -> Self {
        Self::on(SimulatedDisk::new())
    }

    fn on(disk: SimulatedDisk) -> Self {
        let journal =
            settings(Durability::EachBatch).segment_bytes(4_000).open_in(Arc::new(disk.clone())).unwrap();
        let (core, bus) = bus(64, journal.next_sequence().get());
        let recording = journal.record(subscribe(&bus)).unwrap();
        Self { disk, core, bus, recording }
    }

    /// Publishes so many records, one by one, and waits until the journal has them.
    fn publish(&mut self, records: usize) {
        (0..records).for_each(|_| self.core.publish(1).unwrap());
        let last = Sequence::new(self.core.next() - 1);
        self.recording.progress().wait_for(last, soon()).unwrap();
    }

    fn catch_up(&self, extent: Extent, next: u64) -> CatchUp<OnBus<PAYLOAD>> {
        CatchUp::new(reader(&self.disk, extent), &self.bus, "late", Sequence::new(next)).unwrap()
    }
}

/// Reads what there is now, and checks it. Returns the end, if there is one.
fn drain(late: &mut CatchUp<OnBus<PAYLOAD>>) -> Option<End> {
    loop {
        let expected = late.next_sequence().get();
        match late.next().unwrap() {
            Caught::Record(record) => {
                let next = check(record, expected, BLOCK).unwrap();
                assert_eq!(late.next_sequence().get(), next);
            }
            Caught::Nothing => return None,
            Caught::Ended(end) => return Some(end),
        }
    }
}

/// Where its records came from: journal, ring, overruns.
fn sources(late: &CatchUp<OnBus<PAYLOAD>>) -> (u64, u64, u64) {
    (late.from_journal(), late.from_ring(), late.overruns())
}

#[test]
fn from_the_journal_to_the_ring_and_back() {
    let mut here = Recorded::new();
    here.publish(300);
    let mut late = here.catch_up(Extent::Durable, 0);
    assert!(!late.is_live());
    assert_eq!(drain(&mut late), None);
    assert!(late.is_live());
    assert_eq!(sources(&late), (300, 0, 0));

    here.publish(10);
    assert_eq!(drain(&mut late), None);
    assert_eq!(sources(&late), (300, 10, 0));

    for round in 1..=5 {
        // Longer than the ring: it goes to the journal for all of it.
        here.publish(200);
        assert_eq!(drain(&mut late), None);
        assert!(late.is_live());
        assert_eq!(sources(&late), (300 + 200 * round, 10 * round, round));
        here.publish(10);
        assert_eq!(drain(&mut late), None);
        assert_eq!(sources(&late), (300 + 200 * round, 10 * round + 10, round));
    }
    let end = here.core.close();
    assert_eq!(drain(&mut late), Some(End::Closed));
    assert_eq!(late.next_sequence().get(), end);
    // And again.
    assert_eq!(drain(&mut late), Some(End::Closed));
    assert_eq!(here.recording.join().unwrap().next.get(), end);
}

/// Overrun with records of the ring in hand: those are not taken, as the journal has them too.
#[test]
fn an_overrun_in_the_middle_of_what_was_copied_loses_and_repeats_nothing() {
    let mut here = Recorded::new();
    let mut late = here.catch_up(Extent::Written, 0);
    for round in 0..200 {
        here.publish(20);
        for _ in 0..1 + round % 7 {
            let expected = late.next_sequence().get();
            let Caught::Record(record) = late.next().unwrap() else { panic!("there are records") };
            check(record, expected, BLOCK).unwrap();
        }
        if round % 10 == 9 {
            drain(&mut late);
        }
    }
    assert_eq!(late.next_sequence().get(), here.core.next());
    let (from_journal, from_ring, overruns) = sources(&late);
    assert_eq!(from_journal + from_ring, 4_000);
    assert!(from_journal > 500 && from_ring > 50 && overruns > 10, "{:?}", sources(&late));
}

#[test]
fn what_neither_has_yet_is_waited_for() {
    // By hand, so that the journal can be behind.
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    let (mut core, bus) = bus(64, 0);
    let mut subscription = subscribe(&bus);
    let mut late = CatchUp::new(reader(&disk, Extent::Durable), &bus, "late", Sequence::new(0)).unwrap();
    for round in 1..=10 {
        for _ in 0..10 {
            core.end_block().unwrap();
            subscription.read().unwrap().for_each(|record| journal.append(record).unwrap());
        }
        // The ring does not have the first of these, and the journal has not written them.
        for _ in 0..3 {
            assert!(matches!(late.next(), Ok(Caught::Nothing)));
        }
        assert_eq!(late.next_sequence().get(), (round - 1) * 10 * BLOCK);
        journal.end_batch(false).unwrap();
        assert_eq!(drain(&mut late), None);
        assert_eq!(late.next_sequence().get(), round * 10 * BLOCK);
    }
    assert_eq!(late.from_ring(), 0);
    subscription.leave();
}

/// A journal that is left behind for good: the bus has ended, and nobody feeds it any more.
#[test]
fn what_neither_will_ever_have_is_an_error() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    let (mut core, bus) = bus(64, 0);
    let mut subscription = subscribe(&bus);
    let mut late = CatchUp::new(reader(&disk, Extent::Durable), &bus, "late", Sequence::new(0)).unwrap();
    let mut feed = |core: &mut Core, journal: &mut Journal| {
        core.end_block().unwrap();
        let mut end = 0;
        subscription.read().unwrap().for_each(|record| {
            journal.append(record).unwrap();
            end = record.next_sequence().get();
        });
        end
    };
    for _ in 0..10 {
        feed(&mut core, &mut journal);
    }
    journal.end_batch(false).unwrap();
    for _ in 0..10 {
        feed(&mut core, &mut journal);
    }
    let end = core.close();
    assert_eq!(end, 20 * BLOCK);
    // The journal's subscription is still there: it may write yet.
    assert_eq!(drain(&mut late), None);
    assert!(matches!(late.next(), Ok(Caught::Nothing)));
    subscription.leave();
    drop(journal);
    for _ in 0..2 {
        let error = late.next().unwrap_err();
        let JournalError::Gap { first, next } = error else { panic!("{error:?}") };
        assert_eq!(first.get(), 10 * BLOCK);
        assert!(next.get() > end - 64 && next.get() < end, "the oldest on the ring: {next}");
    }

    // On a thread, that ends it.
    let late = CatchUp::new(reader(&disk, Extent::Durable), &bus, "late", Sequence::new(0)).unwrap();
    let (checker, seen) = Checker::new(BLOCK);
    let error = late.spawn(checker).unwrap().join().unwrap_err().to_string();
    assert!(error.contains(&format!("sequences {} up to", 10 * BLOCK)), "{error}");
    assert_eq!(seen.next(), 10 * BLOCK);

    // What lies before all that this bus ever had, and the journal does not have either.
    let (core, bus) = live::bus(64, 1_000 * BLOCK);
    core.close();
    let mut late =
        CatchUp::new(reader(&disk, Extent::Durable), &bus, "late", Sequence::new(10 * BLOCK)).unwrap();
    let error = late.next().unwrap_err();
    let (first, next) = (Sequence::new(10 * BLOCK), Sequence::new(1_000 * BLOCK));
    assert!(matches!(error, JournalError::Gap { first: f, next: n } if (f, n) == (first, next)), "{error}");
    // And what lies behind its end: there is no more.
    let ahead = Sequence::new(2_000 * BLOCK);
    let mut late = CatchUp::new(reader(&disk, Extent::Durable), &bus, "late", ahead).unwrap();
    assert!(matches!(late.next(), Ok(Caught::Ended(End::Closed))));
}

#[test]
fn it_gets_everything_that_was_published_before_the_end() {
    for stops in [false, true] {
        let mut here = Recorded::new();
        here.publish(500);
        let mut late = here.catch_up(Extent::Written, 0);
        here.core.publish(5).unwrap();
        let end = here.core.next();
        if stops {
            here.bus.stop();
        } else {
            here.core.close();
        }
        here.recording.join().unwrap();
        let reason = drain(&mut late);
        assert_eq!(reason, Some(if stops { End::Stopped } else { End::Closed }));
        assert_eq!(late.next_sequence().get(), end);
    }
}

/// The journal fails, and with it the bus: what the journal has, and then what the ring still has.
#[test]
fn a_failed_bus_is_told_after_what_there_is() {
    let disk = SimulatedDisk::new().with_room_for(100_000);
    let mut here = Recorded::on(disk);
    let mut near = here.catch_up(Extent::Written, 0);
    let error = loop {
        drain(&mut near);
        if let Err(error) = here.core.publish(1) {
            break error.to_string();
        }
    };
    assert!(error.contains("no room left"), "{error}");
    let mut far = here.catch_up(Extent::Written, 0);
    here.recording.join().unwrap_err();
    let Some(End::Poisoned(failure)) = drain(&mut near) else { panic!("it has failed") };
    assert_eq!(failure.consumer.as_ref(), "journal");
    assert_eq!(near.next_sequence(), here.bus.cursor());
    // Who was not near gets what the journal has, and the rest if the ring still has all of that.
    let in_journal = check_all(&mut reader(&here.disk, Extent::Written), 0, BLOCK);
    let ended = loop {
        match far.next() {
            Ok(Caught::Record(_)) => {}
            other => break other.map(|caught| matches!(caught, Caught::Ended(End::Poisoned(_)))),
        }
    };
    match ended {
        Ok(is_poisoned) => assert!(is_poisoned && far.next_sequence() == here.bus.cursor()),
        Err(JournalError::Gap { first, next }) => {
            assert!(first.get() == in_journal && next > first && next < here.bus.cursor(), "{first}, {next}");
        }
        Err(error) => panic!("{error}"),
    }
    assert!(far.from_journal() > 500);
}

#[test]
fn damage_does_not_matter_while_the_ring_has_it() {
    let mut here = Recorded::new();
    here.publish(15);
    let name = "00000000000000000000.journal";
    let mut bytes = here.disk.file(name).unwrap();
    let at = bytes.len() - 200;
    bytes[at] ^= 0x55;
    let damaged = SimulatedDisk::new();
    for other in here.disk.names() {
        damaged.put(&other, here.disk.file(&other).unwrap());
    }
    damaged.put(name, bytes);
    let (mut of_it, reader) = (reader(&damaged, Extent::Written), reader(&damaged, Extent::Written));
    let error = loop {
        match of_it.next() {
            Ok(record) => assert!(record.is_some(), "it is damaged"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Damaged(_)), "{error}");
    let mut late = CatchUp::new(reader, &here.bus, "late", Sequence::new(0)).unwrap();
    assert_eq!(drain(&mut late), None);
    assert_eq!(late.next_sequence().get(), here.core.next());
    assert!(late.from_journal() > 0 && late.from_ring() > 0);
    // Without the ring it does.
    here.publish(300);
    let mut late = here.catch_up(Extent::Written, 0);
    drain(&mut late);
    let of_damaged = JournalReader::open_in(Arc::new(damaged), Extent::Written).unwrap();
    let mut late = CatchUp::new(of_damaged, &here.bus, "late", Sequence::new(0)).unwrap();
    let error = loop {
        match late.next() {
            Ok(Caught::Record(_)) => {}
            Ok(other) => panic!("it is damaged: {other:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Damaged(_)), "{error}");
}

#[test]
fn what_it_cannot_begin_with_is_refused() {
    let (_core, bus) = bus(64, 0);
    let disk = SimulatedDisk::new();
    let other = Journal::builder("mainnet").open_in(Arc::new(disk.clone())).unwrap();
    let mut other = other;
    other.append(common::as_record(&common::record(0, 0, 0, 4))).unwrap();
    other.close().unwrap();
    let error = CatchUp::new(reader(&disk, Extent::Written), &bus, "late", Sequence::new(0)).unwrap_err();
    assert!(
        matches!(error, JournalError::OtherStream(_)) && error.to_string().contains("mainnet"),
        "{error}"
    );

    let disk = SimulatedDisk::new();
    let builder = settings(Durability::EachBatch).segment_bytes(2_000).keep_bytes(4_000);
    let (mut core, bus) = live::bus(64, 0);
    let recording = builder.open_in(Arc::new(disk.clone())).unwrap().record(subscribe(&bus)).unwrap();
    core.run_to(3_000).unwrap();
    core.close();
    recording.join().unwrap();
    let error = CatchUp::new(reader(&disk, Extent::Written), &bus, "late", Sequence::new(0)).unwrap_err();
    assert!(matches!(error, JournalError::Removed { asked, .. } if asked.get() == 0), "{error}");
}

/// No record begins there: nobody has been up to that sequence.
#[test]
fn in_the_middle_of_a_record_is_no_place_to_begin() {
    let mut here = Recorded::new();
    here.publish(20);
    let mut first = 0;
    while live::slots(first, BLOCK) < 2 {
        first += live::slots(first, BLOCK);
    }
    let (middle, next) = (first + 1, first + live::slots(first, BLOCK));
    assert!(next < here.core.next());
    let mut late = here.catch_up(Extent::Written, middle);
    let error = late.next().unwrap_err();
    let JournalError::Gap { first: f, next: n } = error else { panic!("{error:?}") };
    assert_eq!((f.get(), n.get()), (middle, next));
    // The same where the journal has nothing of it, and the ring has.
    let empty = reader(&SimulatedDisk::new(), Extent::Written);
    let mut late = CatchUp::new(empty, &here.bus, "late", Sequence::new(middle)).unwrap();
    assert!(matches!(late.next(), Ok(Caught::Nothing)));
    assert_eq!(late.next_sequence().get(), middle);
}

#[test]
fn after_a_restart_it_goes_on_where_it_was() {
    let mut here = Recorded::new();
    here.publish(100);
    let mut late = here.catch_up(Extent::Written, 0);
    drain(&mut late);
    here.publish(400);
    let stopped_at = late.next_sequence().get();
    here.core.close();
    here.recording.join().unwrap();

    let mut here = Recorded::on(here.disk);
    here.publish(7);
    let mut late = here.catch_up(Extent::Written, stopped_at);
    assert_eq!(drain(&mut late), None);
    assert_eq!(late.next_sequence().get(), here.core.next());
    assert_eq!(late.from_journal(), 407);
}

#[test]
fn on_a_thread_it_ends_with_the_bus() {
    let mut here = Recorded::new();
    here.publish(300);
    let (checker, seen) = Checker::new(BLOCK);
    let following = here.catch_up(Extent::Written, 0).spawn(checker).unwrap();
    here.publish(300);
    wait_until("it is there", || seen.next() == here.core.next());
    let end = here.core.close();
    let checker = following.join().unwrap();
    assert_eq!((checker.next(), checker.records), (end, 600));
    assert_eq!(checker.shut_down, Some(End::Closed.to_string()));
    here.recording.join().unwrap();
}

/// Under full load, at hundreds of moments, on small rings: each goes on for a while, some so slowly that they are overrun again and again.
#[test]
fn under_full_load_everything_comes_once_and_in_order() {
    let joins: u64 = std::env::var("RINGBUS_JOINS").map_or(200, |joins| joins.parse().expect("a number"));
    let mut totals = (0, 0, 0);
    for (number, capacity) in [64, 256, 1_024].into_iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let durability =
            [Durability::Never, Durability::Every(Duration::from_millis(1)), Durability::EachBlock][number];
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
        // One is there from the first record to the last.
        let (checker, _) = Checker::new(BLOCK);
        let whole = JournalReader::open(directory.path(), Extent::Written).unwrap();
        let whole = CatchUp::new(whole, &bus, "whole", Sequence::new(0)).unwrap();
        let whole = whole.spawn(checker.pausing(5_000, Duration::from_millis(1))).unwrap();
        let mut random = fastrand::Rng::with_seed(number as u64);
        for _ in 0..joins / 3 {
            let extent = if random.bool() { Extent::Written } else { Extent::Durable };
            let behind = [0, 100, 2_000, 20_000][random.usize(0..4)];
            let first = bus.cursor().get().saturating_sub(behind) / BLOCK * BLOCK;
            let reader = JournalReader::open(directory.path(), extent).unwrap();
            let mut late = CatchUp::new(reader, &bus, "late", Sequence::new(first)).unwrap();
            let pause_every = [u64::MAX, 30, 500][random.usize(0..3)];
            let mut left = random.u64(100..3_000);
            while left > 0 {
                let expected = late.next_sequence().get();
                if let Caught::Record(record) = late.next().unwrap() {
                    check(record, expected, BLOCK).unwrap();
                    left -= 1;
                    if left.is_multiple_of(pause_every) {
                        thread::sleep(Duration::from_micros(random.u64(1..300)));
                    }
                } else {
                    thread::yield_now();
                }
            }
            let (from_journal, from_ring, overruns) = sources(&late);
            totals = (totals.0 + from_journal, totals.1 + from_ring, totals.2 + overruns);
        }
        enough.store(true, Ordering::Relaxed);
        let end = core.join().unwrap();
        assert_eq!(whole.join().unwrap().next(), end);
        assert_eq!(recording.join().unwrap().next.get(), end);
    }
    println!(
        "{joins} joins: {} records from journals, {} from rings, {} overruns",
        totals.0, totals.1, totals.2
    );
    assert!(totals.0 > joins && totals.1 > 0, "{totals:?}");
}
