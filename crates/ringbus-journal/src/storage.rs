//! What a journal needs of a file system, so that one that loses power can be put in its place.

pub(crate) mod disk;

use std::fmt;
use std::io;

/// A directory with the files of one journal.
///
/// [`Disk`](crate::Disk) is the one to use. Another one is made for tests: [`SimulatedDisk`](crate::testing::SimulatedDisk) loses what
/// was not synced, as a power cut does, and refuses what it is told to refuse.
///
/// What is promised of it, and no more: what was written to a file is there after a crash of the machine once [`File::sync`] has
/// returned; that a file was made, renamed or removed is so after a crash once [`sync`](Self::sync) has returned. Before that, each
/// write may be kept, lost, or kept in part, in any order.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// The names of all files, in no order.
    ///
    /// # Errors
    ///
    /// The file system's.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a new, empty file, open for reading and appending.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`]; the file system's.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading and appending.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`]; the file system's.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading only: writing to it fails.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`]; the file system's.
    fn open_to_read(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Gives a file another name; a file that has that name already is replaced.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`]; the file system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Who has it open can go on reading it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`]; the file system's.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes durable which files there are, and their names.
    ///
    /// # Errors
    ///
    /// The file system's. What it was to make durable may be lost then, also if a later call succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Takes the lock of this name, which one holder has at a time, in all processes. It is given back when the result is dropped, or
    /// its process ends, however it ends.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if somebody has it; the file system's.
    fn lock(&self, name: &str) -> io::Result<Box<dyn Lock>>;

    /// Where it is, for messages.
    fn place(&self) -> String;
}

/// An open file. One that is written to is open for writing once at a time.
pub trait File: fmt::Debug + Send + 'static {
    /// Writes at the end of the file; returns how many of the bytes, which may be fewer than there are.
    ///
    /// # Errors
    ///
    /// The file system's: [`io::ErrorKind::StorageFull`] among them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Writes at `offset`, over what is there.
    ///
    /// # Errors
    ///
    /// The file system's.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Reads from `offset` on, into `bytes`; returns how many, 0 at the end of the file.
    ///
    /// # Errors
    ///
    /// The file system's.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// How many bytes it has now.
    ///
    /// # Errors
    ///
    /// The file system's.
    fn size(&self) -> io::Result<u64>;

    /// Cuts it off.
    ///
    /// # Errors
    ///
    /// The file system's.
    fn truncate(&mut self, size: u64) -> io::Result<()>;

    /// Makes durable what was written, and the size.
    ///
    /// # Errors
    ///
    /// The file system's. What it was to make durable may be lost then, also if a later call succeeds: so the journal never calls it
    /// again after an error, but fails.
    fn sync(&mut self) -> io::Result<()>;
}

/// A lock that is held: see [`Storage::lock`].
pub trait Lock: fmt::Debug + Send {}
