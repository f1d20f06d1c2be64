//! Pinning a thread to a core.

/// Pins the current thread to `core`. `Err`: that cannot be; these cores can.
#[cfg(feature = "affinity")]
pub(super) fn to_core(core: usize) -> Result<(), Vec<usize>> {
    /// As many as the operating systems' sets of cores have; beyond that there is nothing to ask.
    const MOST_CORES: usize = 1_024;
    // Asked for without looking it up before: a thread inherits the cores it may run on, and the one that spawned this may be
    // pinned itself.
    if core < MOST_CORES && core_affinity::set_for_current(core_affinity::CoreId { id: core }) {
        return Ok(());
    }
    Err(core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect())
}

/// Without the feature nobody can ask for a core.
#[cfg(not(feature = "affinity"))]
pub(super) fn to_core(_: usize) -> Result<(), Vec<usize>> {
    Err(Vec::new())
}
