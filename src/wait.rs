//! What a waiting side does meanwhile.
//!
//! Every producer and consumer has a strategy of its own. The strategy is asked after each fruitless look but a wait's first,
//! which is followed by another at once; it decides how long the next look is put off. What it costs when nothing happens:
//!
//! | strategy | idle | reacts within | more threads than cores |
//! | --- | --- | --- | --- |
//! | [`BusySpin`] | a whole core | one hand-off of a cache line | may stall a time slice at a time |
//! | [`SpinHint`] | a whole core | the same | yields now and then |
//! | [`Yield`] | a whole core for some milliseconds, then naps | a system call; a nap when long idle | made for it |
//! | [`BackOff`] (the default) | less and less | grows with the time waited, to a nap | made for it |
//! | [`Sleep`] | what its timer costs | its interval | made for it |
//! | [`Park`] | nothing | a wake-up by the operating system | made for it |
//!
//! The measured figures stand in PERF.md.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use crossbeam_utils::Backoff;

use crate::sync::{spin_loop, yield_now};

/// One fruitless look in a wait: how many there were before, and until when the caller is willing to wait.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    round: u64,
    deadline: Option<Instant>,
}

impl Turn {
    pub(crate) const fn first(deadline: Option<Instant>) -> Self {
        Self { round: 0, deadline }
    }

    pub(crate) const fn next(self) -> Self {
        Self { round: self.round + 1, ..self }
    }

    /// How many looks of this wait were fruitless before this one.
    #[must_use]
    pub const fn round(&self) -> u64 {
        self.round
    }

    /// The time left until the caller's deadline, 0 if it has passed; `None` if it waits for as long as it takes.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// What a waiting side does between two looks.
///
/// `wait` is called after each fruitless look but the first of a wait, on the waiting thread. It may spin, yield, or sleep; when it returns, the
/// waiting side looks again. It should not wait much beyond [`Turn::remaining`]: deadlines are checked between looks. It must
/// return: a strategy that blocks for ever blocks its consumer, close and failure notwithstanding. A panic passes through to
/// the caller.
///
/// ```
/// use ringbus::wait::{Turn, WaitStrategy};
///
/// /// Spins for the first thousand looks, then yields.
/// #[derive(Debug)]
/// struct SpinThenYield;
///
/// impl WaitStrategy for SpinThenYield {
///     fn wait(&mut self, turn: &Turn) {
///         if turn.round() < 1_000 {
///             std::hint::spin_loop();
///         } else {
///             std::thread::yield_now();
///         }
///     }
/// }
///
/// let (mut producer, ring) = ringbus::Ring::<u64>::builder().wait(SpinThenYield).build()?;
/// let mut consumer = ring.required("sum").wait(SpinThenYield).join()?;
/// producer.publish(&42)?;
/// assert_eq!(consumer.read()?.iter().map(|(_, event)| *event).sum::<u64>(), 42);
/// # consumer.leave();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait WaitStrategy: Debug + Send {
    /// Waits a little. `turn.round()` is 0 for the first call of a wait, so that a strategy needs no state to start over.
    fn wait(&mut self, turn: &Turn);

    /// Whether to sleep now until there is something to look for, instead of calling [`wait`](Self::wait): see [`Park`]. Asked
    /// before each `wait`, where somebody can be woken; by optional consumers never.
    #[inline(always)]
    fn parks(&self, turn: &Turn) -> bool {
        let _ = turn;
        false
    }
}

impl<W: WaitStrategy + ?Sized> WaitStrategy for Box<W> {
    fn wait(&mut self, turn: &Turn) {
        (**self).wait(turn);
    }

    fn parks(&self, turn: &Turn) -> bool {
        (**self).parks(turn)
    }
}

/// How long [`Yield`] and [`BackOff`] nap once nothing has happened for long. Timers of the operating system add to it:
/// 50 to 60 microseconds on an unmodified Linux.
pub const NAP: Duration = Duration::from_micros(50);

fn nap(turn: &Turn, length: Duration) {
    #[cfg(not(loom))]
    std::thread::sleep(turn.remaining().map_or(length, |remaining| remaining.min(length)));
    #[cfg(loom)]
    {
        let _ = (turn, length);
        yield_now();
    }
}

/// Looks again at once, after one spin hint (`PAUSE`, `YIELD`). The lowest latency, for a thread that has a core to itself; with more
/// runnable threads than cores it takes the core away from the thread it waits for.
///
/// The hint is there because without it a processor has dozens of looks under way when the line that they wait for changes, and has
/// to give them up first; an event is there sooner with it (PERF.md has two rivals both ways).
#[derive(Clone, Copy, Debug, Default)]
pub struct BusySpin;

impl WaitStrategy for BusySpin {
    #[inline(always)]
    fn wait(&mut self, _: &Turn) {
        spin_loop();
    }
}

/// Spins like [`BusySpin`], and yields to the operating system once in 4,096 looks, so that a thread that has to share its core makes
/// progress too.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinHint;

impl SpinHint {
    const LOOKS_A_YIELD: u64 = 4_096;
}

impl WaitStrategy for SpinHint {
    #[inline]
    fn wait(&mut self, turn: &Turn) {
        if turn.round() % Self::LOOKS_A_YIELD == Self::LOOKS_A_YIELD - 1 {
            yield_now();
        } else {
            spin_loop();
        }
    }
}

/// Yields to the operating system, from the first look on. After 10,000 fruitless looks (some milliseconds) it naps for
/// [`NAP`] instead, so that an idle thread does not take a whole core.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yield;

impl Yield {
    const YIELDS_BEFORE_NAPS: u64 = 10_000;
}

impl WaitStrategy for Yield {
    #[inline]
    fn wait(&mut self, turn: &Turn) {
        if turn.round() < Self::YIELDS_BEFORE_NAPS { yield_now() } else { nap(turn, NAP) }
    }
}

/// Spins for longer and longer, then yields, by `crossbeam_utils::Backoff`; after 1,000 fruitless looks (about a
/// millisecond) it naps for [`NAP`]. The default: right where nothing is known about the machine.
#[derive(Debug, Default)]
pub struct BackOff {
    backoff: Backoff,
}

impl BackOff {
    const LOOKS_BEFORE_NAPS: u64 = 1_000;
}

impl WaitStrategy for BackOff {
    #[inline]
    fn wait(&mut self, turn: &Turn) {
        if turn.round() == 0 {
            self.backoff.reset();
        }
        if turn.round() >= Self::LOOKS_BEFORE_NAPS {
            nap(turn, NAP);
        } else if cfg!(loom) {
            yield_now();
        } else {
            self.backoff.snooze();
        }
    }
}

/// Sleeps between two looks. For those who have time: a store, a dashboard.
#[derive(Clone, Copy, Debug)]
pub struct Sleep {
    interval: Duration,
}

impl Sleep {
    /// Sleeps for `interval` between two looks, and less where a deadline comes before. The operating system's timer adds to
    /// it (about 50 microseconds on Linux).
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

/// Sleeps for 100 microseconds.
impl Default for Sleep {
    fn default() -> Self {
        Self::new(Duration::from_micros(100))
    }
}

impl WaitStrategy for Sleep {
    fn wait(&mut self, turn: &Turn) {
        nap(turn, self.interval);
    }
}

/// Looks a hundred times as [`BackOff`] does (some tens of microseconds, depending on the machine), then sleeps until woken by
/// whoever makes the progress that it waits for. An idle thread takes no processor time at all.
///
/// Who goes to sleep interrupts the producer's core for a moment, and who wakes somebody pays a system call: for
/// consumers that have pauses to sleep in. See [`Parking`](crate::Parking) for how a wake-up is never missed, and where it
/// cannot be had; there, and for optional consumers (which nobody wakes), it naps for [`NAP`].
///
/// ```
/// use ringbus::Ring;
/// use ringbus::wait::Park;
///
/// let (mut producer, ring) = Ring::<u64>::builder().build()?;
/// let mut gateway = ring.required("gateway").wait(Park::default()).join()?;
/// let sending = std::thread::spawn(move || gateway.read().map(|batch| batch.len()));
/// producer.publish(&7)?; // wakes the gateway, if it sleeps already
/// assert_eq!(sending.join().unwrap(), Ok(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Park {
    before: BackOff,
    looks: u64,
}

impl Park {
    /// Looks so often as [`BackOff`] does before it sleeps.
    #[must_use]
    pub fn after_looks(looks: u64) -> Self {
        Self { before: BackOff::default(), looks }
    }
}

/// Parks after a hundred looks.
impl Default for Park {
    fn default() -> Self {
        Self::after_looks(100)
    }
}

impl WaitStrategy for Park {
    #[inline]
    fn wait(&mut self, turn: &Turn) {
        if turn.round() < self.looks { self.before.wait(turn) } else { nap(turn, NAP) }
    }

    #[inline]
    fn parks(&self, turn: &Turn) -> bool {
        turn.round() >= self.looks
    }
}
