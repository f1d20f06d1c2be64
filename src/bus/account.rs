//! What has become of the records that were published since a subscription joined.

use crate::member::Told;

/// A subscription's account, in sequences. Written by its own thread; others look on.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) joined_at: Told,
    pub(super) passed: Told,
    pub(super) filtered_out: Told,
    pub(super) missed: Told,
    /// Of an optional one. (What a required one let pass, its consumer knows.)
    pub(super) let_pass: Told,
}

/// What has become of the sequences that were published since a subscription joined: one of these each, or still to come.
///
/// `passed + filtered_out + let_pass + missed + lag == published since it joined`: exactly so as the subscription itself sees it;
/// who looks on from another thread may see numbers of neighbouring moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Sequences of records that passed the filter, and were delivered; of a required subscription, acknowledged.
    pub passed: u64,
    /// Sequences of records that did not pass the filter.
    pub filtered_out: u64,
    /// Sequences that went by during pauses.
    pub let_pass: u64,
    /// Sequences that were lost: overwritten before they were read, or the rest of a payload of which a part was.
    pub missed: u64,
}

impl Tally {
    /// All that is accounted for.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.passed + self.filtered_out + self.let_pass + self.missed
    }
}

impl Account {
    pub(super) fn new() -> Self {
        Self {
            joined_at: Told::new(),
            passed: Told::new(),
            filtered_out: Told::new(),
            missed: Told::new(),
            let_pass: Told::new(),
        }
    }

    pub(super) fn tally(&self) -> Tally {
        Tally {
            passed: self.passed.get(),
            filtered_out: self.filtered_out.get(),
            let_pass: self.let_pass.get(),
            missed: self.missed.get(),
        }
    }

    /// For the subscription's own thread.
    #[inline]
    pub(super) fn walked(&self, walked: Walked) {
        self.passed.set(self.passed.get() + walked.passed);
        self.filtered_out.set(self.filtered_out.get() + walked.filtered_out);
    }

    /// For the subscription's own thread.
    pub(super) fn miss(&self, missed: u64) {
        self.missed.set(self.missed.get() + missed);
    }

    /// For the subscription's own thread.
    pub(super) fn let_pass(&self, let_pass: u64) {
        self.let_pass.set(self.let_pass.get() + let_pass);
    }
}

/// Slots that were walked through, by what became of their records.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walked {
    pub(super) passed: u64,
    pub(super) filtered_out: u64,
}

impl Walked {
    pub(super) fn slots(self) -> u64 {
        self.passed + self.filtered_out
    }

    #[inline(always)]
    pub(super) fn add(&mut self, slots: u64, passes: bool) {
        let counter = if passes { &mut self.passed } else { &mut self.filtered_out };
        *counter += slots;
    }

    #[inline(always)]
    pub(super) fn add_all(&mut self, others: Self) {
        self.passed += others.passed;
        self.filtered_out += others.filtered_out;
    }
}
