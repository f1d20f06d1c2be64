//! What one emission of a block holds.

use std::collections::VecDeque;

use fastrand::Rng;

use super::kinds::{self, Shape};
use crate::kind;

/// Events of block 1's first emission: more than any later block has.
const GENESIS_EVENTS: usize = 253;

/// Events of block 1's second emission.
const GENESIS_AGAIN_EVENTS: usize = 5;

/// The most that a block from 2 on has: events without a transaction, transactions, events of one transaction.
const MOST_UNCAUSED: usize = 40;
const MOST_TRANSACTIONS: usize = 4;
const MOST_CAUSED: usize = 40;

const _: () = assert!(
    3 + MOST_UNCAUSED + MOST_TRANSACTIONS * MOST_CAUSED < GENESIS_EVENTS,
    "block 1's first emission must be the largest"
);

/// An event, before its place and its bytes are known.
pub(super) struct Draft {
    pub(super) kind: u16,
    /// The hash of the transaction that caused it.
    pub(super) transaction: Option<[u8; 32]>,
    /// Length of its message, in bytes.
    pub(super) bytes: usize,
}

fn draft(rng: &mut Rng, shape: &Shape, transaction: Option<[u8; 32]>) -> Draft {
    Draft { kind: shape.kind, transaction, bytes: shape.bytes(rng) }
}

/// `count` events that no transaction caused.
fn drafts(rng: &mut Rng, shapes: &[Shape], count: usize) -> Vec<Draft> {
    (0..count)
        .map(|_| {
            let shape = kinds::pick(rng, shapes);
            draft(rng, shape, None)
        })
        .collect()
}

/// A random hash.
pub(super) fn hash(rng: &mut Rng) -> [u8; 32] {
    let mut hash = [0; 32];
    rng.fill(&mut hash);
    hash
}

/// Puts what every block has around `body`.
fn block(rng: &mut Rng, body: Vec<Draft>) -> Vec<Draft> {
    let mut drafts = vec![draft(rng, &kinds::BEGIN_BLOCK, None), draft(rng, &kinds::TIME_UPDATE, None)];
    drafts.extend(body);
    drafts.push(draft(rng, &kinds::END_BLOCK, None));
    drafts
}

/// Block 1: the network is set up, and one event is the longest of the stream.
pub(super) fn genesis(rng: &mut Rng) -> Vec<Draft> {
    let mut body = drafts(rng, kinds::SETUP, GENESIS_EVENTS - 4);
    body.push(Draft { kind: kind::LEDGER_MOVEMENTS, transaction: None, bytes: kinds::LONGEST_BYTES });
    block(rng, body)
}

/// Block 1 again, with other events.
pub(super) fn genesis_again(rng: &mut Rng) -> Vec<Draft> {
    let body = drafts(rng, kinds::SETUP, GENESIS_AGAIN_EVENTS - 3);
    block(rng, body)
}

/// A block with two transactions of three events each, that alternate.
pub(super) fn alternating(rng: &mut Rng) -> Vec<Draft> {
    let (first, second) = (transaction(rng, 3), transaction(rng, 3));
    let body = first.into_iter().zip(second).flat_map(<[Draft; 2]>::from).collect();
    block(rng, body)
}

/// Any other block: mostly without a transaction, mostly small.
pub(super) fn ordinary(rng: &mut Rng) -> Vec<Draft> {
    let uncaused = match rng.u32(0..1_000) {
        0..180 => 0,
        180..560 => rng.usize(1..=2),
        560..890 => rng.usize(3..=5),
        890..991 => rng.usize(6..=10),
        _ => rng.usize(11..=MOST_UNCAUSED),
    };
    let transactions = match rng.u32(0..1_000) {
        0..949 => 0,
        949..993 => 1,
        _ => rng.usize(2..=MOST_TRANSACTIONS),
    };
    let mut sources = vec![drafts(rng, kinds::ORDINARY, uncaused)];
    for _ in 0..transactions {
        let events = match rng.u32(0..100) {
            0..18 => 1,
            18..54 => 2,
            54..90 => rng.usize(3..=14),
            _ => rng.usize(15..=MOST_CAUSED),
        };
        sources.push(transaction(rng, events));
    }
    let body = interleave(rng, sources);
    block(rng, body)
}

/// A transaction that causes `events` events, the last of them its result.
fn transaction(rng: &mut Rng, events: usize) -> Vec<Draft> {
    let hash = Some(hash(rng));
    let mut drafts: Vec<Draft> = (1..events)
        .map(|_| {
            let shape = kinds::pick(rng, kinds::CAUSED);
            draft(rng, shape, hash)
        })
        .collect();
    let failed = rng.u32(0..100) < 8;
    let result = if failed { kinds::TRANSACTION_ERROR } else { kinds::TRANSACTION_RESULT };
    drafts.push(draft(rng, &result, hash));
    drafts
}

/// Merges `sources` at random, each in its own order, all merges being equally likely.
fn interleave(rng: &mut Rng, sources: Vec<Vec<Draft>>) -> Vec<Draft> {
    // The place of each draft names the source it comes from.
    let mut places: Vec<usize> =
        sources.iter().enumerate().flat_map(|(source, drafts)| vec![source; drafts.len()]).collect();
    rng.shuffle(&mut places);
    let mut sources: Vec<VecDeque<Draft>> = sources.into_iter().map(VecDeque::from).collect();
    places.into_iter().filter_map(|source| sources[source].pop_front()).collect()
}
