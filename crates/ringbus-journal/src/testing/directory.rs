//! The names of files: those that are seen, and those that are durable.

use std::collections::BTreeMap;
use std::mem;

use super::crash::{Fate, Fates};

/// Which content has which name.
type Names = BTreeMap<String, u64>;

/// From now on the content has this name and no other, or none at all. So a rename is one change, and whatever became of those
/// before it, no content has two names.
#[derive(Clone, Debug)]
struct Change {
    content: u64,
    name: Option<String>,
}

impl Change {
    fn apply(self, names: &mut Names) {
        names.retain(|_, content| *content != self.content);
        if let Some(name) = self.name {
            names.insert(name, self.content);
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    durable: Names,
    visible: Names,
    /// In order, each with the operation that made it.
    unsynced: Vec<(u64, Change)>,
}

impl Directory {
    pub(super) fn content(&self, name: &str) -> Option<u64> {
        self.visible.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.visible.keys()
    }

    /// The contents that have a name now.
    pub(super) fn contents(&self) -> impl Iterator<Item = u64> {
        self.visible.values().copied()
    }

    /// Gives the content this name, or none.
    pub(super) fn set(&mut self, operation: u64, content: u64, name: Option<&str>) {
        let change = Change { content, name: name.map(String::from) };
        change.clone().apply(&mut self.visible);
        self.unsynced.push((operation, change));
    }

    pub(super) fn sync(&mut self) {
        for (_, change) in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// See [`Content::fail_sync`](super::content::Content::fail_sync).
    pub(super) fn fail_sync(&mut self) {
        self.unsynced.clear();
    }

    /// The operations that made what is not synced.
    pub(super) fn unsynced(&self) -> impl Iterator<Item = u64> {
        self.unsynced.iter().map(|(operation, _)| *operation)
    }

    pub(super) fn crash(&mut self, fates: &mut Fates) {
        for (operation, change) in mem::take(&mut self.unsynced) {
            if fates.of_name(operation) == Fate::Kept {
                change.apply(&mut self.durable);
            }
        }
        self.visible = self.durable.clone();
    }
}
