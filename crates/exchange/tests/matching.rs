//! Who trades with whom, at what price, and what is left.

mod common;

use common::{START, Session, cancelled, rejected, trades};
use exchange::{MAX_EVENTS, MAX_FILLS, Payload, Reason, Side, Trade};
use exchange::{Transaction, taker_fee};

const CENT: i64 = 100;

#[test]
fn better_prices_first_then_earlier_orders() {
    let mut session = Session::new();
    let late_price = session.wait(1, Side::Sell, START + 2 * CENT, 5);
    let first = session.wait(2, Side::Sell, START + CENT, 3);
    let second = session.wait(3, Side::Sell, START + CENT, 4);
    let best = session.wait(4, Side::Sell, START, 2);
    let said = session.limit(5, Side::Buy, START + 2 * CENT, 10);
    assert_eq!(
        trades(&said),
        [
            (best, START, 2),
            (first, START + CENT, 3),
            (second, START + CENT, 4),
            (late_price, START + 2 * CENT, 1)
        ]
    );
    assert_eq!(session.waiting(Side::Sell), [(late_price, 4)]);
    assert_eq!(session.waiting(Side::Buy), []);
}

#[test]
fn bids_are_served_highest_first() {
    let mut session = Session::new();
    let low = session.wait(1, Side::Buy, START - CENT, 1);
    let high = session.wait(2, Side::Buy, START, 1);
    assert_eq!(session.waiting(Side::Buy), [(high, 1), (low, 1)]);
    let said = session.market(3, Side::Sell, 2);
    assert_eq!(trades(&said), [(high, START, 1), (low, START - CENT, 1)]);
}

#[test]
fn a_partial_fill_keeps_its_place_and_the_rest_of_the_taker_waits() {
    let mut session = Session::new();
    let first = session.wait(1, Side::Sell, START, 10);
    let second = session.wait(2, Side::Sell, START, 10);
    assert_eq!(trades(&session.limit(3, Side::Buy, START, 4)), [(first, START, 4)]);
    assert_eq!(session.waiting(Side::Sell), [(first, 6), (second, 10)]);

    let said = session.limit(4, Side::Buy, START, 20);
    assert_eq!(trades(&said), [(first, START, 6), (second, START, 10)]);
    assert_eq!(
        (session.waiting(Side::Sell), session.waiting(Side::Buy)),
        (vec![], vec![(session.last_id, 4)])
    );
}

#[test]
fn a_trade_says_all_its_events_in_their_order() {
    let mut session = Session::new();
    let maker_order = session.wait(9, Side::Sell, START, 4);
    let said = session.limit(2, Side::Buy, START + CENT, 3);
    let fee = taker_fee(START, 3);
    assert_eq!(fee, 30);
    let balance = common::DEPOSIT;
    assert_eq!(
        said,
        [
            Payload::Accepted { account: 2, market: 0, side: Side::Buy, limit: Some(START + CENT), size: 3 },
            Payload::Trade(Trade {
                market: 0,
                side: Side::Buy,
                taker: 2,
                maker: 9,
                maker_order,
                price: START,
                size: 3,
                fee
            }),
            Payload::Position { account: 2, market: 0, net: 3, cost: 3 * START },
            Payload::Balance { account: 2, balance: balance - fee },
            Payload::Position { account: 9, market: 0, net: -3, cost: -3 * START },
            Payload::Balance { account: 9, balance },
            Payload::Result { rejected: None, events: 7 },
        ]
    );
    assert_eq!(session.core.fees(), fee);

    // Account 9 buys back at a lower price: it gains the difference, and pays the fee.
    session.wait(5, Side::Sell, START - CENT, 3);
    let said = session.market(9, Side::Buy, 2);
    let balance = balance + 2 * CENT - taker_fee(START - CENT, 2);
    assert!(said.contains(&Payload::Position { account: 9, market: 0, net: -1, cost: -START }));
    assert!(said.contains(&Payload::Balance { account: 9, balance }));
}

#[test]
fn a_maker_of_several_trades_is_told_its_position_once() {
    let mut session = Session::new();
    session.wait(1, Side::Sell, START, 1);
    session.wait(1, Side::Sell, START + CENT, 1);
    let said = session.market(2, Side::Buy, 2);
    assert_eq!(trades(&said).len(), 2);
    let positions: Vec<_> =
        said.iter().filter(|payload| matches!(payload, Payload::Position { .. })).collect();
    let cost = 2 * START + CENT;
    let of = |account, sign| Payload::Position { account, market: 0, net: 2 * sign, cost: cost * sign };
    assert_eq!(positions, [&of(1, -1), &of(2, 1)]);
}

#[test]
fn what_a_market_order_does_not_find_is_cancelled() {
    let mut session = Session::new();
    let maker = session.wait(1, Side::Sell, START, 3);
    let said = session.market(2, Side::Buy, 8);
    assert_eq!(trades(&said), [(maker, START, 3)]);
    assert_eq!(cancelled(&said), Some((session.last_id, 5, Reason::NoLiquidity)));
    assert_eq!(rejected(&said), None);
    assert!(session.core.book(0).is_empty());
}

#[test]
fn an_order_that_meets_its_own_account_is_cancelled_and_the_older_one_stays() {
    let mut session = Session::new();
    let other = session.wait(1, Side::Sell, START, 3);
    let own = session.wait(2, Side::Sell, START, 5);
    let behind = session.wait(3, Side::Sell, START, 7);
    let said = session.limit(2, Side::Buy, START, 10);
    assert_eq!(trades(&said), [(other, START, 3)]);
    assert_eq!(cancelled(&said), Some((session.last_id, 7, Reason::SelfTrade)));
    assert_eq!(session.waiting(Side::Sell), [(own, 5), (behind, 7)]);
    assert_eq!(session.waiting(Side::Buy), []);
}

#[test]
fn the_longest_transaction_has_exactly_the_most_events() {
    let mut session = Session::new();
    for maker in 0..=MAX_FILLS as u32 {
        session.wait(maker, Side::Sell, START, 1);
    }
    let said = session.limit(39, Side::Buy, START, 20);
    assert_eq!(said.len(), MAX_EVENTS);
    assert_eq!(trades(&said).len(), MAX_FILLS);
    assert_eq!(cancelled(&said), Some((session.last_id, 4, Reason::FillLimit)));
    assert_eq!(said.last(), Some(&Payload::Result { rejected: None, events: MAX_EVENTS as u32 }));
    assert_eq!(session.core.book(0).len(), 1);
}

#[test]
fn after_the_most_fills_a_rest_that_cannot_trade_waits() {
    let mut session = Session::new();
    for maker in 0..MAX_FILLS as u32 {
        session.wait(maker, Side::Sell, START, 1);
    }
    let said = session.limit(39, Side::Buy, START, 20);
    assert_eq!((trades(&said).len(), cancelled(&said)), (MAX_FILLS, None));
    assert_eq!(session.waiting(Side::Buy), [(session.last_id, 4)]);
}

#[test]
fn a_cancel_takes_out_what_is_left() {
    let mut session = Session::new();
    let orders = [1, 2, 3].map(|account| session.wait(account, Side::Buy, START, 5));
    session.market(9, Side::Sell, 2);
    let said = session.cancel(1, orders[0]);
    assert_eq!(
        said,
        [
            Payload::Cancelled {
                account: 1,
                market: 0,
                side: Side::Buy,
                order: orders[0],
                size: 3,
                reason: Reason::Requested
            },
            Payload::Result { rejected: None, events: 2 }
        ]
    );
    assert_eq!(session.waiting(Side::Buy), [(orders[1], 5), (orders[2], 5)]);
    session.cancel(3, orders[2]);
    assert_eq!(session.waiting(Side::Buy), [(orders[1], 5)]);
}

#[test]
fn a_cancel_of_an_order_that_is_not_there_or_not_ones_own_is_rejected() {
    let mut session = Session::new();
    let order = session.wait(1, Side::Buy, START, 5);
    let filled = session.wait(2, Side::Buy, START + CENT, 1);
    session.market(3, Side::Sell, 1);
    for (account, order, reason) in
        [(1, 999, Reason::UnknownOrder), (2, filled, Reason::UnknownOrder), (2, order, Reason::NotOwner)]
    {
        let said = session.cancel(account, order);
        let rejection = Payload::CancelRejected { account, market: 0, order, reason };
        assert_eq!(said, [rejection, Payload::Result { rejected: Some(reason), events: 2 }]);
    }
    assert_eq!(session.waiting(Side::Buy), [(order, 5)]);
    session.cancel(1, order);
    assert_eq!(rejected(&session.cancel(1, order)), Some(Reason::UnknownOrder));
}

#[test]
fn an_id_that_is_open_cannot_be_used_again() {
    let mut session = Session::new();
    let open = session.wait(1, Side::Buy, START, 5);
    let said = session.execute(Transaction::limit(open, 2, 0, Side::Buy, START, 1));
    assert_eq!(rejected(&said), Some(Reason::DuplicateOrder));
    assert_eq!(session.waiting(Side::Buy), [(open, 5)]);
}
