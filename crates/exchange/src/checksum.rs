//! A running checksum of events.

use ringbus::bus::{Kind, Origin, RecordRef, Topic};

use crate::hash::StateHash;

/// A checksum of what the core said: the same for the same events in the same order, on whichever side of the bus.
///
/// It tells a stream that was cut, doubled or mixed up; it is not for adversaries. Each event's origin, kind, topic and
/// payload count, not what the bus adds.
///
/// ```
/// use exchange::Checksum;
/// use ringbus::bus::{Kind, Origin, Topic};
///
/// let of = |payloads: &[&[u8]]| {
///     let mut checksum = Checksum::default();
///     payloads.iter().for_each(|payload| checksum.add(Origin::default(), Kind::new(1), Topic::new(2), payload));
///     checksum.value()
/// };
/// assert_eq!(of(&[b"one", b"two"]), of(&[b"one", b"two"]));
/// assert_ne!(of(&[b"one", b"two"]), of(&[b"two", b"one"]));
/// assert_ne!(of(&[b"onetwo"]), of(&[b"one", b"two"]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    hash: StateHash,
}

impl Default for Checksum {
    fn default() -> Self {
        Self { hash: StateHash::new() }
    }
}

impl Checksum {
    /// Adds an event.
    #[inline]
    pub fn add(&mut self, origin: Origin, kind: Kind, topic: Topic, payload: &[u8]) {
        self.add_digest(digest(origin, kind, topic, payload));
    }

    /// Adds an event by its [digest](digest_of).
    #[inline]
    pub(crate) fn add_digest(&mut self, digest: u64) {
        self.hash.word(digest);
    }

    /// The checksum of the events so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.hash.finish()
    }
}

/// What a record adds to a checksum.
pub(crate) fn digest_of(record: &RecordRef<'_>) -> u64 {
    let header = record.header();
    digest(record.origin(), header.kind, header.topic, record.payload())
}

#[inline]
fn digest(origin: Origin, kind: Kind, topic: Topic, payload: &[u8]) -> u64 {
    let Origin { source, trigger } = origin;
    let mut hash = StateHash::new();
    hash.word(
        u64::from(kind.get())
            | u64::from(topic.get()) << 16
            | u64::from(source.get()) << 32
            | u64::from(trigger.kind) << 48
            | u64::from(trigger.reason) << 56,
    );
    hash.word(payload.len() as u64);
    let (words, rest) = payload.as_chunks();
    words.iter().for_each(|&word| hash.word(u64::from_le_bytes(word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash.word(u64::from_le_bytes(last));
    hash.finish()
}
