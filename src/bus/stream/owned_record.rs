//! A record that can be kept.

use std::fmt;

use super::super::lines::Lines;
use super::super::record::Header;
use super::super::record_ref::RecordRef;
use crate::sequence::Sequence;

/// A copy of a record, which can be kept, and sent elsewhere.
///
/// What a [`RecordRef`] can do it does too: see [`record`](Self::record).
pub struct OwnedRecord {
    sequence: Sequence,
    header: Header,
    /// Aligned as a slot is, so that the payload can be looked at as what it is.
    payload: Lines,
    len: usize,
}

impl OwnedRecord {
    /// The record.
    #[inline]
    #[must_use]
    pub fn record(&self) -> RecordRef<'_> {
        RecordRef::new(self.sequence, &self.header, &self.payload.bytes()[..self.len])
    }
}

impl From<RecordRef<'_>> for OwnedRecord {
    fn from(record: RecordRef<'_>) -> Self {
        let len = record.payload().len();
        let mut payload = Lines::default();
        payload.reserve(len);
        payload.bytes_mut()[..len].copy_from_slice(record.payload());
        Self { sequence: record.sequence(), header: *record.header(), payload, len }
    }
}

impl Clone for OwnedRecord {
    fn clone(&self) -> Self {
        self.record().into()
    }
}

impl fmt::Debug for OwnedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedRecord").field(&self.record()).finish()
    }
}
