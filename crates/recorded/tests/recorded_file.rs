//! The figures of the recorded file, read where `RINGBUS_RECORDED_EVENTS` names it; passed where it does not.

mod common;

use common::{Figures, count, quantile};
use recorded::{Reader, RecordedEvent, kind};

/// Every event of the recorded file; `None`, said on standard error, where the variable is unset.
fn recorded() -> Option<Vec<RecordedEvent>> {
    let Some(path) = std::env::var_os("RINGBUS_RECORDED_EVENTS").filter(|path| !path.is_empty()) else {
        eprintln!("passed without a check: RINGBUS_RECORDED_EVENTS does not name the recorded file");
        return None;
    };
    let reader = Reader::open(path).unwrap_or_else(|error| panic!("{error}"));
    Some(reader.map(|event| event.unwrap_or_else(|error| panic!("{error}"))).collect())
}

#[test]
fn the_recorded_file_has_its_figures() {
    let Some(events) = recorded() else { return };
    let figures = Figures::of(&events);
    assert_eq!(figures.events, 31_837);
    assert_eq!((events[0].file_sequence, events[31_836].file_sequence), (1, 31_837));
    assert!(events.iter().all(|event| (event.version, &*event.chain_id) == (1, "testnet-001")));
    assert_eq!(figures.heights, 5_002);
    assert_eq!(figures.kinds, 44);
    assert_eq!(figures.transactions, 315);
    assert_eq!(figures.caused, 2_181);
    for (kind, expected) in [
        (kind::MARKET_DATA, 5_110),
        (kind::BEGIN_BLOCK, 5_003),
        (kind::TIME_UPDATE, 5_002),
        (kind::END_BLOCK, 5_002),
        (kind::MARKET_TICK, 4_553),
        (kind::AUCTION, 1_134),
        (kind::ACCOUNT, 788),
    ] {
        assert_eq!(count(&events, kind), expected, "kind {kind}");
    }
    let of_1000 = |values: &[usize], permilles: &[usize]| -> Vec<usize> {
        permilles.iter().map(|&permille| quantile(values, permille)).collect()
    };
    assert_eq!((figures.bytes[0], figures.bytes[31_836]), (159, 3_622));
    assert_eq!(of_1000(&figures.bytes, &[500, 900, 990, 999]), [238, 539, 820, 1_424]);
    assert_eq!(figures.bytes.iter().filter(|&&bytes| bytes < 180).count(), 10_026);
    assert!((figures.mean_bytes() - 288.6).abs() < 0.05, "{}", figures.mean_bytes());
    assert_eq!(of_1000(&figures.per_height, &[500, 900, 990]), [5, 9, 26]);
    assert_eq!(figures.per_height[5_001], 258);
    assert_eq!(of_1000(&figures.per_transaction, &[500, 900]), [2, 15]);
    assert_eq!(figures.per_transaction[314], 40);
}

#[test]
fn the_recorded_file_has_the_traps_that_the_generator_copies() {
    let Some(events) = recorded() else { return };
    let emissions: Vec<&[RecordedEvent]> = events.chunk_by(|a, b| a.block == b.block).collect();
    assert_eq!(emissions.len(), 5_003);
    assert_eq!(emissions[..2].iter().map(|emission| emission.len()).collect::<Vec<_>>(), [253, 5]);
    assert!(events[..258].iter().all(|event| event.height == 1));
    for (emission, number) in emissions.iter().zip(0..) {
        assert_eq!(emission[0].height, u64::max(number, 1));
        assert_eq!(emission[0].kind, kind::BEGIN_BLOCK);
        for (order, event) in (1..).zip(*emission) {
            assert_eq!((event.height, event.order), (emission[0].height, order));
        }
    }
    // The recording ends inside its last block.
    let [finished @ .., last] = &emissions[..] else { panic!("no emission") };
    assert!(finished.iter().all(|emission| emission[1].kind == kind::TIME_UPDATE));
    assert!(finished.iter().all(|emission| emission[emission.len() - 1].kind == kind::END_BLOCK));
    assert_eq!(last.len(), 1);
}
