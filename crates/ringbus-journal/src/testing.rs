//! A disk to test with: it loses power, fills up and fails when it is told to.
//!
//! A process that is killed loses nothing that it wrote, because the kernel has it already; so killing processes says nothing about
//! whether a program syncs what it must. [`SimulatedDisk`] is a [`Storage`](crate::Storage) in memory that knows what was synced and
//! what was not. [`SimulatedDisk::crash`] gives what a machine may find after a power cut, as a disk to start from again:
//!
//! ```
//! use ringbus_journal::Storage;
//! use ringbus_journal::testing::{Crash, SimulatedDisk};
//!
//! let disk = SimulatedDisk::new();
//! let mut file = disk.create("a")?;
//! disk.sync()?;
//! file.append(b"synced, ")?;
//! file.sync()?;
//! file.append(b"not synced")?;
//!
//! // The same moment, and two of the things that can become of it.
//! let rebooted = disk.crash(Crash::keep_nothing());
//! assert_eq!(rebooted.file("a").as_deref(), Some(&b"synced, "[..]));
//! let rebooted = disk.crash(Crash::keep_everything());
//! assert_eq!(rebooted.file("a").as_deref(), Some(&b"synced, not synced"[..]));
//!
//! // For who holds the disk of before, the machine is dead.
//! assert!(file.append(b"more").is_err() && disk.list().is_err());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # A crash at every operation
//!
//! Each call of [`Storage`](crate::Storage) and [`File`](crate::File) is an operation. Run the scenario once and ask for the number of
//! [`operations`](SimulatedDisk::operations); then run it again for each of them, on a new disk that stops there
//! ([`crash_at`](SimulatedDisk::crash_at)), and look at what several [`Crash`]es make of it.
//!
//! # What is modelled
//!
//! - Each write, cut-off, creation, renaming and removal that was not synced is kept or lost on its own, whatever became of those
//!   before and behind it. A rename happens or does not: the file is never there under both names, nor under neither. Kept changes of
//!   the same bytes or the same name come in their order.
//! - A write can be torn: any of its sectors of 512 bytes are kept. The size can be kept where the bytes were not: these are zeroes
//!   then or, more rarely, noise or what other files held.
//! - A file that was synced vanishes with its name, if the directory was not synced; some file systems are kinder.
//! - A sync that failed loses what it was to make durable: it can still be read, and a later sync succeeds, but does not make it
//!   durable. So does Linux, which marks pages that it could not write as clean.
//! - What was synced stays, and never changes.
//!
//! Times, permissions and directories within are not modelled.

mod content;
mod crash;
mod directory;
mod disk;
mod fault;
mod file;
mod machine;
mod operation;
mod random;

pub use crash::Crash;
pub use disk::SimulatedDisk;
pub use fault::Fault;
pub use operation::{Counts, Operation};
