//! Required subscriptions as streams.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::super::account::{Tally, Walked};
use super::super::filter::Filter;
use super::super::lines::Lines;
use super::super::owned_record::OwnedRecord;
use super::super::record::Record;
use super::super::registry::{Registration, SubscriptionId};
use super::super::required::RequiredSubscription;
use super::super::walk::Run;
use super::notifier::{Cue, Sight};
use super::streaming::{AT_MOST, Nothing, Source, Streaming};
use crate::error::{End, ReadError};
use crate::progress::Progress;
use crate::required::RequiredConsumer;
use crate::ring::Core;
use crate::sequence::Sequence;
use crate::wait::{BackOff, WaitStrategy};

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> RequiredSubscription<PAYLOAD, W> {
    /// Makes it a [`Stream`] of records, for an async task. The stream takes them one by one, and never waits by the wait strategy.
    /// It gets again what had been [deferred](crate::bus::Records::defer).
    #[must_use = "dropped, it fails the bus"]
    pub fn into_stream(self) -> RequiredStream<PAYLOAD, W> {
        let Self { mut consumer, filter, registration, .. } = self;
        consumer.take_back_deferred();
        let source = InOrder { consumer, filter, assembly: Lines::default(), taken: Walked::default() };
        RequiredStream { streaming: Streaming::new(source, registration) }
    }
}

/// A required subscription as a [`Stream`] of copies: made by [`RequiredSubscription::into_stream`].
///
/// A record counts as handled, and is acknowledged, when the stream is polled for the next one, or by [`acknowledge`](Self::acknowledge);
/// what does not pass the filter is acknowledged as soon as it was looked at. So a task that holds a record, or does not poll, holds
/// the writer up after one lap of the ring, and one that is cancelled in the middle of its work has not acknowledged the record that it
/// worked on. Giving up a poll that is pending loses nothing.
///
/// After the last record the stream ends, and [`end`](Self::end) says how. Dropped before, without having [left](Self::leave), it fails
/// the bus, as a [`RequiredSubscription`] does, unless it was built to [detach](super::super::SubscribeRequired::detach_on_drop).
pub struct RequiredStream<const PAYLOAD: usize, W: WaitStrategy + 'static = BackOff> {
    streaming: Streaming<InOrder<PAYLOAD, W>>,
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> RequiredStream<PAYLOAD, W> {
    /// Acknowledges the record that was taken last, and waits for the next; `None` when there are no more. Dropped while it waits, it
    /// loses nothing.
    pub async fn next(&mut self) -> Option<OwnedRecord> {
        poll_fn(|context| self.streaming.poll_next(context)).await
    }

    /// Acknowledges the record that was taken last, without asking for another.
    pub fn acknowledge(&mut self) {
        self.streaming.with_source(InOrder::acknowledge);
    }

    /// Why there are no more records, once the stream has ended.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.streaming.end()
    }

    /// Unsubscribes. Returns the first sequence that it has not acknowledged: that of the record that was taken last, unless it was
    /// [acknowledged](Self::acknowledge).
    pub fn leave(mut self) -> Sequence {
        let source = self.streaming.take_source().expect("it is taken out when the stream goes");
        source.consumer.leave()
    }

    /// Fails the bus, and says why: see [`RequiredConsumer::fail`].
    pub fn fail(mut self, message: &str) {
        let source = self.streaming.take_source().expect("it is taken out when the stream goes");
        source.consumer.fail(message);
    }

    /// Which subscription this is.
    #[must_use]
    pub fn id(&self) -> SubscriptionId {
        self.streaming.registration().id()
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        self.streaming.registration().name()
    }

    /// The first sequence it has not acknowledged.
    #[must_use]
    pub fn position(&self) -> Sequence {
        self.streaming.with_source(|source, _| source.consumer.position())
    }

    /// What has become of the sequences since it joined.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.streaming.registration().tally()
    }

    /// How many sequences are published and not acknowledged at this moment.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.streaming.with_source(|source, _| source.consumer.lag())
    }

    /// A handle on its progress, for others to wait for it, or to come [`after`](super::super::SubscribeRequired::after) it.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.streaming.with_source(|source, _| source.consumer.progress())
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> Stream for RequiredStream<PAYLOAD, W> {
    type Item = OwnedRecord;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<OwnedRecord>> {
        self.streaming.poll_next(context)
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> FusedStream for RequiredStream<PAYLOAD, W> {
    fn is_terminated(&self) -> bool {
        self.end().is_some()
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> fmt::Debug for RequiredStream<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredStream")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("tally", &self.tally())
            .field("end", &self.end())
            .finish_non_exhaustive()
    }
}

/// A required consumer, read one record at a time.
struct InOrder<const PAYLOAD: usize, W: WaitStrategy> {
    consumer: RequiredConsumer<Record<PAYLOAD>, W>,
    filter: Filter,
    assembly: Lines,
    /// What was gone through and not acknowledged: the record that was taken last, and what lay before it.
    taken: Walked,
}

impl<const PAYLOAD: usize, W: WaitStrategy> InOrder<PAYLOAD, W> {
    fn acknowledge(&mut self, registration: &Registration) {
        let taken = std::mem::take(&mut self.taken);
        if taken.slots() > 0 {
            registration.account().walked(taken);
            let batch = self.consumer.try_read().expect("what was taken is there until it is acknowledged");
            batch.acknowledge_first(taken.slots() as usize).expect("no more was taken than there is");
        }
    }

    /// What must happen before there is something, after a look that found nothing.
    fn cue(&self) -> Cue {
        // What is published and cannot be read is held back by those it comes after. (Or it was published since the look; whoever
        // is told this looks again.)
        if self.consumer.lag() > 0 { Cue::Acknowledgement } else { Cue::Publishing }
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> Source for InOrder<PAYLOAD, W> {
    type Item = OwnedRecord;

    fn next(&mut self, registration: &Registration) -> Result<OwnedRecord, Nothing> {
        self.acknowledge(registration);
        let mut left = AT_MOST;
        while left > 0 {
            let Self { consumer, filter, assembly, taken } = self;
            let batch = match consumer.try_read() {
                Ok(batch) => batch,
                Err(ReadError::Empty) => return Err(Nothing::Yet(self.cue())),
                Err(ReadError::Ended(end)) => return Err(Nothing::AnyMore(end)),
            };
            let run = Run::new(batch.slices(), batch.first_sequence());
            while taken.slots() < left
                && let at = taken.slots() as usize
                && let Some(found) = run.find(at, filter, assembly)
            {
                taken.add(found.slots as u64, found.passes);
                if found.passes {
                    return Ok(run.record(at, found, assembly).into());
                }
            }
            left = left.saturating_sub(taken.slots());
            drop(batch);
            self.acknowledge(registration);
        }
        Err(Nothing::SoFar)
    }

    fn look(&mut self) -> Sight {
        match self.consumer.try_read() {
            Err(ReadError::Empty) => Sight::Nothing(self.cue()),
            Ok(_) | Err(ReadError::Ended(_)) => Sight::Something,
        }
    }

    fn core(&self) -> &Arc<Core> {
        self.consumer.core()
    }
}
