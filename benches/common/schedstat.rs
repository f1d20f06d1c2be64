//! What the scheduler did with a thread.

use std::fs;
use std::time::Duration;

/// Since the thread started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SchedStat {
    /// Running on a core.
    pub(crate) on_core: Duration,
    /// Runnable, and waiting for a core.
    pub(crate) waiting: Duration,
}

impl SchedStat {
    /// Of the calling thread; `None` where the kernel does not tell.
    pub(crate) fn of_this_thread() -> Option<Self> {
        let line = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let mut nanoseconds = line.split_ascii_whitespace().map(|field| field.parse().ok());
        let mut next = || nanoseconds.next().flatten().map(Duration::from_nanos);
        Some(Self { on_core: next()?, waiting: next()? })
    }
}
