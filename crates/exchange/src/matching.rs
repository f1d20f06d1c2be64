//! Letting an order that comes in trade with a book.

use crate::book::{Book, Order};
use crate::reason::Reason;
use crate::rules::MAX_FILLS;
use crate::side::Side;
use crate::transaction::NewOrder;
use crate::units::{AccountId, Price, Size};

/// What became of an order that came in.
pub(crate) enum Outcome {
    /// All of it traded.
    Filled,
    /// The rest waits in the book, at its limit.
    Waits { price: Price, left: Size },
    /// The rest is cancelled.
    Cancelled { left: Size, reason: Reason },
}

/// Trades with the best orders of the other side; calls `on_fill` with the maker's order, as it was before, and the
/// contracts traded.
///
/// An order never trades with one of its own account: the rest of the one that came in is cancelled, and the one in
/// the book keeps its place.
pub(crate) fn take(
    book: &mut Book,
    account: AccountId,
    order: &NewOrder,
    mut on_fill: impl FnMut(&Order, Size),
) -> Outcome {
    let makers = order.side.opposite();
    let mut left = order.size;
    for fills in 0.. {
        if left == 0 {
            return Outcome::Filled;
        }
        let Some(&maker) = book.best(makers).filter(|maker| crosses(order, maker.price)) else { break };
        if maker.account == account {
            return Outcome::Cancelled { left, reason: Reason::SelfTrade };
        }
        if fills == MAX_FILLS {
            return Outcome::Cancelled { left, reason: Reason::FillLimit };
        }
        let size = left.min(maker.size);
        left -= size;
        book.fill_best(makers, size);
        on_fill(&maker, size);
    }
    match order.limit {
        Some(price) => Outcome::Waits { price, left },
        None => Outcome::Cancelled { left, reason: Reason::NoLiquidity },
    }
}

/// Whether an order takes a price.
fn crosses(order: &NewOrder, price: Price) -> bool {
    match (order.limit, order.side) {
        (None, _) => true,
        (Some(limit), Side::Buy) => price <= limit,
        (Some(limit), Side::Sell) => price >= limit,
    }
}
