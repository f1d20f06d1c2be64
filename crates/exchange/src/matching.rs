//! Letting an order that comes in trade with a book.

use ringbus::bus::WriteError;

use crate::book::{Book, Order};
use crate::events::Reason;
use crate::rules::MAX_FILLS;
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
///
/// An error of `on_fill` ends it at once.
pub(crate) fn take(
    book: &mut Book,
    account: AccountId,
    order: &NewOrder,
    mut on_fill: impl FnMut(&Order, Size) -> Result<(), WriteError>,
) -> Result<Outcome, WriteError> {
    let makers = order.side.opposite();
    let mut left = order.size;
    for fills in 0.. {
        if left == 0 {
            return Ok(Outcome::Filled);
        }
        let Some(&maker) = book.best(makers).filter(|maker| crosses(order, maker.price)) else { break };
        if maker.account == account {
            return Ok(Outcome::Cancelled { left, reason: Reason::SELF_TRADE });
        }
        if fills == MAX_FILLS {
            return Ok(Outcome::Cancelled { left, reason: Reason::FILL_LIMIT });
        }
        let size = left.min(maker.size);
        left -= size;
        book.fill_best(makers, size);
        on_fill(&maker, size)?;
    }
    Ok(match order.limit {
        Some(price) => Outcome::Waits { price, left },
        None => Outcome::Cancelled { left, reason: Reason::NO_LIQUIDITY },
    })
}

/// Whether an order takes a price.
fn crosses(order: &NewOrder, price: Price) -> bool {
    order.limit.is_none_or(|limit| order.side.sign() * price <= order.side.sign() * limit)
}
