//! A cell for each account and market.

use crate::units::{AccountId, MarketId};

/// A row for each account, a column for each market.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    markets: usize,
    cells: Vec<T>,
}

impl<T: Clone + Default> Table<T> {
    pub(crate) fn new(accounts: u32, markets: usize) -> Self {
        Self { markets, cells: vec![T::default(); accounts as usize * markets] }
    }

    /// The cells of an account, by market.
    pub(crate) fn row(&self, account: AccountId) -> &[T] {
        &self.cells[account as usize * self.markets..][..self.markets]
    }

    pub(crate) fn cell(&mut self, account: AccountId, market: MarketId) -> &mut T {
        &mut self.cells[account as usize * self.markets..][..self.markets][usize::from(market)]
    }
}
