//! As fast as it goes, from one thread to three others that get all, side by side or one after the other.
//!
//! There may be more threads than cores, so nobody has a core of its own: all give theirs up when they wait, and the time for which
//! they wait for one says nothing.

use std::time::Duration;

use super::{Measured, Sends, Workload, throughput};
use crate::carrier::{Graph, Setting, Shape, Wait};
use crate::event::Line;
use crate::tally::Tally;

pub(crate) fn measure<G: Graph>(
    shape: Shape,
    sends: Sends,
    workload: &Workload,
    duration: Duration,
) -> Measured {
    let setting = Setting { capacity: workload.capacity, wait: Wait::Yield, core: None };
    let mut leaders = Vec::new();
    let handlers = std::array::from_fn(|_| {
        let (leader, mut tally) = Tally::new(setting.wait);
        leaders.push(leader);
        move |event: &Line| tally.take(event)
    });
    let mut sender = G::open(setting, shape, handlers);
    let measured = throughput::measure(&mut sender, leaders, sends, setting.capacity, duration);
    Measured { core_wait_seconds: None, ..measured }
}
