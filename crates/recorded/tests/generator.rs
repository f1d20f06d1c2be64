//! The generated stream has a recording's shape and each of its traps.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use common::{Figures, count, generate, quantile};
use recorded::{Generator, RecordedEvent, Settings, kind};

/// The emissions of a stream: runs of events of one block hash.
fn emissions(events: &[RecordedEvent]) -> Vec<&[RecordedEvent]> {
    events.chunk_by(|a, b| a.block == b.block).collect()
}

#[test]
fn the_same_settings_give_the_same_stream_and_another_seed_another() {
    let events = generate(5, 50);
    assert_eq!(generate(5, 50), events);
    assert_ne!(generate(6, 50), events);
    // More blocks continue the stream of fewer.
    assert_eq!(generate(5, 60)[..events.len()], events);
}

#[test]
fn no_blocks_no_events() {
    let mut none = Generator::new(Settings { blocks: 0, ..Settings::default() });
    assert_eq!(none.next(), None);
    assert_eq!(none.next(), None);
}

#[test]
fn file_sequences_and_orders_have_no_gap() {
    let events = generate(1, 300);
    for (sequence, event) in (1..).zip(&events) {
        assert_eq!(event.file_sequence, sequence);
    }
    let emissions = emissions(&events);
    assert_eq!(emissions.len(), 301);
    let heights: Vec<u64> = emissions.iter().map(|emission| emission[0].height).collect();
    assert_eq!(heights, [1].into_iter().chain(1..=300).collect::<Vec<_>>());
    for emission in emissions {
        for (order, event) in (1..).zip(emission) {
            assert_eq!((event.height, event.order), (emission[0].height, order));
        }
    }
}

#[test]
fn block_1_is_emitted_twice_in_a_row_with_the_same_keys_and_other_events() {
    for blocks in [1, 2, 10] {
        let events = generate(1, blocks);
        let [first, second, ..] = emissions(&events)[..] else { panic!("fewer than two emissions") };
        assert_eq!((first.len(), second.len()), (253, 5));
        assert!(first.iter().chain(second).all(|event| event.height == 1));
        assert!(events[258..].iter().all(|event| event.height > 1));
        for (a, b) in first.iter().zip(second) {
            assert_eq!((a.height, a.order), (b.height, b.order));
            assert_ne!(a.block, b.block);
            assert_ne!(a.encoded, b.encoded);
        }
        let keys: HashSet<_> = events.iter().map(|event| (event.height, event.order)).collect();
        assert_eq!(keys.len(), events.len() - 5);
        let keys: HashSet<_> = events.iter().map(|event| (event.block, event.order)).collect();
        assert_eq!(keys.len(), events.len());
    }
}

#[test]
fn block_1_is_the_largest() {
    for seed in 0..5 {
        let figures = Figures::of(&generate(seed, 3_000));
        let [.., second, largest] = figures.per_height[..] else { panic!("fewer than two blocks") };
        assert_eq!(largest, 258);
        assert!(second <= 203, "{second}");
    }
}

#[test]
fn every_block_begins_tells_the_time_and_ends() {
    let events = generate(1, 1_000);
    for emission in emissions(&events) {
        assert_eq!(emission[0].kind, kind::BEGIN_BLOCK);
        assert_eq!(emission[1].kind, kind::TIME_UPDATE);
        assert_eq!(emission[emission.len() - 1].kind, kind::END_BLOCK);
    }
    for kind in [kind::BEGIN_BLOCK, kind::TIME_UPDATE, kind::END_BLOCK] {
        assert_eq!(count(&events, kind), 1_001);
    }
}

#[test]
fn an_unfinished_last_block_has_its_begin_alone() {
    for blocks in [1, 2, 30] {
        let whole = generate(3, blocks);
        let cut: Vec<_> = Generator::new(Settings { seed: 3, blocks, unfinished_last_block: true }).collect();
        let last = emissions(&whole)[usize::try_from(blocks).unwrap()];
        assert_eq!(cut.len(), whole.len() - last.len() + 1);
        assert_eq!(cut[cut.len() - 1].kind, kind::BEGIN_BLOCK);
        assert_eq!(cut[cut.len() - 1].height, blocks);
        assert_eq!(cut[..cut.len() - 1], whole[..cut.len() - 1]);
        assert_eq!(emissions(&cut).len(), emissions(&whole).len());
    }
}

#[test]
fn two_transactions_alternate_in_block_2() {
    for seed in 0..20 {
        let events = generate(seed, 2);
        let block = &events[258..];
        assert_eq!(block.len(), 9);
        let caused: Vec<_> = block.iter().map(RecordedEvent::caused_by_transaction).collect();
        assert_eq!(caused, [false, false, true, true, true, true, true, true, false]);
        let (a, b) = (block[2].tx_hash, block[3].tx_hash);
        assert_ne!(a, b);
        assert_eq!(block[2..8].iter().map(|event| event.tx_hash).collect::<Vec<_>>(), [a, b, a, b, a, b]);
    }
}

#[test]
fn transactions_stay_in_their_block_and_end_with_a_result_but_are_not_contiguous() {
    let events = generate(1, 5_002);
    let mut places: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        if event.caused_by_transaction() {
            places.entry(event.tx_hash).or_default().push(place);
        }
    }
    let mut scattered = 0;
    let mut among_others = 0;
    for (tx_hash, places) in &places {
        let (first, last) = (places[0], places[places.len() - 1]);
        assert!(places.iter().all(|&place| events[place].block == events[first].block));
        for &place in places {
            let result = [kind::TRANSACTION_RESULT, kind::TRANSACTION_ERROR].contains(&events[place].kind);
            assert_eq!(result, place == last);
        }
        let span = &events[first..=last];
        scattered += usize::from(span.len() > places.len());
        among_others +=
            usize::from(span.iter().any(|event| event.caused_by_transaction() && event.tx_hash != *tx_hash));
    }
    assert!(scattered * 4 > places.len(), "{scattered} of {} transactions are scattered", places.len());
    assert!(among_others >= 20, "{among_others} transactions lie among others");
}

#[test]
fn figures_come_near_the_recorded_ones() {
    for seed in 0..5 {
        let events = generate(seed, 5_002);
        let figures = Figures::of(&events);
        let near = |what: &str, found: f64, expected: f64, tolerance: f64| {
            assert!(
                (found - expected).abs() <= tolerance,
                "seed {seed}: {what} {found}, expected {expected} ± {tolerance}"
            );
        };
        assert_eq!(figures.heights, 5_002);
        assert_eq!(figures.kinds, 44);
        near("events", figures.events as f64, 31_837.0, 1_500.0);
        near("transactions", figures.transactions as f64, 315.0, 60.0);
        near("caused", figures.caused as f64, 2_181.0, 600.0);
        near("events a block, p50", quantile(&figures.per_height, 500) as f64, 5.0, 0.0);
        near("events a block, p90", quantile(&figures.per_height, 900) as f64, 9.0, 1.0);
        near("events a block, p99", quantile(&figures.per_height, 990) as f64, 26.0, 8.0);
        near("events a transaction, p50", quantile(&figures.per_transaction, 500) as f64, 2.0, 1.0);
        near("events a transaction, p90", quantile(&figures.per_transaction, 900) as f64, 15.0, 8.0);
        near("bytes, mean", figures.mean_bytes(), 288.6, 10.0);
        near("bytes, p50", quantile(&figures.bytes, 500) as f64, 238.0, 5.0);
        near("bytes, p90", quantile(&figures.bytes, 900) as f64, 539.0, 10.0);
        near("bytes, p99", quantile(&figures.bytes, 990) as f64, 820.0, 130.0);
        near("bytes, p99.9", quantile(&figures.bytes, 999) as f64, 1_424.0, 500.0);
        let below_180 = figures.bytes.iter().filter(|&&bytes| bytes < 180).count();
        near("share below 180 bytes", below_180 as f64 / figures.events as f64, 0.315, 0.02);
        near("bytes, min", figures.bytes[0] as f64, 159.0, 4.0);
        assert_eq!(figures.bytes[figures.events - 1], 4_000);
        near("market data", count(&events, kind::MARKET_DATA) as f64, 5_110.0, 250.0);
        near("market ticks", count(&events, kind::MARKET_TICK) as f64, 4_553.0, 400.0);
        near("auctions", count(&events, kind::AUCTION) as f64, 1_134.0, 150.0);
        near("accounts", count(&events, kind::ACCOUNT) as f64, 788.0, 250.0);
    }
}

#[test]
fn three_thousand_blocks_have_44_kinds_with_all_that_have_a_name() {
    for seed in 0..10 {
        let kinds: BTreeSet<u16> = generate(seed, 3_000).iter().map(|event| event.kind).collect();
        assert_eq!(kinds.len(), 44, "seed {seed}");
        assert!(kinds.iter().all(|&kind| kind < 256));
        for named in [2, 3, 5, 6, 8, 9, 12, 19, 20, 21, 22, 46, 49, 50, 53, 201] {
            assert!(kinds.contains(&named), "seed {seed}: no kind {named}");
        }
    }
}

#[test]
fn a_payload_longer_than_any_usual_slot_comes_early() {
    let events = generate(1, 1);
    let longest: Vec<_> = events.iter().filter(|event| event.encoded.len() == 4_000).collect();
    assert_eq!(longest.len(), 1);
    assert_eq!((longest[0].order, longest[0].kind), (252, kind::LEDGER_MOVEMENTS));
}

#[test]
fn hashes_of_blocks_differ() {
    let events = generate(1, 500);
    let mut heights: HashMap<[u8; 32], u64> = HashMap::new();
    for emission in emissions(&events) {
        assert_eq!(heights.insert(emission[0].block, emission[0].height), None);
    }
    assert_eq!(heights.len(), 501);
}
