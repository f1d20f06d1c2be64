//! As fast as it goes: what the workloads that measure this have in common.

use std::time::Duration;

use super::{Measured, Sends};
use crate::carrier::Sender;
use crate::core_wait;
use crate::event::Numbered;
use crate::phases::Leader;
use crate::record::Figures;
use crate::stint::{Extent, Stint};
use crate::tally::Milestone;

/// Sends from the calling thread. What is measured lasts from the first event sent after the warm-up to the last one handled by the
/// last consumer; without consumers, to the last one sent.
pub(crate) fn measure<E: Numbered>(
    sender: &mut impl Sender<E>,
    consumers: Vec<Leader<Milestone>>,
    sends: Sends,
    capacity: usize,
    duration: Duration,
) -> Measured {
    let (warm_up, warm) = phase(sender, &consumers, sends, Extent::warm_up(capacity));
    let (stint, done) = phase(sender, &consumers, sends, Extent::measured(duration));

    let expected = warm_up.sum::<E>().wrapping_add(stint.sum::<E>());
    assert!(done.iter().all(|milestone| milestone.sum == expected), "an event was lost, doubled or damaged");
    let end = done.iter().map(|milestone| milestone.at).max().unwrap_or(stint.end);
    let consumers_waited =
        warm.iter().zip(&done).map(|(warm, done)| core_wait::between([warm.sched, done.sched]));
    let seconds = (end - stint.start).as_secs_f64();
    Measured {
        events: stint.events,
        seconds,
        core_wait_seconds: core_wait::longest(consumers_waited.chain([core_wait::between(stint.sched)])),
        figures: Figures::Throughput { events_per_second: stint.events as f64 / seconds },
    }
}

fn phase<E: Numbered>(
    sender: &mut impl Sender<E>,
    consumers: &[Leader<Milestone>],
    sends: Sends,
    extent: Extent,
) -> (Stint, Vec<Milestone>) {
    let stint = Stint::work(sender, sends, extent);
    (stint, consumers.iter().map(Leader::hear).collect())
}
