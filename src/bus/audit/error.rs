//! What an audit log cannot take, and what it cannot answer.

use std::error::Error;
use std::fmt;

use crate::sequence::Sequence;

/// A record came that stands before others that the log already has: records of two buses, or the same ones twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditError {
    /// The record's sequence.
    pub sequence: Sequence,
    /// What the log expected at the earliest.
    pub until: Sequence,
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, until } = self;
        write!(
            f,
            "the audit log got the record with sequence {sequence}, expected {until} or later; give each bus a log of its own"
        )
    }
}

impl Error for AuditError {}

/// The log keeps no event with a sequence that it was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotKept {
    /// The sequence.
    pub sequence: Sequence,
    /// The log answers from here on.
    pub from: Sequence,
    /// It has seen nothing from here on.
    pub until: Sequence,
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, from, until } = self;
        write!(f, "the audit log has no event with sequence {sequence}: ")?;
        if sequence < from {
            write!(f, "it answers from {from} on, what came before was evicted, or came before the log")
        } else if sequence >= until {
            write!(f, "it has seen nothing from {until} on yet")
        } else {
            write!(f, "its subscription missed it, let it pass, or filtered it out")
        }
    }
}

impl Error for NotKept {}
