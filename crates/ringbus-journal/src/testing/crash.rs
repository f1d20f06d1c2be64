//! What a power cut does to what was not synced.

use super::random::Random;

/// What becomes of what was not synced when the machine loses power: see [`SimulatedDisk::crash`](super::SimulatedDisk::crash).
///
/// The same seed does the same to a disk to which the same was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    KeepNothing,
    KeepEverything,
    Random { seed: u64 },
    Reordered { seed: u64 },
}

impl Crash {
    /// All of it is lost.
    #[must_use]
    pub const fn keep_nothing() -> Self {
        Self { how: How::KeepNothing }
    }

    /// All of it is kept, except what a failed sync lost.
    #[must_use]
    pub const fn keep_everything() -> Self {
        Self { how: How::KeepEverything }
    }

    /// Each change is kept, lost or torn on its own; sizes outlive bytes; there is noise and old bytes where nothing was written.
    #[must_use]
    pub const fn random(seed: u64) -> Self {
        Self { how: How::Random { seed } }
    }

    /// What was written last is kept, what was written before is lost: at least one write is kept, and one is lost if there are two.
    /// Of the changes to names, as many of the first are lost as chance has it, and the rest is kept.
    #[must_use]
    pub const fn reordered(seed: u64) -> Self {
        Self { how: How::Reordered { seed } }
    }
}

/// What becomes of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Lost,
    /// Some sectors are kept. A change that has none is lost.
    Torn,
}

/// What stands where a file has bytes of which none was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filler {
    Zeroes,
    Noise,
    Stale,
}

/// Decides, change by change.
#[derive(Debug)]
pub(super) struct Fates {
    how: How,
    pub(super) random: Random,
    /// Changes that are kept of 8, and sectors of torn ones, by [`Crash::random`]: crashes differ in how much they take.
    kept: usize,
    first_kept_write: u64,
    first_kept_name: u64,
}

impl Fates {
    /// For changes to files and to names that were made by these operations; those to names in order.
    pub(super) fn new(crash: Crash, mut writes: Vec<u64>, names: Vec<u64>) -> Self {
        let (How::Random { seed } | How::Reordered { seed }) = crash.how else {
            return Self {
                how: crash.how,
                random: Random::new(0),
                kept: 0,
                first_kept_write: 0,
                first_kept_name: 0,
            };
        };
        let mut random = Random::new(seed);
        writes.sort_unstable();
        let first_kept_write = match writes.len() {
            0 | 1 => 0,
            count => writes[1 + random.below(count - 1)],
        };
        let first_kept_name = match names.len() {
            0 => 0,
            count => names[random.below(count)],
        };
        let kept = [1, 4, 7][random.below(3)];
        Self { how: crash.how, random, kept, first_kept_write, first_kept_name }
    }

    pub(super) fn of_write(&mut self, operation: u64) -> Fate {
        match self.how {
            How::KeepNothing => Fate::Lost,
            How::KeepEverything => Fate::Kept,
            How::Random { .. } => match self.by_chance() {
                Fate::Lost if self.random.chance(1, 2) => Fate::Torn,
                fate => fate,
            },
            How::Reordered { .. } => kept_from(self.first_kept_write, operation),
        }
    }

    /// Names are changed or not: there is no torn fate.
    pub(super) fn of_name(&mut self, operation: u64) -> Fate {
        match self.how {
            How::KeepNothing => Fate::Lost,
            How::KeepEverything => Fate::Kept,
            How::Random { .. } => self.by_chance(),
            How::Reordered { .. } => kept_from(self.first_kept_name, operation),
        }
    }

    fn by_chance(&mut self) -> Fate {
        if self.random.chance(self.kept, 8) { Fate::Kept } else { Fate::Lost }
    }

    /// Whether a torn write has its next sector.
    pub(super) fn keeps_sector(&mut self) -> bool {
        self.random.chance(self.kept, 8)
    }

    /// How many of the `bytes` that a write would have added to the size the size has, though they were not kept.
    pub(super) fn size_kept(&mut self, bytes: usize) -> usize {
        match self.how {
            How::Random { .. } => match self.random.below(4) {
                0 => bytes,
                1 => self.random.below(bytes + 1),
                _ => 0,
            },
            _ => 0,
        }
    }

    pub(super) fn filler(&mut self) -> Filler {
        match self.how {
            How::Random { .. } => match self.random.below(8) {
                0 => Filler::Noise,
                1 => Filler::Stale,
                _ => Filler::Zeroes,
            },
            _ => Filler::Zeroes,
        }
    }
}

fn kept_from(first_kept: u64, operation: u64) -> Fate {
    if operation >= first_kept { Fate::Kept } else { Fate::Lost }
}
