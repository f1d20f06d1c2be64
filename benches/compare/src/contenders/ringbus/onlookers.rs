//! What optional consumers that look now and then cost the producer.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use ringbus::{ReadFrom, RecvError, Ring};

use super::build;
use crate::Outcome;
use crate::carrier::{Setting, Wait};
use crate::contenders::{Measure, consume};
use crate::cores::{Side, core, pin};
use crate::event::{Line, Numbered};
use crate::workloads::{Measured, Sends, Task, Workload, throughput};

/// The producer publishes one by one, and nobody else listens.
pub(in crate::contenders) struct WithOnlookers;

impl Measure for WithOnlookers {
    fn takes(workload: &Workload) -> bool {
        matches!(workload.task, Task::Onlookers(_))
    }

    fn measure(workload: &Workload, duration: Duration) -> Outcome<Measured> {
        let Task::Onlookers(onlookers) = workload.task else {
            return Err(format!("{workload} has no onlookers: measure onlookers/.. in this way").into());
        };
        let setting = Setting { capacity: workload.capacity, wait: Wait::Spin, core: core(Side::Consumer) };
        let (mut producer, ring) = build::<Line>(setting);
        consume(setting.core, move || look_on(&ring, onlookers));
        pin(Side::Producer);
        let nobody = Vec::new();
        Ok(throughput::measure::<Line>(&mut producer, nobody, Sends::Single, setting.capacity, duration))
    }
}

/// Each reads the newest event once a millisecond. One thread serves them all, and there is one without any.
fn look_on(ring: &Ring<Line>, onlookers: usize) {
    const PAUSE: Duration = Duration::from_millis(1);
    let mut onlookers: Vec<_> = (0..onlookers)
        .map(|number| ring.optional(&format!("onlooker {number}")).join().expect("the newest can be read"))
        .collect();
    while ring.end().is_none() {
        thread::sleep(PAUSE);
        for onlooker in &mut onlookers {
            onlooker.skip_to(ReadFrom::NewestMinus(1)).expect("the newest can be read");
            match onlooker.try_recv() {
                Ok((_, event)) => _ = black_box(event.mixed()),
                Err(RecvError::Empty | RecvError::Lagged { .. } | RecvError::Ended(_)) => {}
                Err(error) => panic!("an onlooker has a place for an event: {error}"),
            }
        }
    }
}
