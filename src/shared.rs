//! Rings in files that other processes map to be read: a running core can be watched from outside, and neither slowed nor harmed.
//!
//! ```text
//!      the core's process                          any other process
//!   ┌───────────────────────┐                   ┌──────────────────────┐
//!   │ cursor, gates, limits │                   │ Observer             │
//!   │ (private memory)      │                   │ its own position,    │
//!   └──────────┬────────────┘                   │ its own mask         │
//!              │ publishes                      └──────────▲───────────┘
//!              ▼                                           │ copies, validates (PROT_READ)
//!   ┌──────────────────────────────────────────────────────┴───────────┐
//!   │ header │ mirrors: cursor, heartbeat, end │ report │ schema │ slots │   a file, mode 0440
//!   └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! [`RingBuilder::shared`](crate::RingBuilder::shared) places a ring in a file, [`BusBuilder::shared`](crate::bus::BusBuilder::shared) a
//! bus; `/dev/shm` is the natural place. Nothing else changes for the core: the slots have the same layout, and publishing stores one word
//! more, the cursor's mirror. Elsewhere, an [`Observer`] reads events of a type, [`RecordObserver`](crate::bus::RecordObserver) the records
//! of any bus by the schema that is in the file, and a [`RingFile`] tells what there is to know without reading events.
//!
//! # What stays true
//!
//! - An observer needs no right to write. It cannot hold the producer up, nor be noticed by it, whatever becomes of it: it is an optional
//!   consumer. What it costs is measured (PERF.md): its reads share cache lines with the producer's writes.
//! - What it gets is whole, in order, and what it missed is counted exactly.
//! - The producer relies on private memory alone. Somebody else who can write the file (root) can make observers see anything, and change
//!   the contents of slots that consumers in the core's own process read in place; it cannot make the producer lose its place, nor
//!   overwrite what a required consumer holds. Who makes the file *shorter* ends every process that touches what was cut off, by SIGBUS.
//! - Whether the core lives is known from a lock that its process holds on the file, and the kernel gives up with it: not from a process
//!   id, which may be somebody else's by now. An observer drains what a dead core had published, and then is told.
//! - A core that is started anew makes a new file, with another epoch, and moves it to the path: nobody who has the old one open sees it
//!   change. Two who start at one path are told apart by a lock on a file beside it, `PATH.lock`.
//!
//! On Linux alone: it takes locks of open files (`F_OFD_SETLK`), and not of processes. A core that calls `fork` and goes on in both
//! processes has the locks in both (a program that it starts gives them up at once), and only one of them may publish, or drop the producer. The path must not be on a network file system.

#[cfg(not(loom))]
mod attached;
#[cfg(not(loom))]
mod ending;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod header;
#[cfg(not(loom))]
mod info;
#[cfg(not(loom))]
mod lock_file;
#[cfg(not(loom))]
mod mirrors;
#[cfg(loom)]
mod model;
#[cfg(not(loom))]
mod observer;
#[cfg(not(loom))]
mod placement;
#[cfg(not(loom))]
mod process;
#[cfg(not(loom))]
mod remove;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod reporter;
#[cfg(not(loom))]
mod ring_file;
mod seqlock;
#[cfg(not(loom))]
mod settings;
mod shape;
#[cfg(not(loom))]
mod text;
mod watched;
#[cfg(not(loom))]
mod watching;

#[cfg(not(loom))]
pub use {
    error::{AttachError, FileError, HeaderError, ObserveError, RemoveError, SharedError},
    info::{Epoch, Info},
    observer::{Observer, ObserverBuilder},
    remove::remove_stale,
    report::{ConsumerReport, LatencySummary, Report},
    ring_file::{Liveness, RingFile},
    settings::Shared,
};
#[cfg(loom)]
#[doc(hidden)]
pub use {model::ModelObserver, seqlock::ModelSeqlock};

#[cfg(loom)]
pub(crate) use model::{Placement, Placement as Origin, Wanted};
pub(crate) use shape::Shape;
#[cfg(not(loom))]
pub(crate) use {
    attached::Attached as Origin,
    mirrors::Mirrors,
    placement::Placement,
    reporter::Reporter,
    settings::Wanted,
    watching::{Settings, Watching},
};
