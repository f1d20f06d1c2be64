//! A lock-free ring-buffer (disruptor) event bus, to be embedded in latency-sensitive cores: a matching engine, a market-data
//! handler, a simulation loop, a validator node.
//!
//! The core publishes what happened, once, as fixed-layout [events](Event) on a preallocated [`Ring`]. Everything else is a
//! consumer that the core never has to know:
//!
//! - **Required** consumers get every event, in order, in place, and the producer waits for the slowest of them. None can
//!   lose an event silently, not by being slow, not by leaving, not by crashing. ([`RequiredConsumer`])
//! - **Optional** consumers never hold the producer up. They copy events out, and are told exactly how many they missed.
//!   ([`OptionalConsumer`])
//!
//! ```
//! use ringbus::Ring;
//!
//! let (mut producer, ring) = Ring::<[u64; 2]>::builder().capacity(1 << 10).build()?;
//! let mut audit = ring.required("audit").join()?;
//! let mut monitor = ring.optional("monitor").join()?;
//!
//! producer.publish(&[1, 100])?;
//! producer.publish_batch(&[[2, 200], [3, 300]])?; // visible at once
//!
//! let mut sum = 0;
//! audit.poll(|event, _sequence, _end_of_batch| sum += event[1])?; // in place, acknowledged
//! assert_eq!(sum, 600);
//! let (sequence, event) = monitor.recv()?; // a copy
//! assert_eq!((sequence.get(), event), (0, [1, 100]));
//! # audit.leave();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! On top of it stands the [`bus`]: records of many kinds, traced to the transactions that caused them, block by block, and
//! subscriptions with filters.
//!
//! What an application needs around them: consumers that come after others ([`RequiredBuilder::after`]), on threads of their own
//! ([`worker`]), that sleep until woken ([`wait::Park`]), that can be [paused](RequiredConsumer::pause), waited for
//! ([`Progress`]) and looked at ([`stats`]). The [`guide`] says what to choose when.
//!
//! # The data path
//!
//! ```text
//!             claim            write             publish
//!  Producer ───────────▶ slot ───────▶ slot ───────────────▶ cursor ──┐ one store a batch
//!     ▲   room.take(n)     relaxed words          Release, fence      │
//!     │                                                               │
//!     │ looks at its limit          ┌─────────────────────────────────┤
//!     │                             ▼ Acquire                         ▼ relaxed load, fence
//!   gates ◀──────────── RequiredConsumer: &[E] in place      OptionalConsumer: copy words, fence,
//!     │    acknowledge                                         load the cursor again, accept or count
//!     │    Release, one store a batch                          as missed
//!     ▼ Acquire
//!   RequiredConsumer that comes after it
//! ```
//!
//! # What stays true
//!
//! - A sequence is published once and never changes; sequences have no gaps and never wrap.
//! - A batch becomes visible at once, by one store of the cursor.
//! - A slot is written only when every required consumer has acknowledged the event in it.
//! - An optional consumer returns an event only if it was not overwritten while it was copied.
//! - A consumer that comes after others reads only what all of them have acknowledged.
//! - Nobody who sleeps misses what it sleeps for.
//! - For every consumer, at any moment: `delivered + missed + let pass while paused + lag == published since it joined`.
//! - Publishing and reading never allocate. (Joining, pausing and workers' threads do.)
//!
//! The protocol, with its proofs, is described in ARCHITECTURE.md and in the modules it lives in; every ordering and fence has a
//! mutant in `loom-tests/` that shows it to be needed.
//!
//! # Features
//!
//! All are off by default.
//!
//! - `affinity`: workers and other threads can be pinned to a core.
//! - `async`: subscriptions of a bus as streams, for async consumers on any runtime (`bus::stream`).
//! - `latency`: sampled latency from publish to acknowledge, in the statistics.
//! - `shared`: rings in files that other processes map to be read, so that a running core can be watched from outside (`shared`). Linux.
//! - `tracing`: what becomes of rings and buses, their subscriptions and workers, as events of the `tracing` crate, target `ringbus`:
//!   who came, paused, was overrun, failed or left, and how the stream ended. Nothing on the hot path.
//!
//! # What it does not do
//!
//! One producer; 64-bit targets; events of fixed layout, at least 8 bytes and a multiple of 8. Events are not dropped (they are
//! `Copy`). An optional consumer's reads share cache lines with the producer's writes: PERF.md says what that costs.

#![cfg_attr(loom, allow(dead_code, unused_imports, reason = "the bus uses some of it, and is not compiled"))]

#[cfg(all(feature = "shared", not(target_os = "linux")))]
compile_error!(
    "ringbus: the feature `shared` is for Linux alone: it needs locks of open files, and asks the kernel who has them"
);

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "ringbus needs a 64-bit target: sequences are 64-bit words that must be loaded and stored at once"
);

mod attention;
mod barrier;
mod batch;
#[cfg(not(loom))]
pub mod bus;
mod cursor;
mod diagnostics;
mod error;
mod event;
mod gate;
pub mod guide;
#[cfg(feature = "latency")]
mod latency;
mod member;
mod optional;
mod pace;
mod parking;
mod pause;
mod producer;
mod progress;
mod read_from;
mod reader;
mod region;
mod required;
mod ring;
mod room;
mod sequence;
#[cfg(feature = "shared")]
pub mod shared;
pub mod stats;
mod storage;
mod sync;
#[cfg(not(loom))]
pub mod testing;
mod token;
pub mod wait;
mod waiting;
mod waits;
pub mod worker;

pub use barrier::Upstream;
pub use batch::{Batch, BatchIter};
pub use error::{
    AcknowledgeError, BuildError, ClaimFull, End, Failure, FailureCause, GroupError, JoinError, PauseError,
    ProgressError, PublishError, ReadError, RecvError, StartError,
};
pub use event::Event;
pub use optional::{OptionalBuilder, OptionalConsumer, Received};
pub use parking::Parking;
pub use pause::{Pausable, Paused};
pub use producer::{Claim, Producer};
pub use progress::Progress;
pub use read_from::ReadFrom;
pub use required::{RequiredBuilder, RequiredConsumer};
pub use ring::{GroupMember, Ring, RingBuilder};
pub use sequence::{MAX_FIRST_SEQUENCE, Sequence};
pub use wait::WaitStrategy;

/// README.md's program, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
