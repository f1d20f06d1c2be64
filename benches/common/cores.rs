//! Which core a thread runs on.

use std::sync::LazyLock;

use core_affinity::CoreId;

/// The side of a ring that a thread is on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Producer,
    Consumer,
}

/// Read once, because a thread that is pinned sees its own core only.
static CORES: LazyLock<Vec<CoreId>> = LazyLock::new(|| core_affinity::get_core_ids().unwrap_or_default());

/// The core for this side: the first and the second of the process. `None`: there are not two to be had.
pub(crate) fn core(side: Side) -> Option<CoreId> {
    (CORES.len() >= 2).then(|| CORES[side as usize])
}

/// Pins the calling thread to the core of this side, where there is one.
pub(crate) fn pin(side: Side) {
    if let Some(core) = core(side)
        && !core_affinity::set_for_current(core)
    {
        eprintln!("the {side:?} thread could not be pinned to core {}", core.id);
    }
}
