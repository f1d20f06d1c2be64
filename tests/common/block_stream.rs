//! Random streams of blocks, and what a subscription is told of them: made up by hand, without a bus.
//!
//! They have what real streams have: heights that repeat, transactions whose events are not contiguous, payloads of several
//! fragments. And what happens to subscriptions: they join in the middle, lose some, filter some out, and end inside a block.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::{Flags, Hash, Header, Kind, RecordRef, Subscriber};

/// The number of the stream's first sequence.
pub(crate) const FIRST: u64 = 100;

/// The payload of a slot, bytes.
pub(crate) const SLOT: usize = 64;

/// Traces 1 to so many are transactions of a block; 0 is the block itself.
pub(crate) const TRANSACTIONS: u8 = 3;

/// An event of the stream, whether the subscription gets it or not.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) sequence: u64,
    /// The first sequence behind its last fragment.
    pub(crate) end: u64,
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    /// Which block of the stream it stands in, counted from 0: heights may repeat.
    pub(crate) emission: usize,
    /// Whether the subscription's filter lets it pass.
    pub(crate) passes: bool,
    /// Whether it is never handed out: from before the subscription joined, or missed, or let pass.
    pub(crate) unseen: bool,
}

impl Event {
    pub(crate) fn record(&self) -> RecordRef<'_> {
        RecordRef::new(Sequence::new(self.sequence), &self.header, &self.payload)
    }

    pub(crate) fn begins(&self) -> bool {
        self.header.flags.has(Flags::BEGINS_BLOCK)
    }

    pub(crate) fn ends(&self) -> bool {
        self.header.flags.has(Flags::ENDS_BLOCK)
    }
}

/// What a subscription is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told<'a> {
    BlockBegun(&'a Event),
    Record(&'a Event),
    BlockEnded(&'a Event),
    Missed { first: u64, count: u64 },
    LetPass { first: u64, count: u64 },
}

impl Told<'_> {
    pub(crate) fn tell<S: Subscriber<Error: Debug>>(&self, subscriber: &mut S) {
        let answer = match *self {
            Self::BlockBegun(event) => subscriber.block_begun(&event.header),
            Self::Record(event) => subscriber.record(event.record()),
            Self::BlockEnded(event) => subscriber.block_ended(&event.header),
            Self::Missed { first, count } => subscriber.lagged(count, Sequence::new(first + count)),
            Self::LetPass { count, .. } => subscriber.resumed(count),
        };
        answer.expect("there is nothing to fail");
    }
}

/// A stream, and a subscription to it.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) events: Vec<Event>,
    /// How many of the first events were published before the subscription joined.
    joined: usize,
    is_paused_not_slow: bool,
}

impl Stream {
    /// Where the subscription starts.
    pub(crate) fn start(&self) -> Sequence {
        let before = self.events[..self.joined].last();
        Sequence::new(before.map_or(FIRST, |event| event.end))
    }

    pub(crate) fn told(&self) -> Vec<Told<'_>> {
        let mut told = Vec::new();
        let mut lost = None;
        for event in &self.events[self.joined..] {
            if event.unseen {
                lost.get_or_insert(event.sequence);
                continue;
            }
            if let Some(first) = lost.take() {
                let count = event.sequence - first;
                told.push(if self.is_paused_not_slow {
                    Told::LetPass { first, count }
                } else {
                    Told::Missed { first, count }
                });
            }
            if event.begins() {
                told.push(Told::BlockBegun(event));
            }
            if event.passes {
                told.push(Told::Record(event));
            }
            if event.ends() {
                told.push(Told::BlockEnded(event));
            }
        }
        told
    }
}

/// The hash of a block.
pub(crate) fn block_hash(emission: usize) -> Hash {
    let mut bytes = [0xB0; 32];
    bytes[1] = emission as u8;
    Hash::new(bytes)
}

/// The hash of a transaction. A block that is emitted again may cause the same ones again.
pub(crate) fn transaction_hash(height: u64, number: u8) -> Hash {
    let mut bytes = [number; 32];
    bytes[1] = height as u8;
    Hash::new(bytes)
}

#[derive(Clone, Debug)]
struct Block {
    is_repeated: bool,
    transactions_end: bool,
    /// Trace, bytes of payload, whether it passes the filter.
    events: Vec<(u8, usize, bool)>,
}

fn block(filters: bool) -> impl Strategy<Value = Block> {
    let passes = if filters { prop::bool::weighted(0.7).boxed() } else { Just(true).boxed() };
    let events = vec((0..=TRANSACTIONS, 0..200_usize, passes), 2..9);
    (prop::bool::weighted(0.3), any::<bool>(), events)
        .prop_map(|(is_repeated, transactions_end, events)| Block { is_repeated, transactions_end, events })
}

/// Streams of a few blocks. `filters`: whether the subscription has a filter.
pub(crate) fn streams(filters: bool) -> impl Strategy<Value = Stream> {
    let blocks = vec(block(filters), 1..6);
    let losses = vec((0..40_usize, 1..6_usize), 0..4);
    let joined = prop_oneof![2 => Just(0), 1 => 0..12_usize];
    let cut = prop_oneof![2 => Just(0), 1 => 0..4_usize];
    (blocks, losses, joined, cut, any::<bool>()).prop_map(
        |(blocks, losses, joined, cut, is_paused_not_slow)| {
            let mut events = published(&blocks);
            events.truncate(events.len() - cut.min(events.len() - 1));
            let joined = joined.min(events.len());
            for event in &mut events[..joined] {
                event.unseen = true;
            }
            for (at, count) in losses {
                for event in events.iter_mut().skip(at).take(count) {
                    event.unseen = true;
                }
            }
            Stream { events, joined, is_paused_not_slow }
        },
    )
}

fn published(blocks: &[Block]) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut height, mut sequence) = (0, FIRST);
    for (emission, block) in blocks.iter().enumerate() {
        height += u64::from(emission == 0 || !block.is_repeated);
        for (index, &(trace, bytes, passes)) in block.events.iter().enumerate() {
            let is_last_of_trace = block.events[index + 1..].iter().all(|other| other.0 != trace);
            let flags = match index {
                0 => Flags::BEGINS_BLOCK,
                _ if index + 1 == block.events.len() => Flags::ENDS_BLOCK,
                _ => Flags::NONE,
            };
            // A block begins and ends outside of transactions.
            let trace = if flags == Flags::NONE { trace } else { 0 };
            let ends_transaction = block.transactions_end && trace != 0 && is_last_of_trace;
            let header = Header {
                trace: if trace == 0 { block_hash(emission) } else { transaction_hash(height, trace) },
                block_time: emission as i64,
                block_height: height,
                order: index as u32 + 1,
                kind: if ends_transaction { Kind::TRANSACTION_ENDED } else { Kind::new(u16::from(trace)) },
                len: bytes.min(SLOT) as u16,
                flags,
                ..Header::default()
            };
            let end = sequence + bytes.div_ceil(SLOT).max(1) as u64;
            let payload = (0..bytes).map(|byte| (sequence as usize + byte) as u8).collect();
            events.push(Event { sequence, end, header, payload, emission, passes, unseen: false });
            sequence = end;
        }
    }
    events
}
