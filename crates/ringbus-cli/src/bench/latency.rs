//! How long an event takes that is published at a moment which was fixed before.
//!
//! It counts from that moment, and not from when it was published: an event that a stalled producer publishes late is late by as much,
//! so the figures need no correction for coordinated omission. The consumer's look at the clock is in them.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ringbus::wait::{BusySpin, WaitStrategy, Yield};
use ringbus::{Producer, RequiredConsumer, Ring};

use super::event::{Event, Tally, number, numbered};
use super::failure::Failure;
use super::placement::{Placement, Waits};
use super::throughput::{CAPACITY, PANICS};

/// When events are to be published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Nanoseconds from one to the next.
    period: u64,
    events: u64,
}

impl Schedule {
    /// Until the first, while the threads are started: nanoseconds.
    const LEAD: u64 = 1_000_000;

    /// So many a second, in whole nanoseconds from one to the next.
    pub(crate) fn new(events_per_second: u64, duration: Duration) -> Self {
        let period = (1_000_000_000 / events_per_second).max(1);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self { period, events: (nanoseconds / period).max(1) }
    }

    pub(crate) fn events_per_second(&self) -> f64 {
        1e9 / self.period as f64
    }

    fn moment(&self, place: u64) -> u64 {
        Self::LEAD + self.period * place
    }

    /// Those before are not recorded: a tenth of all, while caches and clocks warm up.
    fn first_recorded(&self) -> u64 {
        self.events / 10
    }

    /// When to stop if the machine cannot keep to it: it may take twice as long.
    fn give_up(&self) -> u64 {
        Self::LEAD.saturating_add(self.events.saturating_mul(2 * self.period))
    }
}

/// What one measurement came to.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) events_per_second: f64,
    pub(crate) sent: Tally,
    pub(crate) received: Tally,
    /// Nanoseconds.
    pub(crate) histogram: Histogram<u64>,
}

/// Nanoseconds up to a minute, three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("good bounds")
}

pub(crate) fn measure(schedule: Schedule, placement: &Placement) -> Result<Measured, Failure> {
    match placement.waits {
        Waits::Spinning => measure_by(BusySpin, schedule, placement),
        Waits::Yielding => measure_by(Yield, schedule, placement),
    }
}

fn measure_by<W: WaitStrategy + Copy + 'static>(
    wait: W,
    schedule: Schedule,
    placement: &Placement,
) -> Result<Measured, Failure> {
    let (producer, ring) = Ring::<Event>::builder().name("latency").capacity(CAPACITY).wait(wait).build()?;
    let consumer = ring.required("consumer").wait(wait).join()?;
    let start = Instant::now();
    thread::scope(|scope| {
        let receiving = scope.spawn(move || {
            placement.pin(1);
            receive(consumer, start, schedule.first_recorded())
        });
        let sending = scope.spawn(move || {
            placement.pin(0);
            send(producer, start, schedule, placement.waits)
        });
        let (events, took) = sending.join().expect(PANICS)?;
        let (received, histogram) = receiving.join().expect(PANICS);
        Ok(Measured {
            events_per_second: events as f64 / took.as_secs_f64(),
            sent: Tally::of_series(Schedule::LEAD, schedule.period, events),
            received,
            histogram,
        })
    })
}

/// How many were published, and how long it took until the last was.
fn send(
    mut producer: Producer<Event, impl WaitStrategy>,
    start: Instant,
    schedule: Schedule,
    waits: Waits,
) -> Result<(u64, Duration), Failure> {
    const BETWEEN_LOOKS: u64 = 256;
    let since_start = || start.elapsed().as_nanos() as u64;
    let mut now = since_start();
    let mut sent = 0;
    while sent < schedule.events {
        let due = schedule.moment(sent);
        // Looks only if, as far as it knows, the moment has not come: whoever is late has no time to look.
        while now < due {
            now = since_start();
            if now < due {
                waits.a_moment();
            }
        }
        producer.publish(&numbered(due))?;
        sent += 1;
        if sent.is_multiple_of(BETWEEN_LOOKS) && since_start() >= schedule.give_up() {
            break;
        }
    }
    let took = since_start().saturating_sub(Schedule::LEAD).max(1);
    producer.close()?;
    Ok((sent, Duration::from_nanos(took)))
}

fn receive(
    mut consumer: RequiredConsumer<Event, impl WaitStrategy>,
    start: Instant,
    first_recorded: u64,
) -> (Tally, Histogram<u64>) {
    let (mut tally, mut histogram) = (Tally::default(), histogram());
    while let Ok(batch) = consumer.read() {
        batch.for_each(|event, sequence, _| {
            tally.take(event);
            let now = start.elapsed().as_nanos() as u64;
            if sequence.get() >= first_recorded {
                histogram.saturating_record(now.saturating_sub(number(event)));
            }
        });
    }
    (tally, histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_as_many_events_as_its_rate_says() {
        let schedule = Schedule::new(1_000_000, Duration::from_millis(20));
        assert_eq!((schedule.period, schedule.events, schedule.first_recorded()), (1_000, 20_000, 2_000));
        assert_eq!([0, 1, 19_999].map(|place| schedule.moment(place)), [1_000_000, 1_001_000, 20_999_000]);
        assert_eq!(schedule.give_up(), 41_000_000);
        // What cannot be kept in whole nanoseconds is said as it is.
        assert_eq!(Schedule::new(3_000_000, Duration::from_secs(1)).events_per_second().round(), 3_003_003.0);
    }

    #[test]
    fn a_schedule_for_ever_is_never_given_up() {
        assert_eq!(Schedule::new(1_000_000, Duration::MAX).give_up(), u64::MAX);
    }

    #[test]
    fn all_but_the_first_tenth_are_recorded() {
        let placement = Placement { cores: vec![], waits: Waits::Yielding };
        let measured = measure(Schedule::new(10_000, Duration::from_millis(10)), &placement).unwrap();
        // Unless the machine was so busy that it gave up, in chunks: 100 events are less than one.
        assert_eq!(measured.sent.events, 100);
        assert_eq!(measured.received, measured.sent);
        assert_eq!(measured.histogram.len(), 90);
    }

    /// Both sides are 50 ms late, as after a stall; counted from when they were published, the events would take microseconds.
    #[test]
    fn an_event_that_is_published_late_is_late_by_as_much() {
        let schedule = Schedule { period: 1, events: 10 };
        let (producer, ring) = Ring::<Event>::builder().capacity(16).build().unwrap();
        let consumer = ring.required("late").join().unwrap();
        let start =
            Instant::now().checked_sub(Duration::from_millis(50)).expect("the machine runs for longer");
        let (sent, _) = send(producer, start, schedule, Waits::Yielding).unwrap();
        let (tally, histogram) = receive(consumer, start, 0);
        assert_eq!((sent, tally.events, histogram.len()), (10, 10, 10));
        assert!(histogram.min() > 48_000_000, "{} ns", histogram.min());
    }

    #[test]
    fn a_schedule_that_takes_twice_as_long_is_given_up() {
        let schedule = Schedule { period: 1_000, events: 5_000 };
        let (producer, ring) = Ring::<Event>::builder().capacity(1_024).build().unwrap();
        let start =
            Instant::now().checked_sub(Duration::from_millis(50)).expect("the machine runs for longer");
        let (sent, took) = send(producer, start, schedule, Waits::Yielding).unwrap();
        assert_eq!((sent, ring.cursor().get()), (256, 256));
        assert!(took >= Duration::from_millis(49));
    }
}
