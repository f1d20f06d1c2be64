//! Blocks of a seeded flow: what they say, invariants, determinism, and following the money.

mod common;

use std::collections::BTreeSet;

use common::{as_record, check_invariants, play};
use exchange::events::{
    BlockClosed, CancelRejected, ClosedOut, Exchange, LossSocialised, OrderCancelled, OrderRejected, Trade,
};
use exchange::{
    BLOCK_INTERVAL, Checksum, Core, Difference, GENESIS, Money, OrderFlow, Positions, Reason, SCALE,
    Settings, Total, Transaction,
};
use ringbus::bus::Kind;
use ringbus::testing::{Recorded, Recorder};

#[test]
fn invariants_hold_at_the_end_of_every_block() {
    let mut closed_out = 0;
    for seed in 1..4 {
        play(seed, 600, |core, said| {
            check_invariants(core);
            closed_out += said.all::<ClosedOut>().len();
        });
    }
    assert!(closed_out > 0, "it is of no use unless somebody is liquidated");
}

#[test]
fn a_block_ends_with_what_it_comes_to() {
    let mut trades = 0;
    play(1, 200, |core, said| {
        trades += said.all::<Trade>().len() as u64;
        let [before @ .., last] = said.events() else { panic!("{said:?}") };
        let mut checksum = Checksum::default();
        for Recorded { origin, kind, topic, payload, .. } in before {
            checksum.add(*origin, *kind, *topic, payload);
        }
        let accounts = || core.accounts().chain([core.network()]);
        let costs = accounts().flat_map(|account| core.positions(account)).map(|position| position.cost);
        let expected = BlockClosed {
            state_hash: core.state_hash(),
            checksum: checksum.value(),
            deposits: Money::new(core.deposits()),
            balances: Money::new(accounts().map(|account| core.balance(account)).sum()),
            costs: Money::new(costs.sum()),
            fees: Money::new(core.fees()),
            pool: Money::new(core.pool()),
            trades,
        };
        assert_eq!(last.get(), Some(expected));
        assert_eq!(said.all::<BlockClosed>().len(), 1);
    });
    assert!(trades > 1_000, "{trades}");
}

#[test]
fn blocks_have_a_time_a_height_and_a_hash_of_the_state_they_start_from() {
    let settings = Settings::default();
    let (mut core, mut other) = (Core::new(&settings).unwrap(), Core::new(&settings).unwrap());
    let mut hashes = BTreeSet::new();
    for height in 1..=3 {
        let start = core.begin_block();
        assert_eq!((start.height, start.time), (height, GENESIS + height as i64 * BLOCK_INTERVAL));
        assert_eq!(start, other.begin_block());
        assert!(hashes.insert(start.hash));
        for core in [&mut core, &mut other] {
            core.end_block(&mut Recorder::new()).unwrap();
        }
    }
}

#[test]
fn each_market_is_listed_once_with_its_price() {
    let core = Core::new(&Settings::default()).unwrap();
    let listed: Vec<_> = core.listings().map(|(_, listed)| listed).collect();
    assert_eq!(listed.len(), 4);
    for (market, listed) in (0..).zip(listed) {
        assert_eq!((listed.market, listed.name.as_str()), (market, &*format!("MARKET-{market}")));
        assert_eq!(listed.price.mantissa(), core.mark_price(market));
    }
}

#[test]
fn the_same_seed_gives_the_same_events_and_another_seed_others() {
    let record = |seed, blocks| {
        let mut all = Vec::new();
        let core = play(seed, blocks, |_, said| all.extend_from_slice(said.events()));
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
    assert_eq!(format!("{:016x}", play(7, 100, |_, _| {}).state_hash()), "69d51f193a8028d7");
}

#[test]
fn the_flow_brings_about_every_kind_and_nearly_every_reason() {
    let (mut kinds, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    play(1, 2_000, |_, said| {
        kinds.extend(said.kinds());
        reasons.extend(said.all::<OrderRejected>().iter().map(|event| event.reason));
        reasons.extend(said.all::<OrderCancelled>().iter().map(|event| event.reason));
        reasons.extend(said.all::<CancelRejected>().iter().map(|event| event.reason));
    });
    // All but that markets are listed, which is staged before the first block.
    let expected: BTreeSet<Kind> = Exchange::KINDS.iter().copied().filter(|kind| kind.get() != 1).collect();
    assert_eq!(kinds, expected);
    for reason in [
        Reason::UNKNOWN_ACCOUNT,
        Reason::UNKNOWN_MARKET,
        Reason::SIZE_OUT_OF_RANGE,
        Reason::PRICE_OUT_OF_BAND,
        Reason::INSUFFICIENT_MARGIN,
        Reason::UNKNOWN_ORDER,
        Reason::REQUESTED,
        Reason::SELF_TRADE,
        Reason::DISTRESSED,
    ] {
        assert!(reasons.contains(&reason), "{reason}");
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
    let hashes: BTreeSet<_> = transactions.iter().map(Transaction::hash).collect();
    assert_eq!(hashes.len(), 100);
}

fn apply(positions: &mut Positions, event: &Recorded) {
    as_record(event, |record| positions.apply(Exchange::of(&record).expect("an event of the exchange")));
}

#[test]
fn what_moves_money_gives_what_the_core_has() {
    let mut positions = Positions::new(&Settings::default()).unwrap();
    let mut socialised = 0;
    let core = play(5, 1_500, |_, said| {
        said.events().iter().for_each(|event| apply(&mut positions, event));
        socialised += said.all::<LossSocialised>().len();
    });
    assert_eq!(positions.diff(&core), []);
    assert!(positions.trades() > 10_000 && socialised > 0, "{} trades, {socialised}", positions.trades());
}

/// What an account has spent and received decides its balance less its costs, however positions are kept.
#[test]
fn balances_less_costs_are_the_cash_that_moved() {
    let mut cash = vec![500 * SCALE; 64];
    cash.push(100 * SCALE);
    let core = play(6, 800, |core, said| {
        let pool = core.network() as usize;
        for event in said.events() {
            as_record(event, |record| match Exchange::of(&record).unwrap() {
                Exchange::Trade(&Trade { side, taker, maker, price, size, fee, .. }) => {
                    let amount = side.sign() * price.mantissa() * size;
                    cash[taker as usize] -= amount + fee.mantissa();
                    cash[maker as usize] += amount;
                }
                Exchange::ClosedOut(&ClosedOut { side, account, counterparty, price, size, .. }) => {
                    let amount = side.sign() * price.mantissa() * size;
                    cash[account as usize] -= amount;
                    cash[counterparty as usize] += amount;
                }
                Exchange::ToppedUp(paid) => cash[paid.account as usize] += paid.amount.mantissa(),
                Exchange::LiquidationFee(fee) => {
                    cash[fee.account as usize] -= fee.amount.mantissa();
                    cash[pool] += fee.amount.mantissa();
                }
                Exchange::InsurancePaid(paid) => {
                    cash[paid.account as usize] += paid.amount.mantissa();
                    cash[pool] -= paid.amount.mantissa();
                }
                Exchange::LossSocialised(loss) => {
                    cash[loss.account as usize] -= loss.amount.mantissa();
                    cash[pool] += loss.amount.mantissa();
                }
                _ => {}
            });
        }
    });
    let costs = |account| core.positions(account).iter().map(|position| position.cost).sum::<i64>();
    let accounts = core.accounts().chain([core.network()]);
    let expected: Vec<i64> = accounts.map(|account| core.balance(account) - costs(account)).collect();
    assert_eq!(cash, expected);
}

#[test]
fn a_trade_that_got_lost_is_told() {
    let mut positions = Positions::new(&Settings::default()).unwrap();
    let mut lost = None;
    let core: Core = play(5, 20, |_, said| {
        for event in said.events() {
            match event.get::<Trade>() {
                Some(trade) if lost.is_none() => lost = Some(trade),
                _ => apply(&mut positions, event),
            }
        }
    });
    let lost = lost.expect("a trade in 20 blocks");
    let differences = positions.diff(&core);
    let positions_of: Vec<_> = differences
        .iter()
        .filter_map(|difference| match *difference {
            Difference::Position { account, market, events, core } => {
                Some((account, market, core.net - events.net))
            }
            _ => None,
        })
        .collect();
    let market = lost.market;
    let mut expected = [
        (lost.taker, market, lost.side.sign() * lost.size),
        (lost.maker, market, -lost.side.sign() * lost.size),
    ];
    expected.sort_unstable();
    assert_eq!(positions_of, expected);
    let fees =
        Difference::Total { what: Total::Fees, events: core.fees() - lost.fee.mantissa(), core: core.fees() };
    assert_eq!(differences.last(), Some(&fees));
}
