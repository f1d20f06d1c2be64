//! Generating a stream with a recording's shape and traps.

mod block;
mod encode;
mod kinds;

use std::iter::FusedIterator;
use std::vec;

use fastrand::Rng;

use crate::RecordedEvent;
use block::Draft;

/// As long as the recorded network's, so that lengths compare.
const CHAIN_ID: &str = "generated-0";

/// What to generate.
///
/// ```
/// use recorded::Settings;
///
/// let settings = Settings { seed: 7, blocks: 100, ..Settings::default() };
/// assert!(!settings.unfinished_last_block);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the stream is drawn from: the same settings give the same stream, another seed another one.
    pub seed: u64,
    /// Distinct heights, from 1; there is one emission more than that, since block 1 is emitted twice.
    pub blocks: u64,
    /// Whether the stream stops after the begin of its last emission, as a recording that was cut does.
    pub unfinished_last_block: bool,
}

impl Default for Settings {
    /// Seed 1, 5,002 blocks (about 32,000 events), the last one finished.
    fn default() -> Self {
        Self { seed: 1, blocks: 5_002, unfinished_last_block: false }
    }
}

/// A generated stream of events: endless variety, no file, the same for the same [`Settings`].
///
/// It has what a recording has:
///
/// * file sequences from 1, orders from 1 in every emission of a block, both without a gap;
/// * block 1 twice in a row: 253 events, then 5 with the orders 1 to 5 again, under another block hash; the first
///   is larger than any later block;
/// * begin block first, time update second, end block last;
/// * transactions in about one block of 20, their events among others; in block 2 always two, whose events
///   alternate;
/// * about 6.4 events a block and 290 bytes an event in the mean, from about 160 bytes to 4,000, nearly a third
///   below 180; one event of exactly 4,000, in block 1;
/// * 44 kinds in a stream of some thousand blocks, market data about as frequent as blocks are.
///
/// `encoded` is a real protobuf message, with field `100 + kind` as the payload: a nested message that has random
/// bytes in its field 1. The chain id is `generated-0`.
///
/// The stream is made a block at a time; the memory taken does not grow with `blocks`. Which stream belongs to a
/// seed may differ between versions of this crate, and of `fastrand`.
#[derive(Clone, Debug)]
pub struct Generator {
    rng: Rng,
    settings: Settings,
    /// The next emission.
    next: Option<Emission>,
    /// What is left of the current one.
    ready: vec::IntoIter<RecordedEvent>,
    /// File sequence of the last event made.
    file_sequence: u64,
}

/// One emission of a block.
#[derive(Clone, Copy, Debug)]
enum Emission {
    Genesis,
    GenesisAgain,
    /// A block from 2 on, by its height.
    Block(u64),
}

impl Emission {
    fn height(self) -> u64 {
        match self {
            Self::Genesis | Self::GenesisAgain => 1,
            Self::Block(height) => height,
        }
    }

    /// The emission after this one, in a stream of `blocks` heights.
    fn after(self, blocks: u64) -> Option<Self> {
        match self {
            Self::Genesis => Some(Self::GenesisAgain),
            _ if self.height() >= blocks => None,
            _ => Some(Self::Block(self.height() + 1)),
        }
    }
}

impl Generator {
    /// A stream as `settings` say; empty where they ask for 0 blocks.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            rng: Rng::with_seed(settings.seed),
            settings,
            next: (settings.blocks > 0).then_some(Emission::Genesis),
            ready: Vec::new().into_iter(),
            file_sequence: 0,
        }
    }

    /// The events of one emission.
    fn emit(&mut self, emission: Emission) -> Vec<RecordedEvent> {
        let mut drafts = match emission {
            Emission::Genesis => block::genesis(&mut self.rng),
            Emission::GenesisAgain => block::genesis_again(&mut self.rng),
            Emission::Block(2) => block::alternating(&mut self.rng),
            Emission::Block(_) => block::ordinary(&mut self.rng),
        };
        if self.next.is_none() && self.settings.unfinished_last_block {
            drafts.truncate(1);
        }
        let block = block::hash(&mut self.rng);
        (1..).zip(drafts).map(|(order, draft)| self.event(emission.height(), order, block, draft)).collect()
    }

    fn event(&mut self, height: u64, order: u32, block: [u8; 32], draft: Draft) -> RecordedEvent {
        let Draft { kind, transaction, bytes } = draft;
        self.file_sequence += 1;
        let mut event = RecordedEvent {
            file_sequence: self.file_sequence,
            height,
            order,
            block,
            tx_hash: transaction.unwrap_or(block),
            kind,
            version: 1,
            chain_id: CHAIN_ID.to_owned(),
            encoded: Vec::new(),
        };
        event.encoded = encode::encode(&event, bytes, &mut self.rng);
        event
    }
}

impl Iterator for Generator {
    type Item = RecordedEvent;

    fn next(&mut self) -> Option<RecordedEvent> {
        if let Some(event) = self.ready.next() {
            return Some(event);
        }
        let emission = self.next?;
        self.next = emission.after(self.settings.blocks);
        self.ready = self.emit(emission).into_iter();
        self.ready.next()
    }
}

impl FusedIterator for Generator {}
