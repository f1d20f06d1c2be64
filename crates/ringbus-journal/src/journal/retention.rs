//! Removing what is old.

use crate::error::{JournalError, place};
use crate::format::names;
use crate::registered::least_position;
use crate::storage::Storage;

/// Removes the oldest of the full segments while there are more bytes than are to be kept, as far as all registered readers have passed
/// them. `end` is where the last of them ends.
pub(super) fn remove_old(
    storage: &dyn Storage,
    keep_bytes: u64,
    sealed: &mut Vec<u64>,
    end: u64,
) -> Result<(), JournalError> {
    if keep_bytes == u64::MAX {
        return Ok(());
    }
    let mut sizes = Vec::with_capacity(sealed.len());
    for &first in &*sealed {
        let name = names::segment(first);
        let size = storage.open_to_read(&name).and_then(|file| file.size());
        sizes.push(size.map_err(JournalError::io("look at", place(storage, &name)))?);
    }
    let mut bytes: u64 = sizes.iter().sum();
    let mut removed = 0;
    for (at, size) in sizes.iter().enumerate() {
        // Where a segment ends, the next begins.
        let end = sealed.get(at + 1).copied().unwrap_or(end);
        // Asked anew each time: somebody may have registered meanwhile.
        if bytes <= keep_bytes || end > least_position(storage)? {
            break;
        }
        // It may never have been made.
        let _ = storage.remove(&names::index(sealed[at]));
        let name = names::segment(sealed[at]);
        storage.remove(&name).map_err(JournalError::io("remove", place(storage, &name)))?;
        // One after the other: a crash must not keep the older one of two.
        storage.sync().map_err(JournalError::io("sync the directory", storage.place()))?;
        bytes -= size;
        removed = at + 1;
    }
    sealed.drain(..removed);
    Ok(())
}
