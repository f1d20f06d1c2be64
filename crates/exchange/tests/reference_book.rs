//! Random orders against a book that is a list, sorted each time.

mod common;

use common::{START, Session, check_invariants};
use exchange::{Action, MAX_FILLS, NewOrder, Order, OrderId, Price, Reason, Side, Size, Transaction};
use proptest::prelude::*;

/// Open orders, the one that came first, first.
#[derive(Default)]
struct Reference {
    open: Vec<Order>,
}

/// Trades, and what was cancelled of the order that came in.
type Said = (Vec<(OrderId, Price, Size)>, Option<(OrderId, Size, Reason)>);

impl Reference {
    /// The orders of a side as they are served. Sorting keeps those of a price in their order.
    fn served(&self, side: Side) -> Vec<Order> {
        let mut orders: Vec<Order> = self.open.iter().filter(|order| order.side == side).copied().collect();
        orders.sort_by_key(|order| -side.sign() * order.price);
        orders
    }

    fn place(&mut self, id: OrderId, account: u32, order: NewOrder) -> Said {
        let NewOrder { side, limit, mut size, .. } = order;
        let mut trades = Vec::new();
        for maker in self.served(side.opposite()) {
            let crosses = limit.is_none_or(|limit| side.sign() * (limit - maker.price) >= 0);
            if size == 0 || !crosses {
                break;
            }
            if maker.account == account {
                return (trades, Some((id, size, Reason::SELF_TRADE)));
            }
            if trades.len() == MAX_FILLS {
                return (trades, Some((id, size, Reason::FILL_LIMIT)));
            }
            let traded = size.min(maker.size);
            size -= traded;
            trades.push((maker.id, maker.price, traded));
            self.open.iter_mut().find(|order| order.id == maker.id).unwrap().size -= traded;
            self.open.retain(|order| order.size > 0);
        }
        match limit {
            _ if size == 0 => (trades, None),
            None => (trades, Some((id, size, Reason::NO_LIQUIDITY))),
            Some(price) => {
                self.open.push(Order { id, account, side, price, size });
                (trades, None)
            }
        }
    }

    fn cancel(&mut self, account: u32, id: OrderId) -> Said {
        let Some(at) = self.open.iter().position(|order| order.id == id && order.account == account) else {
            return (vec![], None);
        };
        let order = self.open.remove(at);
        (vec![], Some((id, order.size, Reason::REQUESTED)))
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Place(u32, NewOrder),
    /// Of an open order, by its place among them. Without an account: by its owner.
    Cancel(Option<u32>, prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let side = || prop_oneof![Just(Side::BUY), Just(Side::SELL)];
    let order = |side: Side, limit, size| NewOrder { market: 0, side, limit, size };
    // Many small orders that wait, and takers large enough to meet the limit of fills now and then.
    let wait = (side(), -5_i64..=1, 1_i64..=2)
        .prop_map(move |(side, ticks, size)| order(side, Some(START + side.sign() * ticks), size));
    let take = (side(), prop::option::of(-3_i64..=5), 1_i64..=30).prop_map(move |(side, ticks, size)| {
        order(side, ticks.map(|ticks| START + side.sign() * ticks), size)
    });
    let account = || 0_u32..35;
    prop_oneof![
        8 => (account(), wait).prop_map(|(account, order)| Step::Place(account, order)),
        1 => (account(), take).prop_map(|(account, order)| Step::Place(account, order)),
        1 => (prop::option::of(account()), any::<prop::sample::Index>())
            .prop_map(|(account, order)| Step::Cancel(account, order)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_book_does_what_a_sorted_list_does(steps in prop::collection::vec(step(), 1..200)) {
        let (mut session, mut reference) = (Session::new(), Reference::default());
        for (id, step) in (1..).zip(steps) {
            let (transaction, expected) = match step {
                Step::Place(account, order) => {
                    let transaction = Transaction { id, account, action: Action::Place(order) };
                    (transaction, reference.place(id, account, order))
                }
                Step::Cancel(..) if reference.open.is_empty() => {
                    (Transaction::cancel(id, 0, 0, id), reference.cancel(0, id))
                }
                Step::Cancel(account, order) => {
                    let Order { id: order, account: owner, .. } = *order.get(&reference.open);
                    let account = account.unwrap_or(owner);
                    (Transaction::cancel(id, account, 0, order), reference.cancel(account, order))
                }
            };
            let said = session.execute(transaction);
            prop_assert_eq!((said.trades(), said.cancelled().first().copied()), expected);
            for side in Side::BOTH {
                let open: Vec<Order> = session.core.book(0).orders(side).copied().collect();
                prop_assert_eq!(open, reference.served(side));
            }
        }
        check_invariants(&session.core);
    }
}
