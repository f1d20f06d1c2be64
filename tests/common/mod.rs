//! What several test files share.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ringbus::stats::Stats;
use ringbus::wait::{BackOff, Park, Turn, WaitStrategy};
use ringbus::{Claim, Failure, Producer, PublishError, RequiredConsumer, Ring, Sequence};

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

/// Parks as [`Park`] does, but sooner, and counts how often it was about to.
#[derive(Debug)]
pub(crate) struct Dozing {
    park: Park,
    dozes: Dozes,
}

/// How often a [`Dozing`] side was about to go to sleep.
#[derive(Clone, Debug)]
pub(crate) struct Dozes(Arc<AtomicU64>);

impl Dozing {
    pub(crate) fn new() -> (Self, Dozes) {
        let dozes = Dozes(Arc::new(AtomicU64::new(0)));
        (Self { park: Park::default(), dozes: dozes.clone() }, dozes)
    }
}

impl Dozes {
    pub(crate) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns when there are so many, or more.
    #[track_caller]
    pub(crate) fn have_come_to(&self, times: u64) {
        eventually("somebody goes to sleep", || self.so_far() >= times);
    }
}

impl WaitStrategy for Dozing {
    fn wait(&mut self, turn: &Turn) {
        self.parks(turn); // where nobody can be woken, it naps instead
        self.park.wait(turn);
    }

    fn parks(&self, turn: &Turn) -> bool {
        let parks = turn.round() >= 3 || self.park.parks(turn);
        self.dozes.0.fetch_add(parks.into(), Ordering::Relaxed);
        parks
    }
}

/// After this time something hangs that should not.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Yields until `is_so`. Fails if it takes too long, rather than hang.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < TOO_LONG, "in vain: {what}");
        thread::yield_now();
    }
}

/// Runs `test` on a thread of its own. Fails if it takes too long, for the lack of a wake-up perhaps, rather than hang.
#[track_caller]
pub(crate) fn in_time<T: Send + 'static>(name: &str, test: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, outcome) = channel();
    let running = thread::spawn(move || sender.send(test()).unwrap());
    match outcome.recv_timeout(TOO_LONG) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => panic!("hangs: {name}"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(running.join().unwrap_err()),
    }
}

/// The failure in `error`.
#[track_caller]
pub(crate) fn poisoned(error: &PublishError) -> Arc<Failure> {
    match error {
        PublishError::Poisoned(failure) => Arc::clone(failure),
        other => panic!("not poisoned: {other}"),
    }
}

/// Every consumer's account adds up, and its position says the same.
#[track_caller]
pub(crate) fn assert_law(stats: &Stats) {
    for consumer in &stats.consumers {
        let accounted = consumer.delivered + consumer.missed + consumer.let_pass + consumer.lag;
        assert_eq!(consumer.joined_at + accounted, stats.cursor, "{consumer:?}");
        assert!(consumer.position <= stats.cursor && consumer.lag <= stats.cursor.get(), "{consumer:?}");
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

/// What comes of publishing.
pub(crate) type Published = Result<Sequence, PublishError>;
/// A way of publishing.
pub(crate) type Form<W> = fn(&mut Producer<u64, W>) -> Published;

/// Every way of publishing that waits, with events that no test publishes otherwise.
pub(crate) const fn waiting_forms<W: WaitStrategy>() -> [Form<W>; 6] {
    [
        |producer| producer.publish(&90),
        |producer| producer.publish_deadline(&90, much_later()),
        |producer| producer.publish_batch(&[90, 91]),
        |producer| producer.publish_batch_deadline(&[90, 91], much_later()),
        |producer| fill(producer.claim(2)),
        |producer| fill(producer.claim_deadline(2, much_later())),
    ]
}

/// Every way of publishing.
pub(crate) fn all_forms() -> impl Iterator<Item = Form<BackOff>> {
    let tries: [Form<_>; 3] = [
        |producer| producer.try_publish(&90),
        |producer| producer.try_publish_batch(&[90, 91]),
        |producer| fill(producer.try_claim(2)),
    ];
    waiting_forms().into_iter().chain(tries)
}

pub(crate) fn fill(claim: Result<Claim<'_, u64>, PublishError>) -> Published {
    let mut claim = claim?;
    claim.push(&90).unwrap();
    claim.publish()
}

/// A ring of `capacity` with 3 events, of which `audit` has acknowledged 1.
pub(crate) fn three_published(capacity: usize) -> (Producer<u64>, Ring<u64>, RequiredConsumer<u64>) {
    let (mut producer, ring) = ring(capacity);
    let mut audit = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 3);
    audit.try_read().unwrap().acknowledge_first(1).unwrap();
    (producer, ring, audit)
}
