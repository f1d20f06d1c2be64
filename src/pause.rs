//! A consumer that lets events pass for a while.

use std::fmt;

use crate::token::Token;

/// A consumer that can pause. Sealed.
pub trait Pausable: sealed::Pausable {}

impl<C: sealed::Pausable> Pausable for C {}

pub(crate) mod sealed {
    pub trait Pausable {
        /// Goes on at the cursor. Returns how many events have passed.
        fn resume(&mut self, _: crate::token::Token) -> u64;
    }
}

/// A paused consumer: it holds nothing up, and gets nothing. Dropped, it goes on.
///
/// Made by [`RequiredConsumer::pause`](crate::RequiredConsumer::pause) and
/// [`OptionalConsumer::pause`](crate::OptionalConsumer::pause). Leaked with `mem::forget`, it leaves a required consumer paused until
/// its next read, which goes on at the cursor; an optional one just reads on, and the statistics call it paused.
#[must_use = "dropped, the consumer goes on at once"]
pub struct Paused<'consumer, C: Pausable> {
    consumer: Option<&'consumer mut C>,
}

impl<'consumer, C: Pausable> Paused<'consumer, C> {
    pub(crate) fn new(consumer: &'consumer mut C) -> Self {
        Self { consumer: Some(consumer) }
    }

    /// Goes on at the cursor: gets every event, if required, from there on. Returns how many have passed meanwhile.
    pub fn resume(mut self) -> u64 {
        self.consumer.take().map_or(0, |consumer| consumer.resume(Token::CRATE))
    }
}

impl<C: Pausable> Drop for Paused<'_, C> {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.resume(Token::CRATE);
        }
    }
}

impl<C: Pausable> fmt::Debug for Paused<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paused").finish_non_exhaustive()
    }
}
