//! A worker's life, on its own thread.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::WorkerError;
use super::handler::{Handler, Shutdown};
use super::source::{Next, Source};
use super::{Done, Events};
use crate::diagnostics;
use crate::error::{End, FailureCause};
use crate::member::Request;
use crate::sequence::Sequence;
use crate::stats::ConsumerStats;
use crate::token::Token;
use crate::waiting::Until;

/// How a worker ended.
pub(super) type Outcome<H> = Result<Done<H>, WorkerError>;

/// What a handler did instead of returning `Ok`.
struct Trouble {
    cause: FailureCause,
    message: Arc<str>,
    /// Where it stood, if not where its consumer stands.
    at: Option<Sequence>,
}

impl Trouble {
    fn panicked(payload: &(dyn Any + Send)) -> Self {
        let message = if let Some(message) = payload.downcast_ref::<&str>() {
            (*message).into()
        } else if let Some(message) = payload.downcast_ref::<String>() {
            message.as_str().into()
        } else {
            "(the panic carried no text)".into()
        };
        Self { cause: FailureCause::Panicked, message, at: None }
    }
}

/// Calls a handler, and catches what it throws. (It is never called again then, whatever state it is in.)
fn guarded<T, Error: fmt::Display>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Trouble> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            Err(Trouble { cause: FailureCause::Failed, message: error.to_string().into(), at: None })
        }
        Err(payload) => Err(Trouble::panicked(&*payload)),
    }
}

/// Drops what is the user's (a handler, a wait strategy), whose end may panic too. What matters is said already.
fn quietly(end: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(end));
}

/// For a thread that has ended without an outcome, for instance by a panic's payload that panics when it is dropped.
pub(super) fn died(consumer: &Arc<str>, ended: std::thread::Result<()>) -> WorkerError {
    let message = match ended {
        Err(payload) => Trouble::panicked(&*payload).message,
        Ok(()) => "its thread ended without an outcome".into(),
    };
    let consumer = Arc::clone(consumer);
    WorkerError { consumer, sequence: Sequence::default(), cause: FailureCause::Panicked, message }
}

/// Runs `consumer` until its stream ends, it is told to stop, or `handler` fails.
pub(super) fn to_the_end<C: Source, H: Handler<C::Event>>(
    mut consumer: C,
    mut handler: H,
    idle_every: Option<Duration>,
) -> Outcome<H> {
    // Also what is not the handler's doing, a wait strategy of the user's for instance.
    let ran = catch_unwind(AssertUnwindSafe(|| run(&mut consumer, &mut handler, idle_every)));
    match ran.unwrap_or_else(|payload| Err(Trouble::panicked(&*payload))) {
        Ok(reason) => {
            let stats = consumer.stats(Token::CRATE);
            match &reason {
                // The events that follow would be lost to it: the ring must not go on as if they were not.
                Shutdown::Ended(end @ (End::UpstreamLeft { .. } | End::UpstreamFailed(_))) => {
                    let message = end.to_string().into();
                    quietly(|| consumer.fail(Token::CRATE, FailureCause::Failed, message));
                }
                _ => quietly(|| consumer.leave(Token::CRATE)),
            }
            Ok(Done { handler, reason, stats })
        }
        Err(Trouble { cause, message, at }) => {
            let ConsumerStats { name, position, .. } = consumer.stats(Token::CRATE);
            let sequence = at.unwrap_or(position);
            let remote = consumer.remote(Token::CRATE);
            quietly(|| consumer.fail(Token::CRATE, cause, Arc::clone(&message)));
            quietly(|| drop(handler));
            let error = WorkerError { consumer: name, sequence, cause, message };
            diagnostics::worker_failed(remote.ring(), &error);
            Err(error)
        }
    }
}

fn run<C: Source, H: Handler<C::Event>>(
    consumer: &mut C,
    handler: &mut H,
    idle_every: Option<Duration>,
) -> Result<Shutdown, Trouble> {
    guarded(|| handler.start(consumer.stats(Token::CRATE).position))?;
    let mut buffer = Vec::new();
    let mut until = Until::Now;
    let reason = loop {
        match consumer.request(Token::CRATE) {
            Request::Run => {}
            Request::Stop => break Shutdown::Requested,
            Request::Pause => {
                if let Some(let_pass) = consumer.pause_as_asked(Token::CRATE) {
                    guarded(|| handler.resumed(let_pass))?;
                }
                until = Until::Now;
                continue;
            }
        }
        let next =
            consumer.next(Token::CRATE, &mut buffer, until, |missed, events| handle(handler, missed, events));
        until = match (next, until) {
            (Next::Empty, Until::Now) => {
                guarded(|| handler.idle())?;
                idle_every
                    // An interval that no clock will see the end of is none.
                    .and_then(|interval| Instant::now().checked_add(interval))
                    .map_or(Until::Done, Until::Deadline)
            }
            (Next::Handled | Next::Empty, _) => Until::Now,
            (Next::Lagged { missed, resumed_at }, _) => {
                guarded(|| handler.lagged(missed, resumed_at))?;
                Until::Now
            }
            (Next::Failed(trouble), _) => return Err(trouble),
            (Next::Ended(end), _) => break Shutdown::Ended(end),
        };
    };
    guarded(|| handler.shutdown(&reason))?;
    Ok(reason)
}

fn handle<E: crate::Event, H: Handler<E>>(
    handler: &mut H,
    missed: u64,
    events: &mut Events<'_, E>,
) -> Result<(), Trouble> {
    let first = events.first_sequence();
    let told = if missed > 0 { guarded(|| handler.lagged(missed, first)) } else { Ok(()) };
    told.and_then(|()| guarded(|| handler.batch(events)))
        // Not where the consumer stands: it is behind what was copied already.
        .map_err(|trouble| Trouble { at: Some(events.first_sequence()), ..trouble })
}
