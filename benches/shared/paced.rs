//! One event each period, by a clock that is the same for all processes.
//!
//! The clock is the time of day: std has no other that two processes can compare. It serves within one machine, and as long as nobody
//! sets it.

use std::hint::{black_box, spin_loop};
use std::slice;
use std::time::{Duration, Instant, SystemTime};

use ringbus::Producer;
use ringbus::wait::BusySpin;

use crate::clock::Clock;
use crate::common::spread::Spread;
use crate::delays::Delays;
use crate::event::{are_whole, event};
use crate::receive::Message;

/// Nanoseconds of the time of day.
#[inline(always)]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("it is later than 1970").as_nanos() as u64
}

/// How much later it is now than the event was to be published, whose number tells when that was. Panics if it is none that was published.
#[inline(always)]
pub(crate) fn late(event: &Message) -> u64 {
    let late = now().saturating_sub(event[0]);
    assert!(are_whole(slice::from_ref(event)), "an event that was not published");
    late
}

/// Publishes `count` events, one each `period`, and says how long the calls took, by another clock, which takes less to look at. It goes on
/// at once with those that are late.
pub(crate) fn publish(
    producer: &mut Producer<Message, BusySpin>,
    clock: &Clock,
    period: Duration,
    count: u64,
) -> Delays {
    let mut delays = Delays::of(count);
    let (start, period) = (now() + 1_000_000, period.as_nanos() as u64);
    for number in 0..count {
        let moment = start + number * period;
        while now() < moment {
            spin_loop();
        }
        let before = clock.now_that_all_is_read();
        producer.publish(&event(moment)).expect("nobody fails");
        let after = clock.now_that_all_is_read();
        delays.record(number, clock.nanoseconds(after.saturating_sub(before)));
    }
    delays
}

/// How many events that makes.
pub(crate) fn count(period: Duration, duration: Duration) -> u64 {
    (duration.as_nanos() / period.as_nanos()) as u64
}

/// What one look at the clocks takes, which is part of every delay.
pub(crate) fn print_clocks() {
    let clock = Clock::start();
    let of_calls = look(|| clock.now_that_all_is_read());
    println!(
        "One look at the clock that times calls: {of_calls:.1} ns, at the time of day: {:.1} ns\n",
        look(now)
    );
}

fn look(look: impl Fn() -> u64) -> Spread {
    const LOOKS: u32 = 10_000;
    Spread::of((0..9).map(|_| {
        let start = Instant::now();
        for _ in 0..LOOKS {
            black_box(look());
        }
        start.elapsed().as_nanos() as f64 / f64::from(LOOKS)
    }))
}
