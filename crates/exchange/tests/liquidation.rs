//! What follows when a mark price moves: stage by stage, with numbers that can be worked out by hand.

mod common;

use common::{START, Said, Session, check_invariants};
use exchange::events::{
    BalanceChanged, ClosedOut, Distressed, InsurancePaid, LiquidationFee, LossSocialised, MarkPriceMoved,
    MarkedToMarket, OrderCancelled, PositionChanged, Recovered, Trade,
};
use exchange::{Money, Position, Reason, SCALE, Side, Transaction};
use ringbus::bus::{Kind, Payload};

/// So much money, to the cent.
fn cents(cents: i64) -> Money {
    Money::new(cents * SCALE / 100)
}

fn price(units: i64) -> i64 {
    units * SCALE
}

/// Account 1 is short 1,000 contracts at 100, account 2 long; it has paid a fee of 1.
fn one_against_one(insurance: i64) -> Session {
    let mut session = Session::with_insurance(insurance * SCALE);
    session.deal(1, 2, 0, START, 1_000);
    session
}

fn balance(session: &Session, account: u32) -> Money {
    Money::new(session.core.balance(account))
}

fn net(session: &Session, account: u32, market: usize) -> i64 {
    session.core.positions(account)[market].net
}

fn socialised(said: &Said) -> Vec<(u32, Money, Money)> {
    said.all::<LossSocialised>().iter().map(|loss| (loss.account, loss.amount, loss.pool)).collect()
}

#[test]
fn a_mark_price_tells_all_with_a_position_where_they_stand() {
    let mut session = one_against_one(1_000);
    session.execute(Transaction::limit(90, 5, 1, Side::BUY, START, 1));
    let said = session.mark(price(97));
    assert_eq!(
        said.printed(),
        [
            "MarkPriceMoved { market: 0, price: 97.0000, previous: 100.0000 }",
            "MarkedToMarket { account: 1, market: 0, net: -1000, unrealised: 3000.0000, equity: 13000.0000, \
             maintenance: 4850.0000 }",
            "MarkedToMarket { account: 2, market: 0, net: 1000, unrealised: -3000.0000, equity: 6999.0000, \
             maintenance: 4850.0000 }",
        ]
    );
    // Nobody's position is in market 1.
    session.mark_in(1, price(90)).bus.assert_kinds(&[MarkPriceMoved::KIND]);
}

#[test]
fn the_maintenance_margin_is_one_part_in_twenty_of_what_a_position_is_worth() {
    // 1,000 contracts at 94.74: equity 4,739, margin 4,737. At 94.73 it is 4,729 and 4,736.50.
    let mut session = one_against_one(1_000);
    session.mark(947_400).bus.assert_nothing_of::<Distressed>();
    let said = session.mark(947_300);
    let expected = Distressed {
        account: 2,
        equity: cents(472_900),
        maintenance: cents(473_650),
        ..Distressed::default()
    };
    said.bus.assert_emitted(&[expected]);
}

#[test]
fn the_network_takes_the_position_over_and_the_fee_goes_to_the_insurance_pool() {
    let mut session = one_against_one(1_000);
    let said = session.mark(price(94));
    said.bus.assert_kinds(&[
        MarkPriceMoved::KIND,
        MarkedToMarket::KIND,
        MarkedToMarket::KIND,
        Distressed::KIND,
        ClosedOut::KIND,
        LiquidationFee::KIND,
        PositionChanged::KIND,
        PositionChanged::KIND,
        BalanceChanged::KIND,
        BalanceChanged::KIND,
    ]);
    let network = session.core.network();
    said.bus.assert_emitted(&[ClosedOut {
        account: 2,
        counterparty: network,
        market: 0,
        side: Side::SELL,
        price: cents(9_400),
        size: 1_000,
        ..ClosedOut::default()
    }]);
    // Two thousandths of 94,000; what is left of 10,000 is 9,999 - 6,000 - 188.
    let fee = LiquidationFee {
        account: 2,
        amount: cents(18_800),
        pool: cents(118_800),
        ..LiquidationFee::default()
    };
    said.bus.assert_emitted(&[fee]);
    assert_eq!((net(&session, 2, 0), balance(&session, 2)), (0, cents(381_100)));
    let taken = Position { net: 1_000, cost: 94_000 * SCALE };
    assert_eq!(session.core.positions(network)[0], taken);
    assert_eq!(Money::new(session.core.pool()), cents(118_800));
    assert_eq!(net(&session, 1, 0), -1_000, "the winner keeps what he has");
    check_invariants(&session.core);
}

#[test]
fn who_has_less_than_the_fee_pays_what_there_is() {
    // At 90.01 account 2 has 9 left, and the fee would be 180.02.
    let mut session = one_against_one(1_000);
    let said = session.mark(900_100);
    assert_eq!(said.one::<LiquidationFee>().amount, cents(900));
    assert_eq!(balance(&session, 2), cents(0));
    said.bus.assert_nothing_of::<InsurancePaid>();
}

#[test]
fn orders_are_cancelled_first_and_that_may_be_enough() {
    let mut session = Session::new();
    session.deal(1, 2, 0, START, 500);
    let far = session.wait(2, Side::BUY, price(90), 200);
    let near = session.wait(2, Side::BUY, price(92), 299);
    let ask = session.wait(2, Side::SELL, price(109), 1);
    session.wait(3, Side::BUY, price(91), 1);
    // At 88 equity is 9,999.50 - 6,000. With 999 contracts the margin is 4,395.60, with 500 it is 2,200.
    let said = session.mark(price(88));
    assert_eq!(
        said.cancelled(),
        [(near, 299, Reason::DISTRESSED), (far, 200, Reason::DISTRESSED), (ask, 1, Reason::DISTRESSED)]
    );
    let equity = cents(399_950);
    let distressed = Distressed { account: 2, equity, maintenance: cents(439_560), ..Distressed::default() };
    said.bus.assert_emitted(&[distressed]);
    let recovered = Recovered { account: 2, equity, maintenance: cents(220_000), ..Recovered::default() };
    said.bus.assert_emitted(&[recovered]);
    said.bus.assert_nothing_of::<ClosedOut>();
    assert_eq!(net(&session, 2, 0), 500);
    assert_eq!(session.core.book(0).len(), 1, "the order of account 3");
    // Its margin is free again.
    let order = Transaction::limit(100, 2, 0, Side::SELL, price(95), 500);
    assert_eq!(session.execute(order).rejected(), None);
}

#[test]
fn orders_are_cancelled_in_all_markets() {
    let mut session = one_against_one(1_000);
    // A sale makes the position smaller, so it may wait.
    let other = session.wait(2, Side::SELL, price(105), 1_000);
    session.last_id += 1;
    let said = session.execute(Transaction::limit(session.last_id, 3, 1, Side::BUY, START, 10));
    assert_eq!(said.rejected(), None);
    let said = session.mark(price(94));
    assert_eq!(said.cancelled(), [(other, 1_000, Reason::DISTRESSED)]);
    assert_eq!((session.core.book(0).len(), session.core.book(1).len()), (0, 1));
    assert_eq!(said.all::<ClosedOut>().len(), 1);
    said.bus.assert_nothing_of::<Recovered>();
}

#[test]
fn opposite_positions_are_closed_against_each_other_before_the_network_takes_the_rest() {
    let mut session = Session::new();
    // Accounts 2, 3 and 7 are long in market 1; in market 0 two of them are long 100 and 50, account 3 is short 120.
    session.deal(4, 2, 1, START, 800);
    session.deal(5, 3, 1, START, 700);
    session.deal(6, 7, 1, START, 800);
    session.deal(8, 2, 0, START, 100);
    session.deal(9, 7, 0, START, 50);
    session.deal(3, 10, 0, START, 120);
    let said = session.mark_in(1, price(90));
    let network = session.core.network();
    let distressed: Vec<u32> = said.all::<Distressed>().iter().map(|event| event.account).collect();
    assert_eq!(distressed, [2, 3, 7]);
    let closed: Vec<_> = said
        .all::<ClosedOut>()
        .iter()
        .map(|event| (event.market, event.account, event.counterparty, event.side, event.size, event.price))
        .collect();
    assert_eq!(
        closed,
        [
            (0, 2, 3, Side::SELL, 100, cents(10_000)),
            (0, 7, 3, Side::SELL, 20, cents(10_000)),
            (0, 7, network, Side::SELL, 30, cents(10_000)),
            (1, 2, network, Side::SELL, 800, cents(9_000)),
            (1, 3, network, Side::SELL, 700, cents(9_000)),
            (1, 7, network, Side::SELL, 800, cents(9_000)),
        ]
    );
    for account in distressed {
        assert_eq!((net(&session, account, 0), net(&session, account, 1)), (0, 0));
    }
    assert_eq!((net(&session, network, 0), net(&session, network, 1)), (30, 2_300));
    // Of what they held: 10,000 + 72,000, 12,000 + 63,000, and 5,000 + 72,000.
    let fees: Vec<_> = said.all::<LiquidationFee>().iter().map(|fee| (fee.account, fee.amount)).collect();
    assert_eq!(fees, [(2, cents(16_400)), (3, cents(15_000)), (7, cents(15_400))]);
    check_invariants(&session.core);
}

#[test]
fn shorts_are_closed_out_too() {
    let mut session = one_against_one(1_000);
    // At 105 account 1 has 5,000, and its margin is 5,250.
    session.wait(8, Side::SELL, price(107), 600);
    let said = session.mark(price(105));
    let closed = said.one::<ClosedOut>();
    assert_eq!(
        (closed.account, closed.side, closed.size, closed.price),
        (1, Side::BUY, 1_000, cents(10_500))
    );
    // The network was short, and has bought some of it back.
    assert_eq!(said.trades(), [(session.last_id - 1, price(107), 600)]);
    assert_eq!(net(&session, session.core.network(), 0), -400);
    assert_eq!((net(&session, 1, 0), net(&session, 2, 0)), (0, 1_000));
    check_invariants(&session.core);
}

#[test]
fn the_network_trades_into_the_book_within_the_price_band_and_without_a_fee() {
    let mut session = one_against_one(1_000);
    session.wait(7, Side::BUY, price(95), 100);
    session.wait(8, Side::BUY, price(93), 400);
    session.wait(9, Side::BUY, price(90), 300);
    // 84.5999 is more than 10% below 94.
    session.mark(price(97));
    session.wait(10, Side::BUY, price(88), 50);
    let fees = session.core.fees();
    let said = session.mark(price(94));
    let network = session.core.network();
    let trades: Vec<_> = said
        .all::<Trade>()
        .iter()
        .map(|trade| (trade.taker, trade.maker, trade.price, trade.size, trade.fee, trade.taker_order))
        .collect();
    let (none, order) = (cents(0), session.last_id);
    assert_eq!(
        trades,
        [
            (network, 7, cents(9_500), 100, none, order),
            (network, 8, cents(9_300), 400, none, order),
            (network, 9, cents(9_000), 300, none, order),
            (network, 10, cents(8_800), 50, none, order),
        ]
    );
    assert_eq!(session.core.fees(), fees);
    assert_eq!(net(&session, network, 0), 150);
    // 100 - 400 - 1,200 - 300, and the fee of 188: the pool had 1,000, and is 612 short, which the winners pay.
    let paid: i64 = said.all::<LossSocialised>().iter().map(|loss| loss.amount.mantissa()).sum();
    assert_eq!(Money::new(paid), cents(61_200));
    check_invariants(&session.core);
}

#[test]
fn what_the_network_cannot_sell_waits_for_the_next_mark_price_of_any_market() {
    let mut session = one_against_one(1_000);
    session.mark(price(94));
    let network = session.core.network();
    assert_eq!(net(&session, network, 0), 1_000);
    // 84.5999 is beyond the band, 84.60 is not.
    session.wait(7, Side::BUY, 846_000, 300);
    session.mark_in(1, price(99));
    assert_eq!(net(&session, network, 0), 700);
    let low = session.limit(8, Side::BUY, 845_999, 300);
    assert_eq!(low.rejected(), Some(Reason::PRICE_OUT_OF_BAND));
    // It was made when the mark was lower.
    session.mark(price(90));
    session.wait(8, Side::BUY, 845_999, 300);
    session.mark(price(94)).bus.assert_nothing_of::<Trade>();
    assert_eq!(net(&session, network, 0), 700);
    session.mark(price(93));
    assert_eq!(net(&session, network, 0), 400);
    check_invariants(&session.core);
}

#[test]
fn the_insurance_pool_pays_what_is_missing() {
    let mut session = one_against_one(6_000);
    // 9,999 - 15,000.
    let said = session.mark(price(85));
    let paid =
        InsurancePaid { account: 2, amount: cents(500_100), pool: cents(99_900), ..InsurancePaid::default() };
    said.bus.assert_emitted(&[paid]);
    said.bus.assert_nothing_of::<LiquidationFee>();
    said.bus.assert_nothing_of::<LossSocialised>();
    assert_eq!((balance(&session, 2), balance(&session, 1)), (cents(0), cents(1_000_000)));
    check_invariants(&session.core);
}

#[test]
fn those_with_a_profit_pay_what_the_pool_is_short_of() {
    let mut session = Session::with_insurance(1_000 * SCALE);
    session.wait(2, Side::BUY, START, 1_000);
    session.market(1, Side::SELL, 700);
    session.market(3, Side::SELL, 300);
    // Account 4 has a profit too, but in the other market.
    session.deal(5, 4, 1, price(95), 10);
    let said = session.mark(price(85));
    // 10,000 - 15,000, of which the pool has 1,000.
    let paid = InsurancePaid {
        account: 2,
        amount: cents(500_000),
        pool: cents(-400_000),
        ..InsurancePaid::default()
    };
    said.bus.assert_emitted(&[paid]);
    // Of profits of 10,500 and 4,500: 70% and 30% of 4,000.
    assert_eq!(socialised(&said), [(1, cents(280_000), cents(-120_000)), (3, cents(120_000), cents(0))]);
    assert_eq!(said.all::<LossSocialised>()[0].profit, cents(1_050_000));
    // And fees of 0.70 and 0.30.
    assert_eq!((balance(&session, 1), balance(&session, 3)), (cents(719_930), cents(879_970)));
    assert_eq!(session.core.pool(), 0);
    check_invariants(&session.core);
}

#[test]
fn what_no_profit_covers_stays_with_the_pool_until_the_next_mark_price() {
    let mut session = one_against_one(0);
    // Account 1 takes its profit of 10,000: account 3 is short in its place, at 90. It pays a fee of 0.90.
    session.deal(3, 1, 0, price(90), 1_000);
    // Account 2 is 501 short; account 3 has a profit of 500.
    let said = session.mark(895_000);
    assert_eq!(said.one::<InsurancePaid>().amount, cents(50_100));
    assert_eq!(socialised(&said), [(3, cents(50_000), cents(-100))]);
    assert_eq!(Money::new(session.core.pool()), cents(-100));
    // In the other market nobody has one.
    session.mark_in(1, price(90)).bus.assert_nothing_of::<LossSocialised>();
    let said = session.mark(894_000);
    assert_eq!(socialised(&said), [(3, cents(100), cents(0))]);
    said.bus.assert_nothing_of::<Distressed>();
    check_invariants(&session.core);
}

#[test]
fn a_loss_without_a_position_is_paid_too() {
    let mut session = Session::new();
    session.deal(1, 2, 0, START, 1_000);
    // Account 2 sells 1,000 contracts at 90, without a mark price moving: 9,999 - 10,000 - 0.90.
    session.wait(3, Side::BUY, price(90), 1_000);
    session.market(2, Side::SELL, 1_000);
    assert_eq!(balance(&session, 2), cents(-190));
    let said = session.mark_in(1, price(99));
    said.bus.assert_nothing_of::<ClosedOut>();
    assert_eq!(said.one::<InsurancePaid>().amount, cents(190));
    assert_eq!(balance(&session, 2), cents(0));
    check_invariants(&session.core);
}

#[test]
fn each_event_says_which_kind_led_to_it() {
    let mut session = one_against_one(0);
    session.wait(2, Side::SELL, price(105), 1_000);
    session.wait(7, Side::BUY, price(91), 10);
    let said = session.mark(price(85));
    let trigger = |kind: Kind| {
        let of_kind = said.bus.events().iter().find(|event| event.kind == kind);
        of_kind.map(|event| Kind::new(event.origin.trigger.kind.into()))
    };
    for (kind, cause) in [
        (MarkPriceMoved::KIND, Kind::new(0)),
        (MarkedToMarket::KIND, MarkPriceMoved::KIND),
        (Distressed::KIND, MarkedToMarket::KIND),
        (OrderCancelled::KIND, Distressed::KIND),
        (ClosedOut::KIND, Distressed::KIND),
        (Trade::KIND, ClosedOut::KIND),
        (InsurancePaid::KIND, Distressed::KIND),
        (LossSocialised::KIND, InsurancePaid::KIND),
        (BalanceChanged::KIND, Kind::new(0)),
    ] {
        assert_eq!(trigger(kind), Some(cause), "{kind}");
    }
}
