//! What is measured: each workload once, for every contender that can do it.

use std::fmt;

use crate::carrier::Shape;
use crate::clock::Clock;
use crate::record::Figures;
use crate::schedule::Schedule;

pub(crate) mod graph;
pub(crate) mod offered;
pub(crate) mod one_to_one;
pub(crate) mod optional;
pub(crate) mod ping_pong;
pub(crate) mod throughput;

/// One line of a table. Shown as its identifier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) task: Task,
    /// Slots of a ring, a power of two.
    pub(crate) capacity: usize,
    pub(crate) event_bytes: usize,
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// As fast as it goes, from one thread to one other.
    OneToOne(Sends),
    /// As fast as it goes, to three consumers that get all.
    Graph(Shape, Sends),
    /// One event there and one back, always one under way.
    PingPong,
    /// One event now and then, on a small ring.
    Paced(Schedule),
    /// Many events a second, to be sent at known moments.
    Load(Schedule),
    /// As fast as the producer goes, past a consumer that may be overrun.
    Optional,
    /// So many consumers that may be overrun look now and then.
    Onlookers(usize),
}

/// How events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    Single,
    /// So many by one call.
    Batches(usize),
}

impl Sends {
    /// How many events one call sends.
    pub(crate) fn events(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Batches(events) => events,
        }
    }
}

/// What one measurement yields.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    /// How long the thread that waited longest for a core did so. `None`: the kernel does not tell, or there are more threads
    /// than cores, so that they have to wait.
    pub(crate) core_wait_seconds: Option<f64>,
    pub(crate) figures: Figures,
}

const LARGE: usize = 65_536;
const SMALL: usize = 1_024;
const LINE: usize = 64;
const HALF_LINE: usize = 32;

/// All that can be measured here, in the order of the tables.
pub(crate) fn all() -> Vec<Workload> {
    use Sends::{Batches, Single};
    let of = |task, capacity, event_bytes| Workload { task, capacity, event_bytes };
    let mut all = Vec::new();
    for (sends, capacity) in [
        (Single, LARGE),
        (Single, SMALL),
        (Batches(10), LARGE),
        (Batches(10), SMALL),
        (Batches(64), LARGE),
        (Batches(64), SMALL),
        // 1,000 are nearly all slots of the small ring.
        (Batches(1_000), LARGE),
    ] {
        all.push(of(Task::OneToOne(sends), capacity, LINE));
    }
    all.push(of(Task::OneToOne(Batches(64)), LARGE, HALF_LINE));
    for shape in [Shape::FanOut, Shape::Pipeline] {
        all.extend([Single, Batches(64)].map(|sends| of(Task::Graph(shape, sends), LARGE, LINE)));
    }
    all.push(of(Task::PingPong, SMALL, LINE));
    all.extend([1_000_000, 100_000].map(|rate| of(Task::Paced(Schedule::steady(rate)), SMALL, LINE)));
    // Looking at a slow clock, the producer would be late for more.
    let most = if Clock::is_fast() { 50 } else { 10 };
    for schedule in [Schedule::steady, Schedule::bursts] {
        let rates = [1, 2, 5, 10, 20, 50].into_iter().filter(|millions| *millions <= most);
        all.extend(rates.map(|millions| of(Task::Load(schedule(millions * 1_000_000)), LARGE, LINE)));
    }
    all.push(of(Task::Optional, LARGE, LINE));
    all.extend([0, 1, 4, 16].map(|onlookers| of(Task::Onlookers(onlookers), LARGE, LINE)));
    all
}

/// The workload of that identifier.
pub(crate) fn find(id: &str) -> Result<Workload, String> {
    all().into_iter().find(|workload| workload.to_string() == id).ok_or_else(|| {
        let ids: Vec<_> = all().iter().map(Workload::to_string).collect();
        format!("there is no such workload; there are {}", ids.join(", "))
    })
}

impl Workload {
    pub(crate) fn sends(&self) -> Sends {
        match self.task {
            Task::OneToOne(sends) | Task::Graph(_, sends) => sends,
            Task::Paced(schedule) | Task::Load(schedule) => schedule.sends(),
            Task::PingPong | Task::Optional | Task::Onlookers(_) => Sends::Single,
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Task::OneToOne(sends) => write!(f, "one-to-one/{sends}"),
            Task::Graph(Shape::FanOut, sends) => write!(f, "one-to-three/{sends}"),
            Task::Graph(Shape::Pipeline, sends) => write!(f, "pipeline/{sends}"),
            Task::PingPong => write!(f, "ping-pong"),
            Task::Paced(schedule) => write!(f, "paced/{}us", 1_000_000 / schedule.events_per_second),
            Task::Load(schedule) => {
                let arrival = if schedule.burst == 1 { "steady" } else { "bursts" };
                write!(f, "load/{arrival}/{}M", schedule.events_per_second / 1_000_000)
            }
            Task::Optional => write!(f, "optional"),
            Task::Onlookers(onlookers) => write!(f, "onlookers/{onlookers}"),
        }?;
        write!(f, "/{}/{}", self.capacity, self.event_bytes)
    }
}

impl fmt::Display for Sends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("single"),
            Self::Batches(events) => write!(f, "batch-{events}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_workload_is_found_by_its_identifier() {
        let ids: HashSet<_> = all().iter().map(Workload::to_string).collect();
        assert_eq!(ids.len(), all().len());
        assert!(ids.contains("one-to-one/batch-1000/65536/64"), "{ids:?}");
        assert!(ids.iter().all(|id| find(id).is_ok_and(|workload| workload.to_string() == *id)));
        assert!(find("one-to-one").is_err());
    }
}
