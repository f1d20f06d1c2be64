//! The audit log: who caused what, answered from memory.

use std::fmt;
use std::sync::Arc;

use super::hash::Hash;
use super::record::Header;
use super::record_ref::RecordRef;
use super::subscriber::Subscriber;
use crate::sequence::Sequence;
use crate::sync::{Mutex, lock};

mod answer;
mod cause;
mod coverage;
mod error;
mod kept;
mod log;
mod queue;
mod tree;

pub use answer::{Answer, AnswerBlock};
pub use cause::Cause;
pub use coverage::{Coverage, Extent};
pub use error::{AuditError, NotKept};
use log::Log;
pub use tree::Tree;

/// A [`Subscriber`] that keeps the newest records in memory, within a bound, and finds them again: all events that a transaction
/// caused, the transaction that caused an event, all events of a block. The questions are asked through its [`Audit`], by as many
/// threads as like.
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{AuditLog, Cause, Flags, Hash, Header, Kind, RecordRef, Subscriber};
///
/// let mut log = AuditLog::new(64 << 20);
/// let audit = log.audit();
///
/// // On a bus, `bus.subscribe("audit")` and a worker do this.
/// let (block, transaction) = (Hash::new([7; 32]), Hash::new([1; 32]));
/// let begins = Header { trace: block, block_height: 7, order: 1, flags: Flags::BEGINS_BLOCK, ..Header::default() };
/// let trade = Header { trace: transaction, block_height: 7, order: 2, kind: Kind::new(8), ..Header::default() };
/// let ends = Header { trace: block, block_height: 7, order: 3, flags: Flags::ENDS_BLOCK, ..Header::default() };
/// log.start(Sequence::new(0))?;
/// log.block_begun(&begins)?;
/// for (sequence, header) in [begins, trade, ends].iter().enumerate() {
///     log.record(RecordRef::new(Sequence::new(sequence as u64), header, b""))?;
/// }
/// log.block_ended(&ends)?;
///
/// assert_eq!(audit.cause_of(Sequence::new(1))?, Cause::Transaction(transaction));
/// let caused = audit.transaction(&transaction);
/// assert!(caused.is_complete());
/// assert_eq!(caused.records().map(|record| record.order()).collect::<Vec<_>>(), [2]);
/// assert_eq!(audit.block(7).len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What it knows
///
/// What its subscription was handed: give it no filter, or "all events" means all that the filter lets pass. It begins where the
/// subscription does. An optional subscription may miss events, and a paused one lets them pass; the log notes where. When its
/// bound is exceeded, the oldest records go. So every answer has a [`Coverage`], which says whether it can be relied on to be all
/// there was.
///
/// A transaction is taken to lie within one block, or, where a stream repeats blocks, within the blocks it was found in: an answer
/// is complete if nothing of it is missing from those. Of a transaction that is found nowhere, nobody can say whether there never
/// was one, or whether it was forgotten: the answer says from which sequence on the log knows ([`Extent::from`]), and how many
/// sequences it lost since.
///
/// Heights may repeat: a network's first block may be emitted twice, under two hashes. All events of a height are those of all
/// its emissions, in order; [`Answer::blocks`] tells them apart.
///
/// # What it costs
///
/// The log locks once for each record, on the thread of its own subscription. A question holds the same lock while it copies its
/// answer out: the core never waits for it, unless the subscription is required and a ring's length behind.
///
/// One log serves one subscription of one bus: given to a second one, it begins anew when that starts.
pub struct AuditLog {
    log: Arc<Mutex<Log>>,
}

impl AuditLog {
    /// What each record costs, bytes, its payload not counted.
    pub const RECORD_BYTES: usize = Log::RECORD_BYTES;
    /// What each transaction costs that caused a record, or block that did, bytes.
    pub const CAUSE_BYTES: usize = Log::CAUSE_BYTES;
    /// What each block costs, bytes, at most.
    pub const BLOCK_BYTES: usize = Log::BLOCK_BYTES;

    /// A log that keeps at most `bytes`.
    ///
    /// What counts: the payloads, and for each record, each cause and each block what the constants above say: 104, 56 and 112 at
    /// present. What does not: spare room in the log's tables, which is about as much again as those fixed parts at most, and what
    /// the allocator adds to each payload.
    ///
    /// What is kept is always the newest, without gaps, as many records as the bound allows: a record that exceeds it alone is not
    /// kept, and neither is anything before it.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { log: Arc::new(Mutex::new(Log::new(bytes))) }
    }

    /// A handle to ask it questions by.
    #[must_use]
    pub fn audit(&self) -> Audit {
        Audit { log: Arc::clone(&self.log) }
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("extent", &lock(&self.log).extent()).finish()
    }
}

impl Subscriber for AuditLog {
    type Error = AuditError;

    fn start(&mut self, first: Sequence) -> Result<(), AuditError> {
        lock(&self.log).start(first);
        Ok(())
    }

    fn block_begun(&mut self, header: &Header) -> Result<(), AuditError> {
        lock(&self.log).block_begun(header);
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), AuditError> {
        lock(&self.log).append(&record)
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), AuditError> {
        lock(&self.log).block_ended(header);
        Ok(())
    }

    fn lagged(&mut self, missed: u64, _: Sequence) -> Result<(), AuditError> {
        lock(&self.log).lost(missed);
        Ok(())
    }

    fn resumed(&mut self, let_pass: u64) -> Result<(), AuditError> {
        lock(&self.log).lost(let_pass);
        Ok(())
    }
}

/// Answers questions about what an [`AuditLog`] keeps. Clones ask the same log, from any thread, while it goes on and after its
/// subscription has ended.
///
/// An answer is a copy of what the log held at one moment; it does not change afterwards.
#[derive(Clone)]
pub struct Audit {
    log: Arc<Mutex<Log>>,
}

impl Audit {
    /// All events that the transaction with this hash caused, in order. They need not be contiguous on the stream.
    ///
    /// For the hash of a block: the events of that block outside of transactions.
    #[must_use]
    pub fn transaction(&self, hash: &Hash) -> Answer {
        lock(&self.log).of_trace(hash)
    }

    /// All events of the blocks of this height, in order.
    #[must_use]
    pub fn block(&self, height: u64) -> Answer {
        lock(&self.log).of_height(height)
    }

    /// What caused the event with this sequence. Of an event in several fragments, each fragment's sequence will do.
    ///
    /// # Errors
    ///
    /// [`NotKept`] says why there is no such event.
    pub fn cause_of(&self, sequence: Sequence) -> Result<Cause, NotKept> {
        lock(&self.log).cause_of(sequence)
    }

    /// What caused the event with this number within the block of this height: where the height repeats, one for each block that
    /// has such an event, with the event's sequence. It looks at every record of those blocks.
    ///
    /// None: the log keeps no such event, see [`extent`](Self::extent).
    #[must_use]
    pub fn cause_at(&self, height: u64, order: u32) -> Vec<(Sequence, Cause)> {
        lock(&self.log).cause_at(height, order)
    }

    /// What the log can answer about.
    #[must_use]
    pub fn extent(&self) -> Extent {
        lock(&self.log).extent()
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("extent", &self.extent()).finish()
    }
}
