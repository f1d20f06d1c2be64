//! Random orders, and mark prices that jump: the books balance whatever happens.

mod common;

use std::collections::BTreeSet;

use common::{as_record, check_invariants};
use exchange::events::{ClosedOut, Exchange};
use exchange::{AccountId, Action, Core, MarketId, NewOrder, Positions, SCALE, Settings, Side, Transaction};
use proptest::prelude::*;
use ringbus::testing::Recorder;

const ACCOUNTS: u32 = 8;
const MARKETS: MarketId = 2;

fn settings() -> Settings {
    Settings {
        start_prices: vec![100 * SCALE; MARKETS.into()],
        accounts: ACCOUNTS,
        deposit: 1_000 * SCALE,
        insurance: 100 * SCALE,
    }
}

/// Who asks, and for what. Prices are in percent of the mark price.
#[derive(Clone, Debug)]
enum Step {
    Place { account: AccountId, market: MarketId, side: Side, limit: Option<i64>, size: i64 },
    Cancel { account: AccountId, market: MarketId, back: u64 },
    TopUp(AccountId),
    Mark { market: MarketId, percent: i64 },
    EndBlock,
}

fn step() -> impl Strategy<Value = Step> {
    let (account, market) = (0..ACCOUNTS, 0..MARKETS);
    let side = prop_oneof![Just(Side::BUY), Just(Side::SELL)];
    let limit = prop_oneof![4 => (95_i64..=105).prop_map(Some), 1 => Just(None)];
    prop_oneof![
        20 => (account.clone(), market.clone(), side, limit, 1_i64..=60)
            .prop_map(|(account, market, side, limit, size)| Step::Place { account, market, side, limit, size }),
        2 => (account.clone(), market.clone(), 1_u64..40)
            .prop_map(|(account, market, back)| Step::Cancel { account, market, back }),
        1 => account.prop_map(Step::TopUp),
        3 => (market, prop_oneof![3 => 80_i64..=125, 1 => 10_i64..=400])
            .prop_map(|(market, percent)| Step::Mark { market, percent }),
        1 => Just(Step::EndBlock),
    ]
}

fn transaction(id: u64, step: &Step, core: &Core) -> Option<Transaction> {
    Some(match *step {
        Step::Place { account, market, side, limit, size } => {
            let limit = limit.map(|percent| core.mark_price(market) * percent / 100);
            Transaction { id, account, action: Action::Place(NewOrder { market, side, limit, size }) }
        }
        Step::Cancel { account, market, back } => {
            Transaction::cancel(id, account, market, id.saturating_sub(back).max(1))
        }
        Step::TopUp(account) => Transaction::top_up(id, account),
        Step::Mark { market, percent } => {
            let price = (core.mark_price(market) * percent / 100).clamp(SCALE, 1_000 * SCALE);
            Transaction::mark_price(id, core.network(), market, price)
        }
        Step::EndBlock => return None,
    })
}

/// Nobody who was closed out has a position, an order, or less than nothing.
fn check_closed_out(core: &Core, said: &Recorder) {
    let closed: BTreeSet<AccountId> = said
        .all::<ClosedOut>()
        .iter()
        .flat_map(|closed| [closed.account, closed.counterparty])
        .filter(|&account| account != core.network())
        .collect();
    for account in closed {
        assert!(core.positions(account).iter().all(|position| position.net == 0 && position.cost == 0));
        assert!(core.balance(account) >= 0, "account {account} has {}", core.balance(account));
        let orders = (0..MARKETS)
            .flat_map(|market| Side::BOTH.into_iter().flat_map(move |side| core.book(market).orders(side)));
        assert!(orders.into_iter().all(|order| order.account != account));
    }
}

/// What a run of these steps ends with: the state, and how many events there were.
fn run(steps: &[Step]) -> (u64, usize) {
    let settings = settings();
    let (mut core, mut positions) = (Core::new(&settings).unwrap(), Positions::new(&settings).unwrap());
    let (mut bus, mut events) = (Recorder::new().with_max_payload(64), 0);
    core.begin_block();
    for (id, step) in (1..).zip(steps) {
        match transaction(id, step, &core) {
            Some(transaction) => {
                let before = core.state_hash();
                let verdict = core.execute(&transaction, &mut bus).unwrap();
                assert!(verdict.rejected().is_none() || core.state_hash() == before, "{step:?}");
            }
            None => {
                core.end_block(&mut bus).unwrap();
                core.begin_block();
            }
        }
        check_invariants(&core);
        check_closed_out(&core, &bus);
        for event in bus.take() {
            as_record(&event, |record| positions.apply(Exchange::of(&record).unwrap()));
            events += 1;
        }
        assert_eq!(positions.diff(&core), []);
    }
    (core.state_hash(), events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_books_balance_whatever_happens(steps in prop::collection::vec(step(), 1..250)) {
        prop_assert_eq!(run(&steps), run(&steps), "twice the same");
    }
}
