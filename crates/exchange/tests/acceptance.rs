//! What is accepted, and what is not.

mod common;

use common::{DEPOSIT, START, Session, printed};
use exchange::events::{OrderRejected, ToppedUp};
use exchange::{
    Core, LEVERAGE, MAX_POSITION, MAX_PRICE, MAX_SIZE, Money, Reason, SCALE, Settings, Side, Transaction,
};
use ringbus::bus::{Outcome, Payload};
use ringbus::testing::Recorder;

/// Contracts that an account of a [`Session`] can just afford.
const AFFORDABLE: i64 = DEPOSIT * LEVERAGE / START;

#[test]
fn accounts_markets_sizes_and_prices_have_their_range() {
    let (band, mut id) = (START / 10, 0);
    let mut session = Session::new();
    for (account, market, price, size, expected) in [
        (0, 0, START, 1, None),
        (39, 1, START, 1, None),
        // The network's, and none.
        (40, 0, START, 1, Some(Reason::UNKNOWN_ACCOUNT)),
        (41, 0, START, 1, Some(Reason::UNKNOWN_ACCOUNT)),
        (0, 2, START, 1, Some(Reason::UNKNOWN_MARKET)),
        (0, 0, START, 0, Some(Reason::SIZE_OUT_OF_RANGE)),
        (0, 0, START, -1, Some(Reason::SIZE_OUT_OF_RANGE)),
        (0, 0, START, MAX_SIZE + 1, Some(Reason::SIZE_OUT_OF_RANGE)),
        (0, 0, START + band, 1, None),
        (0, 0, START + band + 1, 1, Some(Reason::PRICE_OUT_OF_BAND)),
        (0, 0, START - band, 1, None),
        (0, 0, START - band - 1, 1, Some(Reason::PRICE_OUT_OF_BAND)),
        (0, 0, i64::MIN, 1, Some(Reason::PRICE_OUT_OF_BAND)),
        (0, 0, i64::MAX, 1, Some(Reason::PRICE_OUT_OF_BAND)),
    ] {
        id += 1;
        let side = Side::BUY;
        let said = session.execute(Transaction::limit(id, account, market, side, price, size));
        assert_eq!(said.rejected(), expected, "{:?}", said.bus);
        if let Some(reason) = expected {
            let limit = Money::new(price);
            said.bus.assert_kinds(&[OrderRejected::KIND]);
            said.bus.assert_emitted(&[OrderRejected {
                order: id,
                limit,
                size,
                account,
                market,
                side,
                reason,
            }]);
        }
    }
    let cancels = [(40, 0, Reason::UNKNOWN_ACCOUNT), (0, 2, Reason::UNKNOWN_MARKET)];
    for (account, market, reason) in cancels {
        let said = session.execute(Transaction::cancel(90, account, market, 1));
        assert_eq!(said.rejected(), Some(reason));
    }
}

#[test]
fn what_the_bus_is_told_of_a_transaction() {
    let mut session = Session::new();
    assert_eq!(session.limit(0, Side::BUY, START, 1).verdict.outcome(), Outcome::Succeeded);
    let Outcome::Failed { code, error } = session.limit(0, Side::BUY, START, 0).verdict.outcome() else {
        panic!("a size of 0 is out of range");
    };
    assert_eq!((code.get(), error), (3, "SIZE_OUT_OF_RANGE"));
}

#[test]
fn mark_prices_are_the_oracles_and_have_their_range() {
    let mut session = Session::new();
    let oracle = session.core.network();
    for (account, market, price, expected) in [
        (oracle, 0, 1, None),
        (oracle, 1, MAX_PRICE, None),
        (oracle, 0, START, None),
        (0, 0, START, Some(Reason::NOT_THE_ORACLE)),
        (oracle + 1, 0, START, Some(Reason::NOT_THE_ORACLE)),
        (oracle, 2, START, Some(Reason::UNKNOWN_MARKET)),
        (oracle, 0, 0, Some(Reason::PRICE_OUT_OF_RANGE)),
        (oracle, 0, MAX_PRICE + 1, Some(Reason::PRICE_OUT_OF_RANGE)),
    ] {
        let said = session.execute(Transaction::mark_price(7, account, market, price));
        assert_eq!(said.rejected(), expected, "{price} by {account}");
        assert_eq!(said.bus.events().len(), usize::from(expected.is_none()));
    }
    assert_eq!((session.core.mark_price(0), session.core.mark_price(1)), (START, MAX_PRICE));
}

#[test]
fn equity_must_cover_the_margin_of_all_open_orders() {
    assert_eq!(AFFORDABLE, 1_000);
    let short = Some(Reason::INSUFFICIENT_MARGIN);
    let mut session = Session::new();
    assert_eq!(session.limit(1, Side::BUY, START, AFFORDABLE + 1).rejected(), short);
    assert_eq!(session.market(1, Side::SELL, AFFORDABLE + 1).rejected(), short);

    let most = session.wait(1, Side::BUY, START - 100, AFFORDABLE);
    assert_eq!(session.limit(1, Side::BUY, START, 1).rejected(), short);
    // Both sides cannot fill and stay open, so the other one is free.
    session.wait(1, Side::SELL, START, AFFORDABLE);
    assert_eq!(session.limit(1, Side::SELL, START, 1).rejected(), short);
    // Nor is there margin left for another market; a cancel of one side does not give any, of both does.
    let elsewhere = |id| Transaction::limit(id, 1, 1, Side::BUY, START, 1);
    assert_eq!(session.execute(elsewhere(100)).rejected(), short);
    session.cancel(1, most);
    assert_eq!(session.execute(elsewhere(101)).rejected(), short);
    session.cancel(1, most + 2);
    assert_eq!(session.execute(elsewhere(102)).rejected(), None);
}

#[test]
fn a_fill_turns_the_margin_of_an_order_into_that_of_a_position() {
    let short = Some(Reason::INSUFFICIENT_MARGIN);
    let mut session = Session::new();
    session.wait(1, Side::SELL, START, 600);
    session.market(2, Side::BUY, 400);
    // 400 contracts short, 200 to sell: 400 more are affordable.
    assert_eq!(session.limit(1, Side::SELL, START, 401).rejected(), short);
    session.wait(1, Side::SELL, START, 400);
    assert_eq!(session.limit(1, Side::SELL, START, 1).rejected(), short);
    // To buy it is 1,400: up to 0, and 1,000 from there.
    assert_eq!(session.limit(1, Side::BUY, START - 1, 1_401).rejected(), short);
    session.wait(1, Side::BUY, START - 1, 1_400);
}

#[test]
fn whoever_has_lost_much_can_get_out_but_not_further_in() {
    let short = Some(Reason::INSUFFICIENT_MARGIN);
    let mut session = Session::new();
    session.deal(1, 2, 0, START, AFFORDABLE);
    // Account 2 has 10,000 less a fee of 1 and a loss of 3,000: not enough for 10% of 97,000, more than 5%.
    let mark = START * 97 / 100;
    session.mark(mark);
    assert_eq!(session.core.equity(2), DEPOSIT - (1 + 3_000) * SCALE);
    assert_eq!(session.limit(2, Side::BUY, mark, 1).rejected(), short);
    assert_eq!(session.limit(2, Side::SELL, mark, 2 * AFFORDABLE + 1).rejected(), short);
    session.wait(2, Side::SELL, mark, AFFORDABLE);
    session.market(1, Side::BUY, AFFORDABLE);
    assert_eq!(session.core.positions(2)[0].net, 0);
    assert_eq!(session.core.balance(2), DEPOSIT - (1 + 3_000) * SCALE);
    common::check_invariants(&session.core);
}

#[test]
fn whoever_has_less_than_at_the_start_can_top_it_up() {
    let mut session = Session::new();
    let top_up = Transaction::top_up;
    assert_eq!(session.execute(top_up(90, 2)).rejected(), Some(Reason::NOT_SHORT_OF_MONEY));
    assert_eq!(session.execute(top_up(91, 40)).rejected(), Some(Reason::UNKNOWN_ACCOUNT));
    session.deal(1, 2, 0, START, 100);
    session.mark(START + 5 * SCALE);
    // Account 1 is 500 behind, account 2 ahead by as much less a fee.
    assert_eq!(session.execute(top_up(92, 2)).rejected(), Some(Reason::NOT_SHORT_OF_MONEY));
    let before = session.core.deposits();
    let said = session.execute(top_up(93, 1));
    let paid = 500 * SCALE;
    said.bus.assert_emitted(&[ToppedUp { account: 1, amount: Money::new(paid), ..ToppedUp::default() }]);
    assert_eq!((session.core.equity(1), session.core.deposits()), (DEPOSIT, before + paid));
    common::check_invariants(&session.core);
}

#[test]
fn a_position_has_its_limit() {
    let deposit = 1_000 * MAX_POSITION;
    let settings = Settings { start_prices: vec![1_000], accounts: 1, deposit, insurance: 0 };
    let mut core = Core::new(&settings).unwrap();
    let mut bus = Recorder::new();
    core.begin_block();
    let orders = MAX_POSITION / MAX_SIZE;
    for id in 1..=orders + 1 {
        core.execute(&Transaction::limit(id as u64, 0, 0, Side::BUY, 1_000, MAX_SIZE), &mut bus).unwrap();
    }
    let last = bus.events().last().unwrap();
    assert_eq!(
        printed(last),
        "OrderRejected { order: 11, limit: 0.1000, size: 100000, account: 0, market: 0, side: BUY, reason: POSITION_LIMIT }"
    );
    assert_eq!(bus.all::<OrderRejected>().len(), 1);
}

#[test]
#[should_panic(expected = "begin_block while block 1 is open: call end_block first")]
fn a_block_begins_once() {
    Session::new().core.begin_block();
}

#[test]
#[should_panic(expected = "execute while no block is open: call begin_block first")]
fn transactions_belong_to_blocks() {
    let mut core = Core::new(&Settings::default()).unwrap();
    let _ = core.execute(&Transaction::cancel(1, 0, 0, 1), &mut Recorder::new());
}
