//! The bare hand-off of a cache line from one core to another, without a ring: what all other figures depend on. It tells whether the two
//! cores share a cache; and a virtual machine may change it from one moment to the next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::placement::Placement;
use super::throughput::PANICS;

/// With its neighbour, which processors load together with it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

impl Line {
    const END: u64 = u64::MAX;
}

/// Between two looks at the clock.
const ROUND_TRIPS: u64 = 256;

/// Nanoseconds one way: half of a round trip between two threads.
pub(crate) fn measure(placement: &Placement, duration: Duration) -> f64 {
    let line = Line::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            placement.pin(1);
            answer(&line, placement);
        });
        let asking = scope.spawn(|| {
            placement.pin(0);
            ask(&line, placement, duration)
        });
        asking.join().expect(PANICS)
    })
}

/// Adds 1 to every odd number.
fn answer(line: &Line, placement: &Placement) {
    let mut next = 1;
    loop {
        // Acquire and Release, as they would be where the line tells of others.
        match line.0.load(Ordering::Acquire) {
            Line::END => break,
            seen if seen == next => {
                line.0.store(next + 1, Ordering::Release);
                next += 2;
            }
            _ => placement.waits.a_moment(),
        }
    }
}

fn ask(line: &Line, placement: &Placement, duration: Duration) -> f64 {
    let mut next = 1;
    let mut round_trips = || {
        for _ in 0..ROUND_TRIPS {
            line.0.store(next, Ordering::Release);
            while line.0.load(Ordering::Acquire) != next + 1 {
                placement.waits.a_moment();
            }
            next += 2;
        }
    };
    // The other thread may not have started yet.
    round_trips();
    let start = Instant::now();
    let mut trips = 0;
    let took = loop {
        round_trips();
        trips += ROUND_TRIPS;
        let took = start.elapsed();
        if took >= duration {
            break took;
        }
    };
    line.0.store(Line::END, Ordering::Release);
    took.as_nanos() as f64 / (2 * trips) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::placement::Waits;

    #[test]
    fn two_threads_answer_each_other_and_end() {
        let placement = Placement { cores: vec![], waits: Waits::Yielding };
        let nanoseconds = measure(&placement, Duration::from_micros(100));
        assert!(nanoseconds > 0.0 && nanoseconds.is_finite(), "{nanoseconds}");
    }
}
