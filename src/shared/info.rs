//! What a ring's file says of the ring.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::header::Header;
use crate::bus::StreamId;
use crate::bus::schema::{Fingerprint, Schema};
use crate::sequence::Sequence;

/// What the file of a ring says of it, once and for all: see [`RingFile::info`](super::RingFile::info).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Info {
    /// The ring's name.
    pub name: String,
    /// Of a bus: the stream that it carries.
    pub stream: Option<StreamId>,
    /// Of a bus: what its records look like.
    pub schema: Option<Schema>,
    /// Of a bus: the fingerprint of the schema.
    pub fingerprint: Option<Fingerprint>,
    /// The size of a slot, bytes.
    pub slot_bytes: usize,
    /// The alignment of an event, bytes.
    pub slot_align: usize,
    /// Of a bus: the most bytes of payload in a slot.
    pub slot_payload: Option<usize>,
    /// How many slots there are.
    pub capacity: usize,
    /// The most events in one batch or claim.
    pub max_batch: usize,
    /// The sequence of the first event there ever was on this ring.
    pub first_sequence: Sequence,
    /// Tells it from all other rings, those before it at the same path as well.
    pub epoch: Epoch,
    /// The process that made it, for people: by now it may be another one's number.
    pub process_id: u32,
    /// When that process started, clock ticks since the machine did.
    pub process_started: u64,
    /// The kernel's name for the start of the machine that it was made on.
    pub boot_id: [u8; 16],
    /// When it was made.
    pub created_at: SystemTime,
    /// The size of the file, bytes.
    pub file_bytes: u64,
    /// The version of the file's layout.
    pub layout_version: u64,
}

/// Random bits that tell a ring from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch([u64; 2]);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

impl Info {
    /// Of a header that was checked, and the schema behind it.
    pub(super) fn new(header: &Header, schema: Option<Schema>) -> Self {
        let is_bus = header.slot_payload > 0;
        Self {
            name: header.name().to_owned(),
            stream: is_bus.then(|| StreamId::new(header.name())),
            schema,
            fingerprint: is_bus.then(|| Fingerprint::new(header.fingerprint)),
            slot_bytes: header.slot_bytes as usize,
            slot_align: header.slot_align as usize,
            slot_payload: is_bus.then_some(header.slot_payload as usize),
            capacity: header.capacity as usize,
            max_batch: header.max_batch as usize,
            first_sequence: Sequence::new(header.first_sequence),
            epoch: Epoch(header.epoch),
            process_id: header.process_id as u32,
            process_started: header.process_started,
            boot_id: header.boot_id,
            created_at: SystemTime::UNIX_EPOCH + Duration::from_nanos(header.created_at),
            file_bytes: header.file_bytes,
            layout_version: header.layout_version,
        }
    }
}
