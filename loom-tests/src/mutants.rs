//! The mutants: each weakens one choice of the shipped code, and names a model that must fail then.

/// A mutant, marked in `src/` by `proven!(SHIPPED, "name" => WEAKENED)`.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) breaks: &'static str,
    /// The model that must catch it.
    pub(crate) caught_by: &'static str,
}

const fn mutant(name: &'static str, breaks: &'static str, caught_by: &'static str) -> Mutant {
    Mutant { name, breaks, caught_by }
}

pub(crate) const ALL: &[Mutant] = &[
    mutant(
        "publish-store-relaxed",
        "publish/observe: the event may be read before it is written",
        "required",
    ),
    mutant("observe-load-relaxed", "publish/observe: the same, from the consumer's side", "required"),
    mutant("batch-in-two-stores", "one cursor store a batch", "batch"),
    mutant(
        "acknowledge-store-relaxed",
        "acknowledge/look: the slot may be written while it is read",
        "required",
    ),
    mutant("look-load-relaxed", "acknowledge/look: the same, from the producer's side", "required"),
    mutant("gate-off-by-one", "the limit: one slot is written before it is acknowledged", "required"),
    mutant(
        "publish-without-fence",
        "overwrite/recheck: a later lap's word may show before its cursor",
        "optional",
    ),
    mutant(
        "recheck-without-fence",
        "overwrite/recheck: the second look may come before the copy",
        "optional",
    ),
    mutant("peek-without-fence", "publish/peek: the words may be older than the cursor", "optional"),
    mutant("recheck-margin-one-more", "the margin: a slot that may be being written is accepted", "optional"),
    mutant(
        "recheck-prefix-one-less",
        "the margin of many: the last overwritten event is kept",
        "optional-many",
    ),
    mutant("join-first-store-relaxed", "acknowledge/look: the former owner's reads may not be over", "reuse"),
    mutant("join-without-fence", "join/look: both miss each other's store", "join"),
    mutant("join-without-second-look", "join/look: starts where the producer may have been already", "join"),
    mutant("look-without-fence", "join/look: the same as the joiner's, from the producer's side", "join"),
    mutant("look-past-own-cursor", "join/look: the limit lies more than a lap beyond the cursor", "join"),
    mutant("leave-store-relaxed", "acknowledge/look: the slot may be written while it is read", "leave"),
    mutant("close-store-relaxed", "publish/observe: the end may be seen before why", "producer-panics"),
    mutant("producer-panic-unsaid", "a panic of the producer looks like a close", "producer-panics"),
    mutant("failure-not-looked-at", "the producer goes on without a required consumer", "abandoned"),
];
