//! Calling a subscriber for records that do not come from a subscription.

use ringbus::Sequence;
use ringbus::bus::{RecordRef, Subscriber};
use ringbus::worker::Shutdown;

/// So many records make a batch, if there are as many.
const BATCH: usize = 1024;

/// Calls a subscriber as a worker would.
#[derive(Debug)]
pub(crate) struct Feeder<S> {
    pub(crate) subscriber: S,
    /// The sequence behind the last record.
    position: Sequence,
    /// Records since the last batch ended.
    in_batch: usize,
}

impl<S: Subscriber> Feeder<S> {
    /// Starts it.
    pub(crate) fn start(mut subscriber: S, first: Sequence) -> Result<Self, S::Error> {
        match subscriber.start(first) {
            Ok(()) => Ok(Self { subscriber, position: first, in_batch: 0 }),
            Err(error) => {
                subscriber.failed(&error);
                Err(error)
            }
        }
    }

    pub(crate) fn position(&self) -> Sequence {
        self.position
    }

    /// Returns whether a batch has ended with it.
    pub(crate) fn record(&mut self, record: RecordRef<'_>) -> Result<bool, S::Error> {
        self.call(|subscriber| {
            if record.begins_block() {
                subscriber.block_begun(record.header())?;
            }
            subscriber.record(record)?;
            if record.ends_block() {
                subscriber.block_ended(record.header())?;
            }
            Ok(())
        })?;
        self.position = record.next_sequence();
        self.in_batch += 1;
        if self.in_batch < BATCH {
            return Ok(false);
        }
        self.end_batch()?;
        Ok(true)
    }

    /// Nothing for it lies before `next`.
    pub(crate) fn goes_on_at(&mut self, next: Sequence) {
        self.position = self.position.max(next);
    }

    /// Ends the batch, if it has a record.
    pub(crate) fn end_batch(&mut self) -> Result<(), S::Error> {
        if std::mem::take(&mut self.in_batch) > 0 { self.call(S::batch_ended) } else { Ok(()) }
    }

    pub(crate) fn idle(&mut self) -> Result<(), S::Error> {
        self.call(S::idle)
    }

    pub(crate) fn shut_down(mut self, reason: &Shutdown) -> Result<S, S::Error> {
        self.end_batch()?;
        self.call(|subscriber| subscriber.shutdown(reason))?;
        Ok(self.subscriber)
    }

    /// And once more if it fails.
    fn call(&mut self, call: impl FnOnce(&mut S) -> Result<(), S::Error>) -> Result<(), S::Error> {
        call(&mut self.subscriber).inspect_err(|error| self.subscriber.failed(error))
    }
}
