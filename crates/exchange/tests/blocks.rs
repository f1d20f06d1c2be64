//! Blocks of a seeded flow: numbers, invariants, determinism, and following the trades.

mod common;

use std::collections::BTreeSet;

use common::{check_invariants, play};
use exchange::{
    BLOCK_INTERVAL, Core, Difference, Event, Kind, NO_TRACE, OrderFlow, Payload, Positions, Reason, SCALE,
    Settings, Trade, Transaction,
};

#[test]
fn invariants_hold_at_the_end_of_every_block() {
    for seed in 1..4 {
        play(seed, 300, |core, _| check_invariants(core, 64 * 250_000 * SCALE));
    }
}

#[test]
fn a_block_is_numbered_without_gaps_from_its_begin_to_its_end() {
    let mut height = 0;
    play(1, 200, |core, events| {
        height += 1;
        assert_eq!(core.height(), height);
        for (number, event) in (1..).zip(events) {
            assert_eq!((event.header().block, event.header().number), (height, number));
        }
        let [begin, .., end] = events else { panic!("{events:?}") };
        assert_eq!(begin.payload(), Payload::BeginBlock { timestamp: height * BLOCK_INTERVAL });
        let state_hash = core.state_hash();
        assert_eq!(end.payload(), Payload::EndBlock { events: events.len() as u32, state_hash });
        for kind in [Kind::BeginBlock, Kind::EndBlock] {
            assert_eq!(events.iter().filter(|event| event.kind() == kind).count(), 1);
        }
        let marks: Vec<_> = events[events.len() - 5..events.len() - 1].iter().map(Event::payload).collect();
        let expected =
            [0, 1, 2, 3].map(|market| Payload::MarkPrice { market, price: core.mark_price(market) });
        assert_eq!(marks, expected);
        check_results(&events[1..events.len() - 5]);
    });
}

/// The events of transactions, 50 in a block: each ends with a result that counts them.
fn check_results(events: &[Event]) {
    let transactions: Vec<&[Event]> = events.chunk_by(|a, b| a.header().trace == b.header().trace).collect();
    assert_eq!(transactions.len(), 50);
    for transaction in transactions {
        assert_ne!(transaction[0].header().trace, NO_TRACE);
        let [first, .., last] = transaction else { panic!("{transaction:?}") };
        let Payload::Result { rejected, events } = last.payload() else { panic!("{last}") };
        assert_eq!(events as usize, transaction.len());
        let refused = matches!(first.kind(), Kind::Rejected | Kind::CancelRejected);
        assert_eq!(rejected.is_some(), refused, "{transaction:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_events_and_another_seed_others() {
    let record = |seed, blocks| {
        let mut all = Vec::new();
        let core = play(seed, blocks, |_, events| all.extend_from_slice(events));
        (core.state_hash(), all)
    };
    let (hash, events) = record(7, 100);
    assert_eq!(record(7, 100), (hash, events.clone()));
    let (other_hash, other_events) = record(8, 100);
    assert_ne!(other_hash, hash);
    assert_ne!(other_events, events);
    assert_ne!(record(7, 99).0, hash);
}

/// Changes where the rules, the flow, its generator or the hash change: on purpose only.
#[test]
fn seed_7_has_its_hash() {
    assert_eq!(format!("{:016x}", play(7, 100, |_, _| {}).state_hash()), "4e3bc56a50471b29");
}

#[test]
fn the_flow_brings_about_every_kind_and_nearly_every_reason() {
    let (mut kinds, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    play(1, 1_000, |_, events| {
        for event in events {
            kinds.insert(event.kind());
            match event.payload() {
                Payload::Rejected { reason, .. }
                | Payload::Cancelled { reason, .. }
                | Payload::CancelRejected { reason, .. } => _ = reasons.insert(reason as u8),
                _ => {}
            }
        }
    });
    assert_eq!(kinds.len(), 11);
    for reason in [
        Reason::UnknownAccount,
        Reason::UnknownMarket,
        Reason::SizeOutOfRange,
        Reason::PriceOutOfBand,
        Reason::InsufficientMargin,
        Reason::UnknownOrder,
        Reason::Requested,
        Reason::SelfTrade,
    ] {
        assert!(reasons.contains(&(reason as u8)), "{reason}");
    }
}

#[test]
fn more_transactions_continue_those_of_fewer_and_ids_count_from_1() {
    let settings = Settings::default();
    let flow = |seed| OrderFlow::new(seed, &settings).unwrap();
    let transactions: Vec<Transaction> = flow(3).take(100).collect();
    assert_eq!(flow(3).take(200).collect::<Vec<_>>()[..100], transactions);
    assert_ne!(flow(4).take(100).collect::<Vec<_>>(), transactions);
    assert!((1..).zip(&transactions).all(|(id, transaction)| transaction.id == id));
}

#[test]
fn trades_alone_give_what_the_core_has() {
    let mut positions = Positions::new(&Settings::default()).unwrap();
    let mut trades = 0;
    let core = play(5, 1_000, |_, events| {
        for event in events {
            positions.apply(event);
            trades += usize::from(event.kind() == Kind::Trade);
        }
    });
    assert_eq!(positions.diff(&core), []);
    assert!(trades > 10_000, "{trades}");
}

/// What an account has spent and received decides its balance less its costs, however positions are kept.
#[test]
fn balances_less_costs_are_the_cash_that_trades_moved() {
    let mut cash = vec![250_000 * SCALE; 64];
    let core = play(6, 500, |_, events| {
        for event in events {
            if let Payload::Trade(Trade { side, taker, maker, price, size, fee, .. }) = event.payload() {
                cash[taker as usize] -= side.sign() * price * size + fee;
                cash[maker as usize] += side.sign() * price * size;
            }
        }
    });
    let costs = |account| core.positions(account).iter().map(|position| position.cost).sum::<i64>();
    let expected: Vec<i64> = core.accounts().map(|account| core.balance(account) - costs(account)).collect();
    assert_eq!(cash, expected);
}

#[test]
fn a_trade_that_got_lost_is_told() {
    let mut positions = Positions::new(&Settings::default()).unwrap();
    let mut lost = None;
    let core: Core = play(5, 20, |_, events| {
        for event in events {
            match event.payload() {
                Payload::Trade(trade) if lost.is_none() => lost = Some(trade),
                _ => positions.apply(event),
            }
        }
    });
    let lost = lost.expect("a trade in 20 blocks");
    let differences = positions.diff(&core);
    let positions_of: Vec<_> = differences
        .iter()
        .filter_map(|difference| match *difference {
            Difference::Position { account, market, trades, core } => {
                Some((account, market, core.net - trades.net))
            }
            _ => None,
        })
        .collect();
    let mut expected = [
        (lost.taker, lost.market, lost.side.sign() * lost.size),
        (lost.maker, lost.market, -lost.side.sign() * lost.size),
    ];
    expected.sort_unstable();
    assert_eq!(positions_of, expected);
    let fees = Difference::Fees { trades: core.fees() - lost.fee, core: core.fees() };
    assert_eq!(differences.last(), Some(&fees));
}
