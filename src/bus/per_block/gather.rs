//! How the records of a block become values.

use std::fmt;

use super::super::record_ref::RecordRef;

/// What gathers values from the records of a block. [`Append`] and [`LastByKey`](super::LastByKey) are ready made; another one
/// may add up volumes, for instance.
pub trait Gather: Send + 'static {
    /// What is committed.
    type Value: Send + 'static;

    /// A record of the block.
    fn gather(&mut self, record: RecordRef<'_>);

    /// The block has ended: what was gathered.
    fn values(&mut self) -> &mut Vec<Self::Value>;

    /// Forgets what was gathered, and keeps the memory for the next block. Called between blocks, whatever
    /// [`values`](Self::values) has been made of.
    fn clear(&mut self);
}

/// Gathers one value for each record that has one: see [`PerBlock::append`](super::PerBlock::append).
pub struct Append<T, F> {
    value: F,
    values: Vec<T>,
}

impl<T, F> Append<T, F> {
    /// Gathers what `value` makes of each record; `None` is passed over.
    #[must_use]
    pub fn new(value: F) -> Self {
        Self { value, values: Vec::new() }
    }
}

impl<T, F> Gather for Append<T, F>
where
    T: Send + 'static,
    F: FnMut(RecordRef<'_>) -> Option<T> + Send + 'static,
{
    type Value = T;

    fn gather(&mut self, record: RecordRef<'_>) {
        self.values.extend((self.value)(record));
    }

    fn values(&mut self) -> &mut Vec<T> {
        &mut self.values
    }

    fn clear(&mut self) {
        self.values.clear();
    }
}

impl<T, F> fmt::Debug for Append<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Append").field("values", &self.values.len()).finish_non_exhaustive()
    }
}
