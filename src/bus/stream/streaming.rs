//! What both kinds of streams do: look, leave a waker, look once more.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::super::registry::Registration;
use super::notifier::{Cue, Place, Sight, Watched};
use crate::error::End;
use crate::ring::Core;
use crate::sync::{Mutex, lock};

/// A subscription that a stream is made of.
pub(super) trait Source: Send + 'static {
    type Item;

    /// What comes next. Accounts for what it went through.
    fn next(&mut self, registration: &Registration) -> Result<Self::Item, Nothing>;

    /// Whether there is something to go through. Takes nothing.
    fn look(&mut self) -> Sight;

    fn core(&self) -> &Arc<Core>;
}

/// Why there is no item.
pub(super) enum Nothing {
    /// There is nothing to go through, before this happens.
    Yet(Cue),
    /// It went through [`AT_MOST`] slots, none of which passed the filter, and there may be more.
    SoFar,
    /// There will be none.
    AnyMore(End),
}

/// So many slots a poll goes through at most: where a filter lets next to nothing pass, other tasks get their turn.
pub(super) const AT_MOST: u64 = 1_024;

/// A stream's subscription, which the notifier looks at too while the stream waits. `None`, once it is taken out.
type Shared<S> = Mutex<Option<S>>;

pub(super) struct Streaming<S: Source> {
    source: Arc<Shared<S>>,
    place: Place,
    registration: Registration,
    end: Option<End>,
}

impl<S: Source> Streaming<S> {
    pub(super) fn new(source: S, registration: Registration) -> Self {
        let core = Arc::clone(source.core());
        let source = Arc::new(Mutex::new(Some(source)));
        let watched: Arc<dyn Watched> = Arc::<Shared<S>>::clone(&source);
        Self { source, place: Place::new(&core, watched), registration, end: None }
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    pub(super) fn with_source<T>(&self, call: impl FnOnce(&mut S, &Registration) -> T) -> T {
        let mut source = lock(&self.source);
        call(source.as_mut().expect("it is taken out when the stream goes"), &self.registration)
    }

    /// For a stream that goes.
    pub(super) fn take_source(&mut self) -> Option<S> {
        lock(&self.source).take()
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        loop {
            // So that the notifier never has to wait for what the filter does.
            self.place.stop_waiting();
            match self.with_source(S::next) {
                Ok(item) => return Poll::Ready(Some(item)),
                Err(Nothing::AnyMore(end)) => {
                    self.end = Some(end);
                    return Poll::Ready(None);
                }
                Err(Nothing::SoFar) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(Nothing::Yet(cue)) => {
                    if self.will_be_woken(cue, context.waker()) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// Leaves the waker, and looks once more. `false`: there is something now.
    fn will_be_woken(&mut self, mut cue: Cue, waker: &Waker) -> bool {
        loop {
            if !self.place.wait_for(cue, waker) {
                waker.wake_by_ref();
                return true;
            }
            match self.with_source(|source, _| source.look()) {
                Sight::Something => return false,
                Sight::Nothing(still) if still == cue => return true,
                Sight::Nothing(other) => cue = other,
            }
        }
    }
}

/// Drops the subscription here and now, on the stream's thread, also where the notifier still holds on to what it was in.
impl<S: Source> Drop for Streaming<S> {
    fn drop(&mut self) {
        drop(self.take_source());
    }
}

impl<S: Source> Watched for Shared<S> {
    fn look(&self) -> Sight {
        lock(self).as_mut().map_or(Sight::Something, S::look)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::thread;

    use super::super::super::Bus;
    use super::super::super::optional::OptionalSubscription;
    use super::*;

    /// Finds nothing at first, and then sees what a test has written down. What the notifier sees does not count.
    struct Scripted {
        core: Arc<Core>,
        sights: VecDeque<Sight>,
        is_first: bool,
    }

    impl Source for Scripted {
        type Item = ();

        fn next(&mut self, _: &Registration) -> Result<(), Nothing> {
            if std::mem::take(&mut self.is_first) { Err(Nothing::Yet(Cue::Publishing)) } else { Ok(()) }
        }

        fn look(&mut self) -> Sight {
            match thread::current().name() {
                Some("ringbus streams") => Sight::Nothing(Cue::Silent),
                _ => self.sights.pop_front().expect("it looks no more often than that"),
            }
        }

        fn core(&self) -> &Arc<Core> {
            &self.core
        }
    }

    /// Polls once. Returns what comes of it, and which sights are left.
    fn poll_once(sights: &[Sight]) -> (Poll<Option<()>>, VecDeque<Sight>) {
        let (_writer, bus) = Bus::<64>::builder("testnet").build().unwrap();
        let OptionalSubscription { copies, registration, .. } =
            bus.subscribe("scripted").optional().join().unwrap();
        let core = Arc::clone(copies.consumer.core());
        let source = Scripted { core, sights: sights.iter().copied().collect(), is_first: true };
        let mut streaming = Streaming::new(source, registration);
        let polled = streaming.poll_next(&mut Context::from_waker(Waker::noop()));
        (polled, streaming.take_source().unwrap().sights)
    }

    #[test]
    fn it_looks_once_more_when_it_has_left_its_waker() {
        assert_eq!(poll_once(&[Sight::Something]), (Poll::Ready(Some(())), [].into()));
    }

    /// What it waited for has happened, and it waits for something else now: there may have been that, too.
    #[test]
    fn it_looks_again_when_it_waits_for_something_else() {
        let (publishing, acknowledgement) =
            (Sight::Nothing(Cue::Publishing), Sight::Nothing(Cue::Acknowledgement));
        assert_eq!(poll_once(&[publishing, Sight::Something]), (Poll::Pending, [Sight::Something].into()));
        assert_eq!(poll_once(&[acknowledgement, acknowledgement]), (Poll::Pending, [].into()));
        assert_eq!(poll_once(&[acknowledgement, Sight::Something]), (Poll::Ready(Some(())), [].into()));
    }
}
