//! A consumer on its own named thread, with a handler.
//!
//! ```
//! use ringbus::Ring;
//! use ringbus::worker::{Events, Handler};
//!
//! /// Adds up what it gets.
//! struct Sum(u64);
//!
//! impl Handler<u64> for Sum {
//!     type Error = String;
//!
//!     fn batch(&mut self, events: &mut Events<'_, u64>) -> Result<(), String> {
//!         events.try_for_each(|event, sequence, _end_of_batch| {
//!             self.0 = self.0.checked_add(*event).ok_or_else(|| format!("overflow at {sequence}"))?;
//!             Ok(())
//!         })
//!     }
//! }
//!
//! let (mut producer, ring) = Ring::<u64>::builder().build()?;
//! let worker = ring.required("sum").join()?.into_worker().spawn(Sum(0))?;
//! producer.publish_batch(&[1, 2, 3])?;
//! producer.close()?; // the worker drains, shuts down, and ends
//! let done = worker.join()?;
//! assert_eq!((done.handler.0, done.stats.delivered), (6, 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When a handler fails
//!
//! An error or a panic of a handler is caught on the worker's thread, which ends. [`Worker::join`] returns it, with the consumer's
//! name, the sequence it was at and the message. A required consumer fails, so that the producer's next publish
//! returns the same and the ring closes, or leaves, if it was built to
//! [detach](crate::RequiredBuilder::detach_on_drop). Nothing that it had not handled is overwritten before.
//!
//! # Stopping
//!
//! In good order, the producer closes the ring, and all workers drain it and end. [`Worker::stop`] ends one worker between two
//! batches, and lets its consumer leave; [`Ring::stop`](crate::Ring::stop) ends everything at once. A worker whose upstream
//! leaves or fails ends as well: its handler is shut down with that reason, [`Worker::join`] returns it, and its consumer fails
//! (or detaches), because it would lose what follows.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::progress::Progress;
use crate::stats::ConsumerStats;
use crate::token::Token;

mod error;
mod events;
mod handler;
mod pin;
mod run;
mod source;

pub use error::{SpawnError, WorkerError};
pub use events::Events;
pub use handler::{EachEvent, Handler, Shutdown, on_each};
pub use pin::NoSuchCore;
#[cfg(feature = "affinity")]
pub use pin::pin_this_thread;
use run::Outcome;
pub(crate) use source::Remote;
pub use source::Source;
pub(crate) use source::{Next, sealed};

/// Settings of a worker that is about to be spawned: made by
/// [`RequiredConsumer::into_worker`](crate::RequiredConsumer::into_worker) and
/// [`OptionalConsumer::into_worker`](crate::OptionalConsumer::into_worker).
#[must_use = "nothing runs before `spawn` is called"]
#[derive(Debug)]
pub struct WorkerBuilder<C: Source> {
    consumer: C,
    #[cfg(feature = "affinity")]
    core: Option<usize>,
    idle_every: Option<Duration>,
}

impl<C: Source> WorkerBuilder<C> {
    pub(crate) fn new(consumer: C) -> Self {
        Self {
            consumer,
            #[cfg(feature = "affinity")]
            core: None,
            idle_every: None,
        }
    }

    /// Pins the thread to this core, counted as the operating system does from 0. A thread that is not pinned may run where the
    /// one that spawned it may: spawn workers before you [pin](pin_this_thread) the producer's thread.
    #[cfg(feature = "affinity")]
    pub fn pin_to(mut self, core: usize) -> Self {
        self.core = Some(core);
        self
    }

    /// While there is nothing to read, calls [`Handler::idle`] again each time this long has passed. Unless set, `idle` is called
    /// once, before the wait.
    pub fn idle_every(mut self, interval: Duration) -> Self {
        self.idle_every = Some(interval);
        self
    }

    /// What will control the worker.
    pub(crate) fn remote(&self) -> Remote {
        self.consumer.remote(Token::CRATE)
    }

    /// Starts the thread, which has the consumer's name.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if there is no such core, or no thread can be had. The consumer has left then, and the producer goes on
    /// without it. (Other required consumers that have joined and are not spawned yet fail when they are dropped, for instance
    /// by a `?`: let them leave, or stop the ring.)
    pub fn spawn<H: Handler<C::Event>>(self, handler: H) -> Result<Worker<H>, SpawnError> {
        let Self {
            consumer,
            #[cfg(feature = "affinity")]
            core,
            idle_every,
        } = self;
        let remote = consumer.remote(Token::CRATE);
        let name = Arc::clone(remote.name());
        let (consumers, consumer_inside) = sync_channel(1);
        let (started, start) = sync_channel(1);
        let (outcomes, outcome) = sync_channel(1);
        let run = move || {
            let Ok(consumer) = consumer_inside.recv() else { return };
            #[cfg(feature = "affinity")]
            let pinned = core.map_or(Ok(()), pin_this_thread);
            #[cfg(not(feature = "affinity"))]
            let pinned = Ok::<(), NoSuchCore>(());
            match pinned {
                Err(no_such_core) => drop(started.send(Err((consumer, no_such_core)))),
                Ok(()) => {
                    let _ = started.send(Ok(()));
                    // Nobody may be there any more who wants to know.
                    let _ = outcomes.send(run::to_the_end(consumer, handler, idle_every));
                }
            }
        };
        // (A name with a zero in it would make the standard library panic.)
        let spawned = thread::Builder::new().name(name.replace('\0', " ")).spawn(run);
        let thread = match spawned {
            Ok(thread) => thread,
            Err(source) => {
                consumer.leave(Token::CRATE);
                return Err(SpawnError::Thread { consumer: name, source });
            }
        };
        let _ = consumers.send(consumer);
        match start.recv().expect("the thread answers before it runs the handler") {
            Ok(()) => Ok(Worker { remote, outcome, thread }),
            Err((consumer, source)) => {
                consumer.leave(Token::CRATE);
                Err(SpawnError::NoSuchCore { consumer: name, source })
            }
        }
    }
}

/// A consumer that runs on its own thread: the handle on it.
///
/// Dropped, it lets the worker run on until the stream ends.
#[derive(Debug)]
pub struct Worker<H> {
    remote: Remote,
    outcome: Receiver<Outcome<H>>,
    thread: thread::JoinHandle<()>,
}

/// What a worker leaves behind that has ended well.
#[derive(Debug)]
#[non_exhaustive]
pub struct Done<H> {
    /// The handler, after its [`shutdown`](Handler::shutdown).
    pub handler: H,
    /// Why the worker ended.
    pub reason: Shutdown,
    /// The consumer's numbers at the end: delivered, missed, how long the producer waited for it, its latency.
    pub stats: ConsumerStats,
}

impl<H> Worker<H> {
    /// The consumer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.remote.name()
    }

    /// A handle on the consumer's progress; `None` for an optional one.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.remote.progress()
    }

    /// Asks the worker to end after the batch that it is handling: its handler is shut down, and its consumer leaves. A handler
    /// that is stuck stays stuck, and goes on holding the ring up. The ring goes on without this consumer, unless others come
    /// after it: those lose their upstream, and a worker that does so fails the ring, because what follows would be lost to it.
    pub fn stop(&self) {
        self.remote.stop();
    }

    /// Asks the worker to pause after the batch that it is handling: it holds nothing up then, and lets events pass.
    ///
    /// # Errors
    ///
    /// [`PauseError::HasDependants`](crate::PauseError::HasDependants) if others come after it;
    /// [`PauseError::Gone`](crate::PauseError::Gone) if it has ended, or was told to stop.
    pub fn pause(&self) -> Result<(), crate::error::PauseError> {
        self.remote.pause()
    }

    /// Asks the worker to go on, at the newest event. Its handler is told how many events have passed
    /// ([`Handler::resumed`]). Does nothing if it is not paused.
    ///
    /// # Errors
    ///
    /// [`PauseError::Gone`](crate::PauseError::Gone) if it has ended.
    pub fn resume(&self) -> Result<(), crate::error::PauseError> {
        self.remote.resume()
    }

    /// Whether the worker has ended, so that [`join`](Self::join) returns at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until the worker ends: when the stream ends, when it is told to [`stop`](Self::stop), or when its handler fails.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the handler returned an error or panicked.
    pub fn join(self) -> Result<Done<H>, WorkerError> {
        let outcome = self.outcome.recv();
        let thread = self.thread.join();
        outcome.unwrap_or_else(|_| Err(run::died(self.remote.name(), thread)))
    }

    /// As [`join`](Self::join), and waits until `deadline` at most.
    ///
    /// # Errors
    ///
    /// The worker itself: it runs on.
    pub fn join_deadline(self, deadline: Instant) -> Result<Result<Done<H>, WorkerError>, Self> {
        match self.outcome.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(outcome) => Ok(outcome),
            Err(RecvTimeoutError::Timeout) => Err(self),
            Err(RecvTimeoutError::Disconnected) => Ok(self.join()),
        }
    }
}

impl<H> fmt::Display for Done<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConsumerStats { name, position, delivered, missed, let_pass, .. } = &self.stats;
        write!(
            f,
            "worker `{name}` ended at sequence {position} ({delivered} delivered, {missed} missed, {let_pass} let pass): {}",
            self.reason
        )
    }
}
