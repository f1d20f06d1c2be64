//! The mutants: each weakens one choice of the shipped code, and names a model that must fail then.

/// A mutant, marked in `src/` by `proven!(SHIPPED, "name" => WEAKENED)`.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) breaks: &'static str,
    /// The models that must catch it, each of them.
    pub(crate) caught_by: &'static [&'static str],
}

const fn mutant(name: &'static str, breaks: &'static str, caught_by: &'static [&'static str]) -> Mutant {
    Mutant { name, breaks, caught_by }
}

pub(crate) const ALL: &[Mutant] = &[
    mutant(
        "publish-store-relaxed",
        "publish/observe: the event may be read before it is written",
        &["required", "poll", "join-sees", "optional-drains"],
    ),
    mutant(
        "observe-load-relaxed",
        "publish/observe: the same, from the consumer's side",
        &["required", "join-sees"],
    ),
    mutant("batch-in-two-stores", "one cursor store a batch", &["batch"]),
    mutant(
        "acknowledge-store-relaxed",
        "acknowledge/look: the slot may be written while it is read",
        &["required", "redelivery", "poll", "gate"],
    ),
    mutant(
        "look-load-relaxed",
        "acknowledge/look: the same, from the producer's side",
        &["required", "gate"],
    ),
    mutant(
        "gate-off-by-one",
        "the limit: one slot is written before it is acknowledged",
        &["required", "gate"],
    ),
    mutant(
        "publish-without-fence",
        "overwrite/recheck: a later lap's word may show before its cursor",
        &["optional", "optional-batches", "optional-many-batches"],
    ),
    mutant(
        "recheck-without-fence",
        "overwrite/recheck: the second look may come before the copy",
        &["optional", "optional-batches", "optional-many", "optional-many-batches"],
    ),
    mutant("peek-without-fence", "publish/peek: the words may be older than the cursor", &["optional"]),
    mutant(
        "recheck-margin-one-more",
        "the margin: a slot that may be being written is accepted",
        &["optional", "optional-batches", "optional-resumes"],
    ),
    mutant(
        "recheck-prefix-one-less",
        "the margin of many: the last overwritten event is kept",
        &["optional-many", "optional-many-batches"],
    ),
    mutant(
        "window-for-batches-of-1",
        "the margin: it forgets that a batch is written before its cursor",
        &["optional-batches", "optional-many-batches"],
    ),
    mutant(
        "join-first-store-relaxed",
        "acknowledge/look: the former owner's reads may not be over",
        &["reuse"],
    ),
    mutant("join-without-fence", "join/look: both miss each other's store", &["join", "two-joiners"]),
    mutant(
        "join-without-second-look",
        "join/look: starts where the producer may have been already",
        &["join", "two-joiners"],
    ),
    mutant(
        "look-without-fence",
        "join/look: the same as the joiner's, from the producer's side",
        &["join", "two-joiners"],
    ),
    mutant("look-past-own-cursor", "join/look: the limit lies more than a lap beyond the cursor", &["join"]),
    mutant("leave-store-relaxed", "acknowledge/look: the slot may be written while it is read", &["leave"]),
    mutant(
        "close-store-relaxed",
        "publish/observe: the end may be seen before why",
        &["producer-panics", "producer-panics-optional"],
    ),
    mutant("producer-panic-unsaid", "a panic of the producer looks like a close", &["producer-panics"]),
    mutant("failure-not-looked-at", "the producer goes on without a required consumer", &["abandoned"]),
    mutant("claim-publish-unchecked", "a claim is published after a failure", &["abandoned-claim"]),
    mutant(
        "failed-gate-not-frozen",
        "what a failed consumer had not acknowledged is overwritten",
        &["abandoned-full"],
    ),
    mutant(
        "end-said-after-close",
        "publish/observe: the end is seen before why",
        &["producer-panics", "poisoned"],
    ),
    mutant("dropped-after-close-fails", "a consumer dropped after the close counts as failed", &["close"]),
];
