//! When a consumer lets the producer get ahead of it.
//!
//! A consumer that is faster than its producer runs on the producer's heels: it finds a few events, handles them, and looks again.
//! Each look takes the cursor's cache line away from the producer, which waits for it at the next publish, so that both are held
//! up by the hand-offs of one line. A pause now and then breaks that: the producer gets ahead, and both run at their own speed.
//!
//! A pause costs latency, so it is taken only where it is seen to bring throughput:
//!
//! - Nothing happens before a *run* of events without a look that found none. Whoever has to wait for events now and then, if only
//!   after each burst, never pauses.
//! - Then the rate of events is measured without pauses, and with a few. Only if the pauses raised it by a quarter are there
//!   more: the producer was held up. If events just come at a certain rate, it is the same.
//! - If pausing did not pay, the next try wants a run of twice the length. If it did, all is measured again after
//!   [`PACED_LOOKS`](Pace::PACED_LOOKS) looks.
//! - A look that found none ends everything at once. After one that found thousands there is no pause: the consumer has fallen
//!   behind, and is on nobody's heels.
//!
//! PERF.md has what it brings, and what it costs in latency under load.

use std::time::{Duration, Instant};

use crate::sync::spin_loop;

/// A consumer's account of how it runs behind the producer.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How long a pause is; 0: this consumer never pauses.
    pause: Duration,
    phase: Phase,
    /// Events since the last long wait, or since the last try.
    run: u64,
    /// How long a run must be before there is something to do.
    awaited: u64,
    /// The run that the next try wants.
    before_next_try: u64,
    /// Whether to pause before the next look.
    pauses: bool,
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
    MeasuringUnpaced(Stretch),
    MeasuringPaced { unpaced: Rate, paced: Stretch, looks_left: u64 },
    Paced { looks_left: u64 },
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
    /// Whether this is at least a quarter more than `other`.
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
    /// Events from which the rate without pauses is taken.
    const UNPACED_EVENTS: u64 = 1_024;
    /// Looks from which the rate with pauses is taken.
    const TRIED_LOOKS: u64 = 16;
    const PACED_LOOKS: u64 = 256;
    /// A look that found so many events did not come too early.
    const FAR_BEHIND: u64 = 4_096;
    /// Some hand-offs of a line between the farthest cores of a machine.
    const LONGEST_PAUSE: Duration = Duration::from_nanos(768);
    /// So that the producer does not fill the ring meanwhile, at an event a nanosecond.
    const PAUSE_OF_HALF_A_SLOT: Duration = Duration::from_nanos(1);
    /// Shorter than this, a pause brings less than it costs.
    const SHORTEST_PAUSE: Duration = Duration::from_nanos(200);

    /// For a ring of `capacity` slots.
    pub(crate) fn new(capacity: u64) -> Self {
        let half_a_ring =
            Self::PAUSE_OF_HALF_A_SLOT.saturating_mul((capacity / 2).try_into().unwrap_or(u32::MAX));
        let pause = Self::LONGEST_PAUSE.min(half_a_ring);
        if pause < Self::SHORTEST_PAUSE {
            Self::never()
        } else {
            Self { pause, awaited: Self::SHORTEST_RUN, ..Self::never() }
        }
    }

    pub(crate) fn never() -> Self {
        Self {
            pause: Duration::ZERO,
            phase: Phase::Running,
            run: 0,
            awaited: u64::MAX,
            before_next_try: Self::SHORTEST_RUN,
            pauses: false,
        }
    }

    /// Before a look, with nothing in hand.
    #[inline(always)]
    pub(crate) fn keep(&self) {
        if self.pauses {
            self.pause();
        }
    }

    #[cold]
    fn pause(&self) {
        let start = Instant::now();
        while start.elapsed() < self.pause {
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

    /// Back to where nothing happens.
    #[cold]
    fn stop(&mut self) {
        self.phase = Phase::Running;
        self.run = 0;
        self.pauses = false;
        if !self.pause.is_zero() {
            self.awaited = self.before_next_try;
        }
    }

    #[cold]
    #[inline(never)]
    fn go_on(&mut self, events: u64, now: Instant) {
        self.awaited = 0;
        self.phase = match self.phase {
            Phase::Running => Phase::MeasuringUnpaced(Stretch::from(now)),
            Phase::MeasuringUnpaced(_) if events >= Self::FAR_BEHIND => return self.stop(),
            Phase::MeasuringUnpaced(mut unpaced) => {
                unpaced.events += events;
                if unpaced.events < Self::UNPACED_EVENTS {
                    Phase::MeasuringUnpaced(unpaced)
                } else {
                    let paced = Stretch::from(now);
                    Phase::MeasuringPaced { unpaced: unpaced.rate(now), paced, looks_left: Self::TRIED_LOOKS }
                }
            }
            Phase::MeasuringPaced { unpaced, mut paced, looks_left } => {
                paced.events += events;
                if looks_left > 1 {
                    Phase::MeasuringPaced { unpaced, paced, looks_left: looks_left - 1 }
                } else if paced.rate(now).is_worth_more_than(unpaced) {
                    self.before_next_try = Self::SHORTEST_RUN;
                    Phase::Paced { looks_left: Self::PACED_LOOKS }
                } else {
                    self.before_next_try = (2 * self.before_next_try).min(Self::LONGEST_RUN);
                    return self.stop();
                }
            }
            Phase::Paced { looks_left: 0 } => Phase::MeasuringUnpaced(Stretch::from(now)),
            Phase::Paced { looks_left } => Phase::Paced { looks_left: looks_left - 1 },
        };
        let is_pacing = matches!(self.phase, Phase::MeasuringPaced { .. } | Phase::Paced { .. });
        self.pauses = is_pacing && events < Self::FAR_BEHIND;
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
            Self { pace: Pace::new(capacity), now: Instant::now() }
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
                let pauses = run.pace.pauses;
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
        let (tried, paced) = (Pace::TRIED_LOOKS, Pace::PACED_LOOKS + 1);
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
            let before = looks_of(wanted) + looks_of(Pace::UNPACED_EVENTS);
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
        assert!(run.pace.pauses);
        run.pace.waited(Pace::LONG_WAIT - 1);
        assert!(run.pace.pauses);
        run.pace.waited(Pace::LONG_WAIT);
        assert!(!run.pace.pauses);
    }

    #[test]
    fn who_has_fallen_behind_does_not_pause() {
        let mut run = Run::new(65_536);
        assert_eq!(run.looks(1_000, (Pace::FAR_BEHIND, 4_000), BEHIND), 0);
        let mut run = Run::new(65_536);
        run.looks(52 + 52 + Pace::TRIED_LOOKS + 10, ON_THE_HEELS, BEHIND);
        run.look(Pace::FAR_BEHIND, 4_000);
        assert!(!run.pace.pauses, "not before the next look");
        run.look(600, 900);
        assert!(run.pace.pauses, "but again after it");
    }

    #[test]
    fn small_rings_and_those_who_do_not_want_it_are_not_paced() {
        for pace in [Pace::new(256), Pace::never()] {
            let mut run = Run { pace, now: Instant::now() };
            assert_eq!(run.looks(100_000, ON_THE_HEELS, BEHIND), 0);
            run.pace.waited(Pace::LONG_WAIT);
            assert_eq!(run.looks(100_000, ON_THE_HEELS, BEHIND), 0);
        }
        assert_eq!(Pace::new(1_024).pause, Duration::from_nanos(512));
        assert_eq!(Pace::new(65_536).pause, Pace::LONGEST_PAUSE);
    }
}
