//! What several tests need.
#![allow(dead_code, reason = "each test file uses a part")]

use prost::Message;
use recorded::{Generator, ReadError, Reader, RecordedEvent, Settings, write_framed};

/// The fields of `BusEvent` that every event has, each of which a test may spoil.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BusEvent {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) block: String,
    #[prost(int64, tag = "3")]
    pub(crate) kind: i64,
    #[prost(uint32, tag = "4")]
    pub(crate) version: u32,
    #[prost(string, tag = "5")]
    pub(crate) chain_id: String,
    #[prost(string, tag = "6")]
    pub(crate) tx_hash: String,
}

impl BusEvent {
    /// One that can be read: height 7, order 3, kind 12, version 4, block AA.., transaction bb...
    pub(crate) fn sound() -> Self {
        Self {
            id: "7-3".to_owned(),
            block: "AA".repeat(32),
            kind: 12,
            version: 4,
            chain_id: "net-5".to_owned(),
            tx_hash: "bb".repeat(32),
        }
    }
}

/// A frame, as the data's description has it.
pub(crate) fn frame(file_sequence: u64, message: &[u8]) -> Vec<u8> {
    let size = u32::try_from(8 + message.len()).unwrap();
    [&size.to_be_bytes()[..], &file_sequence.to_be_bytes(), message].concat()
}

pub(crate) fn generate(seed: u64, blocks: u64) -> Vec<RecordedEvent> {
    Generator::new(Settings { seed, blocks, ..Settings::default() }).collect()
}

pub(crate) fn framed(events: &[RecordedEvent]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_framed(&mut bytes, events).unwrap();
    bytes
}

/// The events before the first error, and the error. Checks that the iterator has ended.
pub(crate) fn read(bytes: &[u8]) -> (Vec<RecordedEvent>, Option<ReadError>) {
    let mut reader = Reader::new(bytes);
    let mut events = Vec::new();
    let mut error = None;
    for result in reader.by_ref() {
        assert!(error.is_none(), "an item after {error:?}");
        match result {
            Ok(event) => events.push(event),
            Err(first) => error = Some(first),
        }
    }
    assert!(reader.next().is_none(), "an item after the end");
    (events, error)
}

/// Figures of a stream, counted as the data's description counts them.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) events: usize,
    pub(crate) heights: usize,
    pub(crate) kinds: usize,
    pub(crate) transactions: usize,
    pub(crate) caused: usize,
    /// Events a height, ascending.
    pub(crate) per_height: Vec<usize>,
    /// Lengths of `encoded`, ascending.
    pub(crate) bytes: Vec<usize>,
    /// Events a transaction, ascending.
    pub(crate) per_transaction: Vec<usize>,
}

impl Figures {
    pub(crate) fn of(events: &[RecordedEvent]) -> Self {
        use std::collections::{BTreeMap, BTreeSet};
        let mut per_height = BTreeMap::new();
        let mut per_transaction = BTreeMap::new();
        for event in events {
            *per_height.entry(event.height).or_insert(0) += 1;
            if event.caused_by_transaction() {
                *per_transaction.entry(event.tx_hash).or_insert(0) += 1;
            }
        }
        let ascending = |values: &mut dyn Iterator<Item = usize>| {
            let mut values: Vec<usize> = values.collect();
            values.sort_unstable();
            values
        };
        Self {
            events: events.len(),
            heights: per_height.len(),
            kinds: events.iter().map(|event| event.kind).collect::<BTreeSet<_>>().len(),
            transactions: per_transaction.len(),
            caused: per_transaction.values().sum(),
            per_height: ascending(&mut per_height.values().copied()),
            bytes: ascending(&mut events.iter().map(|event| event.encoded.len())),
            per_transaction: ascending(&mut per_transaction.values().copied()),
        }
    }

    pub(crate) fn mean_bytes(&self) -> f64 {
        self.bytes.iter().sum::<usize>() as f64 / self.events as f64
    }
}

/// The value that `permille` of 1,000 are at or below, more or less.
pub(crate) fn quantile(ascending: &[usize], permille: usize) -> usize {
    ascending[ascending.len() * permille / 1_000]
}

pub(crate) fn count(events: &[RecordedEvent], kind: u16) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}
