//! The consumers of the demo, each on its thread.

use std::convert::Infallible;
use std::error::Error;
use std::num::NonZero;
use std::time::Duration;

use exchange::Settings;
use exchange::consumers::{Auditor, Journal, Monitor, PositionKeeper};
use ringbus::bus::{Bus, Driver, Subscriber, each_record};
use ringbus::worker::{Worker, WorkerError};

/// Bytes of payload in a slot: no event of the exchange has more.
pub(super) const PAYLOAD: usize = 64;
/// How much the auditor keeps.
const AUDIT_BYTES: usize = 16 << 20;
/// The longest that the monitor takes for an event: it gets some hundreds at once, and must come to an end.
const LONGEST_DELAY: Duration = Duration::from_millis(1);

/// Waits for a worker.
type Join = Box<dyn FnOnce() -> Result<(), WorkerError>>;

/// The consumers.
pub(super) struct Crew {
    workers: Vec<Join>,
}

impl Crew {
    /// Lets them subscribe, then start. The monitor takes four times as long for an event as the next one takes to come.
    pub(super) fn spawn(
        bus: &Bus<PAYLOAD>,
        settings: &Settings,
        rate: NonZero<u32>,
    ) -> Result<Self, Box<dyn Error>> {
        let limit = Journal::<std::io::Sink>::BATCH_LIMIT;
        let journal = bus.subscribe("journal").required().limit(limit).join()?;
        let keeper = bus.subscribe("position keeper").filter(PositionKeeper::filter()).required();
        let keeper = keeper.after(&[&journal]).join()?;
        let auditor =
            bus.subscribe("auditor").filter(Auditor::filter()).required().after(&[&journal]).join()?;
        let delay = (Duration::from_secs(4) / rate.get()).min(LONGEST_DELAY);
        let workers = vec![
            joined(journal.into_worker(Journal::default()).spawn()?),
            joined(keeper.into_worker(PositionKeeper::new(settings)?).spawn()?),
            joined(auditor.into_worker(Auditor::new(AUDIT_BYTES)).spawn()?),
            joined(bus.subscribe("dashboard").optional().spawn(each_record(|_| Ok::<(), Infallible>(())))?),
            joined(bus.subscribe("slow monitor").optional().spawn(Monitor::new(delay, bus.clone()))?),
        ];
        Ok(Self { workers })
    }

    /// Waits until all of them have ended, and returns the first failure if there is one.
    pub(super) fn join(self) -> Result<(), WorkerError> {
        let ended: Vec<_> = self.workers.into_iter().map(|join| join()).collect();
        ended.into_iter().collect()
    }
}

fn joined<S: Subscriber>(worker: Worker<Driver<S, PAYLOAD>>) -> Join {
    Box::new(|| worker.join().map(drop))
}
