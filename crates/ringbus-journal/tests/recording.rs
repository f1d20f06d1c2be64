//! A journal on a bus: it acknowledges what it has made durable, and nothing else.

mod common;
mod live;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use std::{io, thread};

use common::{STREAM, plain};
use live::{
    BLOCK, Checker, NEVER, PAYLOAD, bus, bus_of, check_all, open, reader, settings, soon, wait_until, written,
};
use ringbus::bus::{Bus, Filter, Kind, RequiredSubscription, WriteError};
use ringbus::{End, Sequence};
use ringbus_journal::testing::{Crash, Fault, Operation, SimulatedDisk};
use ringbus_journal::{Durability, Extent, File, Journal, JournalError, Lock, Recording, Storage};

fn subscribe(bus: &Bus<PAYLOAD>) -> RequiredSubscription<PAYLOAD> {
    bus.subscribe("journal").required().join().expect("there is room")
}

/// A bus of 64 slots with a journal that is fed by it.
fn recorded(disk: &SimulatedDisk, durability: Durability) -> (live::Core, Bus<PAYLOAD>, Recording) {
    let journal = open(disk, durability);
    let (core, bus) = bus(64, journal.next_sequence().get());
    let recording = journal.record(subscribe(&bus)).expect("it fits");
    (core, bus, recording)
}

fn wait_for(recording: &Recording, next: u64) {
    recording.progress().wait_for(Sequence::new(next - 1), soon()).expect("it is acknowledged");
}

#[test]
fn each_batch_is_synced_and_then_acknowledged() {
    let disk = SimulatedDisk::new();
    let (mut core, _bus, recording) = recorded(&disk, Durability::EachBatch);
    for step in 0..50 {
        let before = disk.counts().syncs;
        core.publish(3).unwrap();
        wait_for(&recording, core.next());
        // The first is that of the segment's header.
        let syncs = if step == 0 { 2 } else { 1 };
        assert_eq!(disk.counts().syncs - before, syncs, "step {step}");
    }
    let end = core.close();
    let recorded = recording.join().unwrap();
    assert_eq!((recorded.end, recorded.next.get()), (End::Closed, end));
    assert_eq!(disk.counts().syncs, 51, "there was nothing more to sync");
}

#[test]
fn a_block_is_acknowledged_when_it_has_ended_and_not_before() {
    let disk = SimulatedDisk::new();
    let (mut core, _bus, recording) = recorded(&disk, Durability::EachBlock);
    for _ in 0..20 {
        let begun = core.next();
        core.publish(1).unwrap();
        wait_until("the first is written", || written(&disk, BLOCK) == core.next());
        let before = disk.counts().syncs;
        for _ in 0..2 {
            // When the next is written, what was to be done about the one before has been done.
            core.publish(1).unwrap();
            wait_until("it is written", || written(&disk, BLOCK) == core.next());
        }
        assert_eq!(recording.progress().position().get(), begun);
        assert_eq!(disk.counts().syncs, before);
        core.end_block().unwrap();
        wait_for(&recording, core.next());
        assert_eq!(disk.counts().syncs, before + 1);
    }
    // What is left of a block is synced at the end.
    core.publish(1).unwrap();
    let end = core.close();
    assert_eq!(recording.join().unwrap().next.get(), end);
    assert_eq!(disk.crash(Crash::keep_nothing()).names(), disk.names());
    assert_eq!(written(&disk.crash(Crash::keep_nothing()), BLOCK), end);
}

#[test]
fn at_intervals_it_syncs_without_another_record() {
    let disk = SimulatedDisk::new();
    let (mut core, _bus, recording) = recorded(&disk, Durability::Every(Duration::from_millis(2)));
    for step in 0..20 {
        core.publish(1).unwrap();
        wait_for(&recording, core.next());
        assert_eq!(disk.counts().syncs, step + 2, "the header, and once for each");
    }
    core.close();
    recording.join().unwrap();
}

#[test]
fn before_the_interval_is_over_nothing_is_acknowledged() {
    for interval in [NEVER, Duration::MAX] {
        let disk = SimulatedDisk::new();
        let (mut core, _bus, recording) = recorded(&disk, Durability::Every(interval));
        for _ in 0..10 {
            core.publish(1).unwrap();
            wait_until("it is written", || written(&disk, BLOCK) == core.next());
        }
        assert_eq!(recording.progress().position().get(), 0);
        assert_eq!(disk.counts().syncs, 1, "the header's");
        // Half of the ring, though.
        let half = 32;
        core.run_to(half).unwrap();
        wait_for(&recording, half);
        assert_eq!(disk.counts().syncs, 2);
        let end = core.close();
        assert_eq!(recording.join().unwrap().next.get(), end);
    }
}

#[test]
fn never_is_acknowledged_unsynced() {
    let disk = SimulatedDisk::new();
    let (mut core, _bus, recording) = recorded(&disk, Durability::Never);
    for _ in 0..50 {
        core.publish(2).unwrap();
        wait_for(&recording, core.next());
    }
    assert_eq!(disk.counts().syncs, 1, "the header's");
    let end = core.close();
    recording.join().unwrap();
    assert_eq!(disk.counts().syncs, 2);
    assert_eq!(written(&disk.crash(Crash::keep_nothing()), BLOCK), end);
}

#[test]
fn a_block_longer_than_the_ring_does_not_stall() {
    let block = 10_000;
    for durability in [Durability::EachBlock, Durability::Every(NEVER), Durability::EachBatch] {
        let disk = SimulatedDisk::new();
        let (mut core, bus) = bus_of(64, 0, block);
        let journal = subscribe(&bus);
        let gateway = bus.subscribe("gateway").required().after(&[&journal]);
        let (checker, seen) = Checker::new(block);
        let gateway = gateway.spawn(checker).unwrap();
        let recording = open(&disk, durability).record(journal).unwrap();
        let progress = recording.progress();
        let core = thread::spawn(move || core.run_to(3 * block).map(|()| core.close()));
        progress.wait_for(Sequence::new(3 * block - 1), soon()).expect("no stall");
        let end = core.join().unwrap().unwrap();
        recording.join().unwrap();
        gateway.join().unwrap();
        assert_eq!(seen.next(), end);
        assert_eq!(written(&disk, block), end);
        // Pressed, it syncs at half a ring: at most so much is acknowledged at once.
        assert!(disk.counts().syncs > end / 64, "{durability:?}: {:?}", disk.counts());
    }
}

/// The promise: who comes after the journal never sees a record that a crash takes back. Three lives, each of which ends in the middle
/// of some operation of the disk, and several things that may have become of what was not synced.
#[test]
fn a_crash_takes_nothing_back_that_a_dependant_has_seen() {
    let policies =
        [Durability::EachBatch, Durability::EachBlock, Durability::Every(Duration::from_micros(300))];
    let (mut seen_in_all, mut crashes) = (0, 0);
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let durability = policies[seed as usize % policies.len()];
        let mut disk = SimulatedDisk::new();
        let mut seen_before = 0;
        for life in 0..3 {
            disk.crash_at(random.u64(20..700));
            let journal =
                settings(durability).segment_bytes(random.u64(2_000..20_000)).open_in(Arc::new(disk.clone()));
            let Ok(journal) = journal else {
                // The machine stopped while it was being opened.
                disk = disk.crash(Crash::random(random.u64(..)));
                continue;
            };
            let next = journal.next_sequence().get();
            assert!(next >= seen_before, "seed {seed}, life {life}: {next} of {seen_before}");
            let (mut core, bus) = bus(64, next);
            let subscription = subscribe(&bus);
            let (checker, seen) = Checker::new(BLOCK);
            let gateway = bus.subscribe("gateway").required().after(&[&subscription]).spawn(checker).unwrap();
            let recording = journal.record(subscription).unwrap();
            let error = core.run_to(u64::MAX).expect_err("the disk stops");
            assert!(error.to_string().contains("the simulated machine has stopped"), "{error}");
            assert!(matches!(recording.join(), Err(JournalError::Io { .. })));
            let reason = gateway.join().expect("it has drained").reason.to_string();
            assert!(
                reason.contains("journal") && reason.contains("the simulated machine has stopped"),
                "{reason}"
            );

            let seen = seen.next().max(seen_before);
            let crash = |number| match number {
                0 => Crash::keep_nothing(),
                1 => Crash::keep_everything(),
                2 | 3 => Crash::reordered(seed + number),
                _ => Crash::random(seed * 100 + number),
            };
            for number in 0..8 {
                let rebooted = disk.crash(crash(number));
                let journal = open(&rebooted, durability);
                let next = journal.next_sequence().get();
                assert!(
                    next >= seen,
                    "seed {seed}, life {life}, crash {number}: {seen} were seen, {next} are there"
                );
                drop(journal);
                assert_eq!(written(&rebooted, BLOCK), next);
                crashes += 1;
            }
            seen_in_all += seen - seen_before;
            seen_before = seen;
            disk = disk.crash(crash(random.u64(0..8)));
        }
    }
    assert!(seen_in_all > 20_000 && crashes > 1_000, "{seen_in_all} were seen, {crashes} crashes");
}

/// Whether a fault of the disk ends the bus, and all say why. Returns what the writer was told.
fn fails(disk: &SimulatedDisk, durability: Durability) -> String {
    let (mut core, bus, recording) = recorded(disk, durability);
    let error = core.run_to(1_000_000).expect_err("the journal fails");
    assert!(matches!(error, WriteError::Publish(_)), "{error:?}");
    let failure = recording.join().expect_err("it has failed").to_string();
    let (message, end) = (error.to_string(), bus.end().expect("it has ended").to_string());
    assert!(message.contains(&failure) && end.contains(&failure), "{message}\n{end}\n{failure}");
    assert!(message.contains("`journal`"), "{message}");
    message
}

#[test]
fn a_full_disk_fails_the_bus_and_says_what_to_do() {
    let disk = SimulatedDisk::new().with_room_for(40_000);
    let message = fails(&disk, Durability::EachBlock);
    assert!(message.contains("00000000000000000000.journal"), "{message}");
    assert!(message.contains("make room") && message.contains("open the journal again"), "{message}");

    // With more room it goes on where it had stopped.
    let bigger = disk.crash(Crash::keep_nothing()).with_room_for(1 << 20);
    let before = written(&bigger, BLOCK);
    assert!(before > 100, "most of it had been synced: {before}");
    let (mut core, _bus, recording) = recorded(&bigger, Durability::EachBlock);
    core.run_to(before + 500).unwrap();
    let end = core.close();
    recording.join().unwrap();
    assert_eq!(written(&bigger, BLOCK), end);
}

#[test]
fn a_failed_sync_fails_the_bus() {
    for after in [1, 2, 10] {
        let disk = SimulatedDisk::new();
        disk.fail_on(Operation::Sync, after, Fault::SyncFails);
        let message = fails(&disk, Durability::EachBatch);
        assert!(
            message.contains("cannot sync") && message.contains("00000000000000000000.journal"),
            "{message}"
        );
    }
}

#[test]
fn a_failed_sync_at_the_end_is_told_and_not_acknowledged() {
    let disk = SimulatedDisk::new();
    let (mut core, bus, recording) = recorded(&disk, Durability::Every(NEVER));
    let gateway = bus.subscribe("gateway").required().after(&[&recording.progress()]);
    let (checker, seen) = Checker::new(BLOCK);
    let gateway = gateway.spawn(checker).unwrap();
    core.publish(4).unwrap();
    wait_until("they are written", || written(&disk, BLOCK) == core.next());
    disk.fail_on(Operation::Sync, 0, Fault::SyncFails);
    core.close();
    let error = recording.join().expect_err("it was not synced").to_string();
    assert!(error.contains("cannot sync"), "{error}");
    let reason = gateway.join().unwrap().reason.to_string();
    assert!(reason.contains("cannot sync"), "its upstream has failed: {reason}");
    assert_eq!(seen.next(), 0);
}

#[test]
fn what_does_not_fit_is_refused_and_the_bus_goes_on() {
    fn refused(journal: Journal, bus: &Bus<PAYLOAD>, core: &mut live::Core) -> JournalError {
        let error = journal.record(subscribe(bus)).expect_err("it does not fit");
        assert_eq!(bus.subscriptions().len(), 0, "it has left");
        core.run_to(core.next() + 500).expect("the bus goes on");
        error
    }
    let (mut core, bus) = bus(64, 0);
    let new = || Arc::new(SimulatedDisk::new());

    let other = Journal::builder("mainnet").slot_payload(PAYLOAD).open_in(new()).unwrap();
    let error = refused(other, &bus, &mut core);
    assert!(matches!(error, JournalError::OtherStream(_)), "{error:?}");
    assert!(error.to_string().contains("mainnet") && error.to_string().contains(STREAM), "{error}");

    let other = Journal::builder(STREAM).slot_payload(192).open_in(new()).unwrap();
    let error = refused(other, &bus, &mut core);
    assert!(matches!(error, JournalError::OtherSlots { expected: 192, found: PAYLOAD }), "{error:?}");

    // One that has records, whether they were there when it was opened or not.
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Durability::EachBatch);
    let (header, payload) = live::content(0, BLOCK);
    let first = (0, ringbus::bus::Header { len: payload.len() as u16, ..header }, payload);
    journal.append(common::as_record(&first)).unwrap();
    let at = core.next();
    let error = refused(journal, &bus, &mut core);
    assert!(
        matches!(error, JournalError::NotNext { expected, found } if (expected.get(), found.get()) == (1, at))
    );
    let mut journal = open(&disk, Durability::EachBatch);
    assert_eq!(journal.next_sequence().get(), 0, "it was not written");
    journal.append(common::as_record(&first)).unwrap();
    journal.close().unwrap();
    let at = core.next();
    let error = refused(open(&disk, Durability::EachBatch), &bus, &mut core);
    assert!(
        matches!(error, JournalError::NotNext { expected, found } if (expected.get(), found.get()) == (1, at))
    );
    assert_eq!(core.close(), bus.cursor().get());
}

#[test]
fn a_subscription_that_was_read_goes_on_behind_that() {
    let (mut core, bus) = bus(64, 0);
    // What its owner has acknowledged, and what they have deferred, is not the journal's.
    let mut subscription = subscribe(&bus);
    core.end_block().unwrap();
    subscription.read().unwrap().for_each(|_| {});
    core.end_block().unwrap();
    let mut records = subscription.read().unwrap();
    records.next();
    let behind = BLOCK + live::slots(BLOCK, BLOCK);
    records.defer();
    let disk = SimulatedDisk::new();
    let recording = open(&disk, Durability::EachBatch).record(subscription).unwrap();
    core.end_block().unwrap();
    let end = core.close();
    assert_eq!(recording.join().unwrap().next.get(), end);
    assert_eq!(check_all(&mut reader(&disk, Extent::Durable), behind, BLOCK), end);

    // And if that is not where the journal ends, it is refused: here the bus goes on where it ends.
    for defers in [false, true] {
        let (mut core, bus) = live::bus(64, end);
        let mut subscription = subscribe(&bus);
        core.end_block().unwrap();
        let mut records = subscription.read().unwrap();
        records.next();
        if defers {
            records.defer();
        } else {
            records.acknowledge();
        }
        let error = open(&disk, Durability::EachBatch).record(subscription).unwrap_err();
        let (expected, found) = (Sequence::new(end), Sequence::new(end + live::slots(end, BLOCK)));
        assert!(
            matches!(error, JournalError::NotNext { expected: e, found: f } if (e, f) == (expected, found))
        );
    }
}

/// What a filter keeps back would be missing: at the beginning, in the middle, at the end.
#[test]
fn a_filter_is_found_out_before_anything_is_acknowledged() {
    for kept_back in 0..3_u64 {
        let disk = SimulatedDisk::new();
        let (mut core, bus) = bus(64, 0);
        let filter = Filter::kinds([Kind::new(100)]);
        let subscription = bus.subscribe("journal").filter(filter).required().join().unwrap();
        // Published before it reads, so that it is one batch.
        let records: Vec<_> = (0..3)
            .map(|number| {
                let kind = Kind::new(if number == kept_back { 101 } else { 100 });
                ringbus::bus::Header { kind, ..Default::default() }
            })
            .collect();
        core.forwarder.forward_batch(records.iter().map(|header| (header, &b"kept"[..]))).unwrap();
        let recording = open(&disk, Durability::EachBatch).record(subscription).unwrap();
        let progress = recording.progress();
        drop(core);
        let error = recording.join().expect_err("something is missing");
        assert!(
            matches!(error, JournalError::NotNext { expected, .. } if expected.get() == kept_back),
            "{kept_back}: {error}"
        );
        assert_eq!(progress.position().get(), 0);
    }
}

/// A disk that panics at the given append.
#[derive(Debug)]
struct Panicking {
    disk: SimulatedDisk,
    appends_left: Arc<AtomicI64>,
}

#[derive(Debug)]
struct PanickingFile {
    file: Box<dyn File>,
    appends_left: Arc<AtomicI64>,
}

impl File for PanickingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(self.appends_left.fetch_sub(1, Ordering::Relaxed) > 0, "the disk panics");
        self.file.append(bytes)
    }
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.file.truncate(size)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

impl Panicking {
    fn wrap(&self, file: io::Result<Box<dyn File>>) -> io::Result<Box<dyn File>> {
        Ok(Box::new(PanickingFile { file: file?, appends_left: Arc::clone(&self.appends_left) }))
    }
}

impl Storage for Panicking {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.wrap(self.disk.create(name))
    }
    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.wrap(self.disk.open(name))
    }
    fn open_to_read(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.disk.open_to_read(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn sync(&self) -> io::Result<()> {
        Storage::sync(&self.disk)
    }
    fn lock(&self, name: &str) -> io::Result<Box<dyn Lock>> {
        self.disk.lock(name)
    }
    fn place(&self) -> String {
        self.disk.place()
    }
}

#[test]
fn a_panic_fails_the_bus_and_is_told_by_join() {
    let disk = SimulatedDisk::new();
    let storage = Panicking { disk: disk.clone(), appends_left: Arc::new(AtomicI64::new(5)) };
    let journal = settings(Durability::EachBatch).open_in(Arc::new(storage)).unwrap();
    let (mut core, bus) = bus(64, 0);
    let recording = journal.record(subscribe(&bus)).unwrap();
    let error = core.run_to(u64::MAX).expect_err("the journal has failed").to_string();
    assert!(error.contains("`journal`"), "{error}");
    let panic = catch_unwind(AssertUnwindSafe(|| recording.join())).expect_err("it panicked");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the disk panics"));
    // The lock is free again.
    let journal = open(&disk, Durability::EachBatch);
    assert_eq!(written(&disk, BLOCK), journal.next_sequence().get());
}

#[test]
fn a_name_that_no_thread_can_have_does_not_matter() {
    let (core, bus) = bus(64, 0);
    let subscription = bus.subscribe("jour\0nal").required().join().unwrap();
    let recording = open(&SimulatedDisk::new(), Durability::EachBatch).record(subscription).unwrap();
    core.close();
    assert_eq!(recording.join().unwrap().next.get(), 0);
}

#[test]
fn a_bus_that_is_stopped_leaves_what_was_acknowledged() {
    let disk = SimulatedDisk::new();
    let (mut core, bus, recording) = recorded(&disk, Durability::EachBlock);
    core.end_block().unwrap();
    wait_for(&recording, BLOCK);
    core.publish(2).unwrap();
    bus.stop();
    let recorded = recording.join().unwrap();
    assert_eq!(recorded.end, End::Stopped);
    assert!(recorded.next.get() >= BLOCK);
    assert_eq!(written(&disk.crash(Crash::keep_nothing()), BLOCK), recorded.next.get());
}

/// A core that is killed and restarted, three times: the journal says where it goes on, and what it had not finished.
#[test]
fn a_restarted_core_goes_on_where_its_journal_ends() {
    let directory = tempfile::tempdir().unwrap();
    let mut end = 0;
    for life in 0..3_u64 {
        let journal = settings(Durability::EachBlock).segment_records(40).open(directory.path()).unwrap();
        let recovery = journal.recovery().clone();
        assert_eq!(journal.next_sequence().get(), end);
        if life == 0 {
            assert_eq!((recovery.next, recovery.last_block, recovery.unfinished), (None, None, None));
        } else {
            let last_end = end / BLOCK * BLOCK;
            let block = recovery.last_block.expect("blocks have ended");
            assert_eq!(
                (recovery.next, block.next, block.height, block.time),
                (
                    Some(Sequence::new(end)),
                    Sequence::new(last_end),
                    last_end / BLOCK - 1,
                    (last_end / BLOCK - 1) as i64 * 1_000
                )
            );
            assert_eq!(recovery.unfinished, (last_end < end).then_some(Sequence::new(last_end)));
            assert_eq!(recovery.cut, None);
        }
        let (mut core, bus) = bus(64, end);
        let (checker, seen) = Checker::new(BLOCK);
        let subscription = subscribe(&bus);
        let gateway = bus.subscribe("gateway").required().after(&[&subscription]).spawn(checker).unwrap();
        let recording = journal.record(subscription).unwrap();
        core.run_to(end + 1_000).unwrap();
        core.end_block().unwrap();
        if life != 1 {
            // It stops in the middle of a block.
            core.publish(1).unwrap();
        }
        end = core.close();
        assert_eq!(recording.join().unwrap().next.get(), end);
        gateway.join().unwrap();
        assert_eq!(seen.next(), end);
        let mut reader = ringbus_journal::JournalReader::open(directory.path(), Extent::Durable).unwrap();
        assert_eq!(check_all(&mut reader, 0, BLOCK), end);
    }
}

/// What is read from the journal is what was on the ring, to the byte.
#[test]
fn records_are_kept_as_they_were() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk, Durability::EachBatch);
    let (mut core, bus) = bus(1 << 12, 0);
    let recording = journal.record(subscribe(&bus)).unwrap();
    let mut live = bus.subscribe("live").required().join().unwrap();
    core.run_to(2_000).unwrap();
    core.close();
    recording.join().unwrap();
    let mut on_the_ring = Vec::new();
    while let Ok(records) = live.read() {
        records.for_each(|record| on_the_ring.push(plain(record)));
    }
    assert_eq!(common::all(&disk), on_the_ring);
}
