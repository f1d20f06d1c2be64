//! What can go wrong.

use std::fmt;
use std::io;

use ringbus::Sequence;
use ringbus::bus::OtherStream;
use ringbus::bus::schema::LayoutChanged;

use crate::storage::Storage;

/// What went wrong with a journal.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalError {
    /// The file system refused something.
    Io {
        /// What was to be done.
        doing: &'static str,
        /// To which file, or to the directory.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// Somebody else writes this journal.
    Locked {
        /// Where it is.
        place: String,
    },
    /// The journal has the records of another stream.
    OtherStream(OtherStream),
    /// Records do not come from slots of the size that the journal was opened for.
    OtherSlots {
        /// The bytes of payload in a slot, as the journal was opened.
        expected: usize,
        /// As they are.
        found: usize,
    },
    /// A record is not the one that comes next.
    NotNext {
        /// The sequence that comes next.
        expected: Sequence,
        /// The record's.
        found: Sequence,
    },
    /// The schema describes a payload of a kind in another way than the one that the journal was written with, under the same layout
    /// number.
    LayoutChanged(LayoutChanged),
    /// A segment cannot be read, because its header cannot.
    Header {
        /// Which.
        segment: String,
        /// Why.
        error: HeaderError,
    },
    /// Part of the journal is damaged, that had been durable.
    Damaged(Damage),
    /// These sequences are not in the journal: who wrote it had missed them.
    Gap {
        /// The first of them.
        first: Sequence,
        /// The first behind them.
        next: Sequence,
    },
    /// What was asked for has been removed: the journal keeps so much, and no more.
    Removed {
        /// What was asked for.
        asked: Sequence,
        /// The oldest record there is.
        oldest: Sequence,
    },
    /// What had been made durable is not there any more.
    Lost {
        /// Where the journal ends.
        end: Sequence,
        /// To where it was durable.
        durable: Sequence,
    },
    /// The journal has failed before, and takes nothing more.
    Failed,
    /// A reader of this name is registered, and running.
    ReaderTaken {
        /// The name.
        name: String,
    },
    /// What was asked for lies behind the end of the journal: it has lost what its reader has kept, or is another one.
    Ahead {
        /// What was asked for.
        asked: Sequence,
        /// Where the journal ends.
        end: Sequence,
    },
    /// The name of a reader cannot be part of a file's.
    ReaderName {
        /// The name.
        name: String,
    },
}

impl JournalError {
    /// Makes one of an error of the file system.
    pub(crate) fn io(doing: &'static str, place: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let place = place.into();
        move |source| Self::Io { doing, place, source }
    }
}

/// Where a file is, for messages.
pub(crate) fn place(storage: &dyn Storage, file: &str) -> String {
    format!("{}/{file}", storage.place())
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, place, source } if source.kind() == io::ErrorKind::StorageFull => write!(
                f,
                "cannot {doing} `{place}`: {source}; make room (a smaller `keep_bytes` removes old segments), and open the journal again: \
                 what was acknowledged is in it"
            ),
            Self::Io { doing, place, source } => write!(f, "cannot {doing} `{place}`: {source}"),
            Self::Locked { place } => write!(
                f,
                "the journal `{place}` is being written by somebody else; expected to be the only one: end the other, or use another directory"
            ),
            Self::OtherStream(error) => error.fmt(f),
            Self::LayoutChanged(error) => error.fmt(f),
            Self::OtherSlots { expected, found } => write!(
                f,
                "records from slots of {found} bytes were offered to a journal that was opened for slots of {expected}: \
                 open it with `slot_payload({found})`"
            ),
            Self::NotNext { expected, found } => write!(
                f,
                "the journal goes on at sequence {expected}, but was offered {found}: build the bus with `first_sequence({expected})`, \
                 and let the journal subscribe before the first block"
            ),
            Self::Header { segment, error } => write!(f, "`{segment}` cannot be read: {error}"),
            Self::Damaged(damage) => damage.fmt(f),
            Self::Gap { first, next } => write!(
                f,
                "sequences {first} up to {next} are not in the journal: whoever wrote it had missed them; `step_over` goes on behind them"
            ),
            Self::Removed { asked, oldest } => write!(
                f,
                "sequence {asked} has been removed from the journal, whose oldest record is {oldest}: register a reader to keep what it \
                 needs, or begin anew from {oldest}"
            ),
            Self::Lost { end, durable } => write!(
                f,
                "the journal ends at sequence {end}, but had been durable up to {durable}: the file system has lost what it had said to be \
                 safe, or files were removed; restore them, or open it with `after_damage` to go on without them"
            ),
            Self::Failed => f.write_str(
                "the journal has failed before and takes nothing more: open it again, which keeps what it had acknowledged",
            ),
            Self::ReaderTaken { name } => write!(
                f,
                "a reader named `{name}` is registered and running: give each its own name, or end the other"
            ),
            Self::Ahead { asked, end } => write!(
                f,
                "was to go on at sequence {asked}, but the journal ends at {end}: it has lost what its reader has kept, or is another \
                 one; restore it, or let the reader begin anew"
            ),
            Self::ReaderName { name } => write!(
                f,
                "`{name}` cannot name a reader here: expected letters, digits, `-`, `_` and `.`, 200 bytes at most"
            ),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::OtherStream(error) => Some(error),
            Self::LayoutChanged(error) => Some(error),
            Self::Header { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<LayoutChanged> for JournalError {
    fn from(error: LayoutChanged) -> Self {
        Self::LayoutChanged(error)
    }
}

impl From<OtherStream> for JournalError {
    fn from(error: OtherStream) -> Self {
        Self::OtherStream(error)
    }
}

/// A part of a journal that is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// In which segment.
    pub segment: String,
    /// From which byte of it on.
    pub offset: u64,
    /// The first sequence that cannot be read.
    pub first: Sequence,
    /// The first sequence behind it that can be read; `None` if there is none yet.
    pub next: Option<Sequence>,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, first, next, what } = self;
        write!(f, "`{segment}` is damaged from byte {offset} on ({what}): ")?;
        match next {
            Some(next) => write!(
                f,
                "sequences {first} up to {next} cannot be read; restore the file, or go on behind them by `step_over`"
            ),
            None => write!(f, "nothing from sequence {first} on can be read; restore the file"),
        }
    }
}

/// Why the header of a segment cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is shorter than a header.
    Short,
    /// It is no segment of a journal.
    Magic,
    /// It was written by a machine whose numbers have another byte order.
    ByteOrder,
    /// It was written by a release with another format.
    Format {
        /// The file's.
        found: u16,
        /// The one that this release reads.
        known: u16,
    },
    /// Its checksum is not the one of its bytes.
    Checksum,
    /// The schema in it cannot be read.
    Schema(String),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("it ends within its header; expected a segment of a journal"),
            Self::Magic => f.write_str("it is no segment of a journal; expected `RBJOURNL` at its beginning"),
            Self::ByteOrder => f.write_str(
                "it was written on a machine of the other byte order, and so were the values in it: read it on such a machine",
            ),
            Self::Format { found, known } => write!(
                f,
                "it has format {found}; this release reads {known}: read it with the release that wrote it"
            ),
            Self::Checksum => f.write_str("its header is damaged: restore the file"),
            Self::Schema(error) => write!(f, "its schema cannot be read: {error}"),
        }
    }
}

impl std::error::Error for HeaderError {}
