//! What the producer shows to other processes, each on cache lines of its own. It relies on none of it: its own cursor, gates and limits
//! are private memory, and nobody in its process reads a mirror (but the report's generation,
//! and whatever that is, a report is all that could be lost).

#[cfg(not(loom))]
use std::mem::offset_of;

use crate::cursor::Cursor;
use crate::sync::AtomicU64;

/// How many words tell how a stream ended: see `ending.rs`.
pub(crate) const END_WORDS: usize = 48;

/// Something on lines of its own; two, because processors fetch lines in pairs.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Line<T>(pub(crate) T);

/// The mirrors, as they stand in the file. All of it is words, and all of these may be anything: see [`Cursor`] for what is done about it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Mirrors {
    /// The end of what is published.
    pub(crate) cursor: Line<Cursor>,
    /// When the core last said that it is alive, on the clock of all processes; 0: never.
    pub(crate) heartbeat: Line<AtomicU64>,
    /// The generation of the report: see `seqlock.rs`.
    pub(crate) report: Line<AtomicU64>,
    /// How the stream ended. Written before the cursor is closed, which shows it.
    pub(crate) end: Line<[AtomicU64; END_WORDS]>,
}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Cursor>() == 8);
    assert!(offset_of!(Mirrors, cursor) == 0);
    assert!(offset_of!(Mirrors, heartbeat) == 128);
    assert!(offset_of!(Mirrors, report) == 256);
    assert!(offset_of!(Mirrors, end) == 384);
    assert!(size_of::<Mirrors>() == 768);
};
