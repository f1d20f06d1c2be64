//! The last value of each key.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use super::super::record_ref::RecordRef;
use super::gather::Gather;

/// Gathers the last value of each key: see [`PerBlock::last_by_key`](super::PerBlock::last_by_key).
pub struct LastByKey<K, V, F> {
    entry: F,
    entries: Vec<(K, V)>,
    /// Where in `entries` each key stands.
    places: HashMap<K, usize>,
}

impl<K, V, F> LastByKey<K, V, F> {
    /// Gathers the last value of each key, as `entry` finds them in the records; `None` is passed over.
    #[must_use]
    pub fn new(entry: F) -> Self {
        Self { entry, entries: Vec::new(), places: HashMap::new() }
    }
}

impl<K, V, F> Gather for LastByKey<K, V, F>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Send + 'static,
    F: FnMut(RecordRef<'_>) -> Option<(K, V)> + Send + 'static,
{
    type Value = (K, V);

    fn gather(&mut self, record: RecordRef<'_>) {
        let Some((key, value)) = (self.entry)(record) else { return };
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].1 = value;
        } else {
            self.places.insert(key.clone(), self.entries.len());
            self.entries.push((key, value));
        }
    }

    fn values(&mut self) -> &mut Vec<(K, V)> {
        &mut self.entries
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.places.clear();
    }
}

impl<K, V, F> fmt::Debug for LastByKey<K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastByKey").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}
