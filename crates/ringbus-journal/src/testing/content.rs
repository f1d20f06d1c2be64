//! The bytes of a file: those that are read, and those that are durable.

use super::crash::{Fate, Fates, Filler};

/// What a drive writes whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize { size: usize },
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Resize { size } => content.resize(*size, 0),
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
        }
    }
}

/// What a file holds, whatever its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    durable: Vec<u8>,
    visible: Vec<u8>,
    /// In order, each with the operation that made it.
    unsynced: Vec<(u64, Change)>,
}

impl Content {
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self { visible: bytes.clone(), durable: bytes, unsynced: Vec::new() }
    }

    pub(super) fn visible(&self) -> &[u8] {
        &self.visible
    }

    pub(super) fn write(&mut self, operation: u64, offset: usize, bytes: &[u8]) {
        // No bytes do not make a file longer, wherever they are written.
        if !bytes.is_empty() {
            self.change(operation, Change::Write { offset, bytes: bytes.to_vec() });
        }
    }

    pub(super) fn resize(&mut self, operation: u64, size: usize) {
        self.change(operation, Change::Resize { size });
    }

    fn change(&mut self, operation: u64, change: Change) {
        change.apply(&mut self.visible);
        self.unsynced.push((operation, change));
    }

    pub(super) fn sync(&mut self) {
        for (_, change) in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// What was to be synced counts as written from now on, but was not.
    pub(super) fn fail_sync(&mut self) {
        self.unsynced.clear();
    }

    /// The operations that made what is not synced.
    pub(super) fn unsynced(&self) -> impl Iterator<Item = u64> {
        self.unsynced.iter().map(|(operation, _)| *operation)
    }

    /// The bytes after a crash; `old` are bytes that once lay on the disk.
    pub(super) fn after_crash(&self, fates: &mut Fates, old: &[&[u8]]) -> Vec<u8> {
        let mut content = self.durable.clone();
        for (operation, change) in &self.unsynced {
            let fate = fates.of_write(*operation);
            match change {
                _ if fate == Fate::Kept => change.apply(&mut content),
                Change::Resize { .. } => {}
                Change::Write { offset, bytes } => {
                    if fate == Fate::Torn {
                        tear(&mut content, *offset, bytes, fates, old);
                    }
                    let added = (offset + bytes.len()).saturating_sub(content.len());
                    let size = content.len() + fates.size_kept(added);
                    grow(&mut content, size, fates, old);
                }
            }
        }
        content
    }
}

/// Writes some of the sectors.
fn tear(content: &mut Vec<u8>, offset: usize, bytes: &[u8], fates: &mut Fates, old: &[&[u8]]) {
    let mut start = offset;
    while start < offset + bytes.len() {
        let end = next_sector(start).min(offset + bytes.len());
        if fates.keeps_sector() {
            grow(content, start, fates, old);
            let bytes = bytes[start - offset..end - offset].to_vec();
            Change::Write { offset: start, bytes }.apply(content);
        }
        start = end;
    }
}

/// Makes the content at least so long, with bytes that nobody wrote there.
fn grow(content: &mut Vec<u8>, size: usize, fates: &mut Fates, old: &[&[u8]]) {
    while content.len() < size {
        let start = content.len();
        let end = next_sector(start).min(size);
        match fates.filler() {
            Filler::Zeroes => {}
            Filler::Noise => content.extend((start..end).map(|_| fates.random.next() as u8)),
            Filler::Stale => {
                let file = old[fates.random.below(old.len())];
                let sector = if fates.random.chance(1, 2) {
                    start / SECTOR
                } else {
                    fates.random.below(file.len() / SECTOR + 1)
                };
                let from = sector * SECTOR + start % SECTOR;
                content.extend(file.iter().skip(from).take(end - start));
            }
        }
        // Zeroes, where the old file was too short too.
        content.resize(end, 0);
    }
}

fn next_sector(offset: usize) -> usize {
    (offset / SECTOR + 1) * SECTOR
}
