//! From a stream to a store: each block once.

use std::fmt;

use ringbus::Sequence;
use ringbus::bus::StreamId;

use crate::block_store::BlockStore;
use crate::checkpoint::Checkpoint;

mod error;
mod stats;
mod taking;

pub use error::StoreError;
pub use stats::StoreStats;

/// A [`Subscriber`](ringbus::bus::Subscriber) that keeps the stream in a store, block by block, each block **exactly once**, whatever
/// it is fed and however often it is started again.
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{Flags, Header, RecordRef, StreamId, Subscriber};
/// use ringbus_store::testing::MemoryStore;
/// use ringbus_store::{ExactlyOnce, StoreError};
///
/// let (store, stream) = (MemoryStore::new(), StreamId::new("exchange"));
/// let whole = Header { block_height: 1, flags: Flags::BEGINS_BLOCK.with(Flags::ENDS_BLOCK), ..Header::default() };
/// let at = |sequence| RecordRef::new(Sequence::new(sequence), &whole, b"");
///
/// let mut first = ExactlyOnce::new(store.clone(), &stream)?;
/// first.record(at(0))?;
/// first.record(at(1))?;
/// first.batch_ended()?; // commits
/// drop(first); // a crash
///
/// let mut again = ExactlyOnce::new(store.clone(), &stream)?;
/// assert_eq!(again.resume_at(), Some(Sequence::new(2)));
/// again.record(at(1))?; // it has that one
/// again.record(at(2))?;
/// assert_eq!(again.record(at(4)), Err(StoreError::Gap { expected: Sequence::new(3), found: Sequence::new(4) }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it takes
///
/// - Records that the store has are passed over, wherever feeding begins. What comes then must follow without a gap, to the last
///   sequence: a hole made by a filter, a pause or an overrun is an error, at which it stops; feed it again from
///   [`resume_at`](Self::resume_at) on.
/// - Blocks begin and end where the flags of the headers say so, whatever the kinds. All their records are kept, the first and the last
///   included. Heights may repeat: each time it is another block.
/// - A block that begins while another is open takes its place: the core was restarted, and says the block again. What there was of the
///   open one is rolled back.
/// - An empty store takes what comes from the first beginning of a block on; before that, records are passed over. Later, a record that
///   stands in no block is an error.
/// - Of blocks that it passes over, it sees whether the last one has the hash that the store knows, if that one's end is fed.
///
/// # When it commits
///
/// At the end of each batch, what was ended in it: so one transaction for each block while it keeps up, and one for several when it
/// lags. In long batches also after so many [blocks](Self::most_blocks_per_commit) or [records](Self::most_records_per_commit).
/// A subscription acknowledges its batches whether or not a block has ended in them: after a crash the store must be fed by a journal.
pub struct ExactlyOnce<S: BlockStore> {
    store: S,
    stream: StreamId,
    /// What must come next. `None`: anything may, no block has begun yet.
    expected: Option<Sequence>,
    /// Behind the last block that has ended, committed or not.
    ended: Option<Checkpoint>,
    open: Option<OpenBlock>,
    uncommitted: Uncommitted,
    most: Uncommitted,
    stats: StoreStats,
    after_commit: Option<AfterCommit>,
    /// A block was said to begin: the next record must be its first.
    must_begin: bool,
    /// The last record was one that ends a block, which was not said yet.
    has_ended: bool,
    has_failed: bool,
}

type AfterCommit = Box<dyn FnMut(&Checkpoint) + Send>;

/// The block that has begun.
struct OpenBlock {
    /// Height and time: what tells it from its neighbours, in each of its headers.
    id: (u64, i64),
    records: u64,
}

#[derive(Clone, Copy, Default)]
struct Uncommitted {
    blocks: u64,
    records: u64,
}

impl<S: BlockStore> ExactlyOnce<S> {
    /// The most blocks in one commit, unless told otherwise.
    pub const MOST_BLOCKS: u64 = 4_096;
    /// The most records in one commit, unless told otherwise, or one block has more.
    pub const MOST_RECORDS: u64 = 65_536;

    /// Goes on where `store` has stopped; what it is fed is `stream`.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherStream`] if the store has blocks of another stream; [`StoreError::Store`] if it cannot tell.
    pub fn new(mut store: S, stream: &StreamId) -> Result<Self, StoreError<S::Error>> {
        let ended = store.checkpoint().map_err(StoreError::Store)?;
        if let Some(checkpoint) = &ended {
            checkpoint.stream.check(stream)?;
        }
        Ok(Self {
            store,
            stream: stream.clone(),
            expected: ended.as_ref().map(|checkpoint| checkpoint.next),
            ended,
            open: None,
            uncommitted: Uncommitted::default(),
            most: Uncommitted { blocks: Self::MOST_BLOCKS, records: Self::MOST_RECORDS },
            stats: StoreStats::default(),
            after_commit: None,
            must_begin: false,
            has_ended: false,
            has_failed: false,
        })
    }

    /// Commits after so many blocks at the latest, in the midst of a batch too. At least 1.
    #[must_use]
    pub fn most_blocks_per_commit(mut self, most: u64) -> Self {
        self.most.blocks = most;
        self
    }

    /// Commits at the end of the block with which there are so many records, at the latest, in the midst of a batch too.
    #[must_use]
    pub fn most_records_per_commit(mut self, most: u64) -> Self {
        self.most.records = most;
        self
    }

    /// Calls `done` after each commit, with what is durable now, as far as the store's settings make it so. It runs on the thread that
    /// feeds the store.
    #[must_use]
    pub fn after_commit(mut self, done: impl FnMut(&Checkpoint) + Send + 'static) -> Self {
        self.after_commit = Some(Box::new(done));
        self
    }

    /// The sequence to feed it from: what comes earlier is passed over, what comes later is an error. `None`: it has nothing, feed it
    /// from wherever it is to begin.
    ///
    /// While a block is open, that is the sequence behind the last record; if it is dropped then, a later one goes on from the
    /// beginning of that block.
    #[must_use]
    pub fn resume_at(&self) -> Option<Sequence> {
        self.expected
    }

    /// The stream that it keeps.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// What it has done.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.stats
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, with what was committed; call [`finish`](Self::finish) before.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// Rolls back the block that is open, if one is, and commits what has ended. It can go on afterwards, from
    /// [`resume_at`](Self::resume_at). A subscription's worker calls it at its end.
    ///
    /// # Errors
    ///
    /// [`StoreError::Store`], or [`StoreError::Failed`] if it has failed before.
    pub fn finish(&mut self) -> Result<(), StoreError<S::Error>> {
        self.attempt(|this| {
            this.roll_back()?;
            this.expected = this.ended.as_ref().map(|checkpoint| checkpoint.next);
            this.commit()
        })
    }
}

impl<S: BlockStore> fmt::Debug for ExactlyOnce<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExactlyOnce")
            .field("stream", &self.stream)
            .field("resume_at", &self.expected)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
