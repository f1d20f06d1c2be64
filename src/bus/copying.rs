//! An optional subscription's copies as a source for a worker.

use std::fmt;
use std::sync::Arc;

use super::copies::Copies;
use super::filter::HeaderFilter;
use super::record::Record;
use crate::error::{FailureCause, RecvError};
use crate::member::Request;
use crate::stats::ConsumerStats;
use crate::token::Token;
use crate::wait::WaitStrategy;
use crate::waiting::Until;
use crate::worker::{Events, Next, Remote, sealed};

/// What a worker reads from for an optional subscription: see [`OptionalSubscription::into_worker`](super::OptionalSubscription::into_worker).
pub struct Copying<const PAYLOAD: usize, W: WaitStrategy> {
    copies: Copies<PAYLOAD, W>,
    filter: HeaderFilter,
}

impl<const PAYLOAD: usize, W: WaitStrategy> Copying<PAYLOAD, W> {
    pub(super) fn new(copies: Copies<PAYLOAD, W>, filter: HeaderFilter) -> Self {
        Self { copies, filter }
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy + 'static> sealed::Source for Copying<PAYLOAD, W> {
    type Event = Record<PAYLOAD>;

    fn remote(&self, token: Token) -> Remote {
        self.copies.consumer.remote(token)
    }

    #[inline(always)]
    fn request(&self, token: Token) -> Request {
        self.copies.consumer.request(token)
    }

    fn next<T>(
        &mut self,
        _: Token,
        _: &mut Vec<Self::Event>,
        until: Until,
        handle: impl FnOnce(u64, &mut Events<'_, Self::Event>) -> Result<(), T>,
    ) -> Next<T> {
        /// So many slots are copied at once.
        const AT_ONCE: usize = 64;
        let listener = Arc::clone(self.copies.consumer.listener());
        let interrupted = || listener.control.get() != Request::Run;
        match self.copies.fill(&self.filter, AT_ONCE, until, interrupted) {
            Ok(()) => {
                let (slots, first) = self.copies.whole();
                let (handled, len) = (handle(0, &mut Events::copied(slots, first)), slots.len());
                self.copies.walk(len);
                handled.map_or_else(Next::Failed, |()| Next::Handled)
            }
            Err(RecvError::Lagged { missed, resumed_at }) => Next::Lagged { missed, resumed_at },
            Err(RecvError::Ended(end)) => Next::Ended(end),
            Err(RecvError::Empty) => Next::Empty,
            Err(RecvError::BufferFull) => unreachable!("records are copied into memory that grows"),
        }
    }

    fn pause_as_asked(&mut self, token: Token) -> Option<u64> {
        let let_pass = self.copies.consumer.pause_as_asked(token)?;
        Some(self.copies.let_pass() + let_pass)
    }

    fn stats(&self, token: Token) -> ConsumerStats {
        self.copies.consumer.stats(token)
    }

    fn leave(self, _: Token) {}

    fn fail(self, _: Token, _: FailureCause, _: Arc<str>) {}
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for Copying<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copying").field("consumer", &self.copies.consumer).finish_non_exhaustive()
    }
}
