//! What has passed through.

/// What an [`ExactlyOnce`](crate::ExactlyOnce) has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Blocks that were taken to their ends, committed or not yet.
    pub blocks: u64,
    /// The records of those.
    pub records: u64,
    /// Records that were passed over: the store has them, or they stand before its first block.
    pub skipped: u64,
    /// Blocks that were begun and never ended: rolled back.
    pub abandoned: u64,
    /// Commits.
    pub commits: u64,
}
