//! A subscription on a thread of its own.

use std::fmt;
use std::time::Duration;

use super::driver::Driver;
use super::record::Record;
use super::registry::SubscriptionId;
use super::subscriber::Subscriber;
use crate::error::{JoinError, StartError};
use crate::worker::{Source, SpawnError, Worker, WorkerBuilder};

/// Settings of a subscription's worker that is about to be spawned: made by
/// [`RequiredSubscription::into_worker`](super::RequiredSubscription::into_worker) and
/// [`OptionalSubscription::into_worker`](super::OptionalSubscription::into_worker).
#[must_use = "nothing runs before `spawn` is called"]
pub struct SubscriptionWorker<C: Source, S, const PAYLOAD: usize> {
    builder: WorkerBuilder<C>,
    driver: Driver<S, PAYLOAD>,
}

impl<C: Source<Event = Record<PAYLOAD>>, S: Subscriber, const PAYLOAD: usize>
    SubscriptionWorker<C, S, PAYLOAD>
{
    pub(super) fn new(builder: WorkerBuilder<C>, driver: Driver<S, PAYLOAD>) -> Self {
        Self { builder, driver }
    }

    /// Pins the thread to this core: see [`WorkerBuilder::pin_to`].
    #[cfg(feature = "affinity")]
    pub fn pin_to(mut self, core: usize) -> Self {
        self.builder = self.builder.pin_to(core);
        self
    }

    /// While there is nothing to read, calls [`Subscriber::idle`] again each time this long has passed.
    pub fn idle_every(mut self, interval: Duration) -> Self {
        self.builder = self.builder.idle_every(interval);
        self
    }

    /// Which subscription this is.
    #[must_use]
    pub fn id(&self) -> SubscriptionId {
        self.driver.registration().id()
    }

    /// Starts the thread, which has the subscription's name.
    ///
    /// # Errors
    ///
    /// As for [`WorkerBuilder::spawn`]: the subscription has left then.
    pub fn spawn(self) -> Result<Worker<Driver<S, PAYLOAD>>, SpawnError> {
        let Self { builder, driver } = self;
        // Before it runs: it may want to be paused by its own calls.
        driver.registration().entry().runs_on(builder.remote());
        builder.spawn(driver)
    }
}

impl<C: Source, S, const PAYLOAD: usize> fmt::Debug for SubscriptionWorker<C, S, PAYLOAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionWorker").field("driver", &self.driver).finish_non_exhaustive()
    }
}

/// Why a subscription could not be put on a worker.
#[derive(Debug)]
#[non_exhaustive]
pub enum SubscribeError {
    /// A required one could not join.
    Join(JoinError),
    /// An optional one could not start where it was to.
    Start(StartError),
    /// No thread could be started for it. It has left.
    Spawn(SpawnError),
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Spawn(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SubscribeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Join(error) => Some(error),
            Self::Start(error) => Some(error),
            Self::Spawn(error) => Some(error),
        }
    }
}

impl From<JoinError> for SubscribeError {
    fn from(error: JoinError) -> Self {
        Self::Join(error)
    }
}

impl From<StartError> for SubscribeError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<SpawnError> for SubscribeError {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}
