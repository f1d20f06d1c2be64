//! What is called for the records of a subscription.

use std::fmt;

use super::record::Header;
use super::record_ref::RecordRef;
use crate::sequence::Sequence;
use crate::worker::Shutdown;

/// What a subscription's worker does with its records. All of it runs on the worker's thread: `start`, then the others in the order
/// of the stream, then `shutdown`.
///
/// Records are acknowledged by the batch, after [`batch_ended`](Self::batch_ended). An error ends the subscription, and so does a panic;
/// `shutdown` is not called then, but [`failed`](Self::failed) after an error. A required subscription fails the bus by
/// it, unless it was built to [detach](super::SubscribeRequired::detach_on_drop).
///
/// ```
/// use ringbus::bus::{Header, RecordRef, Subscriber};
///
/// #[derive(Default)]
/// struct Blocks {
///     records: u64,
///     blocks: u64,
/// }
///
/// impl Subscriber for Blocks {
///     type Error = std::io::Error;
///
///     fn record(&mut self, _record: RecordRef<'_>) -> Result<(), Self::Error> {
///         self.records += 1;
///         Ok(())
///     }
///
///     fn block_ended(&mut self, _header: &Header) -> Result<(), Self::Error> {
///         self.blocks += 1;
///         Ok(())
///     }
/// }
/// ```
pub trait Subscriber: Send + 'static {
    /// What can go wrong. Its text is what others get to see.
    type Error: fmt::Display;

    /// Before anything else; `first` is the sequence that it gets first.
    ///
    /// # Errors
    ///
    /// Ends the subscription.
    fn start(&mut self, first: Sequence) -> Result<(), Self::Error> {
        let _ = first;
        Ok(())
    }

    /// A block begins. Told before its first record, whether the filter lets that pass or not.
    ///
    /// # Errors
    ///
    /// Ends the subscription.
    fn block_begun(&mut self, header: &Header) -> Result<(), Self::Error> {
        let _ = header;
        Ok(())
    }

    /// A record that the filter lets pass.
    ///
    /// # Errors
    ///
    /// Ends the subscription. Nothing counts as handled that came after the last [`batch_ended`](Self::batch_ended).
    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Self::Error>;

    /// So much was at hand, and is acknowledged when this returns: a moment to flush. What was published together lies within one batch
    /// of a required subscription, unless it has a limit, or comes after one that has. Not called where there was nothing to tell of: no
    /// record that passed the filter, no beginning or end of a block.
    ///
    /// A block may lie in several batches. Who gathers its records and commits them when it has ended has not kept those that were
    /// acknowledged before: after a crash it goes on from its own last committed block, fed by a journal, and not from the position of
    /// its subscription.
    ///
    /// # Errors
    ///
    /// Ends the subscription. Nothing of the batch counts as handled.
    fn batch_ended(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A block has ended. Told after its last record, whether the filter lets that pass or not: stores commit on it. It is called
    /// before that record counts as handled.
    ///
    /// # Errors
    ///
    /// Ends the subscription. Nothing counts as handled that came after the last [`batch_ended`](Self::batch_ended).
    fn block_ended(&mut self, header: &Header) -> Result<(), Self::Error> {
        let _ = header;
        Ok(())
    }

    /// An optional subscription was overrun: `missed` sequences are lost. What comes next is `resumed_at` or later, because it begins
    /// with the first fragment of a payload. A block that was begun may never end.
    ///
    /// # Errors
    ///
    /// Ends the subscription.
    fn lagged(&mut self, missed: u64, resumed_at: Sequence) -> Result<(), Self::Error> {
        let _ = (missed, resumed_at);
        Ok(())
    }

    /// A pause is over, which `let_pass` sequences have passed.
    ///
    /// # Errors
    ///
    /// Ends the subscription.
    fn resumed(&mut self, let_pass: u64) -> Result<(), Self::Error> {
        let _ = let_pass;
        Ok(())
    }

    /// There is nothing to read: a moment to flush. Called before each wait.
    ///
    /// # Errors
    ///
    /// Ends the subscription.
    fn idle(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// One of the other calls has returned this error, and the subscription ends by it: a moment to roll back, or to say more than the
    /// error's text. It is the last call then.
    fn failed(&mut self, error: &Self::Error) {
        let _ = error;
    }

    /// The last call: no more records will come, or the subscription is to end.
    ///
    /// # Errors
    ///
    /// Is what joining the worker returns.
    fn shutdown(&mut self, reason: &Shutdown) -> Result<(), Self::Error> {
        let _ = reason;
        Ok(())
    }
}

/// A subscriber that is a closure, called for each record.
///
/// ```
/// use ringbus::bus::each_record;
///
/// let print = each_record(|record| {
///     println!("{}: kind {}", record.sequence(), record.kind());
///     Ok::<(), std::io::Error>(())
/// });
/// # let _ = print;
/// ```
pub fn each_record<F, Error>(each: F) -> EachRecord<F>
where
    F: FnMut(RecordRef<'_>) -> Result<(), Error>,
{
    EachRecord { each }
}

/// Made by [`each_record`].
pub struct EachRecord<F> {
    each: F,
}

impl<F> fmt::Debug for EachRecord<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EachRecord").finish_non_exhaustive()
    }
}

impl<F, Error> Subscriber for EachRecord<F>
where
    F: FnMut(RecordRef<'_>) -> Result<(), Error> + Send + 'static,
    Error: fmt::Display,
{
    type Error = Error;

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Error> {
        (self.each)(record)
    }
}
