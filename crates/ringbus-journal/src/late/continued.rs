//! From the feeding thread to a worker.

use ringbus::Sequence;
use ringbus::bus::{Header, RecordRef, Subscriber};
use ringbus::worker::Shutdown;

/// A subscriber that was started before it got to its worker.
#[derive(Debug)]
pub struct Continued<S> {
    subscriber: S,
}

impl<S> Continued<S> {
    pub(super) fn new(subscriber: S) -> Self {
        Self { subscriber }
    }

    /// The subscriber.
    pub fn into_subscriber(self) -> S {
        self.subscriber
    }
}

impl<S: Subscriber> Subscriber for Continued<S> {
    type Error = S::Error;

    /// It has had its start.
    fn start(&mut self, _: Sequence) -> Result<(), S::Error> {
        Ok(())
    }

    fn block_begun(&mut self, header: &Header) -> Result<(), S::Error> {
        self.subscriber.block_begun(header)
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), S::Error> {
        self.subscriber.record(record)
    }

    fn batch_ended(&mut self) -> Result<(), S::Error> {
        self.subscriber.batch_ended()
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), S::Error> {
        self.subscriber.block_ended(header)
    }

    fn lagged(&mut self, missed: u64, resumed_at: Sequence) -> Result<(), S::Error> {
        self.subscriber.lagged(missed, resumed_at)
    }

    fn resumed(&mut self, let_pass: u64) -> Result<(), S::Error> {
        self.subscriber.resumed(let_pass)
    }

    fn idle(&mut self) -> Result<(), S::Error> {
        self.subscriber.idle()
    }

    fn failed(&mut self, error: &S::Error) {
        self.subscriber.failed(error);
    }

    fn shutdown(&mut self, reason: &Shutdown) -> Result<(), S::Error> {
        self.subscriber.shutdown(reason)
    }
}
