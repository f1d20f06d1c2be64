//! What a plain scan of the file says of its transactions and blocks.

use std::collections::BTreeMap;
use std::ops::Range;

use recorded::{RecordedEvent, kind};

/// Where in the file the events of each transaction and of each block stand.
#[derive(Debug)]
pub(crate) struct Scan {
    /// By hash. The places need not be contiguous.
    pub(crate) transactions: BTreeMap<[u8; 32], Vec<usize>>,
    /// By height, all emissions.
    pub(crate) blocks: BTreeMap<u64, Vec<Emission>>,
}

/// One emission of a block.
#[derive(Clone, Debug)]
pub(crate) struct Emission {
    pub(crate) hash: [u8; 32],
    pub(crate) places: Range<usize>,
    /// A file may begin in the middle of a block.
    pub(crate) begins: bool,
    /// And it may end in the middle of one.
    pub(crate) ends: bool,
}

impl Scan {
    pub(crate) fn of(events: &[RecordedEvent]) -> Self {
        let mut scan = Self { transactions: BTreeMap::new(), blocks: BTreeMap::new() };
        for (place, event) in events.iter().enumerate() {
            if event.caused_by_transaction() {
                scan.transactions.entry(event.tx_hash).or_default().push(place);
            }
        }
        let mut first = 0;
        for emission in events.chunk_by(|a, b| a.block == b.block) {
            let behind = first + emission.len();
            scan.blocks.entry(emission[0].height).or_default().push(Emission {
                hash: emission[0].block,
                places: first..behind,
                begins: emission[0].kind == kind::BEGIN_BLOCK,
                ends: emission[emission.len() - 1].kind == kind::END_BLOCK,
            });
            first = behind;
        }
        scan
    }

    /// How many events the transactions caused.
    pub(crate) fn caused(&self) -> usize {
        self.transactions.values().map(Vec::len).sum()
    }

    /// The emissions, in the order of their heights.
    pub(crate) fn emissions(&self) -> impl Iterator<Item = &Emission> {
        self.blocks.values().flatten()
    }
}

impl Emission {
    /// Whether its first and last events are there.
    pub(crate) fn is_whole(&self) -> bool {
        self.begins && self.ends
    }

    /// Whether those who see nothing but the records know its hash.
    pub(crate) fn tells_its_hash(&self) -> bool {
        self.begins || self.ends
    }
}
