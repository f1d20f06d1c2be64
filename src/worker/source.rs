//! What a worker can run: consumers of both kinds.

use std::sync::Arc;

use super::events::Events;
use crate::barrier::{Followed, sealed::Upstream as _};
use crate::diagnostics;
use crate::error::{End, FailureCause, PauseError, ReadError, RecvError};
use crate::event::Event;
use crate::member::{Control, Listener, Request};
use crate::optional::OptionalConsumer;
use crate::parking::Awaited;
use crate::progress::Progress;
use crate::required::RequiredConsumer;
use crate::ring::Core;
use crate::sequence::Sequence;
use crate::stats::ConsumerStats;
use crate::token::Token;
use crate::wait::{Park, WaitStrategy};
use crate::waiting::{Until, look_until};

/// A consumer that a worker can run: required or optional. Sealed.
pub trait Source: sealed::Source {}

impl<C: sealed::Source> Source for C {}

/// What came of asking a consumer for its next events.
pub enum Next<T> {
    /// They were handled.
    Handled,
    /// The handler failed.
    Failed(T),
    /// There were none: now, before the deadline, or before a request came.
    Empty,
    /// Events are lost, and nothing was there to read.
    Lagged { missed: u64, resumed_at: Sequence },
    /// There will be none.
    Ended(End),
}

pub(crate) mod sealed {
    use super::{Next, Remote};
    use crate::error::FailureCause;
    use crate::event::Event;
    use crate::member::Request;
    use crate::stats::ConsumerStats;
    use crate::token::Token;
    use crate::waiting::Until;
    use crate::worker::Events;
    use std::sync::Arc;

    pub trait Source: Sized + Send + 'static {
        type Event: Event;

        fn remote(&self, _: Token) -> Remote;

        /// What its control handles want it to do.
        fn request(&self, _: Token) -> Request;

        /// Waits for events, unless there is a request, and passes them to `handle` with how many were lost before them.
        /// Copies go into `buffer`.
        fn next<T>(
            &mut self,
            _: Token,
            buffer: &mut Vec<Self::Event>,
            until: Until,
            handle: impl FnOnce(u64, &mut Events<'_, Self::Event>) -> Result<(), T>,
        ) -> Next<T>;

        /// Pauses for as long as that is requested and the stream has not ended. Returns how many events it let pass; `None` if
        /// it did not pause.
        fn pause_as_asked(&mut self, _: Token) -> Option<u64>;

        /// Its numbers now.
        fn stats(&self, _: Token) -> ConsumerStats;

        fn leave(self, _: Token);

        fn fail(self, _: Token, cause: FailureCause, message: Arc<str>);
    }
}

/// What is left of a consumer for those who control it, while it is on its worker's thread.
#[derive(Clone, Debug)]
pub struct Remote {
    target: Target,
}

#[derive(Clone, Debug)]
enum Target {
    Required(Followed),
    Optional { core: Arc<Core>, listener: Arc<Listener> },
}

impl Remote {
    fn core(&self) -> &Core {
        match &self.target {
            Target::Required(followed) => followed.core(),
            Target::Optional { core, .. } => core,
        }
    }

    fn control(&self) -> &Control {
        match &self.target {
            Target::Required(followed) => &followed.member().control,
            Target::Optional { listener, .. } => &listener.control,
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        match &self.target {
            Target::Required(followed) => &followed.member().name,
            Target::Optional { listener, .. } => &listener.name,
        }
    }

    /// The name of its ring.
    pub(crate) fn ring(&self) -> &str {
        &self.core().name
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        match &self.target {
            Target::Required(followed) => Some(Progress::new(followed.clone())),
            Target::Optional { .. } => None,
        }
    }

    pub(crate) fn stop(&self) {
        self.control().ask(Request::Stop);
        self.core().attention.wake_everybody();
    }

    pub(crate) fn pause(&self) -> Result<(), PauseError> {
        match &self.target {
            Target::Required(followed) => self.core().gates.ask_to_pause(followed)?,
            Target::Optional { listener, .. } => {
                self.check_presence(listener)?;
                if listener.control.get() == Request::Stop {
                    return Err(PauseError::Gone { consumer: Arc::clone(&listener.name) });
                }
                listener.control.ask(Request::Pause);
            }
        }
        diagnostics::pause_asked(self.ring(), self.name());
        self.core().attention.wake_everybody();
        Ok(())
    }

    pub(crate) fn resume(&self) -> Result<(), PauseError> {
        match &self.target {
            Target::Required(followed) => self.core().gates.ask_to_resume(followed)?,
            Target::Optional { listener, .. } => {
                self.check_presence(listener)?;
                listener.control.ask(Request::Run);
            }
        }
        self.core().attention.wake_everybody();
        Ok(())
    }

    fn check_presence(&self, listener: &Arc<Listener>) -> Result<(), PauseError> {
        if self.core().listeners.has(listener) {
            Ok(())
        } else {
            Err(PauseError::Gone { consumer: Arc::clone(&listener.name) })
        }
    }
}

/// Sleeps until `control` no longer asks for a pause, or the stream of `core` has ended.
fn wait_for_the_end_of_the_pause(core: &Core, control: &Control) {
    let has_ended = || core.attention.is_stopped() || core.cursor.observe().closed;
    let is_over = || (control.get() != Request::Pause || has_ended()).then_some(());
    look_until(Until::Done, &mut Park::default(), Some(core.attention.alarm(Awaited::Change)), is_over);
    if has_ended() {
        // There is nothing more to let pass: the worker is to come to its end.
        control.ask(Request::Run);
    }
}

impl<E: Event, W: WaitStrategy + 'static> sealed::Source for RequiredConsumer<E, W> {
    type Event = E;

    fn remote(&self, _: Token) -> Remote {
        Remote { target: Target::Required(self.followed(Token::CRATE)) }
    }

    #[inline(always)]
    fn request(&self, _: Token) -> Request {
        self.member().control.get()
    }

    #[inline]
    fn next<T>(
        &mut self,
        _: Token,
        _: &mut Vec<E>,
        until: Until,
        handle: impl FnOnce(u64, &mut Events<'_, E>) -> Result<(), T>,
    ) -> Next<T> {
        let member = Arc::clone(self.member());
        match self.read_unless(until, || member.control.get() != Request::Run) {
            Err(ReadError::Empty) => Next::Empty,
            Err(ReadError::Ended(end)) => Next::Ended(end),
            Ok(batch) => {
                let mut events = Events::held(batch);
                match handle(0, &mut events) {
                    Ok(()) => {
                        events.acknowledge_rest();
                        Next::Handled
                    }
                    Err(trouble) => Next::Failed(trouble),
                }
            }
        }
    }

    fn pause_as_asked(&mut self, _: Token) -> Option<u64> {
        let (core, member) = (Arc::clone(self.core()), Arc::clone(self.member()));
        let paused = self.pause_if_asked()?;
        wait_for_the_end_of_the_pause(&core, &member.control);
        Some(paused.resume())
    }

    fn stats(&self, _: Token) -> ConsumerStats {
        ConsumerStats::of_required(self.core(), self.member())
    }

    fn leave(self, _: Token) {
        self.leave();
    }

    fn fail(self, _: Token, cause: FailureCause, message: Arc<str>) {
        self.fail_as(cause, Some(message));
    }
}

impl<E: Event, W: WaitStrategy + 'static> sealed::Source for OptionalConsumer<E, W> {
    type Event = E;

    fn remote(&self, _: Token) -> Remote {
        Remote {
            target: Target::Optional { core: Arc::clone(self.core()), listener: Arc::clone(self.listener()) },
        }
    }

    #[inline(always)]
    fn request(&self, _: Token) -> Request {
        self.listener().control.get()
    }

    #[inline]
    fn next<T>(
        &mut self,
        _: Token,
        buffer: &mut Vec<E>,
        until: Until,
        handle: impl FnOnce(u64, &mut Events<'_, E>) -> Result<(), T>,
    ) -> Next<T> {
        /// As many events are copied by one validation.
        const AT_ONCE: usize = 256;
        buffer.clear();
        buffer.reserve(AT_ONCE);
        let listener = Arc::clone(self.listener());
        match self.recv_many_unless(buffer, until, || listener.control.get() != Request::Run) {
            Ok(received) => match handle(received.missed, &mut Events::copied(buffer, received.first)) {
                Ok(()) => Next::Handled,
                Err(trouble) => Next::Failed(trouble),
            },
            Err(RecvError::Lagged { missed, resumed_at }) => Next::Lagged { missed, resumed_at },
            Err(RecvError::Ended(end)) => Next::Ended(end),
            Err(RecvError::Empty) => Next::Empty,
            Err(RecvError::BufferFull) => unreachable!("room was reserved"),
        }
    }

    fn pause_as_asked(&mut self, _: Token) -> Option<u64> {
        let (core, listener) = (Arc::clone(self.core()), Arc::clone(self.listener()));
        if listener.control.get() != Request::Pause {
            return None;
        }
        let paused = self.pause();
        wait_for_the_end_of_the_pause(&core, &listener.control);
        Some(paused.resume())
    }

    fn stats(&self, _: Token) -> ConsumerStats {
        ConsumerStats::of_optional(self.core(), self.listener())
    }

    fn leave(self, _: Token) {}

    fn fail(self, _: Token, _: FailureCause, _: Arc<str>) {}
}
