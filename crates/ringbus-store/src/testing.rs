//! For tests: a store in memory.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringbus::bus::{Header, OwnedRecord, RecordRef};

use crate::block_store::BlockStore;
use crate::checkpoint::Checkpoint;

/// A [`BlockStore`] in memory: the shortest that does what a store must do, to test what feeds one. Clones are the same store, so that
/// one can look at it while another is fed, or after a "crash".
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{Flags, Header, RecordRef, StreamId, Subscriber};
/// use ringbus_store::ExactlyOnce;
/// use ringbus_store::testing::MemoryStore;
///
/// let store = MemoryStore::new();
/// let mut fed = ExactlyOnce::new(store.clone(), &StreamId::new("exchange"))?;
/// let begins = Header { block_height: 1, flags: Flags::BEGINS_BLOCK, ..Header::default() };
/// let ends = Header { block_height: 1, flags: Flags::ENDS_BLOCK, ..Header::default() };
/// fed.record(RecordRef::new(Sequence::new(0), &begins, b""))?;
/// fed.record(RecordRef::new(Sequence::new(1), &ends, b""))?;
/// assert_eq!(store.records().len(), 0);
/// fed.batch_ended()?;
/// assert_eq!(store.records().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    records: Vec<OwnedRecord>,
    checkpoint: Option<Checkpoint>,
    /// How many of the records are committed, and the checkpoint behind them.
    committed: (usize, Option<Checkpoint>),
    /// How many records there were when the open block began.
    begun: usize,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The records that are committed.
    #[must_use]
    pub fn records(&self) -> Vec<OwnedRecord> {
        let state = self.state();
        state.records[..state.committed.0].to_vec()
    }

    /// Forgets what is not committed, as a crash would. Whoever feeds it must be made anew.
    pub fn crash(&self) {
        let mut state = self.state();
        let (records, checkpoint) = state.committed.clone();
        state.records.truncate(records);
        state.checkpoint = checkpoint;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlockStore for MemoryStore {
    type Error = Infallible;

    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, Infallible> {
        Ok(self.state().committed.1.clone())
    }

    fn begin_block(&mut self, _: &Header) -> Result<(), Infallible> {
        let mut state = self.state();
        state.begun = state.records.len();
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        self.state().records.push(record.into());
        Ok(())
    }

    fn end_block(&mut self, checkpoint: &Checkpoint) -> Result<(), Infallible> {
        let mut state = self.state();
        state.begun = state.records.len();
        state.checkpoint = Some(checkpoint.clone());
        Ok(())
    }

    fn roll_back_block(&mut self) -> Result<(), Infallible> {
        let mut state = self.state();
        let begun = state.begun;
        state.records.truncate(begun);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Infallible> {
        let mut state = self.state();
        // While a block is open, what has ended lies before it; otherwise there is nothing behind it.
        state.committed = (state.begun, state.checkpoint.clone());
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryStore")
            .field("records", &state.records.len())
            .field("committed", &state.committed)
            .finish()
    }
}
