//! What a ring says at one place.

use ringbus::Sequence;
use ringbus::bus::{OwnedRecord, RecordRef};

/// A record of a bus, or the bytes of an event of another ring.
pub(super) enum Line<'a> {
    Record(RecordRef<'a>),
    Event(Sequence, &'a [u8]),
}

/// One that is kept.
pub(super) enum OwnedLine {
    Record(OwnedRecord),
    Event(Sequence, Box<[u8]>),
}

impl Line<'_> {
    pub(super) fn to_owned(&self) -> OwnedLine {
        match self {
            Self::Record(record) => OwnedLine::Record(OwnedRecord::from(*record)),
            Self::Event(sequence, bytes) => OwnedLine::Event(*sequence, (*bytes).into()),
        }
    }
}

impl OwnedLine {
    pub(super) fn line(&self) -> Line<'_> {
        match self {
            Self::Record(record) => Line::Record(record.record()),
            Self::Event(sequence, bytes) => Line::Event(*sequence, bytes),
        }
    }
}

/// The words of an event, in hex: every ring's events have a multiple of 8 bytes.
pub(super) fn words(event: &[u8]) -> impl Iterator<Item = String> {
    event.as_chunks().0.iter().map(|bytes| format!("{:016x}", u64::from_ne_bytes(*bytes)))
}
