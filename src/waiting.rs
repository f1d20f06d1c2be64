//! How a call waits: it looks, and leaves what happens between two looks to a strategy or to an alarm.

use std::time::Instant;

use crate::parking::Alarm;
use crate::wait::{Turn, WaitStrategy};

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Not at all: one look.
    Now,
    /// Until it is done.
    Done,
    /// Until this moment.
    Deadline(Instant),
}

/// Looks until there is an answer, and waits by `strategy` in between, or sleeps until `alarm`, if it asks for that. `None`: the
/// time allowed is over.
///
/// At least one look is taken, also where the deadline has passed before.
pub(crate) fn look_until<T>(
    until: Until,
    strategy: &mut impl WaitStrategy,
    alarm: Option<Alarm<'_>>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let deadline = match until {
        Until::Now => return look(),
        Until::Done => None,
        Until::Deadline(deadline) => Some(deadline),
    };
    let alarm = alarm.filter(Alarm::can_be_set);
    let mut turn = Turn::first(deadline);
    loop {
        if let Some(answer) = look() {
            return Some(answer);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return None;
        }
        match alarm {
            Some(alarm) if strategy.parks(&turn) => {
                if let Some(answer) = alarm.sleep(deadline, &mut look) {
                    return Some(answer);
                }
                // A new wait: who is woken for nothing, again and again, is not to go to sleep as often.
                turn = Turn::first(deadline);
            }
            _ => {
                strategy.wait(&turn);
                turn = turn.next();
            }
        }
    }
}
