//! From looks to rates: what the screen shows, as numbers.

mod consumers;
mod kinds;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub(crate) use consumers::{ConsumerRow, Fill};
use kinds::Earlier;
pub(crate) use kinds::{KindRow, Kinds};

use ringbus::shared::Liveness;

use super::sample::{Facts, Look, Reported, Sample};

/// How many rates are kept for the sparkline: more than the widest screens have columns.
const HISTORY: usize = 512;

/// Two reports less than this apart are one, read twice: its age is told to more or less a clock's reading, and none is written so often.
const SAME_REPORT: Duration = Duration::from_millis(1);

/// From this age on a report is old; ten a second are written, unless the core has set that otherwise.
const OLD_REPORT: Duration = Duration::from_secs(2);

/// All that is known of a ring by the looks so far. What needs two looks is `None` after one.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) facts: Facts,
    pub(crate) last: Option<Sample>,
    /// Events published for each second.
    pub(crate) rate: Option<f64>,
    /// The same at earlier looks; the newest last.
    pub(crate) history: VecDeque<u64>,
    /// As the core's process has reported them.
    pub(crate) consumers: Vec<ConsumerRow>,
    pub(crate) waited: Option<Waited>,
    pub(crate) kinds: Option<Kinds>,
    /// How often another ring has come to the path, and when last.
    pub(crate) restarts: u32,
    pub(crate) restarted_at: Option<Instant>,
}

/// How the producer waited for room, between two reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Waited {
    /// The share of the time.
    pub(crate) share: f64,
    /// How often for each second.
    pub(crate) per_second: f64,
}

impl Model {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts,
            last: None,
            rate: None,
            history: VecDeque::new(),
            consumers: Vec::new(),
            waited: None,
            kinds: None,
            restarts: 0,
            restarted_at: None,
        }
    }

    /// Takes the next look in.
    pub(crate) fn look(&mut self, look: Look) {
        match look {
            Look::Same(sample) => self.take(sample),
            Look::Restarted(facts, sample) => {
                // Nothing that was known of the other ring holds for this one.
                let (restarts, at) = (self.restarts + 1, sample.taken_at);
                *self = Self { restarts, restarted_at: Some(at), ..Self::new(facts) };
                self.take(sample);
            }
        }
    }

    fn take(&mut self, sample: Sample) {
        let before = self.last.take();
        if let Some(before) = &before {
            let time = sample.taken_at.saturating_duration_since(before.taken_at);
            let rate = per_second(sample.cursor.since(before.cursor), time);
            self.rate = Some(rate);
            self.history.push_back(rate.round() as u64);
            if self.history.len() > HISTORY {
                self.history.pop_front();
            }
        }
        if let Some(counts) = &sample.kinds {
            let earlier = before.as_ref().and_then(|before| Earlier::of(before, &sample));
            let is_behind = sample.cursor.since(counts.position) > self.facts.capacity / 2;
            self.kinds = Some(Kinds::of(counts, earlier, is_behind, &self.facts.kind_names));
        }
        let former = before.and_then(|before| before.report);
        let report = self.take_report(former, sample.report.as_ref());
        self.last = Some(Sample { report, ..sample });
        self.stop_rates();
    }

    /// Of consumers in a process that is gone or hangs, the last rates do not go on.
    fn stop_rates(&mut self) {
        let is_alive = self.last.as_ref().is_some_and(|last| last.liveness == Liveness::Alive);
        if !is_alive && self.old_report().is_some() {
            self.waited = None;
            self.consumers.iter_mut().for_each(ConsumerRow::stop_rates);
        }
    }

    /// Takes a report in, unless it is the former one again. Returns the one that is known now.
    fn take_report(&mut self, former: Option<Reported>, report: Option<&Reported>) -> Option<Reported> {
        let Some(report) = report else { return former };
        let time =
            former.as_ref().map(|former| report.written_at.saturating_duration_since(former.written_at));
        if time.is_some_and(|time| time < SAME_REPORT) {
            return former;
        }
        let former = former.as_ref().zip(time);
        self.consumers = consumers::rows(former, report, self.facts.capacity);
        self.waited = former.map(|(former, time)| Waited {
            share: share_of(report.waits.total.saturating_sub(former.waits.total), time),
            per_second: per_second(report.waits.count.saturating_sub(former.waits.count), time),
        });
        Some(report.clone())
    }

    /// Whether the core's process has said anything about its consumers.
    pub(crate) fn has_report(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.report.is_some())
    }

    /// The age of the report, if it is old.
    pub(crate) fn old_report(&self) -> Option<Duration> {
        let last = self.last.as_ref()?;
        let age = last.taken_at.saturating_duration_since(last.report.as_ref()?.written_at);
        Some(age).filter(|age| *age >= OLD_REPORT)
    }

    /// How full the ring is. `None`: there is no report, or no consumer that holds the producer up.
    pub(crate) fn fill(&self) -> Option<Fill<'_>> {
        Fill::of(&self.consumers)
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

fn share_of(part: Duration, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { part.as_secs_f64() / time.as_secs_f64() }
}
