//! The prices of one side of a book.

use crate::units::Price;

/// The orders of one price: the first and the last of a linked list. There is always one.
#[derive(Clone, Debug)]
pub(super) struct Level {
    rank: i64,
    pub(super) first: usize,
    last: usize,
}

/// The levels of one side, the best last: most orders come and go near the best, and there a `Vec` moves little.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// What a price is multiplied with to give its rank, so that the best price has the highest: 1 for bids, -1 for asks.
    sign: i64,
    levels: Vec<Level>,
}

impl Ladder {
    pub(super) fn new(sign: i64) -> Self {
        Self { sign, levels: Vec::new() }
    }

    pub(super) fn best(&self) -> Option<&Level> {
        self.levels.last()
    }

    pub(super) fn best_first(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter().rev()
    }

    /// Adds an order at the end of its level; returns the one that was last there.
    pub(super) fn push(&mut self, price: Price, key: usize) -> Option<usize> {
        let rank = self.sign * price;
        match self.find(rank) {
            Ok(at) => Some(std::mem::replace(&mut self.levels[at].last, key)),
            Err(at) => {
                self.levels.insert(at, Level { rank, first: key, last: key });
                None
            }
        }
    }

    /// Takes out the order between `earlier` and `later`, and its level if that was all.
    pub(super) fn unlink(&mut self, price: Price, earlier: Option<usize>, later: Option<usize>) {
        if earlier.is_some() && later.is_some() {
            return;
        }
        let at = self.find(self.sign * price).expect("an open order has a level");
        match (earlier, later) {
            (None, Some(later)) => self.levels[at].first = later,
            (Some(earlier), _) => self.levels[at].last = earlier,
            (None, None) => {
                self.levels.remove(at);
            }
        }
    }

    fn find(&self, rank: i64) -> Result<usize, usize> {
        self.levels.binary_search_by_key(&rank, |level| level.rank)
    }
}
