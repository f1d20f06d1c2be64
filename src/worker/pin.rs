//! Pinning a thread to a core.

use std::error::Error;
use std::fmt;

/// There is no such core, or this thread may not run on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoSuchCore {
    /// The core that was asked for.
    pub core: usize,
    /// The cores that the thread may run on now.
    pub available: Vec<usize>,
}

impl fmt::Display for NoSuchCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot pin to core {}: the thread may run on {:?}; choose one of these",
            self.core, self.available
        )
    }
}

impl Error for NoSuchCore {}

/// Pins the current thread to `core`, counted as the operating system does from 0: the producer's, for instance. Threads that it
/// spawns later may run on that core alone, unless they are pinned themselves.
///
/// # Errors
///
/// [`NoSuchCore`]; the thread runs where it could run before.
///
/// ```
/// use ringbus::worker::pin_this_thread;
///
/// let error = pin_this_thread(100_000).unwrap_err();
/// assert!(error.to_string().starts_with("cannot pin to core 100000: the thread may run on ["));
/// ```
#[cfg(feature = "affinity")]
pub fn pin_this_thread(core: usize) -> Result<(), NoSuchCore> {
    /// As many as the operating systems' sets of cores have; beyond that there is nothing to ask.
    const MOST_CORES: usize = 1_024;
    // Asked for without looking it up before: a thread inherits the cores it may run on, and the one that spawned this may be
    // pinned itself.
    if core < MOST_CORES && core_affinity::set_for_current(core_affinity::CoreId { id: core }) {
        return Ok(());
    }
    let available = core_affinity::get_core_ids().unwrap_or_default();
    Err(NoSuchCore { core, available: available.into_iter().map(|core| core.id).collect() })
}
