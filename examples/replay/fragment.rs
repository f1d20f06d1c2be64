//! A recorded event on the ring: one slot where it fits, else several in a row, published as one batch.

use std::time::Duration;

use bytemuck::NoUninit;
use recorded::RecordedEvent;

/// How much of an event one slot holds, bytes: three in four events need one slot only.
const BYTES: usize = 352;

/// A part of an event: 384 bytes.
#[derive(Clone, Copy, NoUninit)]
#[repr(C)]
pub(crate) struct Fragment {
    /// The number of the event, from 0.
    pub(crate) event: u64,
    /// When it was published, nanoseconds from the start.
    pub(crate) published_at: u64,
    pub(crate) height: u64,
    pub(crate) kind: u16,
    /// How many fragments of the same event come after this one.
    pub(crate) remaining: u16,
    /// Whether this is the event's first.
    is_first: bool,
    padding: u8,
    len: u16,
    bytes: [u8; BYTES],
}

impl Fragment {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// How many slots an event takes.
pub(crate) fn count(event: &RecordedEvent) -> usize {
    event.encoded.len().div_ceil(BYTES).max(1)
}

/// The fragments of an event that is the stream's number `number` and published at `published_at` from the start.
pub(crate) fn split(
    event: &RecordedEvent,
    number: u64,
    published_at: Duration,
) -> impl Iterator<Item = Fragment> {
    let count = count(event);
    (0..count).map(move |index| {
        let part = &event.encoded[index * BYTES..event.encoded.len().min((index + 1) * BYTES)];
        let mut bytes = [0; BYTES];
        bytes[..part.len()].copy_from_slice(part);
        Fragment {
            event: number,
            published_at: published_at.as_nanos() as u64,
            height: event.height,
            kind: event.kind,
            remaining: (count - 1 - index) as u16,
            is_first: index == 0,
            padding: 0,
            len: part.len() as u16,
            bytes,
        }
    })
}

/// Puts events together again, and passes over those whose beginning was lost.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    /// The event being put together, if its first fragment was seen.
    event: Option<u64>,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Adds a fragment; the whole event's bytes if that was its last.
    pub(crate) fn add(&mut self, fragment: &Fragment) -> Option<&[u8]> {
        if fragment.is_first {
            self.event = Some(fragment.event);
            self.bytes.clear();
        }
        if self.event != Some(fragment.event) {
            return None;
        }
        self.bytes.extend_from_slice(fragment.bytes());
        (fragment.remaining == 0).then(|| {
            self.event = None;
            &*self.bytes
        })
    }

    /// What was begun will not be finished.
    pub(crate) fn interrupt(&mut self) {
        self.event = None;
    }
}
