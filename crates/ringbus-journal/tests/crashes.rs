//! Power cuts at every operation: what was acknowledged is there afterwards, in order, once.
//!
//! `RINGBUS_CRASHES` times as many scenarios are tried as without it.

mod common;

use std::sync::Arc;

use common::{
    Plain, as_record, crashes, end_of, open, reader, record, rest, segments, settings, small_schema,
};
use ringbus::Sequence;
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{Durability, Extent, Journal, JournalBuilder, JournalError, RegisteredReader, Start};

/// What is known of a stream that is fed to a journal, through all crashes.
#[derive(Clone)]
struct World {
    /// What was appended, less what a crash took back.
    records: Vec<Plain>,
    /// All before this sequence was acknowledged, and cannot be taken back.
    acknowledged: u64,
    /// What the registered reader has passed: the journal need not keep it. Before there was one, it could remove what it would.
    passed: u64,
    is_registered: bool,
    /// How often the machine was started.
    life: u8,
    durability: Durability,
    random: fastrand::Rng,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let durability = [
            Durability::EachBatch,
            Durability::EachBlock,
            Durability::Every(std::time::Duration::ZERO),
            Durability::Every(std::time::Duration::MAX),
            Durability::Never,
        ][seed as usize % 5];
        let first = [0, 1_000][random.usize(..2)];
        Self {
            records: Vec::new(),
            acknowledged: first,
            passed: first,
            is_registered: false,
            life: 0,
            durability,
            random,
        }
    }

    fn settings(&mut self) -> JournalBuilder {
        let settings = settings().durability(self.durability).schema(&small_schema(self.random.u32(..6) / 5));
        let settings = settings.segment_bytes([1_500, 6_000][self.random.usize(..2)]).keep_bytes(6_000);
        if self.random.u8(..4) == 0 { settings.segment_records(1) } else { settings }
    }

    fn next(&self) -> u64 {
        self.records.last().map_or(self.acknowledged, end_of)
    }

    /// Remembers what the journal says.
    fn hears(&mut self, journal: &Journal) {
        let durable = journal.durable().get();
        assert!(durable <= self.next().max(journal.next_sequence().get()));
        // Without a policy, what is acknowledged can be taken back.
        if self.durability != Durability::Never {
            self.acknowledged = self.acknowledged.max(durable);
        }
    }

    /// Does so many random things to a journal, until the machine stops.
    fn live(&mut self, disk: &SimulatedDisk, steps: u32) -> Result<(), JournalError> {
        let settings = self.settings();
        let mut journal = open(disk, settings)?;
        self.hears(&journal);
        let mut registered = None;
        if self.random.bool() {
            let storage = Arc::new(disk.clone());
            registered = Some(RegisteredReader::register_in(storage, "reader", Sequence::new(self.passed))?);
            if !std::mem::replace(&mut self.is_registered, true) {
                self.passed = self.passed.max(oldest(disk).unwrap_or(0));
            }
        }
        for _ in 0..steps {
            match self.random.u32(..20) {
                0 => _ = journal.sync()?,
                1 => {
                    let durable = journal.close()?.get();
                    assert!(durable == self.next() || self.records.is_empty());
                    self.acknowledged = durable.max(self.acknowledged);
                    let settings = self.settings();
                    journal = open(disk, settings)?;
                }
                // As when the process is killed, but for the lock.
                2 => {
                    drop(journal);
                    let settings = self.settings();
                    journal = open(disk, settings)?;
                    self.takes_back(journal.recovery().next.map_or(self.acknowledged, Sequence::get));
                }
                3..6 => {
                    if let Some(registered) = &mut registered {
                        self.passed = self.random.u64(self.passed..=self.acknowledged.max(self.passed));
                        registered.has_passed(Sequence::new(self.passed))?;
                    }
                }
                6..14 => {
                    let pressed = self.random.u8(..8) == 0;
                    journal.end_batch(pressed)?;
                }
                _ => {
                    for _ in 0..self.random.u32(1..4) {
                        let lengths = [0, 30, 300, 1_200];
                        let length = self.random.usize(..=lengths[self.random.clone().usize(..4)]);
                        let record = record(self.next(), self.records.len() as u64, self.life, length);
                        // It counts as appended also if this fails: it may have been written.
                        self.records.push(record);
                        journal.append(as_record(self.records.last().expect("a record")))?;
                    }
                }
            }
            self.hears(&journal);
        }
        Ok(())
    }

    /// A crash left the records before `next` only.
    fn takes_back(&mut self, next: u64) {
        assert!(next >= self.acknowledged, "{next} of {}", self.acknowledged);
        self.records.retain(|record| record.0 < next);
    }

    /// What is read must be what was appended, from some point on that nobody needs what is before, up to some other point.
    fn expect_prefix(&self, read: &[Plain], what: &str) {
        let Some(first) = read.first() else { return };
        let at = self.records.iter().position(|record| record.0 == first.0).expect("it was appended");
        assert!(*read == self.records[at..][..read.len().min(self.records.len() - at)], "{what}");
        assert!(at == 0 || first.0 <= if self.is_registered { self.passed } else { self.next() }, "{what}");
    }

    /// Starts the machine again, and makes sure that nothing is lost.
    fn expect_all(&mut self, disk: &SimulatedDisk, what: &str) {
        // As it was left: for now there may be a torn end, but nothing wrong.
        let mut found = reader(disk, Extent::Written);
        let read = rest(&mut found).unwrap_or_else(|error| panic!("{what}: {error}"));
        self.expect_prefix(&read, what);
        let end = found.next_sequence().map_or(self.acknowledged, Sequence::get);
        assert!(end >= self.acknowledged, "{what}: {end} of {}", self.acknowledged);
        let read = rest(&mut reader(disk, Extent::Durable)).unwrap_or_else(|error| panic!("{what}: {error}"));
        self.expect_prefix(&read, what);

        let settings = self.settings().keep_bytes(u64::MAX);
        let journal = open(disk, settings).unwrap_or_else(|error| panic!("{what}: {error}"));
        let next = journal.recovery().next.map_or(self.acknowledged, Sequence::get);
        assert!(next >= self.acknowledged, "{what}: {next} of {}", self.acknowledged);
        assert_eq!(next, end, "{what}: what can be read is what it goes on from");
        assert!(
            journal.durable() == journal.next_sequence() && journal.next_sequence().get() == next
                || next == 1_000
        );
        self.takes_back(next);
        let mut after = reader(disk, Extent::Durable);
        let read = rest(&mut after).unwrap_or_else(|error| panic!("{what}: {error}"));
        self.expect_prefix(&read, what);
        assert_eq!(after.next_sequence().map_or(next, Sequence::get), next, "{what}");
        // The index says nothing else than a scan.
        let number = self.random.u64(..=self.records.len() as u64 / 2);
        let expected: Vec<_> =
            read.iter().filter(|record| record.1.trace == common::trace(number)).cloned().collect();
        after.only_trace(Some(common::trace(number)));
        after.seek(Start::Oldest).expect("it is there");
        assert_eq!(rest(&mut after).expect("whole"), expected, "{what}");
        // All of that is durable now, whatever the policy.
        self.acknowledged = next;
        self.life += 1;
    }
}

/// The sequence that the oldest segment begins with.
fn oldest(disk: &SimulatedDisk) -> Option<u64> {
    segments(disk).first()?[..20].parse().ok()
}

/// Lives, and crashes at each operation in turn in each way; goes on after some of these crashes, and crashes again. Returns how
/// often it crashed.
fn crash_everywhere(seed: u64) -> u64 {
    let mut crashed = 0;
    let begun = World::new(seed);
    let whole = SimulatedDisk::new();
    begun.clone().live(&whole, 40).expect("nothing fails");
    for operation in 0..=whole.operations() {
        let disk = SimulatedDisk::new();
        disk.crash_at(operation);
        let mut world = begun.clone();
        // (That an index cannot be written is no error: it may not notice at the end.)
        _ = world.live(&disk, 40);
        for (number, crash) in crashes(seed * 1_000 + operation).into_iter().enumerate() {
            let what = format!("scenario {seed}, operation {operation}, {crash:?}");
            let mut world = world.clone();
            let after = disk.crash(crash);
            world.expect_all(&after, &what);
            crashed += 1;
            if !(operation + number as u64).is_multiple_of(3) {
                continue;
            }
            // The next life of the same machine, which ends sooner.
            let again = after.process_crash();
            again.crash_at(world.random.u64(..120));
            _ = world.live(&again, 20);
            let crash = crashes(operation)[world.random.usize(..5)];
            world.expect_all(&again.crash(crash), &format!("{what}, and then {crash:?}"));
            crashed += 1;
        }
    }
    crashed
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash_at_any_operation() {
    let times = std::env::var("RINGBUS_CRASHES").map_or(1, |times| times.parse().expect("a number"));
    let seeds: Vec<u64> = (0..30 * times).collect();
    let half = |which: u64| {
        let seeds = seeds.clone();
        move || seeds.into_iter().filter(|seed| seed % 2 == which).map(crash_everywhere).sum::<u64>()
    };
    let other = std::thread::spawn(half(1));
    let crashed = half(0)() + other.join().expect("all is there");
    println!("{crashed} crashes");
    assert!(crashed >= 30_000 * times, "{crashed}");
}
