//! Looking on while the core runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use ringbus::bus::Bus;
use ringbus::stats::Stats;

use super::PAYLOAD;

/// How often.
const INTERVAL: Duration = Duration::from_millis(100);

/// How things stand while the core runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// Since the start.
    pub elapsed: Duration,
    /// The height of the block that the store has committed last.
    pub blocks: u64,
    /// The bus and its consumers.
    pub stats: Stats,
}

/// Shows `look` a snapshot now and then, on a thread of its own, until what this returns is dropped.
pub(super) fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    bus: &'scope Bus<PAYLOAD>,
    blocks: &'scope AtomicU64,
    started: Instant,
    mut look: impl FnMut(&Snapshot) + Send + 'scope,
) -> Sender<()> {
    let (watching, over) = channel();
    scope.spawn(move || {
        while over.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            // Relaxed: a number to look at.
            let blocks = blocks.load(Ordering::Relaxed);
            look(&Snapshot { elapsed: started.elapsed(), blocks, stats: bus.stats() });
        }
    });
    watching
}
