//! As fast as the producer goes, past a consumer that may be overrun.

use std::mem;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::{Measured, Sends, Workload};
use crate::carrier::{Delivery, Lossy, Setting, Wait};
use crate::core_wait;
use crate::cores::{Side, core, pin};
use crate::event::{END, Line, Numbered};
use crate::phases::{Leader, Reporter, phases};
use crate::record::Figures;
use crate::schedstat::SchedStat;
use crate::stint::{Extent, Stint};

pub(crate) fn measure<L: Lossy>(workload: &Workload, duration: Duration) -> Measured {
    let setting = Setting { capacity: workload.capacity, wait: Wait::Spin, core: core(Side::Consumer) };
    let (leader, mut audience) = Audience::new(setting.wait);
    let mut sender = L::open(setting, move |delivery: Delivery<'_, Line>| audience.take(delivery));
    pin(Side::Producer);

    Stint::work::<Line>(&mut sender, Sends::Single, Extent::warm_up(setting.capacity));
    let warm = leader.hear();
    // Nothing comes after the last event before the consumer has seen it, so that it is never lost.
    let Stint { events, start, end, sched } =
        Stint::work::<Line>(&mut sender, Sends::Single, Extent::measured(duration));
    let report = leader.hear();

    assert!(report.is_sound, "an event was doubled, damaged or out of order");
    if let Some(missed) = report.missed {
        assert_eq!(report.received + missed, events, "received and missed are not all that was published");
    }
    let seconds = (report.at - start).as_secs_f64();
    Measured {
        events,
        seconds,
        core_wait_seconds: core_wait::longest([[warm.sched, report.sched], sched].map(core_wait::between)),
        figures: Figures::Lossy {
            published_per_second: events as f64 / (end - start).as_secs_f64(),
            received_per_second: report.received as f64 / seconds,
            published: events,
            received: report.received,
            // A library that says nothing where nothing is missed is right.
            missed: report.missed.or((report.received == events).then_some(0)),
        },
    }
}

/// What the consumer tells at the end of a phase, about this phase.
struct Report {
    at: Instant,
    received: u64,
    /// `None`: the library did not say that something was.
    missed: Option<u64>,
    is_sound: bool,
    sched: Option<SchedStat>,
}

/// The consumer's side.
struct Audience {
    received: u64,
    missed: Option<u64>,
    /// The least number that the next event may have.
    next: u64,
    /// All events were whole, and in order.
    is_sound: bool,
    reporter: Reporter<Report>,
}

impl Audience {
    fn new(wait: Wait) -> (Leader<Report>, Self) {
        let (leader, reporter) = phases(2, wait);
        (leader, Self { received: 0, missed: None, next: 0, is_sound: true, reporter })
    }

    #[inline(always)]
    fn take(&mut self, delivery: Delivery<'_, Line>) -> ControlFlow<()> {
        match delivery {
            Delivery::Event(event) => {
                let number = event.number();
                self.received += 1;
                // Nobody knows which events come, so that each has to prove itself.
                self.is_sound &= event.mixed() == Line::numbered(number).mixed();
                self.is_sound &= number >= self.next;
                self.next = number.wrapping_add(1);
                if number == END { self.end() } else { ControlFlow::Continue(()) }
            }
            Delivery::Missed(missed) => {
                *self.missed.get_or_insert(0) += missed;
                ControlFlow::Continue(())
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self) -> ControlFlow<()> {
        self.reporter.report(Report {
            at: Instant::now(),
            received: mem::take(&mut self.received),
            missed: self.missed.take(),
            is_sound: self.is_sound,
            sched: SchedStat::of_this_thread(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the audience reports about deliveries of these numbers, and at last of the end.
    fn report(numbers: &[u64], spoil: impl Fn(&mut Line)) -> Report {
        let (leader, mut audience) = Audience::new(Wait::Yield);
        for number in numbers.iter().chain([&END]) {
            let mut event = Line::numbered(*number);
            spoil(&mut event);
            _ = audience.take(Delivery::Missed(2));
            _ = audience.take(Delivery::Event(&event));
        }
        leader.hear()
    }

    #[test]
    fn what_is_missed_is_counted() {
        let report = report(&[1, 4, 9], |_| {});
        assert!(report.is_sound);
        assert_eq!((report.received, report.missed), (4, Some(8)));
    }

    #[test]
    fn what_comes_twice_or_damaged_is_noticed() {
        assert!(!report(&[1, 4, 4], |_| {}).is_sound);
        assert!(!report(&[1, 4, 3], |_| {}).is_sound);
        assert!(!report(&[1], |event| bytemuck::bytes_of_mut(event)[63] ^= 1).is_sound);
    }
}
