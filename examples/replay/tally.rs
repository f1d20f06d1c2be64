//! What went by, in numbers: of the file and of the bus, to be compared.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use recorded::RecordedEvent;

use crate::event::Event;

/// What went by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Of the messages.
    pub(crate) bytes: u64,
    /// How many events of each kind.
    pub(crate) kinds: BTreeMap<u16, u64>,
    /// By height: a block that was emitted twice is one.
    pub(crate) blocks: BTreeMap<u64, Block>,
    /// Of all events, in order.
    pub(crate) checksum: u64,
}

/// What is known of a height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// How many times a block of this height began.
    pub(crate) begun: u32,
    pub(crate) ended: u32,
    pub(crate) events: u64,
}

impl Tally {
    /// Of a file.
    pub(crate) fn of(events: &[RecordedEvent]) -> Self {
        let mut tally = Self::default();
        for recorded in events {
            let event = Event::in_file(recorded);
            tally.add(recorded.height, &event);
            let block = tally.block(recorded.height);
            block.begun += u32::from(event.begins_block);
            block.ended += u32::from(event.ends_block);
        }
        tally
    }

    /// Counts an event of this height.
    pub(crate) fn add(&mut self, height: u64, event: &Event<'_>) {
        self.events += 1;
        self.bytes += event.payload.len() as u64;
        *self.kinds.entry(event.kind).or_default() += 1;
        self.block(height).events += 1;
        let mut hasher = DefaultHasher::new();
        (self.checksum, event).hash(&mut hasher);
        self.checksum = hasher.finish();
    }

    pub(crate) fn block(&mut self, height: u64) -> &mut Block {
        self.blocks.entry(height).or_default()
    }

    /// The heights of which more than one block began.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = u64> {
        self.heights_where(|block| block.begun > 1)
    }

    /// The heights of which a block began that did not end.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = u64> {
        self.heights_where(|block| block.ended < block.begun)
    }

    fn heights_where(&self, holds: impl Fn(&Block) -> bool) -> impl Iterator<Item = u64> {
        self.blocks.iter().filter(move |(_, block)| holds(block)).map(|(height, _)| *height)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, bytes, kinds, blocks, checksum } = self;
        let begun: u32 = blocks.values().map(|block| block.begun).sum();
        let ended: u32 = blocks.values().map(|block| block.ended).sum();
        write!(
            f,
            "{events} events, {bytes} bytes, {} kinds, {} heights, {begun} blocks begun, ",
            kinds.len(),
            blocks.len()
        )?;
        write!(f, "{ended} ended, checksum {checksum:016x}")
    }
}
