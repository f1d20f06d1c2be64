//! A running checksum of events.

use crate::event::Event;
use crate::hash::StateHash;

/// A checksum of events, in order: the same for the same events, however they were cut into batches.
///
/// It tells a stream that was cut, doubled or mixed up; it is not for adversaries. It reads the bytes as words of this
/// machine, so that machines of another byte order get another sum.
///
/// ```
/// use exchange::consumers::Checksum;
/// use exchange::{Event, Header, Payload};
///
/// let event = |number| Event::new(Header { block: 1, trace: 0, number }, Payload::BeginBlock { timestamp: 7 });
/// let (mut whole, mut parts) = (Checksum::default(), Checksum::default());
/// whole.add(&[event(1), event(2)]);
/// parts.add(&[event(1)]);
/// assert_ne!(whole.value(), parts.value());
/// parts.add(&[event(2)]);
/// assert_eq!(whole.value(), parts.value());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Checksum {
    hash: StateHash,
}

impl Default for Checksum {
    fn default() -> Self {
        Self { hash: StateHash::new() }
    }
}

impl Checksum {
    /// Adds events.
    pub fn add(&mut self, events: &[Event]) {
        for event in events {
            let words: [u64; size_of::<Event>() / 8] = bytemuck::cast(*event);
            words.iter().for_each(|&word| self.hash.word(word));
        }
    }

    /// The checksum of the events so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.hash.finish()
    }
}
