//! The order book of a market.

mod ladder;

use rustc_hash::FxHashMap;
use slab::Slab;

use crate::events::Side;
use crate::units::{AccountId, OrderId, Price, Size};
use ladder::Ladder;

/// A limit order that waits in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Whether it buys (a bid) or sells (an ask).
    pub side: Side,
    /// Its limit, in units of 1/[`SCALE`](crate::SCALE).
    pub price: Price,
    /// What is left of it, in contracts; never 0.
    pub size: Size,
}

/// The order book of a market: who is served first is decided by price, then by time.
///
/// Orders lie in a slab, those of one price linked in order of time.
#[derive(Clone, Debug)]
pub struct Book {
    slots: Slab<Slot>,
    /// Only looked up in, never iterated: its order is not the same everywhere.
    keys: FxHashMap<OrderId, usize>,
    ladders: [Ladder; 2],
}

#[derive(Clone, Debug)]
struct Slot {
    order: Order,
    /// The order that is served before this one, at the same price.
    earlier: Option<usize>,
    /// The order that is served after this one, at the same price.
    later: Option<usize>,
}

impl Book {
    pub(crate) fn new() -> Self {
        Self {
            slots: Slab::new(),
            keys: FxHashMap::default(),
            ladders: Side::BOTH.map(|side| Ladder::new(side.sign())),
        }
    }

    /// The order of an id, if it is open.
    #[must_use]
    pub fn get(&self, id: OrderId) -> Option<&Order> {
        self.keys.get(&id).map(|&key| &self.slots[key].order)
    }

    /// The order of a side that is served first.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<&Order> {
        self.ladder(side).best().map(|level| &self.slots[level.first].order)
    }

    /// The open orders of a side, in the order in which they are served.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = &Order> {
        self.ladder(side).best_first().flat_map(|level| {
            let first = &self.slots[level.first];
            std::iter::successors(Some(first), |slot| slot.later.map(|key| &self.slots[key]))
                .map(|slot| &slot.order)
        })
    }

    /// How many orders are open, on both sides.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no order is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Adds an order, behind those of its price. Its id must not be open.
    pub(crate) fn add(&mut self, order: Order) {
        let key = self.slots.insert(Slot { order, earlier: None, later: None });
        self.keys.insert(order.id, key);
        let last = self.ladders[order.side.place()].push(order.price, key);
        self.slots[key].earlier = last;
        if let Some(last) = last {
            self.slots[last].later = Some(key);
        }
    }

    /// Takes contracts off the order that is served first; the order goes when none are left.
    pub(crate) fn fill_best(&mut self, side: Side, size: Size) {
        let first = self.ladder(side).best().expect("the caller has seen an order").first;
        let order = &mut self.slots[first].order;
        order.size -= size;
        if order.size == 0 {
            let id = order.id;
            self.remove(id);
        }
    }

    /// Takes an order out.
    pub(crate) fn remove(&mut self, id: OrderId) -> Option<Order> {
        let key = self.keys.remove(&id)?;
        let Slot { order, earlier, later } = self.slots.remove(key);
        if let Some(earlier) = earlier {
            self.slots[earlier].later = later;
        }
        if let Some(later) = later {
            self.slots[later].earlier = earlier;
        }
        self.ladders[order.side.place()].unlink(order.price, earlier, later);
        Some(order)
    }

    fn ladder(&self, side: Side) -> &Ladder {
        &self.ladders[side.place()]
    }
}
