//! From a ring's batches to a subscriber's calls.

use std::fmt;

use super::account::Walked;
use super::filter::Filter;
use super::lines::Lines;
use super::record::{Flags, Record};
use super::registry::Registration;
use super::subscriber::Subscriber;
use super::walk::Run;
use crate::sequence::Sequence;
use crate::worker::{Events, Handler, Shutdown};

/// A subscriber with what its subscription needs, on a worker: what [`Worker::join`](crate::worker::Worker::join) gives back.
pub struct Driver<S, const PAYLOAD: usize> {
    subscriber: S,
    filter: Filter,
    assembly: Lines,
    /// The first sequence that it gets, if that is not where the consumer stands.
    starts_at: Option<Sequence>,
    /// The most records in one batch.
    limit: usize,
    /// So many slots, and the rest of what was published together, are acknowledged at once: a long batch does not hold the writer up
    /// for a whole ring.
    part: u64,
    /// `None`, once it has been shut down.
    registration: Option<Registration>,
}

impl<S, const PAYLOAD: usize> Driver<S, PAYLOAD> {
    /// For a ring of `capacity` slots.
    pub(super) fn new(
        subscriber: S,
        filter: Filter,
        limit: usize,
        capacity: u64,
        registration: Registration,
    ) -> Self {
        let part = capacity / 4;
        Self {
            subscriber,
            filter,
            assembly: Lines::default(),
            starts_at: None,
            limit,
            part,
            registration: Some(registration),
        }
    }

    /// It gets `sequence` first, which was copied before.
    pub(super) fn starting_at(mut self, sequence: Sequence) -> Self {
        self.starts_at = Some(sequence);
        self
    }

    pub(super) fn registration(&self) -> &Registration {
        self.registration.as_ref().expect("a driver that was shut down is not driven any more")
    }

    /// The subscriber.
    pub fn subscriber(&self) -> &S {
        &self.subscriber
    }

    /// The subscriber, without what it was run with.
    pub fn into_subscriber(self) -> S {
        self.subscriber
    }
}

impl<S: Subscriber, const PAYLOAD: usize> Driver<S, PAYLOAD> {
    /// Shows a batch of records: all that there are, or a part. Returns what it has been through.
    fn show(&mut self, run: Run<'_, PAYLOAD>) -> Result<Walked, S::Error> {
        let Self { subscriber, filter, assembly, limit, part, .. } = self;
        let mut walked = Walked::default();
        let mut shown = 0;
        let mut has_told = false;
        while let Some(found) = run.find(walked.slots() as usize, filter, assembly) {
            let at = walked.slots() as usize;
            let header = run.header(at);
            has_told |=
                found.passes || header.flags.has(Flags::BEGINS_BLOCK) || header.flags.has(Flags::ENDS_BLOCK);
            if header.flags.has(Flags::BEGINS_BLOCK) {
                subscriber.block_begun(header)?;
            }
            if found.passes {
                shown += 1;
                subscriber.record(run.record(at, found, assembly))?;
            }
            if header.flags.has(Flags::ENDS_BLOCK) {
                subscriber.block_ended(header)?;
            }
            walked.add(found.slots as u64, found.passes);
            if shown == *limit || (walked.slots() >= *part && found.ends_batch) {
                break;
            }
        }
        if has_told {
            subscriber.batch_ended()?;
        }
        Ok(walked)
    }

    /// Calls the subscriber, and once more if it fails.
    fn call(&mut self, call: impl FnOnce(&mut S) -> Result<(), S::Error>) -> Result<(), S::Error> {
        call(&mut self.subscriber).inspect_err(|error| self.subscriber.failed(error))
    }
}

impl<S: Subscriber, const PAYLOAD: usize> Handler<Record<PAYLOAD>> for Driver<S, PAYLOAD> {
    type Error = S::Error;

    fn start(&mut self, first: Sequence) -> Result<(), S::Error> {
        let first = self.starts_at.unwrap_or(first);
        self.call(|subscriber| subscriber.start(first))
    }

    fn batch(&mut self, events: &mut Events<'_, Record<PAYLOAD>>) -> Result<(), S::Error> {
        while !events.is_empty() {
            let run = Run::new(events.slices(), events.first_sequence());
            let walked = self.show(run).inspect_err(|error| self.subscriber.failed(error))?;
            self.registration().account().walked(walked);
            events.acknowledge_first(walked.slots() as usize).expect("no more was shown than there is");
        }
        Ok(())
    }

    fn lagged(&mut self, missed: u64, resumed_at: Sequence) -> Result<(), S::Error> {
        self.registration().lagged(missed, resumed_at);
        self.call(|subscriber| subscriber.lagged(missed, resumed_at))
    }

    fn resumed(&mut self, let_pass: u64) -> Result<(), S::Error> {
        self.registration().resumed(let_pass);
        self.call(|subscriber| subscriber.resumed(let_pass))
    }

    fn idle(&mut self) -> Result<(), S::Error> {
        self.call(S::idle)
    }

    fn shutdown(&mut self, reason: &Shutdown) -> Result<(), S::Error> {
        self.registration = None;
        self.call(|subscriber| subscriber.shutdown(reason))
    }
}

impl<S, const PAYLOAD: usize> fmt::Debug for Driver<S, PAYLOAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("filter", &self.filter)
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}
