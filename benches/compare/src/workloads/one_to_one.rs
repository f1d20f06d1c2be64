//! As fast as it goes, from one thread to one other.

use std::time::Duration;

use super::{Measured, Sends, Workload, throughput};
use crate::carrier::{Carrier, Setting, Wait};
use crate::cores::{Side, core, pin};
use crate::event::{HalfLine, Line, Numbered};
use crate::tally::Tally;

pub(crate) fn measure<C: Carrier>(sends: Sends, workload: &Workload, duration: Duration) -> Measured {
    if workload.event_bytes == size_of::<HalfLine>() {
        measure_events::<C, HalfLine>(sends, workload.capacity, duration)
    } else {
        measure_events::<C, Line>(sends, workload.capacity, duration)
    }
}

fn measure_events<C: Carrier, E: Numbered>(sends: Sends, capacity: usize, duration: Duration) -> Measured {
    let setting = Setting { capacity, wait: Wait::Spin, core: core(Side::Consumer) };
    let (leader, mut tally) = Tally::new(setting.wait);
    let mut sender = C::open(setting, move |event: &E| tally.take(event));
    pin(Side::Producer);
    throughput::measure(&mut sender, vec![leader], sends, capacity, duration)
}
