//! Events: what goes in comes out, in 64 bytes, and reads well.

use exchange::{Event, Header, Kind, Payload, Reason, Side, Trade};

/// One payload of each kind, each field another number, with its kind and how it reads.
fn samples() -> [(Payload, Kind, &'static str); 13] {
    let (account, market, side, order, size) = (1, 2, Side::Sell, 3, 4);
    let trade = Trade { market, side, taker: 5, maker: 6, maker_order: 7, price: 8_0000, size: 9, fee: 10 };
    let limit = Some(995_000);
    [
        (Payload::BeginBlock { timestamp: 11 }, Kind::BeginBlock, "begin block at 11 ns"),
        (
            Payload::Accepted { account, market, side, limit, size },
            Kind::Accepted,
            "accepted: account 1, market 2, sell 4 at 99.5000",
        ),
        (
            Payload::Accepted { account, market, side, limit: None, size },
            Kind::Accepted,
            "accepted: account 1, market 2, sell 4 at market",
        ),
        (
            Payload::Rejected { account, market, side, limit, size, reason: Reason::PositionLimit },
            Kind::Rejected,
            "rejected (position limit): account 1, market 2, sell 4 at 99.5000",
        ),
        (
            Payload::Trade(trade),
            Kind::Trade,
            "trade: market 2, sell 9 at 8.0000, taker 5, maker 6 (order 7), fee 0.0010",
        ),
        (
            Payload::Cancelled { account, market, side, order, size, reason: Reason::SelfTrade },
            Kind::Cancelled,
            "cancelled (self trade): account 1, market 2, order 3, sell 4",
        ),
        (
            Payload::CancelRejected { account, market, order, reason: Reason::NotOwner },
            Kind::CancelRejected,
            "cancel rejected (not the owner): account 1, market 2, order 3",
        ),
        (
            Payload::Position { account, market, net: -12, cost: -13 },
            Kind::Position,
            "position: account 1, market 2, net -12, cost -0.0013",
        ),
        (Payload::Balance { account, balance: -140_000 }, Kind::Balance, "balance: account 1, -14.0000"),
        (Payload::Result { rejected: None, events: 15 }, Kind::Result, "result: done, 15 events"),
        (
            Payload::Result { rejected: Some(Reason::UnknownOrder), events: 2 },
            Kind::Result,
            "result: rejected (unknown order), 2 events",
        ),
        (Payload::MarkPrice { market, price: 16 }, Kind::MarkPrice, "mark price: market 2, 0.0016"),
        (
            Payload::EndBlock { events: u32::MAX, state_hash: u64::MAX - 17 },
            Kind::EndBlock,
            "end block: 4294967295 events, state ffffffffffffffee",
        ),
    ]
}

#[test]
fn what_goes_in_comes_out_and_reads_well() {
    let header = Header { block: u64::MAX, trace: u64::MAX - 1, number: u32::MAX };
    for (payload, kind, text) in samples() {
        let event = Event::new(header, payload);
        assert_eq!((event.header(), event.kind(), event.payload()), (header, kind, payload));
        let header = "18446744073709551615-4294967295 [18446744073709551614]";
        assert_eq!(event.to_string(), format!("{header}: {text}"));
    }
}

#[test]
fn the_bytes_of_a_trade() {
    let (payload, ..) = samples()[4];
    let event = Event::new(Header { block: 21, trace: 22, number: 23 }, payload);
    let bytes: &[u8] = bytemuck::bytes_of(&event);
    assert_eq!(bytes.len(), 64);
    let words: Vec<u64> = bytes.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    // Number; kind 3, market 2, side 1, no reason. Taker, maker.
    let third = 23 | 3 << 32 | 2 << 40 | 1 << 48;
    assert_eq!(words, [21, 22, third, 5 | 6 << 32, 80_000, 9, 10, 7]);
}
