//! Events: how they lie in memory, how they read, and that nobody changes either by accident.

mod common;

use common::as_record;
use exchange::events::{Account, Exchange, Market, OrderRejected, Trade};
use exchange::{Money, Reason, Side};
use ringbus::bus::schema::Schema;
use ringbus::bus::{Emit, Origin, Payload, View};
use ringbus::testing::Recorder;

fn trade() -> Trade {
    Trade {
        taker_order: 1,
        maker_order: 2,
        price: Money::new(80_000),
        size: 9,
        fee: Money::new(10),
        taker: 5,
        maker: 6,
        market: 3,
        side: Side::SELL,
        ..Trade::default()
    }
}

#[test]
fn the_bytes_of_a_trade() {
    let trade = trade();
    let bytes: &[u8] = bytemuck::bytes_of(&trade);
    let words: Vec<u64> = bytes.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    // Taker, maker; market, side 2.
    assert_eq!(words, [1, 2, 80_000, 9, 10, 5 | 6 << 32, 3 | 2 << 16]);
}

#[test]
fn every_event_fits_into_a_slot_and_has_a_kind_below_256() {
    let events = Exchange::schema().events();
    assert_eq!(events.len(), 18);
    for event in events {
        assert!(event.size().is_some_and(|size| size <= 64) && event.kind().get() < 256, "{event:?}");
    }
}

/// Changes where an event changes: on purpose only, and with it the version of the schema.
#[test]
fn the_schema_has_its_fingerprint() {
    let schema = Exchange::schema();
    assert_eq!(schema.fingerprint().to_string(), "88ca516fac766b69");
    assert_eq!(Schema::decode(&schema.encode()).unwrap().fingerprint(), schema.fingerprint());
}

#[test]
fn events_read_well_without_their_code_and_views_find_what_they_have() {
    let mut bus = Recorder::new();
    bus.emit(Origin::default(), &trade()).unwrap();
    let rejected = OrderRejected {
        order: 1,
        limit: Money::new(-5),
        size: -6,
        account: 7,
        market: 8,
        side: Side::new(9),
        reason: Reason::POSITION_LIMIT,
    };
    bus.emit(Origin::default(), &rejected).unwrap();
    let schema = Schema::decode(&Exchange::schema().encode()).unwrap();
    let [trade, rejected] = bus.events() else { panic!("{bus:?}") };
    let look = |event| {
        as_record(event, |record| {
            (schema.display(&record).to_string(), Market::of(&record), Account::of(&record))
        })
    };
    let printed = "Trade { taker_order: 1, maker_order: 2, price: 8.0000, size: 9, fee: 0.0010, taker: 5, maker: 6, market: 3, \
                   side: SELL }";
    assert_eq!(look(trade), (printed.to_owned(), Some(3), None));
    let printed = "OrderRejected { order: 1, limit: -0.0005, size: -6, account: 7, market: 8, side: Side(9), reason: POSITION_LIMIT }";
    assert_eq!(look(rejected), (printed.to_owned(), Some(8), Some(7)));
    assert_eq!(Trade::KIND.get(), 6);
}
