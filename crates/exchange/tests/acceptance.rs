//! What is accepted, and what is not.

mod common;

use common::{DEPOSIT, START, Session, rejected};
use exchange::{
    Core, Event, LEVERAGE, MAX_POSITION, MAX_SIZE, Payload, Reason, SCALE, Settings, Side, Transaction,
};

/// Contracts that an account of a [`Session`] can just afford.
const AFFORDABLE: i64 = DEPOSIT * LEVERAGE / START;

#[test]
fn accounts_markets_sizes_and_prices_have_their_range() {
    let (band, mut id) = (START / 10, 0);
    let mut session = Session::new();
    for (account, market, price, size, expected) in [
        (0, 0, START, 1, None),
        (39, 1, START, 1, None),
        (40, 0, START, 1, Some(Reason::UnknownAccount)),
        (0, 2, START, 1, Some(Reason::UnknownMarket)),
        (0, 0, START, 0, Some(Reason::SizeOutOfRange)),
        (0, 0, START, -1, Some(Reason::SizeOutOfRange)),
        (0, 0, START, MAX_SIZE + 1, Some(Reason::SizeOutOfRange)),
        (0, 0, START + band, 1, None),
        (0, 0, START + band + 1, 1, Some(Reason::PriceOutOfBand)),
        (0, 0, START - band, 1, None),
        (0, 0, START - band - 1, 1, Some(Reason::PriceOutOfBand)),
        (0, 0, i64::MIN, 1, Some(Reason::PriceOutOfBand)),
        (0, 0, i64::MAX, 1, Some(Reason::PriceOutOfBand)),
    ] {
        id += 1;
        let side = Side::Buy;
        let said = session.execute(Transaction::limit(id, account, market, side, price, size));
        assert_eq!(rejected(&said), expected, "{said:?}");
        if let Some(reason) = expected {
            let limit = Some(price);
            assert_eq!(said[0], Payload::Rejected { account, market, side, limit, size, reason });
            assert_eq!(said.len(), 2);
        }
    }
    assert_eq!(rejected(&session.execute(Transaction::cancel(90, 40, 0, 1))), Some(Reason::UnknownAccount));
    assert_eq!(rejected(&session.execute(Transaction::cancel(91, 0, 2, 1))), Some(Reason::UnknownMarket));
}

#[test]
fn the_mark_price_is_halfway_between_bid_and_ask_if_there_are_both() {
    let mut session = Session::new();
    session.wait(1, Side::Buy, START - 100, 1);
    session.next_block();
    assert_eq!(session.core.mark_price(0), START);
    session.wait(2, Side::Sell, START + 301, 1);
    assert_eq!(session.core.mark_price(0), START);
    session.next_block();
    assert_eq!((session.core.mark_price(0), session.core.mark_price(1)), (START + 100, START));
}

#[test]
fn equity_must_cover_the_margin_of_all_open_orders() {
    assert_eq!(AFFORDABLE, 1_000);
    let mut session = Session::new();
    assert_eq!(
        rejected(&session.limit(1, Side::Buy, START, AFFORDABLE + 1)),
        Some(Reason::InsufficientMargin)
    );
    assert_eq!(rejected(&session.market(1, Side::Sell, AFFORDABLE + 1)), Some(Reason::InsufficientMargin));

    let most = session.wait(1, Side::Buy, START - 100, AFFORDABLE);
    assert_eq!(rejected(&session.limit(1, Side::Buy, START, 1)), Some(Reason::InsufficientMargin));
    // Both sides cannot fill and stay open, so the other one is free.
    session.wait(1, Side::Sell, START, AFFORDABLE);
    assert_eq!(rejected(&session.limit(1, Side::Sell, START, 1)), Some(Reason::InsufficientMargin));
    // Nor is there margin left for another market; a cancel of one side does not give any, of both does.
    let elsewhere = |id| Transaction::limit(id, 1, 1, Side::Buy, START, 1);
    assert_eq!(rejected(&session.execute(elsewhere(100))), Some(Reason::InsufficientMargin));
    session.cancel(1, most);
    assert_eq!(rejected(&session.execute(elsewhere(101))), Some(Reason::InsufficientMargin));
    session.cancel(1, most + 2);
    assert_eq!(rejected(&session.execute(elsewhere(102))), None);
}

#[test]
fn a_fill_turns_the_margin_of_an_order_into_that_of_a_position() {
    let mut session = Session::new();
    session.wait(1, Side::Sell, START, 600);
    session.market(2, Side::Buy, 400);
    // 400 contracts short, 200 to sell: 400 more are affordable.
    assert_eq!(rejected(&session.limit(1, Side::Sell, START, 401)), Some(Reason::InsufficientMargin));
    session.wait(1, Side::Sell, START, 400);
    assert_eq!(rejected(&session.limit(1, Side::Sell, START, 1)), Some(Reason::InsufficientMargin));
    // To buy it is 1,400: up to 0, and 1,000 from there.
    assert_eq!(rejected(&session.limit(1, Side::Buy, START - 1, 1_401)), Some(Reason::InsufficientMargin));
    session.wait(1, Side::Buy, START - 1, 1_400);
}

#[test]
fn whoever_has_lost_all_can_get_out_but_not_further_in() {
    let mut session = Session::new();
    session.wait(1, Side::Sell, START, AFFORDABLE);
    session.market(2, Side::Buy, AFFORDABLE);
    // Orders of others take the mark price down by 10%, twice: account 2 is below 0 then.
    for _ in 0..2 {
        let low = session.core.mark_price(0) * 9 / 10;
        let (bid, ask) = (session.wait(3, Side::Buy, low, 1), session.wait(4, Side::Sell, low + 1, 1));
        session.next_block();
        session.cancel(3, bid);
        session.cancel(4, ask);
    }
    let mark = session.core.mark_price(0);
    assert_eq!(mark, 810_000);
    assert_eq!(rejected(&session.limit(2, Side::Buy, mark, 1)), Some(Reason::InsufficientMargin));
    assert_eq!(
        rejected(&session.limit(2, Side::Sell, mark, 2 * AFFORDABLE + 1)),
        Some(Reason::InsufficientMargin)
    );
    session.wait(2, Side::Sell, mark, AFFORDABLE);
    session.market(1, Side::Buy, AFFORDABLE);
    assert_eq!(session.core.positions(2)[0].net, 0);
    // It has sold 1,000 contracts 19 below what it paid, and paid a fee of 1.0000 for buying them.
    assert_eq!(session.core.balance(2), DEPOSIT - 1_000 * 19 * SCALE - SCALE);
    common::check_invariants(&session.core, 40 * DEPOSIT);
}

#[test]
fn a_position_has_its_limit() {
    let settings = Settings { start_prices: vec![1_000], accounts: 1, deposit: 1_000 * MAX_POSITION };
    let mut core = Core::new(&settings).unwrap();
    let mut events = Vec::new();
    core.begin_block(&mut events);
    let orders = MAX_POSITION / MAX_SIZE;
    for id in 1..=orders + 1 {
        core.execute(&Transaction::limit(id as u64, 0, 0, Side::Buy, 1_000, MAX_SIZE), &mut events);
    }
    let rejections: Vec<String> = events
        .iter()
        .filter(|event| matches!(event.payload(), Payload::Rejected { .. }))
        .map(Event::to_string)
        .collect();
    assert_eq!(
        rejections,
        ["1-22 [11]: rejected (position limit): account 0, market 0, buy 100000 at 0.1000"]
    );
}

#[test]
#[should_panic(expected = "begin_block while block 1 is open: call end_block first")]
fn a_block_begins_once() {
    Session::new().core.begin_block(&mut Vec::new());
}

#[test]
#[should_panic(expected = "execute while no block is open: call begin_block first")]
fn transactions_belong_to_blocks() {
    let mut core = Core::new(&Settings::default()).unwrap();
    core.execute(&Transaction::cancel(1, 0, 0, 1), &mut Vec::new());
}
