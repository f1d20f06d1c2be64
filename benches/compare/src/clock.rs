//! A clock for every event: two threads read it, and one look costs little.
//!
//! On x86-64 it is the time stamp counter, where the kernel says that it runs at one rate whatever the cores do (about 10 ns a look
//! on the machine of PERF.md), and elsewhere [`Instant`] (about 25 ns).

use std::time::{Duration, Instant};

/// Ticks since some moment, the same for all threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    source: Source,
    ticks_per_second: f64,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    #[cfg(target_arch = "x86_64")]
    TimeStampCounter,
    Instant(Instant),
}

impl Clock {
    /// How long the two clocks are compared: the rate is right to some millionths.
    #[cfg(target_arch = "x86_64")]
    const CALIBRATION: Duration = Duration::from_millis(10);

    /// Takes some milliseconds.
    pub(crate) fn start() -> Self {
        #[cfg(target_arch = "x86_64")]
        if time_stamp_counter::is_invariant() {
            return Self {
                source: Source::TimeStampCounter,
                ticks_per_second: time_stamp_counter::rate(Self::CALIBRATION),
            };
        }
        Self { source: Source::Instant(Instant::now()), ticks_per_second: 1e9 }
    }

    /// Whether a look costs so little that there may be tens of millions a second.
    pub(crate) fn is_fast() -> bool {
        #[cfg(target_arch = "x86_64")]
        return time_stamp_counter::is_invariant();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    pub(crate) fn ticks_per_second(&self) -> f64 {
        self.ticks_per_second
    }

    /// Now. The processor may look before it has done what stands before.
    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        match self.source {
            #[cfg(target_arch = "x86_64")]
            Source::TimeStampCounter => time_stamp_counter::now(),
            Source::Instant(start) => start.elapsed().as_nanos() as u64,
        }
    }

    /// Now, once everything that was to be read before has been read.
    #[inline(always)]
    pub(crate) fn now_that_all_is_read(&self) -> u64 {
        match self.source {
            #[cfg(target_arch = "x86_64")]
            Source::TimeStampCounter => time_stamp_counter::now_that_all_is_read(),
            Source::Instant(start) => start.elapsed().as_nanos() as u64,
        }
    }

    pub(crate) fn ticks(&self, duration: Duration) -> u64 {
        (duration.as_secs_f64() * self.ticks_per_second) as u64
    }

    pub(crate) fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / self.ticks_per_second
    }

    pub(crate) fn nanoseconds(&self, ticks: u64) -> u64 {
        (self.seconds(ticks) * 1e9).round() as u64
    }
}

#[cfg(target_arch = "x86_64")]
mod time_stamp_counter {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};
    use std::fs;
    use std::time::{Duration, Instant};

    /// Whether it counts at one rate, also while a core sleeps, and so is the same on all cores.
    pub(super) fn is_invariant() -> bool {
        fs::read_to_string("/proc/cpuinfo").is_ok_and(|processors| {
            processors.lines().filter(|line| line.starts_with("flags")).all(|flags| {
                ["constant_tsc", "nonstop_tsc"]
                    .iter()
                    .all(|flag| flags.split_ascii_whitespace().any(|word| word == *flag))
            })
        })
    }

    /// Ticks a second.
    pub(super) fn rate(calibration: Duration) -> f64 {
        let (start, first) = (Instant::now(), now());
        loop {
            let (end, last) = (Instant::now(), now());
            let passed = end - start;
            if passed >= calibration {
                return (last - first) as f64 / passed.as_secs_f64();
            }
        }
    }

    #[inline(always)]
    pub(super) fn now() -> u64 {
        // SAFETY: every x86-64 processor has the counter, and Linux lets programs read it.
        unsafe { _rdtsc() }
    }

    #[inline(always)]
    pub(super) fn now_that_all_is_read() -> u64 {
        // SAFETY: part of SSE2, which every x86-64 processor has. No later instruction starts before all earlier loads are done.
        unsafe { _mm_lfence() };
        now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_as_fast_as_instant() {
        let clock = Clock::start();
        let (start, first) = (Instant::now(), clock.now());
        while start.elapsed() < Duration::from_millis(5) {}
        let (passed, ticks) = (start.elapsed().as_secs_f64(), clock.now_that_all_is_read() - first);
        // No claim about precision: the thread may lose its core between the two looks.
        assert!((0.9..10.0).contains(&(clock.seconds(ticks) / passed)));
        assert_eq!(clock.nanoseconds(clock.ticks(Duration::from_millis(3))).div_ceil(1_000), 3_000);
    }
}
