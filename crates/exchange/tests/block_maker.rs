//! Cores that are made again.

use exchange::events::Exchange;
use exchange::{BlockMaker, Settings};
use ringbus::bus::{Bus, Header, OwnedRecord};

/// What the next blocks say.
fn said(maker: &mut BlockMaker, blocks: u64) -> Vec<OwnedRecord> {
    let (mut writer, bus) = Bus::<64>::builder("exchange").schema(Exchange::schema()).build().unwrap();
    let mut subscription = bus.subscribe("all").required().join().unwrap();
    let mut records = Vec::new();
    for _ in 0..blocks {
        maker.make_block(&mut writer).unwrap();
        subscription.poll(|record| records.push(OwnedRecord::from(record))).unwrap();
    }
    writer.close().unwrap();
    subscription.leave();
    records
}

fn plain(records: &[OwnedRecord]) -> Vec<(Header, Vec<u8>)> {
    records.iter().map(|record| (*record.record().header(), record.record().payload().to_vec())).collect()
}

#[test]
fn a_core_that_was_made_again_goes_on_as_if_nothing_had_happened() {
    let settings = Settings { accounts: 16, ..Settings::default() };
    let fresh = || BlockMaker::new(&settings, 5, 40).unwrap();
    let mut first = fresh();
    for height in [0, 1, 2, 60] {
        first.rebuild_to(height);
        let (mut uninterrupted, mut again) = (first.clone(), fresh());
        again.rebuild_to(height);
        assert_eq!(again.core().height(), height);
        assert_eq!(again.core().state_hash(), first.core().state_hash());
        let expected = said(&mut uninterrupted, 5);
        assert!(expected.len() > 500, "{}", expected.len());
        assert_eq!(plain(&said(&mut again, 5)), plain(&expected));
        assert_eq!(again.core().state_hash(), uninterrupted.core().state_hash());
        assert_eq!((again.core().height(), again.transactions()), (height + 5, (height + 5) * 40));
    }
}

#[test]
fn rebuilding_is_the_same_as_saying_it() {
    let settings = Settings::default();
    let (mut rebuilt, mut live) =
        (BlockMaker::new(&settings, 1, 50).unwrap(), BlockMaker::new(&settings, 1, 50).unwrap());
    said(&mut live, 80);
    rebuilt.rebuild_to(80);
    assert_eq!(rebuilt.core().state_hash(), live.core().state_hash());
    // It is there.
    rebuilt.rebuild_to(3);
    assert_eq!(rebuilt.core().height(), 80);
}
