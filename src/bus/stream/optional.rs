//! Optional subscriptions as streams.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::super::account::Tally;
use super::super::copies::Copies;
use super::super::filter::Filter;
use super::super::lagged::Lagged;
use super::super::lines::Lines;
use super::super::optional::OptionalSubscription;
use super::super::owned_record::OwnedRecord;
use super::super::registry::{Registration, SubscriptionId};
use super::notifier::{Cue, Sight};
use super::streaming::{AT_MOST, Nothing, Source, Streaming};
use crate::error::{End, RecvError};
use crate::ring::Core;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> OptionalSubscription<PAYLOAD, W> {
    /// Makes it a [`Stream`] of records and losses, for an async task. The stream never waits by the wait strategy.
    #[must_use = "dropped, it has unsubscribed"]
    pub fn into_stream(self) -> OptionalStream<PAYLOAD, W> {
        let Self { copies, filter, registration, .. } = self;
        let source = Copied { copies, filter, assembly: Lines::default() };
        OptionalStream { streaming: Streaming::new(source, registration) }
    }
}

/// An optional subscription as a [`Stream`]: made by [`OptionalSubscription::into_stream`].
///
/// It gives copies of records, and where sequences were lost, in their place, says how many ([`Lagged`]). After the last record it
/// ends, and [`end`](Self::end) says how. The writer does not notice it, and does not wake it either: see [the module](super) for how late it
/// may learn of a record. Drop it to go.
pub struct OptionalStream<const PAYLOAD: usize, W: WaitStrategy + 'static = BackOff> {
    streaming: Streaming<Copied<PAYLOAD, W>>,
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> OptionalStream<PAYLOAD, W> {
    /// Waits for the next record, or loss; `None` when there are no more. Dropped while it waits, it loses nothing.
    pub async fn next(&mut self) -> Option<Result<OwnedRecord, Lagged>> {
        poll_fn(|context| self.streaming.poll_next(context)).await
    }

    /// Why there are no more records, once the stream has ended.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.streaming.end()
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

    /// What has become of the sequences since it joined.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.streaming.registration().tally()
    }

    /// How many sequences are published and not accounted for at this moment.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.streaming.with_source(|Copied { copies, .. }, _| copies.consumer.lag() + copies.in_hand())
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> Stream for OptionalStream<PAYLOAD, W> {
    type Item = Result<OwnedRecord, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.streaming.poll_next(context)
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> FusedStream for OptionalStream<PAYLOAD, W> {
    fn is_terminated(&self) -> bool {
        self.end().is_some()
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> fmt::Debug for OptionalStream<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionalStream")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("tally", &self.tally())
            .field("end", &self.end())
            .finish_non_exhaustive()
    }
}

/// An optional consumer, read one record at a time.
struct Copied<const PAYLOAD: usize, W: WaitStrategy> {
    copies: Copies<PAYLOAD, W>,
    filter: Filter,
    assembly: Lines,
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> Source for Copied<PAYLOAD, W> {
    type Item = Result<OwnedRecord, Lagged>;

    fn next(&mut self, registration: &Registration) -> Result<Self::Item, Nothing> {
        let Self { copies, filter, assembly } = self;
        let mut left = AT_MOST;
        while left > 0 {
            match copies.fill(filter.header(), Copies::<PAYLOAD, W>::FOR_ONE_BY_ONE, Until::Now, || false) {
                Ok(()) => {}
                Err(RecvError::Lagged { missed, resumed_at }) => {
                    registration.lagged(missed, resumed_at);
                    return Ok(Err(Lagged { missed, resumed_at }));
                }
                Err(RecvError::Empty) => return Err(Nothing::Yet(Cue::Silent)),
                Err(RecvError::Ended(end)) => return Err(Nothing::AnyMore(end)),
                Err(RecvError::BufferFull) => unreachable!("records are copied into memory that grows"),
            }
            let found = copies.step(filter, assembly, registration.account());
            if found.passes {
                return Ok(Ok(copies.record(found, assembly).into()));
            }
            left = left.saturating_sub(found.slots as u64);
        }
        Err(Nothing::SoFar)
    }

    fn look(&mut self) -> Sight {
        let consumer = &self.copies.consumer;
        if consumer.core().has_news(consumer.position().get()) {
            Sight::Something
        } else {
            Sight::Nothing(Cue::Silent)
        }
    }

    fn core(&self) -> &Arc<Core> {
        self.copies.consumer.core()
    }
}
