//! From the journal to the bus.

use std::thread;
use std::time::{Duration, Instant};

use ringbus::bus::{Forwarder, OwnedRecord, RecordRef};
use ringbus::wait::WaitStrategy;

use super::pace::Pace;
use super::{Replay, ReplayError, Replayed, Stop};
use crate::error::JournalError;
use crate::reader::JournalReader;

/// The most records that are put on the bus together, if nobody waits for them.
const BATCH: usize = 64;

impl Replay {
    /// Puts the records on the bus. Returns when it is at the end of the journal, or where it was told to end. Waits where the bus is full.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]. What came before is on the bus (unless that is what refuses more).
    pub fn run<const PAYLOAD: usize, W: WaitStrategy>(
        self,
        forwarder: &mut Forwarder<PAYLOAD, W>,
    ) -> Result<Replayed, ReplayError> {
        self.run_with(forwarder, |_| {})
    }

    /// The same; tells `progress` now and then what it has come to, for a progress bar.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_with<const PAYLOAD: usize, W: WaitStrategy>(
        self,
        forwarder: &mut Forwarder<PAYLOAD, W>,
        mut progress: impl FnMut(&Replayed),
    ) -> Result<Replayed, ReplayError> {
        let Self { mut reader, start, stop, speed, steps_over } = self;
        if let Some(start) = start {
            reader.seek(start)?;
        }
        let began = Instant::now();
        let mut pace = Pace::new(speed);
        let mut batch = Batch::<PAYLOAD>::new(forwarder.max_payload());
        let mut replayed = Replayed::default();
        loop {
            let record = match reader.next() {
                Ok(Some(record)) if !stop.is_before(&record) => record,
                Ok(_) => break,
                Err(error) => {
                    let missed = if steps_over { step_over(&mut reader, &error)? } else { 0 };
                    if missed == 0 {
                        batch.forward(forwarder, &mut replayed)?;
                        return Err(error.into());
                    }
                    replayed.missed += missed;
                    continue;
                }
            };
            if record.begins_block() {
                let due = pace.block(record.block_time());
                if !pace.is_full() {
                    batch.forward(forwarder, &mut replayed)?;
                    progress(&replayed);
                    sleep_until(began, due);
                }
                replayed.blocks += 1;
            }
            if !batch.has_room_for(&record) {
                batch.forward(forwarder, &mut replayed)?;
                progress(&replayed);
            }
            batch.put(record);
        }
        batch.forward(forwarder, &mut replayed)?;
        progress(&replayed);
        Ok(replayed)
    }
}

/// Goes on behind what the error is about, if it is damage or a gap and something follows that can be read. Returns how many
/// sequences are missed.
fn step_over(reader: &mut JournalReader, error: &JournalError) -> Result<u64, JournalError> {
    if !matches!(error, JournalError::Damaged(_) | JournalError::Header { .. } | JournalError::Gap { .. }) {
        return Ok(0);
    }
    let next = reader.next_sequence();
    let following = reader.step_over()?;
    Ok(following.unwrap_or_default().since(next.unwrap_or_default()))
}

impl Stop {
    fn is_before(self, record: &RecordRef<'_>) -> bool {
        match self {
            Self::Never => false,
            Self::Sequence(end) => end <= record.sequence(),
            Self::Block(height) => height < record.block_height(),
        }
    }
}

fn sleep_until(began: Instant, due: Duration) {
    if let Some(left) = due.checked_sub(began.elapsed()) {
        thread::sleep(left);
    }
}

/// Records that are put on the bus together.
struct Batch<const PAYLOAD: usize> {
    /// Kept for their memory; so many are in use.
    records: Vec<OwnedRecord>,
    len: usize,
    slots: usize,
    most_slots: usize,
}

impl<const PAYLOAD: usize> Batch<PAYLOAD> {
    fn new(max_payload: usize) -> Self {
        Self { records: Vec::new(), len: 0, slots: 0, most_slots: max_payload / PAYLOAD }
    }

    fn has_room_for(&self, record: &RecordRef<'_>) -> bool {
        // (One that is longer than a batch can be is refused by the bus.)
        self.len == 0 || (self.len < BATCH && self.slots + Self::slots_of(record) <= self.most_slots)
    }

    fn slots_of(record: &RecordRef<'_>) -> usize {
        record.payload().len().div_ceil(PAYLOAD).max(1)
    }

    fn put(&mut self, record: RecordRef<'_>) {
        self.slots += Self::slots_of(&record);
        match self.records.get_mut(self.len) {
            Some(place) => place.replace(record),
            None => self.records.push(OwnedRecord::from(record)),
        }
        self.len += 1;
    }

    fn forward<W: WaitStrategy>(
        &mut self,
        forwarder: &mut Forwarder<PAYLOAD, W>,
        replayed: &mut Replayed,
    ) -> Result<(), ReplayError> {
        let records = self.records[..self.len].iter().map(OwnedRecord::record);
        forwarder.forward_batch(records.map(|record| (record.header(), record.payload())))?;
        replayed.records += self.len as u64;
        (self.len, self.slots) = (0, 0);
        Ok(())
    }
}
