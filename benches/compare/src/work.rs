//! The work: the same events, sent by one thread and summed up by another, whatever carries them.

use std::ops::Range;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytemuck::NoUninit;

use crate::cores::{Side, pin};
use crate::measurement::Measurement;
use crate::schedstat::SchedStat;

/// One cache line, wherever it is stored. No two words of an event are the same, nor two events.
#[derive(Clone, Copy, Debug, NoUninit)]
#[repr(C, align(64))]
pub(crate) struct Event([u64; 8]);

impl Event {
    /// What stands in the slots before anything is sent.
    pub(crate) const EMPTY: Self = Self([0; 8]);

    /// 2^64 over the golden ratio: its multiples have no pattern.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

    #[inline(always)]
    fn number(number: u64) -> Self {
        // Each word by itself: compilers turn sums of neighbouring words into a chain of additions where they store word by word,
        // and not where they store vectors.
        Self(std::array::from_fn(|place| number ^ (place as u64 + 1).wrapping_mul(Self::SPREAD)))
    }

    /// All words, mixed. Not a plain sum: added to a running sum, that would be compiled to one chain of eight additions
    /// wherever events are read in place, and to fewer where they have been copied, and it would be the chain that is measured.
    #[inline(always)]
    fn mixed(&self) -> u64 {
        let pairs: [u64; 4] = std::array::from_fn(|pair| self.0[2 * pair].wrapping_add(self.0[2 * pair + 1]));
        (pairs[0] ^ pairs[1]).wrapping_add(pairs[2] ^ pairs[3])
    }
}

/// What is to be measured.
pub(crate) struct Work {
    pub(crate) capacity: usize,
    pub(crate) events: u64,
}

impl Work {
    /// So many laps of the ring go before the clock starts.
    const LAPS_OF_WARM_UP: u64 = 4;

    /// The two sides.
    pub(crate) fn sides(&self) -> (Source, Tally) {
        let warm_up = Self::LAPS_OF_WARM_UP * self.capacity as u64;
        let (milestones, reached) = mpsc::channel();
        let source = Source { capacity: self.capacity, warm_up, events: self.events, reached };
        (source, Tally { left: warm_up, then: self.events, sum: 0, milestones })
    }
}

/// The consumer has handled the last event of the warm-up, or of the measurement.
struct Milestone {
    at: Instant,
    sum: u64,
    sched: Option<SchedStat>,
}

/// The producer's side.
pub(crate) struct Source {
    capacity: usize,
    warm_up: u64,
    events: u64,
    reached: mpsc::Receiver<Milestone>,
}

impl Source {
    /// Sends everything, on the calling thread, and returns what that took. `send` must wait while the ring is full.
    pub(crate) fn send_all<P>(self, producer: &mut P, send: impl Fn(&mut P, Event)) -> Measurement {
        pin(Side::Producer);
        send_these(0..self.warm_up, producer, &send);
        let warm = self.reached.recv().expect("the consumer lives");
        let all = self.warm_up + self.events;

        let sched_before = SchedStat::of_this_thread();
        let start = Instant::now();
        send_these(self.warm_up..all, producer, &send);
        let sched_after = SchedStat::of_this_thread();
        let end = self.reached.recv().expect("the consumer lives");

        let expected = (0..all).fold(0u64, |sum, number| sum.wrapping_add(Event::number(number).mixed()));
        assert_eq!(end.sum, expected, "an event was lost, doubled or damaged");
        let waits = [(sched_before, sched_after), (warm.sched, end.sched)]
            .map(|(before, after)| Some((after?.waiting - before?.waiting).as_secs_f64()));
        Measurement {
            capacity: self.capacity,
            event_bytes: size_of::<Event>(),
            events: self.events,
            seconds: (end.at - start).max(Duration::from_nanos(1)).as_secs_f64(),
            core_wait_seconds: waits[0].zip(waits[1]).map(|(producer, consumer)| producer.max(consumer)),
        }
    }
}

/// The hot loop: a function of its own that gets the producer by reference, as a user's would, and into which `send` is inlined.
#[inline(never)]
fn send_these<P>(numbers: Range<u64>, producer: &mut P, send: &impl Fn(&mut P, Event)) {
    for number in numbers {
        send(producer, Event::number(number));
    }
}

/// The consumer's side: sums up what comes, and says when the last event has been handled.
pub(crate) struct Tally {
    /// Until the next milestone.
    left: u64,
    /// From that one to the last; 0 once that is the next.
    then: u64,
    sum: u64,
    milestones: mpsc::Sender<Milestone>,
}

impl Tally {
    #[inline(always)]
    pub(crate) fn take(&mut self, event: &Event) {
        self.sum = self.sum.wrapping_add(event.mixed());
        self.left -= 1;
        if self.left == 0 {
            self.reached();
        }
    }

    #[cold]
    #[inline(never)]
    fn reached(&mut self) {
        let milestone = Milestone { at: Instant::now(), sum: self.sum, sched: SchedStat::of_this_thread() };
        // A source that has panicked wants to know nothing.
        let _ = self.milestones.send(milestone);
        self.left = std::mem::take(&mut self.then);
    }

    /// Whether there is more to come.
    #[inline(always)]
    pub(crate) fn wants_more(&self) -> bool {
        self.left > 0
    }
}

/// Runs the consumer's side on a thread of its own, for contenders that leave that to their users.
pub(crate) fn consume(body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::spawn(|| {
        pin(Side::Consumer);
        body();
    })
}
