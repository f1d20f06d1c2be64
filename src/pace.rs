//! When a consumer lets the producer get ahead of it.
//!
//! A consumer that is faster than its producer runs on the producer's heels: it finds a few events, handles them, and looks again.
//! Each look takes the cursor's cache line away from the producer, which waits for it at the next publish, so that both are held
//! up by the hand-offs of one line. A delay before each look breaks that: the producer gets ahead, and both run at their own speed.
//!
//! A delay costs latency, so it is taken only where it is seen to bring throughput:
//!
//! - Nothing happens before a *run* of events without a look that had to wait for long.
//! - Then the rate of events is measured without delays, and with a few. Only if the delays raised it by a quarter are there
//!   more: the producer was held up. If events just come at a certain rate, it is the same.
//! - If delays did not pay, the next try wants a run of twice the length. If they did, all is measured again after
//!   [`DELAYED_LOOKS`](Pace::DELAYED_LOOKS) looks.
//! - Whoever has to wait, or takes long over what it has, is not on anybody's heels: a gap between two looks ends everything.
//!   So does an overrun; and after a look that found thousands there is no delay.
//!
//! PERF.md has what it brings, and the latency under load with it and without.

use std::time::{Duration, Instant};

use crate::sync::spin_loop;

/// A consumer's account of how it runs behind the producer. Only of looks that it takes with nothing in hand, in calls that wait.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How long a look is put off; 0: never.
    delay: Duration,
    phase: Phase,
    /// When the last look was, in a phase that measures or delays.
    last_look: Option<Instant>,
    /// Events since the last long wait, or since the last try.
    run: u64,
    /// How long a run must be before there is something to do.
    awaited: u64,
    /// The run that the next try wants.
    before_next_try: u64,
    /// Whether the next look is to be put off.
    delays_next: bool,
}

/// Events, and the time in which they came.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    since: Instant,
    events: u64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    MeasuringUndelayed(Stretch),
    MeasuringDelayed { undelayed: Rate, delayed: Stretch, looks_left: u64 },
    Delaying { looks_left: u64 },
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    events: u64,
    nanoseconds: u64,
}

impl Stretch {
    fn from(now: Instant) -> Self {
        Self { since: now, events: 0 }
    }

    fn rate(self, now: Instant) -> Rate {
        Rate { events: self.events, nanoseconds: now.duration_since(self.since).as_nanos() as u64 }
    }
}

impl Rate {
    /// Whether this is at least a quarter more than `other`. (Stretches are short: there are no long gaps in them.)
    fn is_worth_more_than(self, other: Self) -> bool {
        4 * self.events * other.nanoseconds >= 5 * other.events * self.nanoseconds
    }
}

impl Pace {
    /// So many looks in a row that find nothing are a long wait. While a line is on its way from the farthest core, some hundred looks
    /// find the old value.
    const LONG_WAIT: u64 = 256;
    const SHORTEST_RUN: u64 = 1_024;
    const LONGEST_RUN: u64 = 262_144;
    /// Events from which the rate without delays is taken.
    const UNDELAYED_EVENTS: u64 = 1_024;
    /// Looks from which the rate with delays is taken.
    const TRIED_LOOKS: u64 = 16;
    const DELAYED_LOOKS: u64 = 256;
    /// A look that found so many events did not come too early.
    const FAR_BEHIND: u64 = 4_096;
    /// Some hand-offs of a line between the farthest cores of a machine.
    const LONGEST_DELAY: Duration = Duration::from_nanos(768);
    /// Shorter than this, a delay brings less than it costs.
    const SHORTEST_DELAY: Duration = Duration::from_nanos(200);
    /// Between two looks, more than this is waiting, or work.
    const LONGEST_GAP: Duration = Duration::from_micros(8);

    /// For a ring of `capacity` slots; `is_wanted`: whether to put looks off at all.
    pub(crate) fn new(capacity: u64, is_wanted: bool) -> Self {
        // So that the producer does not fill the ring meanwhile, at an event a nanosecond.
        let delay = Self::LONGEST_DELAY.min(Duration::from_nanos(capacity / 2));
        let is_wanted = is_wanted && delay >= Self::SHORTEST_DELAY;
        Self {
            delay: if is_wanted { delay } else { Duration::ZERO },
            phase: Phase::Running,
            last_look: None,
            run: 0,
            awaited: if is_wanted { Self::SHORTEST_RUN } else { u64::MAX },
            before_next_try: Self::SHORTEST_RUN,
            delays_next: false,
        }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        !self.delay.is_zero()
    }

    /// Before a look.
    #[inline(always)]
    pub(crate) fn keep(&mut self) {
        if self.delays_next {
            self.delay();
        }
    }

    #[cold]
    fn delay(&mut self) {
        // Once for each look that finds something.
        self.delays_next = false;
        let start = Instant::now();
        while start.elapsed() < self.delay {
            spin_loop();
        }
    }

    /// A look has found so many events, at least one.
    #[inline(always)]
    pub(crate) fn found(&mut self, events: u64) {
        self.found_at(events, Instant::now);
    }

    #[inline(always)]
    fn found_at(&mut self, events: u64, now: impl FnOnce() -> Instant) {
        self.run += events;
        if self.run >= self.awaited {
            self.go_on(events, now());
        }
    }

    /// So many looks in a row have found nothing.
    #[inline]
    pub(crate) fn waited(&mut self, looks: u64) {
        if looks >= Self::LONG_WAIT {
            self.stop();
        }
    }

    /// Back to where nothing happens: also for whoever was overrun.
    #[cold]
    pub(crate) fn stop(&mut self) {
        self.phase = Phase::Running;
        self.last_look = None;
        self.run = 0;
        self.delays_next = false;
        if self.is_wanted() {
            self.awaited = self.before_next_try;
        }
    }

    #[cold]
    #[inline(never)]
    fn go_on(&mut self, events: u64, now: Instant) {
        let last_look = self.last_look.replace(now);
        if last_look.is_some_and(|last| now.duration_since(last) > Self::LONGEST_GAP) {
            return self.stop();
        }
        self.awaited = 0;
        self.phase = match self.phase {
            Phase::Running => Phase::MeasuringUndelayed(Stretch::from(now)),
            Phase::MeasuringUndelayed(_) if events >= Self::FAR_BEHIND => return self.stop(),
            Phase::MeasuringUndelayed(mut undelayed) => {
                undelayed.events += events;
                if undelayed.events < Self::UNDELAYED_EVENTS {
                    Phase::MeasuringUndelayed(undelayed)
                } else {
                    let (undelayed, delayed) = (undelayed.rate(now), Stretch::from(now));
                    Phase::MeasuringDelayed { undelayed, delayed, looks_left: Self::TRIED_LOOKS }
                }
            }
            Phase::MeasuringDelayed { undelayed, mut delayed, looks_left } => {
                delayed.events += events;
                if looks_left > 1 {
                    Phase::MeasuringDelayed { undelayed, delayed, looks_left: looks_left - 1 }
                } else if delayed.rate(now).is_worth_more_than(undelayed) {
                    self.before_next_try = Self::SHORTEST_RUN;
                    Phase::Delaying { looks_left: Self::DELAYED_LOOKS }
                } else {
                    self.before_next_try = (2 * self.before_next_try).min(Self::LONGEST_RUN);
                    return self.stop();
                }
            }
            Phase::Delaying { looks_left: 0 } => Phase::MeasuringUndelayed(Stretch::from(now)),
            Phase::Delaying { looks_left } => Phase::Delaying { looks_left: looks_left - 1 },
        };
        let delays = matches!(self.phase, Phase::MeasuringDelayed { .. } | Phase::Delaying { .. });
        self.delays_next = delays && events < Self::FAR_BEHIND;
    }
}

#[cfg(all(test, not(loom)))]
impl Pace {
    /// One that puts the next look off.
    pub(crate) fn about_to_delay(capacity: u64) -> Self {
        Self {
            delays_next: true,
            awaited: 0,
            phase: Phase::Delaying { looks_left: 9 },
            ..Self::new(capacity, true)
        }
    }

    pub(crate) fn is_about_to_delay(&self) -> bool {
        self.delays_next
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A consumer that is given events at one rate where it does not pause, and at another where it does.
    struct Run {
        pace: Pace,
        now: Instant,
    }

    impl Run {
        fn new(capacity: u64) -> Self {
            Self { pace: Pace::new(capacity, true), now: Instant::now() }
        }

        /// A look that finds `events`, which took so many nanoseconds to come.
        fn look(&mut self, events: u64, nanoseconds: u64) {
            self.now += Duration::from_nanos(nanoseconds);
            let now = self.now;
            self.pace.found_at(events, || now);
        }

        /// So many looks; those after a pause find `paced` and the others `unpaced` events, after so many nanoseconds. Returns how
        /// many came after a pause.
        fn looks(&mut self, looks: u64, unpaced: (u64, u64), paced: (u64, u64)) -> u64 {
            let pausing = |run: &mut Self| {
                let pauses = std::mem::take(&mut run.pace.delays_next);
                let (events, nanoseconds) = if pauses { paced } else { unpaced };
                run.look(events, nanoseconds);
                u64::from(pauses)
            };
            (0..looks).map(|_| pausing(self)).sum()
        }
    }

    const ON_THE_HEELS: (u64, u64) = (20, 100);
    const BEHIND: (u64, u64) = (600, 900);

    #[test]
    fn pauses_where_that_brings_more() {
        let mut run = Run::new(65_536);
        assert_eq!(run.looks(51, ON_THE_HEELS, BEHIND), 0, "1,020 events are no run yet");
        assert_eq!(run.looks(1 + 52, ON_THE_HEELS, BEHIND), 0, "the rate without pauses comes first");
        let (tried, paced) = (Pace::TRIED_LOOKS, Pace::DELAYED_LOOKS + 1);
        assert_eq!(run.looks(tried + paced, ON_THE_HEELS, BEHIND), tried + paced);
        assert_eq!(run.looks(52, ON_THE_HEELS, BEHIND), 0, "then all is measured again");
        assert_eq!(run.looks(tried + paced, ON_THE_HEELS, BEHIND), tried + paced);
    }

    #[test]
    fn does_not_go_on_where_events_just_come_at_a_rate() {
        // 50 million a second, whatever the consumer does.
        let (unpaced, paced) = ((5, 100), (45, 900));
        let mut run = Run::new(65_536);
        let looks_of = |events: u64| events.div_ceil(unpaced.0);
        let mut wanted = Pace::SHORTEST_RUN;
        for _ in 0..20 {
            let before = looks_of(wanted) + looks_of(Pace::UNDELAYED_EVENTS);
            assert_eq!(run.looks(before, unpaced, paced), 0);
            assert_eq!(run.looks(Pace::TRIED_LOOKS, unpaced, paced), Pace::TRIED_LOOKS);
            wanted = (2 * wanted).min(Pace::LONGEST_RUN);
        }
    }

    #[test]
    fn whoever_waits_for_events_is_never_paced() {
        let mut run = Run::new(65_536);
        for _ in 0..10_000 {
            assert_eq!(run.looks(40, ON_THE_HEELS, BEHIND), 0);
            run.pace.waited(Pace::LONG_WAIT);
        }
    }

    #[test]
    fn a_long_wait_ends_the_pauses() {
        let mut run = Run::new(65_536);
        run.looks(52 + 52 + Pace::TRIED_LOOKS + 10, ON_THE_HEELS, BEHIND);
        assert!(run.pace.delays_next);
        run.pace.waited(Pace::LONG_WAIT - 1);
        assert!(run.pace.delays_next);
        run.pace.waited(Pace::LONG_WAIT);
        assert!(!run.pace.delays_next);
    }

    #[test]
    fn who_has_fallen_behind_does_not_pause() {
        let mut run = Run::new(65_536);
        assert_eq!(run.looks(1_000, (Pace::FAR_BEHIND, 4_000), BEHIND), 0);
        let mut run = Run::new(65_536);
        run.looks(52 + 52 + Pace::TRIED_LOOKS + 10, ON_THE_HEELS, BEHIND);
        run.look(Pace::FAR_BEHIND, 4_000);
        assert!(!run.pace.delays_next, "not before the next look");
        run.look(600, 900);
        assert!(run.pace.delays_next, "but again after it");
    }

    #[test]
    fn small_rings_and_those_who_do_not_want_it_are_not_paced() {
        for pace in [Pace::new(256, true), Pace::new(65_536, false)] {
            let mut run = Run { pace, now: Instant::now() };
            assert_eq!(run.looks(100_000, ON_THE_HEELS, BEHIND), 0);
            run.pace.waited(Pace::LONG_WAIT);
            assert_eq!(run.looks(100_000, ON_THE_HEELS, BEHIND), 0);
        }
        assert_eq!(Pace::new(1_024, true).delay, Duration::from_nanos(512));
        assert_eq!(Pace::new(65_536, true).delay, Pace::LONGEST_DELAY);
    }

    #[test]
    fn a_gap_between_two_looks_ends_the_pauses() {
        let mut run = Run::new(65_536);
        run.looks(52 + 52 + Pace::TRIED_LOOKS + 10, ON_THE_HEELS, BEHIND);
        run.look(600, 8_000);
        assert!(run.pace.delays_next, "eight microseconds are no gap");
        run.look(600, 8_001);
        assert!(!run.pace.delays_next);
    }

    #[test]
    fn bursts_are_never_paced() {
        let mut run = Run::new(65_536);
        for _ in 0..1_000 {
            assert_eq!(run.looks(10, ON_THE_HEELS, BEHIND), 0);
            run.look(20, 10_000);
        }
    }

    #[test]
    fn a_delay_comes_once_for_each_look_that_finds_something() {
        let mut run = Run::new(65_536);
        run.looks(52 + 52 + Pace::TRIED_LOOKS + 10, ON_THE_HEELS, BEHIND);
        assert!(run.pace.delays_next);
        run.pace.keep();
        assert!(!run.pace.delays_next);
        run.look(600, 900);
        assert!(run.pace.delays_next);
    }
}
