//! Events that are to be sent at known moments. How long each took counts from its moment, and not from when it was sent: an event
//! that a stalled producer sends late is late by as much, so the figures need no correction for coordinated omission.
//!
//! The number of an event is its moment. The consumer looks at the clock for some of the events only where they come so fast that looking
//! (15 ns on the machine of PERF.md) would be much of its work: see [`Sampling`].

use std::mem;
use std::ops::ControlFlow;
use std::time::Duration;

use super::{Measured, Workload};
use crate::carrier::{Carrier, Sender, Setting, Wait};
use crate::clock::Clock;
use crate::core_wait;
use crate::cores::{Side, core, pin};
use crate::delays::Delays;
use crate::event::{END, Line, Numbered};
use crate::phases::{Leader, Reporter, phases};
use crate::schedstat::SchedStat;
use crate::schedule::{Moments, Schedule};

/// So often round the ring, as fast as it goes, before anything else: nothing is touched for the first time later.
const LAPS: usize = 4;

/// On schedule, not measured.
const WARM_UP: Duration = Duration::from_millis(20);

/// Between two looks whether it takes too long.
const ARRIVALS_AT_A_TIME: u64 = 256;

pub(crate) fn measure<C: Carrier>(schedule: Schedule, workload: &Workload, duration: Duration) -> Measured {
    let clock = Clock::start();
    let setting = Setting { capacity: workload.capacity, wait: Wait::Spin, core: core(Side::Consumer) };
    let (leader, mut watch) = Watch::new(clock, Sampling::of(schedule), setting.wait);
    let sender = C::open(setting, move |event: &Line| watch.take(event));
    pin(Side::Producer);

    let mut source = Source { sender, clock, schedule, leader, sum: 0 };
    source.run(Moments::PAST, (LAPS * workload.capacity / schedule.burst) as u64);
    let warm = source.run_on_schedule(WARM_UP);
    let done = source.run_on_schedule(duration);

    let seconds = clock.seconds(done.ticks);
    let sent = done.events as f64 / seconds;
    let waits = [0, 1].map(|side| core_wait::between([warm.sched[side], done.sched[side]]));
    Measured {
        events: done.events,
        seconds,
        core_wait_seconds: core_wait::longest(waits),
        figures: done.delays.figures(&clock, 1, Some(schedule.events_per_second as f64), sent),
    }
}

/// The producer's side.
struct Source<S> {
    sender: S,
    clock: Clock,
    schedule: Schedule,
    leader: Leader<Report>,
    /// Of all that was sent.
    sum: u64,
}

/// Some events that were sent, and handled.
struct Phase {
    events: u64,
    /// Until the last was sent.
    ticks: u64,
    delays: Delays,
    /// Of the producer's thread and the consumer's, at the end.
    sched: [Option<SchedStat>; 2],
}

impl<S: Sender<Line>> Source<S> {
    /// Sends for so long, or for twice as long where the schedule cannot be kept.
    fn run_on_schedule(&mut self, duration: Duration) -> Phase {
        let arrivals =
            duration.as_secs_f64() * self.schedule.events_per_second as f64 / self.schedule.burst as f64;
        // The consumer has a moment to wait for the first.
        let start = self.clock.now() + self.clock.ticks(Duration::from_micros(100));
        self.run(self.schedule.moments(&self.clock, start), arrivals.ceil() as u64)
    }

    fn run(&mut self, moments: Moments, arrivals: u64) -> Phase {
        let start = moments.start();
        let give_up = start.saturating_add(2 * (moments.at(arrivals) - start));
        let mut next = moments;
        let mut left = arrivals;
        loop {
            let some = left.min(ARRIVALS_AT_A_TIME);
            next = send_on_time(&mut self.sender, &self.clock, next, some, self.schedule.burst);
            left -= some;
            if left == 0 || (give_up > start && self.clock.now() >= give_up) {
                break;
            }
        }
        let ticks = self.clock.now() - start;
        let sched = SchedStat::of_this_thread();
        let end = Line::numbered(END);
        self.sender.send(end);
        self.sum = self.sum.wrapping_add(end.mixed());
        let report = self.leader.hear();

        let mut sent = moments;
        for _ in 0..arrivals - left {
            let mixed = Line::numbered(sent.next()).mixed();
            self.sum = self.sum.wrapping_add(mixed.wrapping_mul(self.schedule.burst as u64));
        }
        assert_eq!(report.sum, self.sum, "an event was lost, doubled or damaged");
        Phase {
            events: (arrivals - left) * self.schedule.burst as u64,
            ticks,
            delays: report.delays,
            sched: [sched, report.sched],
        }
    }
}

/// The hot loop. Looks at the clock only if, as far as it knows, the moment has not come. Returns the moments that are left.
#[inline(never)]
fn send_on_time(
    sender: &mut impl Sender<Line>,
    clock: &Clock,
    mut moments: Moments,
    arrivals: u64,
    burst: usize,
) -> Moments {
    let mut now = clock.now();
    for _ in 0..arrivals {
        let due = moments.next();
        while now < due {
            now = clock.now();
        }
        if burst == 1 {
            sender.send(Line::numbered(due));
        } else {
            sender.send_batch((0..burst).map(|_| Line::numbered(due)));
        }
    }
    moments
}

/// For which events the consumer looks at the clock.
#[derive(Clone, Copy, Debug)]
struct Sampling {
    /// Until the next, this one included.
    left: u64,
    /// Distances between two are random up to this, and at least 1. A power of two.
    longest: u64,
    random: u64,
}

impl Sampling {
    /// So many a second are all looked at.
    const FEW: u64 = 5_000_000;
    /// Of more, and of bursts, where looking at one would delay the others, one of 16.
    const LONGEST_OF_MANY: u64 = 32;

    fn of(schedule: Schedule) -> Self {
        let all = schedule.events_per_second <= Self::FEW && schedule.burst == 1;
        let longest = if all { 1 } else { Self::LONGEST_OF_MANY };
        Self { left: 1, longest, random: 0x2545_F491_4F6C_DD1D }
    }

    #[inline(always)]
    fn looks(&mut self) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        // Xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.left = (self.random & (self.longest - 1)) + 1;
        true
    }
}

/// What the consumer tells at the end of a phase.
struct Report {
    /// Of all events so far.
    sum: u64,
    /// Of this phase.
    delays: Delays,
    sched: Option<SchedStat>,
}

/// The consumer's side.
struct Watch {
    clock: Clock,
    sampling: Sampling,
    sum: u64,
    delays: Delays,
    reporter: Reporter<Report>,
}

impl Watch {
    fn new(clock: Clock, sampling: Sampling, wait: Wait) -> (Leader<Report>, Self) {
        let (leader, reporter) = phases(3, wait);
        (leader, Self { clock, sampling, sum: 0, delays: Delays::new(), reporter })
    }

    #[inline(always)]
    fn take(&mut self, event: &Line) -> ControlFlow<()> {
        self.sum = self.sum.wrapping_add(event.mixed());
        let due = event.number();
        if due == END {
            return self.end();
        }
        if self.sampling.looks() {
            // Another core's counter may be some ticks behind.
            self.delays.record(self.clock.now_that_all_is_read().saturating_sub(due));
        }
        ControlFlow::Continue(())
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self) -> ControlFlow<()> {
        let delays = mem::replace(&mut self.delays, Delays::new());
        self.reporter.report(Report { sum: self.sum, delays, sched: SchedStat::of_this_thread() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_looked_at_where_they_come_slowly() {
        let mut sampling = Sampling::of(Schedule::steady(1_000_000));
        assert!((0..1_000).all(|_| sampling.looks()));
    }

    #[test]
    fn one_of_sixteen_is_looked_at_where_they_come_fast() {
        let mut sampling = Sampling::of(Schedule::bursts(1_000_000));
        let looks = (0..160_000).filter(|_| sampling.looks()).count();
        assert!((9_000..11_000).contains(&looks), "{looks}");
    }
}
