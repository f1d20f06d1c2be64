//! What a worker does with events.

use std::fmt;

use super::events::Events;
use crate::error::End;
use crate::event::Event;
use crate::sequence::Sequence;

/// What a worker does with the events of its consumer. All of it runs on the worker's thread, in this order: `start`, then
/// `batch`, `lagged`, `resumed` and `idle` as it comes, then `shutdown`.
///
/// An error ends the worker, and so does a panic: see [the module](super). `shutdown` is not called then.
pub trait Handler<E: Event>: Send + 'static {
    /// What can go wrong. Its text is what others get to see.
    type Error: fmt::Display;

    /// Before anything else; `first` is the sequence that it gets first.
    ///
    /// # Errors
    ///
    /// Ends the worker.
    fn start(&mut self, first: Sequence) -> Result<(), Self::Error> {
        let _ = first;
        Ok(())
    }

    /// The next events, at least one. Handle them one by one with [`Events::try_for_each`], which acknowledges as it goes, or all at
    /// once by [`Events::slices`]: then they count as handled when this returns.
    ///
    /// # Errors
    ///
    /// Ends the worker. Events that `try_for_each` had been through count as handled, the others do not.
    fn batch(&mut self, events: &mut Events<'_, E>) -> Result<(), Self::Error>;

    /// An optional consumer was overrun: `missed` events are lost, and the next one is `resumed_at`.
    ///
    /// # Errors
    ///
    /// Ends the worker.
    fn lagged(&mut self, missed: u64, resumed_at: Sequence) -> Result<(), Self::Error> {
        let _ = (missed, resumed_at);
        Ok(())
    }

    /// A pause is over, which `let_pass` events have passed.
    ///
    /// # Errors
    ///
    /// Ends the worker.
    fn resumed(&mut self, let_pass: u64) -> Result<(), Self::Error> {
        let _ = let_pass;
        Ok(())
    }

    /// There is nothing to read: a moment to flush. Called before each wait, and every
    /// [`idle_every`](super::WorkerBuilder::idle_every) during it.
    ///
    /// # Errors
    ///
    /// Ends the worker.
    fn idle(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The last call: no more events will come, or the worker is to stop.
    ///
    /// # Errors
    ///
    /// Is what [`Worker::join`](super::Worker::join) returns.
    fn shutdown(&mut self, reason: &Shutdown) -> Result<(), Self::Error> {
        let _ = reason;
        Ok(())
    }
}

/// Why a worker ends whose handler has not failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// The stream has ended, and this is how.
    Ended(End),
    /// [`Worker::stop`](super::Worker::stop) was called.
    Requested,
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(end) => end.fmt(f),
            Self::Requested => write!(f, "the worker was told to stop"),
        }
    }
}

/// A handler that is a closure, called for each event with its sequence and whether it is the last of a batch.
///
/// ```
/// use ringbus::Ring;
/// use ringbus::worker::on_each;
///
/// let (mut producer, ring) = Ring::<u64>::builder().build()?;
/// let print = on_each(|event: &u64, sequence, _end_of_batch| {
///     println!("{sequence}: {event}");
///     Ok::<(), std::io::Error>(())
/// });
/// let worker = ring.required("print").join()?.into_worker().spawn(print)?;
/// producer.publish(&1)?;
/// producer.close()?;
/// assert_eq!(worker.join()?.stats.delivered, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn on_each<F>(each: F) -> EachEvent<F> {
    EachEvent { each }
}

/// Made by [`on_each`].
pub struct EachEvent<F> {
    each: F,
}

impl<F> fmt::Debug for EachEvent<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EachEvent").finish_non_exhaustive()
    }
}

impl<E, F, Error> Handler<E> for EachEvent<F>
where
    E: Event,
    F: FnMut(&E, Sequence, bool) -> Result<(), Error> + Send + 'static,
    Error: fmt::Display,
{
    type Error = Error;

    fn batch(&mut self, events: &mut Events<'_, E>) -> Result<(), Error> {
        events.try_for_each(&mut self.each)
    }
}
