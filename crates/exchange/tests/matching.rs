//! Who trades with whom, at what price, and what is left.

mod common;

use common::{START, Session};
use exchange::events::{BalanceChanged, CancelRejected, PositionChanged};
use exchange::{MAX_EVENTS, MAX_FILLS, Reason, Side, Transaction, taker_fee};
use ringbus::bus::Payload;

const CENT: i64 = 100;

#[test]
fn better_prices_first_then_earlier_orders() {
    let mut session = Session::new();
    let late_price = session.wait(1, Side::SELL, START + 2 * CENT, 5);
    let first = session.wait(2, Side::SELL, START + CENT, 3);
    let second = session.wait(3, Side::SELL, START + CENT, 4);
    let best = session.wait(4, Side::SELL, START, 2);
    let said = session.limit(5, Side::BUY, START + 2 * CENT, 10);
    assert_eq!(
        said.trades(),
        [
            (best, START, 2),
            (first, START + CENT, 3),
            (second, START + CENT, 4),
            (late_price, START + 2 * CENT, 1)
        ]
    );
    assert_eq!(session.waiting(Side::SELL), [(late_price, 4)]);
    assert_eq!(session.waiting(Side::BUY), []);
}

#[test]
fn bids_are_served_highest_first() {
    let mut session = Session::new();
    let low = session.wait(1, Side::BUY, START - CENT, 1);
    let high = session.wait(2, Side::BUY, START, 1);
    assert_eq!(session.waiting(Side::BUY), [(high, 1), (low, 1)]);
    let said = session.market(3, Side::SELL, 2);
    assert_eq!(said.trades(), [(high, START, 1), (low, START - CENT, 1)]);
}

#[test]
fn a_partial_fill_keeps_its_place_and_the_rest_of_the_taker_waits() {
    let mut session = Session::new();
    let first = session.wait(1, Side::SELL, START, 10);
    let second = session.wait(2, Side::SELL, START, 10);
    assert_eq!(session.limit(3, Side::BUY, START, 4).trades(), [(first, START, 4)]);
    assert_eq!(session.waiting(Side::SELL), [(first, 6), (second, 10)]);

    let said = session.limit(4, Side::BUY, START, 20);
    assert_eq!(said.trades(), [(first, START, 6), (second, START, 10)]);
    assert_eq!(
        (session.waiting(Side::SELL), session.waiting(Side::BUY)),
        (vec![], vec![(session.last_id, 4)])
    );
}

#[test]
fn a_trade_says_all_its_events_in_their_order() {
    let mut session = Session::new();
    let maker_order = session.wait(9, Side::SELL, START, 4);
    let said = session.limit(2, Side::BUY, START + CENT, 3);
    let fee = taker_fee(START, 3);
    assert_eq!(fee, 30);
    assert_eq!(
        said.printed(),
        [
            "OrderAccepted { order: 2, limit: 100.0100, size: 3, account: 2, market: 0, side: BUY, order_type: LIMIT }",
            "Trade { taker_order: 2, maker_order: 1, price: 100.0000, size: 3, fee: 0.0030, taker: 2, maker: 9, market: 0, \
             side: BUY }",
            "PositionChanged { account: 2, market: 0, net: 3, cost: 300.0000 }",
            "PositionChanged { account: 9, market: 0, net: -3, cost: -300.0000 }",
            "BalanceChanged { account: 2, balance: 9999.9970 }",
            "BalanceChanged { account: 9, balance: 10000.0000 }",
        ]
    );
    assert_eq!(maker_order, 1);
    assert_eq!(session.core.fees(), fee);

    // Account 9 buys back at a lower price: it gains the difference, and pays the fee.
    session.wait(5, Side::SELL, START - CENT, 3);
    let said = session.market(9, Side::BUY, 2);
    let balance = common::DEPOSIT + 2 * CENT - taker_fee(START - CENT, 2);
    let [_, position] = said.all::<PositionChanged>()[..] else { panic!("{:?}", said.bus) };
    let [_, after] = said.all::<BalanceChanged>()[..] else { panic!("{:?}", said.bus) };
    assert_eq!((position.account, position.net, position.cost.mantissa()), (9, -1, -START));
    assert_eq!((after.account, after.balance.mantissa()), (9, balance));
}

#[test]
fn a_maker_of_several_trades_is_told_its_position_once() {
    let mut session = Session::new();
    session.wait(1, Side::SELL, START, 1);
    session.wait(1, Side::SELL, START + CENT, 1);
    let said = session.market(2, Side::BUY, 2);
    assert_eq!(said.trades().len(), 2);
    let positions: Vec<_> = said
        .all::<PositionChanged>()
        .iter()
        .map(|position| (position.account, position.net, position.cost.mantissa()))
        .collect();
    let cost = 2 * START + CENT;
    assert_eq!(positions, [(1, -2, -cost), (2, 2, cost)]);
    assert_eq!(said.all::<BalanceChanged>().len(), 2);
}

#[test]
fn what_a_market_order_does_not_find_is_cancelled() {
    let mut session = Session::new();
    let maker = session.wait(1, Side::SELL, START, 3);
    let said = session.market(2, Side::BUY, 8);
    assert_eq!(said.trades(), [(maker, START, 3)]);
    assert_eq!(said.cancelled(), [(session.last_id, 5, Reason::NO_LIQUIDITY)]);
    assert_eq!(said.rejected(), None);
    assert!(session.core.book(0).is_empty());
}

#[test]
fn an_order_that_meets_its_own_account_is_cancelled_and_the_older_one_stays() {
    let mut session = Session::new();
    let other = session.wait(1, Side::SELL, START, 3);
    let own = session.wait(2, Side::SELL, START, 5);
    let behind = session.wait(3, Side::SELL, START, 7);
    let said = session.limit(2, Side::BUY, START, 10);
    assert_eq!(said.trades(), [(other, START, 3)]);
    assert_eq!(said.cancelled(), [(session.last_id, 7, Reason::SELF_TRADE)]);
    assert_eq!(session.waiting(Side::SELL), [(own, 5), (behind, 7)]);
    assert_eq!(session.waiting(Side::BUY), []);
}

#[test]
fn the_longest_transaction_has_exactly_the_most_events() {
    let mut session = Session::new();
    for maker in 0..=MAX_FILLS as u32 {
        session.wait(maker, Side::SELL, START, 1);
    }
    let said = session.limit(39, Side::BUY, START, 20);
    assert_eq!(said.bus.events().len(), MAX_EVENTS);
    assert_eq!(said.trades().len(), MAX_FILLS);
    assert_eq!(said.cancelled(), [(session.last_id, 4, Reason::FILL_LIMIT)]);
    assert_eq!(session.core.book(0).len(), 1);
}

#[test]
fn after_the_most_fills_a_rest_that_cannot_trade_waits() {
    let mut session = Session::new();
    for maker in 0..MAX_FILLS as u32 {
        session.wait(maker, Side::SELL, START, 1);
    }
    let said = session.limit(39, Side::BUY, START, 20);
    assert_eq!((said.trades().len(), said.cancelled()), (MAX_FILLS, vec![]));
    assert_eq!(session.waiting(Side::BUY), [(session.last_id, 4)]);
}

#[test]
fn a_cancel_takes_out_what_is_left() {
    let mut session = Session::new();
    let orders = [1, 2, 3].map(|account| session.wait(account, Side::BUY, START, 5));
    session.market(9, Side::SELL, 2);
    let said = session.cancel(1, orders[0]);
    assert_eq!(
        said.printed(),
        ["OrderCancelled { order: 1, size: 3, account: 1, market: 0, side: BUY, reason: REQUESTED }"]
    );
    assert_eq!(session.waiting(Side::BUY), [(orders[1], 5), (orders[2], 5)]);
    session.cancel(3, orders[2]);
    assert_eq!(session.waiting(Side::BUY), [(orders[1], 5)]);
}

#[test]
fn a_cancel_of_an_order_that_is_not_there_or_not_ones_own_is_rejected() {
    let mut session = Session::new();
    let order = session.wait(1, Side::BUY, START, 5);
    let filled = session.wait(2, Side::BUY, START + CENT, 1);
    session.market(3, Side::SELL, 1);
    for (account, order, reason) in
        [(1, 999, Reason::UNKNOWN_ORDER), (2, filled, Reason::UNKNOWN_ORDER), (2, order, Reason::NOT_OWNER)]
    {
        let said = session.cancel(account, order);
        assert_eq!(said.rejected(), Some(reason));
        let rejected = CancelRejected { order, account, market: 0, reason, ..CancelRejected::default() };
        said.bus.assert_emitted(&[rejected]);
        said.bus.assert_kinds(&[CancelRejected::KIND]);
    }
    assert_eq!(session.waiting(Side::BUY), [(order, 5)]);
    session.cancel(1, order);
    assert_eq!(session.cancel(1, order).rejected(), Some(Reason::UNKNOWN_ORDER));
}

#[test]
fn an_id_that_is_open_cannot_be_used_again() {
    let mut session = Session::new();
    let open = session.wait(1, Side::BUY, START, 5);
    let said = session.execute(Transaction::limit(open, 2, 0, Side::BUY, START, 1));
    assert_eq!(said.rejected(), Some(Reason::DUPLICATE_ORDER));
    assert_eq!(session.waiting(Side::BUY), [(open, 5)]);
}
