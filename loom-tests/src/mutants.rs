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
        &["required", "redelivery", "poll", "gate", "start-together", "follow", "progress"],
    ),
    mutant(
        "deferring-acknowledges",
        "acknowledge/follow: a dependant reads what was only deferred",
        &["follow-deferred"],
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
        &["optional", "optional-batches", "optional-many", "optional-many-batches", "optional-prefix"],
    ),
    mutant("peek-without-fence", "publish/peek: the words may be older than the cursor", &["optional"]),
    mutant(
        "recheck-margin-one-more",
        "the margin: a slot that may be being written is accepted",
        &["optional", "optional-batches", "optional-resumes", "optional-prefix"],
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
    mutant(
        "join-without-fence",
        "join/look: both miss each other's store",
        &["join", "two-joiners", "start-together"],
    ),
    mutant("group-starts-at-its-first", "who joined later starts before it joined", &["start-together"]),
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
    mutant(
        "follow-load-relaxed",
        "acknowledge/follow: what the upstream did before it acknowledged may not be seen",
        &["follow"],
    ),
    mutant(
        "final-position-ignored",
        "an upstream's gate that says MAX is taken for no limit",
        &["final-position", "follow-slowest"],
    ),
    mutant(
        "final-position-after-gate",
        "an upstream's gate may say MAX before the final position is there",
        &["final-position", "follow-slowest"],
    ),
    mutant(
        "departure-store-relaxed",
        "depart/drain: an orderly shutdown may look like an upstream that left",
        &["orderly-shutdown"],
    ),
    mutant(
        "departure-load-relaxed",
        "depart/drain: the same, from the dependant's side",
        &["orderly-shutdown"],
    ),
    mutant(
        "place-freed-under-a-dependant",
        "a newcomer's gate is taken for the upstream's",
        &["place-under-dependant"],
    ),
    mutant("follows-behind-its-start", "compares after subtracting", &["join-behind"]),
    mutant("pause-store-relaxed", "acknowledge/look: the slot may be written while it is read", &["pause"]),
    mutant(
        "progress-load-relaxed",
        "acknowledge/follow: progress is seen before what was done, or of another consumer",
        &["progress", "progress-reuse"],
    ),
    mutant(
        "departure-looked-at-last",
        "a position from before is taken for the final one",
        &["progress-departure"],
    ),
    mutant("cursor-behind-a-position", "a position ahead of the cursor", &["stats", "stats-optional"]),
    mutant(
        "light-barrier-missing",
        "progress/sleep: progress and bit miss each other",
        &["park-consumer", "park-producer", "park-dependant", "park-both"],
    ),
    mutant(
        "heavy-barrier-missing",
        "progress/sleep: the same, from the sleeper's side",
        &["park-consumer", "park-dependant", "park-both"],
    ),
    mutant(
        "sleeps-without-last-look",
        "progress/sleep: progress before the bit is slept through",
        &["park-consumer", "park-producer", "park-dependant", "park-close"],
    ),
    mutant("join-wakes-nobody", "the producer sleeps on after a joiner's first store", &["park-join"]),
    mutant("bit-cleared-under-others", "who leaves by itself clears the bit of others", &["park-several"]),
    mutant(
        "stop-looked-at-first",
        "an upstream that left because of a stop looks like one that left by itself",
        &["stop-graph"],
    ),
    mutant("ends-without-another-look", "a stop overtakes what was published before it", &["stop"]),
    mutant("stop-overtakes-a-close", "a closed ring is not drained", &["stop-after-close"]),
    mutant("publish-wakes-nobody", "nobody looks after a publish", &["park-consumer", "park-several"]),
    mutant(
        "acknowledge-wakes-nobody",
        "nobody looks after an acknowledgement",
        &["park-producer", "park-dependant"],
    ),
    mutant("wakes-one-sleeper", "the others sleep on", &["park-several"]),
    mutant(
        "once-only-changes-wake-nobody",
        "close, stop, leave, failure and pause are slept through",
        &["park-close", "park-stop", "park-leave", "park-fail", "park-pause"],
    ),
    mutant("dropped-after-close-fails", "a consumer dropped after the close counts as failed", &["close"]),
    mutant(
        "mirror-store-relaxed",
        "publish/peek: an observer may copy the words before they are written",
        &["mirror-drains"],
    ),
    mutant(
        "mirror-behind-the-fence",
        "overwrite/recheck: a later lap's word may show before the mirror of its cursor",
        &["mirror", "mirror-batches"],
    ),
    mutant("mirror-end-after-close", "publish/peek: an observer sees the end before why", &["mirror-drains"]),
    mutant(
        "seqlock-never-odd",
        "writing/look-again: who reads does not see that it is being written",
        &["seqlock"],
    ),
    mutant(
        "seqlock-write-without-fence",
        "writing/look-again: a word may show before the odd generation",
        &["seqlock"],
    ),
    mutant(
        "seqlock-written-relaxed",
        "written/look: the words may be older than their generation",
        &["seqlock"],
    ),
    mutant("seqlock-look-without-fence", "written/look: the same, from the reader's side", &["seqlock"]),
    mutant(
        "seqlock-look-again-without-fence",
        "writing/look-again: the second look may come before the copy",
        &["seqlock"],
    ),
];
