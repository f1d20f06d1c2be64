//! Removing what a core has left behind.

use std::fs;
use std::path::Path;

use super::attached;
use super::error::{FileError, RemoveError};
use super::lock_file::{LockFile, is_at};

/// Removes the file of a ring whose process is gone, and the lock file beside it. A new core at the same path needs no such thing: it puts
/// its own file in the place of the old one.
///
/// Whether the process is gone is asked of the kernel: it holds two locks, on the ring's file and beside it, for as long as it lives.
///
/// # Errors
///
/// [`RemoveError::InUse`] if it is there; nothing has changed then.
///
/// ```
/// use ringbus::Ring;
/// use ringbus::shared::{RemoveError, remove_stale};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders");
/// let (producer, ring) = Ring::<u64>::builder().shared(&path).build()?;
/// assert!(matches!(remove_stale(&path), Err(RemoveError::InUse { .. })));
/// drop((producer, ring));
/// remove_stale(&path)?;
/// assert!(!path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn remove_stale(path: impl AsRef<Path>) -> Result<(), RemoveError> {
    let path = path.as_ref();
    // Before the lock file is made.
    attached::open(path).map_err(RemoveError::Attach)?;
    let in_use = || RemoveError::InUse { path: path.to_owned() };
    let lock = LockFile::take(path)?.ok_or_else(in_use)?;
    let removed = remove(path);
    // With or without: if it was made by us it is of no use, and if not, its owner is gone.
    lock.remove()?;
    removed
}

/// For who has the lock.
fn remove(path: &Path) -> Result<(), RemoveError> {
    let (file, _) = attached::open(path).map_err(RemoveError::Attach)?;
    if attached::is_locked(&file, path)? {
        return Err(RemoveError::InUse { path: path.to_owned() });
    }
    // Nobody else can have put another in its place: that takes the lock.
    if is_at(&file, path).map_err(FileError::new("looking at", path))? {
        fs::remove_file(path).map_err(FileError::new("removing", path))?;
    }
    Ok(())
}
