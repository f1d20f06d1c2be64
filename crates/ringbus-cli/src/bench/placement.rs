//! Where the threads of a measurement run, and how they wait for each other.

use std::hint::spin_loop;
use std::thread::yield_now;

use core_affinity::CoreId;
use serde::Serialize;

/// For the producer, which is thread 0, and its consumers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Placement {
    /// One for each thread. Empty: they are not pinned.
    pub(crate) cores: Vec<usize>,
    pub(crate) waits: Waits,
}

/// What a thread does while there is nothing for it to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Waits {
    /// It has its core to itself.
    Spinning,
    /// Another may need the core.
    Yielding,
}

impl Placement {
    /// Pins the calling thread to where this thread is to run.
    pub(crate) fn pin(&self, thread: usize) {
        if let Some(&core) = self.cores.get(thread)
            && !core_affinity::set_for_current(CoreId { id: core })
        {
            eprintln!(
                "ringbus: thread {thread} could not be pinned to core {core}, which worked before; it runs somewhere"
            );
        }
    }
}

impl Waits {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spinning => "spinning",
            Self::Yielding => "yielding",
        }
    }

    #[inline(always)]
    pub(crate) fn a_moment(self) {
        match self {
            Self::Spinning => spin_loop(),
            Self::Yielding => yield_now(),
        }
    }
}
