//! The latency that no carrier can be below: a cache line that goes there and back, with nothing in it.

use std::time::Duration;

use crate::Outcome;
use crate::clock::Clock;
use crate::contenders::Measure;
use crate::core_wait;
use crate::cores::{Side, core, pin};
use crate::delays::Delays;
use crate::hand_off::Echo;
use crate::schedstat::SchedStat;
use crate::workloads::{Measured, Task, Workload};

pub(crate) struct HandOff;

impl HandOff {
    const WARM_UP: Duration = Duration::from_millis(20);
}

impl Measure for HandOff {
    fn takes(workload: &Workload) -> bool {
        matches!(workload.task, Task::PingPong)
    }

    fn measure(_: &Workload, duration: Duration) -> Outcome<Measured> {
        let clock = Clock::start();
        // Looks which cores there are, before this thread is bound to one of them.
        core(Side::Consumer);
        pin(Side::Producer);
        let mut echo = Echo::start();
        time(&mut echo, &clock, Self::WARM_UP);

        let before = SchedStat::of_this_thread();
        let (delays, trips, ticks) = time(&mut echo, &clock, duration);
        let after = SchedStat::of_this_thread();
        let seconds = clock.seconds(ticks);
        Ok(Measured {
            events: trips,
            seconds,
            core_wait_seconds: core_wait::between([before, after]),
            figures: delays.figures(&clock, 2, None, trips as f64 / seconds),
        })
    }
}

/// Looks at the clock once a round trip, as for events. Returns how many trips there were as well, and how long they took.
fn time(echo: &mut Echo, clock: &Clock, duration: Duration) -> (Delays, u64, u64) {
    let mut delays = Delays::new();
    let start = clock.now();
    let end = start + clock.ticks(duration);
    let (mut last, mut trips) = (start, 0);
    while last < end {
        echo.round_trip();
        let now = clock.now_that_all_is_read();
        delays.record(now - last);
        last = now;
        trips += 1;
    }
    (delays, trips, last - start)
}
