//! Sending as fast as it goes, for some time.

use std::time::{Duration, Instant};

use crate::carrier::Sender;
use crate::event::{END, Numbered};
use crate::schedstat::SchedStat;
use crate::workloads::Sends;

/// For how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) duration: Duration,
    /// And at least so many.
    pub(crate) events: u64,
}

impl Extent {
    /// Before anything is measured: often enough round the ring that nothing is touched for the first time later.
    pub(crate) fn warm_up(capacity: usize) -> Self {
        const LAPS: u64 = 4;
        Self { duration: Duration::from_millis(20), events: LAPS * capacity as u64 }
    }

    pub(crate) fn measured(duration: Duration) -> Self {
        Self { duration, events: 1 }
    }
}

/// What was sent: events of the numbers from 0 on, and at last one of the number `END`.
pub(crate) struct Stint {
    /// With the last.
    pub(crate) events: u64,
    pub(crate) start: Instant,
    /// When the last had been sent.
    pub(crate) end: Instant,
    /// Of the calling thread, before and after.
    pub(crate) sched: [Option<SchedStat>; 2],
}

impl Stint {
    /// The clock is looked at once in so many events, so that it costs less than a hundredth of a nanosecond each.
    const BETWEEN_LOOKS: u64 = 8_192;

    pub(crate) fn work<E: Numbered>(sender: &mut impl Sender<E>, sends: Sends, extent: Extent) -> Self {
        let batch = sends.events() as u64;
        let some = Self::BETWEEN_LOOKS.next_multiple_of(batch);
        let before = SchedStat::of_this_thread();
        let start = Instant::now();
        let mut next = 0;
        while next < extent.events || start.elapsed() < extent.duration {
            match sends {
                Sends::Single => send_each(sender, next, next + some),
                Sends::Batches(batch) => send_batches(sender, next, next + some, batch),
            }
            next += some;
        }
        send_last(sender, next, sends);
        let end = Instant::now();
        Self { events: next + batch, start, end, sched: [before, SchedStat::of_this_thread()] }
    }

    /// All events, mixed and added up.
    pub(crate) fn sum<E: Numbered>(&self) -> u64 {
        let numbers = (0..self.events - 1).chain([END]);
        numbers.fold(0u64, |sum, number| sum.wrapping_add(E::numbered(number).mixed()))
    }
}

/// A hot loop: a function of its own that gets the sender by reference, as a user's would, and into which `send` is inlined.
#[inline(never)]
fn send_each<E: Numbered>(sender: &mut impl Sender<E>, first: u64, end: u64) {
    for number in first..end {
        sender.send(E::numbered(number));
    }
}

/// The other one. There is a whole number of batches.
#[inline(never)]
fn send_batches<E: Numbered>(sender: &mut impl Sender<E>, first: u64, end: u64, batch: usize) {
    let mut next = first as usize;
    while next < end as usize {
        sender.send_batch((next..next + batch).map(|number| E::numbered(number as u64)));
        next += batch;
    }
}

/// As many events as one call sends; the last of them is the last of all.
fn send_last<E: Numbered>(sender: &mut impl Sender<E>, first: u64, sends: Sends) {
    match sends {
        Sends::Single => sender.send(E::numbered(END)),
        Sends::Batches(batch) => {
            let number = |place: usize| if place + 1 == batch { END } else { first + place as u64 };
            sender.send_batch((0..batch).map(|place| E::numbered(number(place))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::Wait;
    use crate::event::Line;
    use crate::phases::Leader;
    use crate::tally::{Milestone, Tally};

    /// Hands events to the consumer at once, or loses one.
    struct Direct {
        tally: Tally,
        loses: Option<u64>,
    }

    impl Sender<Line> for Direct {
        fn send(&mut self, event: Line) {
            if self.loses != Some(event.number()) {
                _ = self.tally.take(&event);
            }
        }

        fn send_batch(&mut self, events: impl ExactSizeIterator<Item = Line>) {
            for event in events {
                self.send(event);
            }
        }
    }

    fn work(sends: Sends, loses: Option<u64>) -> (Stint, Leader<Milestone>) {
        let (leader, tally) = Tally::new(Wait::Yield);
        let extent = Extent { duration: Duration::ZERO, events: 10_000 };
        (Stint::work(&mut Direct { tally, loses }, sends, extent), leader)
    }

    #[test]
    fn the_sum_is_that_of_all_events() {
        for sends in [Sends::Single, Sends::Batches(10), Sends::Batches(1_000)] {
            let (stint, leader) = work(sends, None);
            assert!((10_000..20_000).contains(&stint.events));
            assert_eq!(stint.events % sends.events() as u64, 0, "a batch was cut");
            assert_eq!(leader.hear().sum, stint.sum::<Line>(), "{sends}");
        }
    }

    #[test]
    fn one_lost_event_changes_the_sum() {
        let (stint, leader) = work(Sends::Batches(10), Some(4_711));
        assert_ne!(leader.hear().sum, stint.sum::<Line>());
    }
}
