//! What every store needs: a block's values, committed when the block ends.

use std::fmt;

use super::record::Header;
use super::record_ref::RecordRef;
use super::subscriber::Subscriber;
use crate::sequence::Sequence;
use crate::worker::Shutdown;

mod commit;
mod damaged;
mod gather;
mod last_by_key;

pub use commit::Commit;
pub use damaged::{Damage, Damaged};
pub use gather::{Append, Gather};
pub use last_by_key::LastByKey;

/// A [`Subscriber`] that gathers values (`G`) from the records while a block goes on, and hands them over (`C`) when it has ended,
/// all at once; only then does the block's last record count as handled. (Those before it may count earlier: see below.)
///
/// What it gathers: one value for each record that has one ([`PerBlock::append`]), the last value for each key
/// ([`PerBlock::last_by_key`]), or what you make of it ([`Gather`]). To whom it hands them: a closure, or a store that implements
/// [`Commit`].
///
/// ```
/// use std::convert::Infallible;
/// use std::sync::mpsc;
///
/// use ringbus::Sequence;
/// use ringbus::bus::{Header, Kind, PerBlock, RecordRef, Subscriber};
///
/// let (blocks, committed) = mpsc::channel();
/// let mut names = PerBlock::append(
///     |record| (record.kind() == Kind::new(7)).then(|| record.payload().to_vec()),
///     move |block: &Header, names: &mut Vec<Vec<u8>>| {
///         blocks.send((block.block_height, names.concat())).expect("the other end is there");
///         Ok::<(), Infallible>(())
///     },
/// )
/// .after_commit(|block| println!("block {} is safe", block.block_height));
///
/// // On a bus, a subscription's worker does this.
/// let header = Header { block_height: 3, kind: Kind::new(7), ..Header::default() };
/// names.block_begun(&header)?;
/// names.record(RecordRef::new(Sequence::new(0), &header, b"anna "))?;
/// names.record(RecordRef::new(Sequence::new(1), &header, b"bert"))?;
/// names.block_ended(&header)?;
///
/// assert_eq!(committed.try_recv(), Ok((3, b"anna bert".to_vec())));
/// # Ok::<(), Infallible>(())
/// ```
///
/// # What is committed, and when
///
/// - Every block that was seen from its beginning to its end, once, in the order of the stream, also if it had no values.
/// - If committing fails, the subscription ends with that error. What of the block had come in earlier batches counts as handled all
///   the same: a block may be longer than the ring, so it cannot wait for its end. After a failure or a crash, a store is fed again,
///   by a journal, from the first block that it has not committed, and not from where its subscription stood; and it may get a block
///   again that it has: it should know what it has. (Heights may repeat on a stream, block hashes do not: they are the trace of a
///   block's end.)
/// - A block of which something is missing is *damaged*: it is not committed, its values are dropped, and [`Commit::damaged`] is
///   told why. That happens to the block that was going on when the subscription joined, to an optional subscription that was
///   overrun, to one that was paused, and when the stream ends inside a block. A required subscription that joins before the first
///   block and is never paused has damaged blocks only where the core stops inside a block.
/// - A filter does no damage: beginnings and ends are told whatever it lets pass.
pub struct PerBlock<G, C> {
    gather: G,
    commit: C,
    after_commit: Option<AfterCommit>,
    commits_damaged: bool,
    state: State,
    committed: u64,
    damaged: u64,
}

type AfterCommit = Box<dyn FnMut(&Header) + Send>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Whole(BlockId),
    Damaged(BlockId),
}

/// What tells a block from its neighbours, in each of its headers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BlockId {
    height: u64,
    time: i64,
}

impl BlockId {
    fn of(header: &Header) -> Self {
        Self { height: header.block_height, time: header.block_time }
    }
}

impl<T, F, C> PerBlock<Append<T, F>, C>
where
    T: Send + 'static,
    F: FnMut(RecordRef<'_>) -> Option<T> + Send + 'static,
    C: Commit<T>,
{
    /// Gathers what `value` makes of each record, in their order; `None` is passed over.
    pub fn append(value: F, commit: C) -> Self {
        Self::new(Append::new(value), commit)
    }
}

impl<K, V, F, C> PerBlock<LastByKey<K, V, F>, C>
where
    LastByKey<K, V, F>: Gather<Value = (K, V)>,
    F: FnMut(RecordRef<'_>) -> Option<(K, V)> + Send + 'static,
    C: Commit<(K, V)>,
{
    /// Gathers the last value of each key, as `entry` finds them in the records; `None` is passed over. The keys stand in the order
    /// in which they first came up in the block.
    pub fn last_by_key(entry: F, commit: C) -> Self {
        Self::new(LastByKey::new(entry), commit)
    }
}

impl<G: Gather, C: Commit<G::Value>> PerBlock<G, C> {
    /// Gathers by `gather`, and commits by `commit`.
    pub fn new(gather: G, commit: C) -> Self {
        Self {
            gather,
            commit,
            after_commit: None,
            commits_damaged: false,
            state: State::Between,
            committed: 0,
            damaged: 0,
        }
    }

    /// Calls `done` after each commit that went well, with the header of the block's last record: to tell others that the block
    /// is safe. It cannot fail, because the block is committed by then.
    #[must_use]
    pub fn after_commit(mut self, done: impl FnMut(&Header) + Send + 'static) -> Self {
        self.after_commit = Some(Box::new(done));
        self
    }

    /// Commits damaged blocks too, at their ends, with what could be gathered of them. [`Commit::damaged`] is told before.
    ///
    /// A block whose end was missed is never committed. Two blocks in a row with the same height and the same time, of which first
    /// the end and then the beginning were missed, look like one.
    #[must_use]
    pub fn commit_damaged(mut self) -> Self {
        self.commits_damaged = true;
        self
    }

    /// How many blocks were committed.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// How many blocks were seen to be damaged. Of blocks that were missed from beginning to end, nothing was seen.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// To whom it commits: a store that is wanted back from a worker that has ended.
    #[must_use]
    pub fn into_commit(self) -> C {
        self.commit
    }

    fn damage(&mut self, block: BlockId, damage: Damage) -> Result<(), C::Error> {
        self.state = State::Damaged(block);
        self.damaged += 1;
        self.commit.damaged(&Damaged { height: block.height, time: block.time, damage })
    }

    /// A record or the end of a block has come: which the current block is.
    fn be_in(&mut self, block: BlockId) -> Result<(), C::Error> {
        match self.state {
            State::Whole(current) | State::Damaged(current) if current == block => Ok(()),
            State::Whole(current) => {
                self.damage(current, Damage::EndUnseen)?;
                self.gather.clear();
                self.damage(block, Damage::BeginningUnseen)
            }
            State::Between | State::Damaged(_) => {
                self.gather.clear();
                self.damage(block, Damage::BeginningUnseen)
            }
        }
    }

    fn lost(&mut self, damage: Damage) -> Result<(), C::Error> {
        match self.state {
            State::Whole(block) => self.damage(block, damage),
            State::Between | State::Damaged(_) => Ok(()),
        }
    }
}

impl<G: Gather, C: Commit<G::Value>> Subscriber for PerBlock<G, C> {
    type Error = C::Error;

    fn block_begun(&mut self, header: &Header) -> Result<(), C::Error> {
        self.lost(Damage::EndUnseen)?;
        self.gather.clear();
        self.state = State::Whole(BlockId::of(header));
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), C::Error> {
        self.be_in(BlockId::of(record.header()))?;
        if self.commits_damaged || matches!(self.state, State::Whole(_)) {
            self.gather.gather(record);
        }
        Ok(())
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), C::Error> {
        self.be_in(BlockId::of(header))?;
        if self.commits_damaged || matches!(self.state, State::Whole(_)) {
            self.commit.commit(header, self.gather.values())?;
            self.committed += 1;
            if let Some(done) = &mut self.after_commit {
                done(header);
            }
        }
        self.gather.clear();
        self.state = State::Between;
        Ok(())
    }

    fn lagged(&mut self, missed: u64, _: Sequence) -> Result<(), C::Error> {
        if missed == 0 { Ok(()) } else { self.lost(Damage::Missed(missed)) }
    }

    fn resumed(&mut self, let_pass: u64) -> Result<(), C::Error> {
        if let_pass == 0 { Ok(()) } else { self.lost(Damage::LetPass(let_pass)) }
    }

    fn shutdown(&mut self, _: &Shutdown) -> Result<(), C::Error> {
        let told = self.lost(Damage::EndUnseen);
        self.gather.clear();
        self.state = State::Between;
        told
    }
}

impl<G, C> fmt::Debug for PerBlock<G, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerBlock")
            .field("committed", &self.committed)
            .field("damaged", &self.damaged)
            .field("commits_damaged", &self.commits_damaged)
            .finish_non_exhaustive()
    }
}
