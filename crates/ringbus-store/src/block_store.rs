//! What a store must be able to do.

use ringbus::bus::{Header, RecordRef};

use crate::checkpoint::Checkpoint;

/// A store that takes a stream block by block. [`ExactlyOnce`](crate::ExactlyOnce) feeds it, and sees to the order of the calls:
/// `begin_block`, `record` for each of its records, the first and the last included, and then `end_block` or `roll_back_block`;
/// `commit` at any time.
///
/// What makes it exact: the checkpoint that [`checkpoint`](Self::checkpoint) tells, also after a crash, is that of the last block whose
/// rows are there, all of them, and no others are. So rows and checkpoint become durable by one step, like a transaction.
///
/// After an error of any call but `checkpoint` no other call is made; what was not committed is to vanish when the store is dropped.
///
/// [`Sqlite`](crate::sqlite::Sqlite) is one, [`MemoryStore`](crate::testing::MemoryStore) the shortest there is.
pub trait BlockStore: Send + 'static {
    /// What can go wrong. Its text should name the store.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Where it stopped: the last checkpoint that was committed. `None`: it has no blocks.
    ///
    /// # Errors
    ///
    /// It could not be read.
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, Self::Error>;

    /// A block begins; none is open.
    ///
    /// # Errors
    ///
    /// It could not be begun.
    fn begin_block(&mut self, header: &Header) -> Result<(), Self::Error>;

    /// A record of the open block.
    ///
    /// # Errors
    ///
    /// It could not be taken.
    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Self::Error>;

    /// The open block is complete, and this is the checkpoint behind it: both become durable with the next commit, or neither.
    ///
    /// # Errors
    ///
    /// It could not be ended.
    fn end_block(&mut self, checkpoint: &Checkpoint) -> Result<(), Self::Error>;

    /// The open block will never be complete: nothing of it stays.
    ///
    /// # Errors
    ///
    /// It could not be taken back.
    fn roll_back_block(&mut self) -> Result<(), Self::Error>;

    /// Makes durable what was ended and is not yet, all at once. A block that is open stays open, and no part of it is made durable.
    ///
    /// # Errors
    ///
    /// Nothing of it may have become durable, or all of it.
    fn commit(&mut self) -> Result<(), Self::Error>;
}
