//! A record that can be kept.

use std::fmt;

use super::lines::Lines;
use super::record::Header;
use super::record_ref::RecordRef;
use crate::sequence::Sequence;

/// A copy of a record, which can be kept, and sent elsewhere.
///
/// What a [`RecordRef`] can do it does too: see [`record`](Self::record).
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{Header, Kind, OwnedRecord, RecordRef};
///
/// let header = Header { kind: Kind::new(8), ..Header::default() };
/// let mut kept = OwnedRecord::from(RecordRef::new(Sequence::new(5), &header, b"kept"));
/// assert_eq!((kept.record().sequence().get(), kept.record().payload()), (5, &b"kept"[..]));
///
/// kept.replace(RecordRef::new(Sequence::new(6), &header, b"next"));
/// assert_eq!(kept.record().payload(), b"next");
/// ```
#[derive(Default)]
pub struct OwnedRecord {
    sequence: Sequence,
    header: Header,
    /// Aligned as a slot is, so that the payload can be looked at as what it is.
    payload: Lines,
    len: usize,
}

impl OwnedRecord {
    /// Keeps `record` in the place of what it kept, in the same memory if that is large enough.
    #[inline]
    pub fn replace(&mut self, record: RecordRef<'_>) {
        let payload = record.payload();
        self.payload.reserve(payload.len());
        self.payload.bytes_mut()[..payload.len()].copy_from_slice(payload);
        self.len = payload.len();
        self.header = *record.header();
        self.sequence = record.sequence();
    }

    /// The record.
    #[inline]
    #[must_use]
    pub fn record(&self) -> RecordRef<'_> {
        RecordRef::new(self.sequence, &self.header, &self.payload.bytes()[..self.len])
    }
}

impl From<RecordRef<'_>> for OwnedRecord {
    fn from(record: RecordRef<'_>) -> Self {
        let mut owned = Self::default();
        owned.replace(record);
        owned
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
