//! How a call waits: it looks, and leaves what happens between two looks to a strategy or to an alarm.

use std::time::Instant;

use crate::pace::Pace;
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

/// A consumer's reading side, for [`poll`].
pub(crate) trait Reading {
    /// The next sequence to read.
    fn position(&self) -> u64;

    /// The end of what was seen by the last look.
    fn seen(&self) -> u64;

    /// Whether it is worth to look again, after a look that found nothing. No more than it takes, because whatever stands
    /// between two glances makes the event late.
    fn glance(&self) -> bool;

    fn pace(&mut self) -> &mut Pace;
}

/// Looks until there is an answer, as [`look_until`] does, and keeps pace with the producer: see [`Pace`]. `None`: the time allowed is
/// over, or `interrupted` said so.
#[inline(always)]
pub(crate) fn poll<'alarm, R: Reading, T>(
    reader: &mut R,
    until: Until,
    strategy: &mut impl WaitStrategy,
    alarm: impl FnOnce(&R) -> Option<Alarm<'alarm>>,
    interrupted: impl FnMut() -> bool,
    mut look: impl FnMut(&mut R) -> Option<T>,
) -> Option<T> {
    let position = reader.position();
    let has_read_all = position >= reader.seen();
    if has_read_all {
        reader.pace().keep();
    }
    if let Some(answer) = look(reader) {
        if has_read_all {
            has_looked(reader, position);
        }
        return Some(answer);
    }
    keep_looking(reader, until, strategy, alarm, interrupted, look)
}

/// Tells the pace what a look has found, which was taken at `position` with nothing in hand.
#[inline(always)]
fn has_looked(reader: &mut impl Reading, position: u64) {
    let seen = reader.seen();
    if seen > position {
        reader.pace().found(seen - position);
    }
}

/// After a look that found nothing. (Not `#[cold]`: how soon it sees an event is what latency is.)
#[inline(never)]
fn keep_looking<'alarm, R: Reading, T>(
    reader: &mut R,
    until: Until,
    strategy: &mut impl WaitStrategy,
    alarm: impl FnOnce(&R) -> Option<Alarm<'alarm>>,
    mut interrupted: impl FnMut() -> bool,
    mut look: impl FnMut(&mut R) -> Option<T>,
) -> Option<T> {
    let alarm = alarm(reader);
    let position = reader.position();
    let mut looks = 0;
    let answer = look_until(until, strategy, alarm, || {
        looks += 1;
        if reader.glance()
            && let Some(answer) = look(reader)
        {
            return Some(Some(answer));
        }
        interrupted().then_some(None)
    });
    reader.pace().waited(looks);
    has_looked(reader, position);
    answer.flatten()
}
