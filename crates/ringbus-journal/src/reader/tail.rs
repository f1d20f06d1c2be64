//! How far a journal may be read.

use crate::format::names::DURABLE;
use crate::mark::Mark;
use crate::storage::{File, Storage};

/// How far a journal is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// As far as it has acknowledged: what a crash cannot take back any more (as far as its [policy](crate::Durability) goes). For
    /// those who act on what they read, or keep it. The file `durable` says how far that is: a copy of a journal without it has nothing
    /// to read.
    Durable,
    /// As far as it is written. A crash of the machine may take the last of it back. For those who look on, and for journals that
    /// nobody writes any more.
    Written,
}

/// Knows how far that is.
#[derive(Debug)]
pub(super) struct Tail {
    extent: Extent,
    /// As it was read last.
    mark: Mark,
    file: Option<Box<dyn File>>,
}

impl Tail {
    pub(super) fn new(extent: Extent) -> Self {
        Self { extent, mark: Mark::default(), file: None }
    }

    /// Whether all before `end` may be read.
    pub(super) fn reaches(&mut self, end: u64, storage: &dyn Storage) -> bool {
        self.extent == Extent::Written || end <= self.mark.acknowledged || {
            self.look(storage);
            end <= self.mark.acknowledged
        }
    }

    /// Whether what begins with `next` is known to have been synced once.
    pub(super) fn was_synced(&mut self, next: u64, storage: &dyn Storage) -> bool {
        self.look(storage);
        next < self.mark.synced
    }

    fn look(&mut self, storage: &dyn Storage) {
        if self.file.is_none() {
            self.file = storage.open_to_read(DURABLE).ok();
        }
        if let Some(mark) = self.file.as_deref().and_then(Mark::read) {
            self.mark = mark;
        }
    }
}
