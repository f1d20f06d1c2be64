//! What several test files share.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ringbus::wait::{Turn, WaitStrategy};
use ringbus::{Producer, RequiredConsumer, Ring, Sequence};

/// A ring with nothing set but its capacity: the max batch is a quarter of it.
pub(crate) fn ring(capacity: usize) -> (Producer<u64>, Ring<u64>) {
    Ring::builder().capacity(capacity).build().unwrap()
}

pub(crate) const fn at(number: u64) -> Sequence {
    Sequence::new(number)
}

/// Publishes until the cursor stands at `end`, one by one. Each event is its own sequence. There must be room.
#[track_caller]
pub(crate) fn publish_up_to(producer: &mut Producer<u64, impl WaitStrategy>, end: u64) {
    for number in producer.next_sequence().get()..end {
        assert_eq!(producer.try_publish(&number), Ok(at(number)));
    }
}

/// Everything that is unread, checked to be gapless, and acknowledged.
#[track_caller]
pub(crate) fn take_all(consumer: &mut RequiredConsumer<u64, impl WaitStrategy>) -> Vec<u64> {
    let batch = consumer.try_read().unwrap();
    let first = batch.first_sequence();
    let mut events = Vec::new();
    for (index, (sequence, event)) in (0..).zip(&batch) {
        assert_eq!(sequence, first + index);
        events.push(*event);
    }
    batch.acknowledge();
    events
}

/// Yields, and tells the test when a wait has begun, that is, that the first look was fruitless.
#[derive(Debug)]
pub(crate) struct Announce(Sender<()>);

/// The test's end of an [`Announce`].
pub(crate) struct Waiting(Receiver<()>);

impl Waiting {
    /// Returns when a wait has begun. Fails if none does, rather than hang.
    #[track_caller]
    pub(crate) fn has_begun(&self) {
        self.0.recv_timeout(Duration::from_secs(30)).expect("the call should wait, and does not");
    }
}

impl Announce {
    pub(crate) fn new() -> (Self, Waiting) {
        let (sender, receiver) = channel();
        (Self(sender), Waiting(receiver))
    }
}

impl WaitStrategy for Announce {
    fn wait(&mut self, turn: &Turn) {
        if turn.round() == 0 {
            self.0.send(()).unwrap();
        }
        thread::yield_now();
    }
}

/// A moment that comes soon enough to be waited for.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_millis(5)
}

/// A moment that no test lives to see.
pub(crate) fn much_later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

/// For a claim or a batch there is nothing to forget today; the promise is for the day when there is.
pub(crate) fn leak<T>(value: T) {
    std::mem::forget(value);
}

/// Panics, without a message on the terminal.
pub(crate) fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Numbers that look arbitrary and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
