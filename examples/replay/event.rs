//! What an event says, wherever it is found: in the file, or on the bus.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use recorded::{RecordedEvent, kind};
use ringbus::bus::{self, RecordRef};

/// All that a recorded event says, and its record must say again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event<'a> {
    height: u64,
    order: u32,
    pub(crate) kind: u16,
    version: u8,
    trace: [u8; 32],
    pub(crate) begins_block: bool,
    pub(crate) ends_block: bool,
    /// The whole message of the recording. Nobody looks into it.
    pub(crate) payload: &'a [u8],
}

impl<'a> Event<'a> {
    pub(crate) fn in_file(event: &'a RecordedEvent) -> Self {
        Self {
            height: event.height,
            order: event.order,
            kind: event.kind,
            version: event.version,
            trace: event.tx_hash,
            begins_block: event.kind == kind::BEGIN_BLOCK,
            ends_block: event.kind == kind::END_BLOCK,
            payload: &event.encoded,
        }
    }

    pub(crate) fn on_bus(record: &RecordRef<'a>) -> Self {
        Self {
            height: record.block_height(),
            order: record.order(),
            kind: record.kind().get(),
            version: record.header().version,
            trace: *record.trace().bytes(),
            begins_block: record.begins_block(),
            ends_block: record.ends_block(),
            payload: record.payload(),
        }
    }

    /// A number for all of it. Different events have different ones, but for a chance of one in 2^64.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, order, kind, version, trace, payload, .. } = self;
        let trace = bus::Hash::new(*trace);
        write!(f, "event {order} of block {height} (kind {kind}, version {version}, trace {trace}, ")?;
        write!(f, "{} bytes, fingerprint {:016x})", payload.len(), self.fingerprint())
    }
}
