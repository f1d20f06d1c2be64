//! Blocks of which something is missing.

use std::fmt;

/// A block of which something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damaged {
    /// Its height.
    pub height: u64,
    /// Its time, nanoseconds since the beginning of 1970.
    pub time: i64,
    /// What is missing: the first that was noticed.
    pub damage: Damage,
}

/// What is missing of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// Its beginning: it was going on when the subscription joined, or began in what it missed or let pass.
    BeginningUnseen,
    /// Its end: another block began, or the subscription or the stream ended.
    EndUnseen,
    /// What stood in so many sequences that the subscription missed, or some of it: other blocks may have been among it.
    Missed(u64),
    /// What stood in so many sequences that the subscription let pass while it was paused, or some of it.
    LetPass(u64),
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, damage, .. } = self;
        match damage {
            Damage::BeginningUnseen => write!(f, "block {height} is damaged: its beginning was not seen"),
            Damage::EndUnseen => write!(f, "block {height} is damaged: its end was not seen"),
            Damage::Missed(missed) => write!(f, "block {height} is damaged: {missed} sequences were missed"),
            Damage::LetPass(passed) => {
                write!(f, "block {height} is damaged: {passed} sequences were let pass during a pause")
            }
        }
    }
}
