//! What the tests share that put a journal on a bus: a core whose every record is a function of its sequence, and who checks it.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod failing;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use ringbus::Sequence;
use ringbus::bus::{
    Bus, BusBuilder, Flags, Forwarder, Hash, Header, Kind, RecordRef, StreamId, Subscriber, WriteError,
};
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{Durability, Extent, Journal, JournalBuilder, JournalReader};

use crate::common::{STREAM, small_schema};

/// The bytes of payload in a slot.
pub(crate) const PAYLOAD: usize = 64;
/// So many slots make a block.
pub(crate) const BLOCK: u64 = 24;
/// What never comes in time.
pub(crate) const NEVER: Duration = Duration::from_secs(3_600);

pub(crate) fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB) ^ (mixed >> 37)
}

/// How many slots the record takes that begins with this sequence, where blocks are of `block` slots.
pub(crate) fn slots(sequence: u64, block: u64) -> u64 {
    let wanted = match mix(sequence) % 11 {
        0 => 3,
        1 | 2 => 2,
        _ => 1,
    };
    wanted.min(block - sequence % block)
}

/// The record that begins with this sequence. (Not every sequence is the beginning of one.)
pub(crate) fn content(sequence: u64, block: u64) -> (Header, Vec<u8>) {
    let (slots, number) = (slots(sequence, block), mix(sequence));
    let length = match slots {
        1 => number as usize % (PAYLOAD + 1),
        several => (several as usize - 1) * PAYLOAD + 1 + number as usize % PAYLOAD,
    };
    let mut flags = Flags::NONE;
    if sequence.is_multiple_of(block) {
        flags = flags.with(Flags::BEGINS_BLOCK);
    }
    if (sequence + slots).is_multiple_of(block) {
        flags = flags.with(Flags::ENDS_BLOCK);
    }
    let mut trace = [0; 32];
    trace[..8].copy_from_slice(&number.to_le_bytes());
    let header = Header {
        trace: Hash::new(trace),
        block_time: (sequence / block) as i64 * 1_000,
        block_height: sequence / block,
        order: (sequence % block) as u32 + 1,
        kind: Kind::new(100),
        flags,
        ..Header::default()
    };
    let payload = (0..length as u64).map(|at| (mix(sequence + (at >> 3)) >> (8 * (at & 7))) as u8).collect();
    (header, payload)
}

/// Whether this is the record that begins with `expected`. Returns the sequence behind it.
pub(crate) fn check(record: RecordRef<'_>, expected: u64, block: u64) -> Result<u64, String> {
    if record.sequence().get() != expected {
        return Err(format!("expected the record of sequence {expected}, got {}", record.sequence()));
    }
    let (header, payload) = content(expected, block);
    let place = Flags::FIRST_FRAGMENT.with(Flags::LAST_FRAGMENT).with(Flags::LAST_OF_BATCH);
    let found = Header { len: 0, flags: record.header().flags.without(place), ..*record.header() };
    if found != header || record.payload() != payload {
        return Err(format!("the record of sequence {expected} is not what it was: {record:?}"));
    }
    let next = expected + slots(expected, block);
    if record.next_sequence().get() != next {
        return Err(format!("behind {expected} comes {next}, and not {}", record.next_sequence()));
    }
    Ok(next)
}

/// A core.
pub(crate) struct Core {
    pub(crate) forwarder: Forwarder<PAYLOAD>,
    block: u64,
    random: fastrand::Rng,
}

impl Core {
    pub(crate) fn next(&self) -> u64 {
        self.forwarder.next_sequence().get()
    }

    /// Publishes so many records together.
    pub(crate) fn publish(&mut self, records: usize) -> Result<(), WriteError> {
        let mut next = self.next();
        let mut together = Vec::with_capacity(records);
        for _ in 0..records {
            together.push(content(next, self.block));
            next += slots(next, self.block);
        }
        self.forwarder.forward_batch(together.iter().map(|(header, payload)| (header, &payload[..])))?;
        assert_eq!(self.next(), next);
        Ok(())
    }

    /// Publishes the rest of the block, in one batch if that is allowed.
    pub(crate) fn end_block(&mut self) -> Result<(), WriteError> {
        loop {
            self.publish(1)?;
            if self.next().is_multiple_of(self.block) {
                return Ok(());
            }
        }
    }

    /// Publishes until `end` at full speed, in batches of chance.
    pub(crate) fn run_to(&mut self, end: u64) -> Result<(), WriteError> {
        while self.next() < end {
            let records = self.random.usize(1..=4);
            self.publish(records)?;
        }
        Ok(())
    }

    pub(crate) fn close(self) -> u64 {
        self.forwarder.close().expect("an open bus").get()
    }
}

/// A bus with so many slots, whose core goes on at `first`, in blocks of so many slots.
pub(crate) fn bus_of(capacity: usize, first: u64, block: u64) -> (Core, Bus<PAYLOAD>) {
    bus_built(|builder| builder, capacity, first, block)
}

/// The same, in a file, in blocks of [`BLOCK`] slots.
pub(crate) fn shared_bus(path: &Path, capacity: usize, first: u64) -> (Core, Bus<PAYLOAD>) {
    bus_built(|builder| builder.shared(path), capacity, first, BLOCK)
}

fn bus_built(
    set: impl FnOnce(BusBuilder<PAYLOAD>) -> BusBuilder<PAYLOAD>,
    capacity: usize,
    first: u64,
    block: u64,
) -> (Core, Bus<PAYLOAD>) {
    let builder = Bus::<PAYLOAD>::builder(STREAM).capacity(capacity).first_sequence(Sequence::new(first));
    let (writer, bus) = set(builder).build().expect("sound settings");
    let forwarder = writer.forward_from(&StreamId::new(STREAM)).expect("the same stream");
    (Core { forwarder, block, random: fastrand::Rng::with_seed(first + capacity as u64) }, bus)
}

/// The same, in blocks of [`BLOCK`] slots.
pub(crate) fn bus(capacity: usize, first: u64) -> (Core, Bus<PAYLOAD>) {
    bus_of(capacity, first, BLOCK)
}

pub(crate) fn settings(durability: Durability) -> JournalBuilder {
    Journal::builder(STREAM).schema(&small_schema(1)).slot_payload(PAYLOAD).durability(durability)
}

pub(crate) fn open(disk: &SimulatedDisk, durability: Durability) -> Journal {
    settings(durability).open_in(Arc::new(disk.clone())).expect("a journal that can be opened")
}

pub(crate) fn reader(disk: &SimulatedDisk, extent: Extent) -> JournalReader {
    JournalReader::open_in(Arc::new(disk.clone()), extent).expect("a directory that can be read")
}

/// Reads to the end, and checks each record. Returns the sequence behind the last.
pub(crate) fn check_all(reader: &mut JournalReader, first: u64, block: u64) -> u64 {
    let mut next = first;
    while let Some(record) = reader.next().expect("a journal that can be read") {
        next = check(record, next, block).unwrap();
    }
    next
}

/// The sequence behind the last record that is written on this disk.
pub(crate) fn written(disk: &SimulatedDisk, block: u64) -> u64 {
    check_all(&mut reader(disk, Extent::Written), 0, block)
}

/// A moment by which everything has come that will.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Waits until it is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = soon();
    while !is_so() {
        assert!(Instant::now() < deadline, "it never was so: {what}");
        thread::yield_now();
    }
}

/// What a subscriber has been through, for others to look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The sequence behind the last record.
    next: Arc<AtomicU64>,
}

impl Seen {
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }
}

/// Checks that everything comes, in order and once, from its start on: records, and beginnings and ends of blocks. Waits now and
/// then, if it is told to.
#[derive(Debug)]
pub(crate) struct Checker {
    seen: Seen,
    block: u64,
    next: Option<u64>,
    pub(crate) records: u64,
    /// Records since the last batch ended.
    pub(crate) in_batch: u64,
    pub(crate) longest_batch: u64,
    pub(crate) idles: u64,
    /// The block whose beginning was told last.
    begun: Option<u64>,
    /// Of its last record, which ends the block: it is told next.
    ends: Option<u64>,
    pub(crate) shut_down: Option<String>,
    pauses: Option<(u64, Duration)>,
    gate: Option<Receiver<()>>,
}

impl Checker {
    pub(crate) fn new(block: u64) -> (Self, Seen) {
        let seen = Seen::default();
        let checker = Self {
            seen: seen.clone(),
            block,
            next: None,
            records: 0,
            in_batch: 0,
            longest_batch: 0,
            idles: 0,
            begun: None,
            ends: None,
            shut_down: None,
            pauses: None,
            gate: None,
        };
        (checker, seen)
    }

    /// Sleeps so long after one record in so many.
    pub(crate) fn pausing(self, every: u64, pause: Duration) -> Self {
        Self { pauses: Some((every, pause)), ..self }
    }

    /// Waits at its start, until the sender is used or dropped.
    pub(crate) fn waiting(self, gate: Receiver<()>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    pub(crate) fn next(&self) -> u64 {
        self.next.expect("it was started")
    }

    fn demand(is_so: bool, what: &str) -> Result<(), String> {
        if is_so { Ok(()) } else { Err(what.to_owned()) }
    }
}

impl Subscriber for Checker {
    type Error = String;

    fn start(&mut self, first: Sequence) -> Result<(), String> {
        Self::demand(self.next.is_none(), "started twice")?;
        self.next = Some(first.get());
        self.seen.next.store(first.get(), Ordering::Release);
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        Ok(())
    }

    fn block_begun(&mut self, header: &Header) -> Result<(), String> {
        Self::demand(self.ends.is_none(), "a block begins before the end of the last was told")?;
        self.begun = Some(header.block_height);
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), String> {
        Self::demand(self.ends.is_none(), "the end of the block was not told")?;
        Self::demand(
            !record.begins_block() || self.begun == Some(record.block_height()),
            "no beginning was told",
        )?;
        let expected = self.next.ok_or("it was not started")?;
        let next = check(record, expected, self.block)?;
        self.next = Some(next);
        self.seen.next.store(next, Ordering::Release);
        self.ends = record.ends_block().then_some(record.block_height());
        self.records += 1;
        self.in_batch += 1;
        if let Some((every, pause)) = self.pauses
            && self.records.is_multiple_of(every)
        {
            thread::sleep(pause);
        }
        Ok(())
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), String> {
        Self::demand(self.ends.take() == Some(header.block_height), "an end was told that there was not")
    }

    fn batch_ended(&mut self) -> Result<(), String> {
        Self::demand(self.ends.is_none(), "the end of the block was not told before that of the batch")?;
        Self::demand(self.in_batch > 0, "a batch of nothing")?;
        self.longest_batch = self.longest_batch.max(self.in_batch);
        self.in_batch = 0;
        Ok(())
    }

    fn idle(&mut self) -> Result<(), String> {
        self.idles += 1;
        Self::demand(self.in_batch == 0, "idle within a batch")
    }

    fn lagged(&mut self, missed: u64, _: Sequence) -> Result<(), String> {
        Err(format!("{missed} were missed"))
    }

    fn shutdown(&mut self, reason: &ringbus::worker::Shutdown) -> Result<(), String> {
        Self::demand(self.shut_down.is_none() && self.in_batch == 0, "shut down twice, or within a batch")?;
        self.shut_down = Some(reason.to_string());
        Ok(())
    }
}
