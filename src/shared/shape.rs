//! What a ring to be made is like.

/// The settings of a ring, checked, as far as they stand in its file.
#[cfg_attr(loom, expect(dead_code, reason = "a model has no file"))]
pub(crate) struct Shape<'a> {
    pub(crate) name: &'a str,
    pub(crate) slot_bytes: usize,
    pub(crate) slot_align: usize,
    /// What the slots take, with what is asked for ahead of the last.
    pub(crate) all_slots_bytes: usize,
    pub(crate) capacity: usize,
    pub(crate) max_batch: usize,
    pub(crate) first_sequence: u64,
    pub(crate) max_required: usize,
}
