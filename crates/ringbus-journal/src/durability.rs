//! When a journal syncs, and so when it acknowledges.

use std::time::Duration;

/// When a journal makes durable what it has written. It acknowledges a record when that is so, and never before: who comes after the
/// journal on the bus sees nothing that a crash of the machine could take back.
///
/// When only the process crashes, nothing is lost that was written, whatever the policy: the kernel has it.
///
/// All but [`Never`](Self::Never) sync earlier when unacknowledged records take up half of the ring: the core would soon wait for
/// slots that nothing would free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// After each batch that was read from the ring: what was at hand, so that under load many share a sync. A crash loses what the
    /// core had published and the journal not yet acknowledged: a batch or two.
    EachBatch,
    /// After each batch in which a block ended. A crash loses what was published since the last end of a block that was synced: at
    /// most the block that was going on, and the blocks of a batch or two.
    EachBlock,
    /// When so much time has passed since the oldest record was written that is not durable. A crash loses what was published in that
    /// time, and while a sync lasted.
    Every(Duration),
    /// Only when a segment is full, and at the end. Records are acknowledged when they are written. A crash of the machine loses what
    /// the kernel had not stored by itself (on Linux, often the last 30 seconds); who comes after the journal may have acted on it.
    Never,
}
