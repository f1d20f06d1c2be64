//! A journal for the event bus [`ringbus`]: what the core published, on disk, in order, before anybody acts on it.
//!
//! ```text
//!            ┌─▶ Journal ── after it: gateways, which see only what is durable
//! core ─▶ bus┤      │
//!            │      ▼ files ──▶ JournalReader ─┬─▶ follow: stores, in any process, which never hold the core up
//!            │                                 ├─▶ CatchUp: the journal while behind, the ring once not
//!            └─────────────────────────────────┴─▶ Replay: back on a ring
//! ```
//!
//! - [`Journal::record`] makes it a required consumer of a bus. It acknowledges what its [`Durability`] policy has made durable, and
//!   nothing else.
//! - [`JournalReader`] reads from anywhere: by sequence, block, time or transaction; also while it is being written, in any process.
//! - [`JournalReader::follow`] lets a subscriber follow the journal alone. [`CatchUp`] goes over to the live ring and back.
//!   [`JournalReader::join_required`] is for who becomes a required consumer late.
//! - [`Replay`] puts it back on a ring.
//!
//! # Restarting a core
//!
//! 1. Open the journal. It cuts off what a crash has torn, none of which was ever acknowledged, and [tells](Recovery) what it found.
//! 2. Rebuild the core's state up to [`Recovery::last_block`], the last block that the journal has whole: from a snapshot and its input, or
//!    from the journal's records.
//! 3. Build the bus with [`first_sequence`](ringbus::bus::BusBuilder::first_sequence) at [`Journal::next_sequence`].
//! 4. Let the journal subscribe, and who comes after it; then [`Journal::record`].
//! 5. Stores go on where they have stopped, by [following](JournalReader::follow) the journal.
//! 6. Begin the block behind the last whole one. If the journal has a part of it ([`Recovery::unfinished`]), that stays there, because it may
//!    have been acknowledged: a block that begins where another has not ended says that the other came to nothing. Stores drop what
//!    they have of it; a gateway that must not act on such a part acts at the ends of blocks.
//!
//! ```
//! use ringbus::bus::{BlockStart, Bus, Hash};
//! use ringbus_journal::{Durability, Journal};
//!
//! # let directory = tempfile::tempdir()?;
//! // The same program, started twice.
//! for start in 0..2 {
//!     let journal = Journal::builder("testnet").durability(Durability::EachBlock).open(directory.path())?;
//!     let height = journal.recovery().last_block.map_or(0, |block| block.height);
//!     assert_eq!(height, start * 10); // rebuild the core's state up to here
//!
//!     let (mut writer, bus) = Bus::<192>::builder("testnet").first_sequence(journal.next_sequence()).build()?;
//!     let recording = journal.record(bus.subscribe("journal").required().join()?)?;
//!     for height in height + 1..=height + 10 {
//!         writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([height as u8; 32]) })?;
//!         writer.end_block()?;
//!     }
//!     writer.close()?;
//!     recording.join()?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The files
//!
//! ```text
//! 00000000000000000000.journal   a segment, named by the sequence of its first record
//! 00000000000000000000.index     what lies where in it: a help, made again if it is damaged or gone
//! 00000000000000131072.journal   the next
//! 00000000000000131072.index
//! durable                        how far the journal is durable, for readers in other processes
//! lock                           held by the one that writes
//! reader-NAME                    how far a registered reader is
//! ```
//!
//! All numbers have the byte order of the machine that wrote them, as the values in payloads have.
//!
//! ```text
//! segment   "RBJOURNL"  format: u16 = 1  byte order: u16 = 0x0102  checksum: u32  length of the header: u32  slot payload: u32
//!           first sequence: u64  salt: u64  created: i64  length of the stream's name: u32  of the schema: u32  0: u64
//!           the stream's name  the schema, as ringbus::bus::schema encodes it  zeroes up to a multiple of 64
//!           then chunk *
//! chunk     "RBCH"  checksum of the header: u32  salt: u64  kind: u16  0: u16  records: u32  length: u32  checksum of the body: u32
//!           durable: u64  first sequence: u64  sequence behind: u64  least and greatest time: i64  least and greatest height: u64
//!           then record * (kind 1), or nothing (kind 2: a gap)
//! record    length of the payload: u32  header of the record: 64 bytes  payload
//! ```
//!
//! Checksums are CRC-32C. The salt is a random number that all chunks of a segment have: bytes that an older file has left on the disk are not
//! taken for its own. *durable* says how far the journal had been durable when the chunk was written: if something before that is
//! damaged, it is no torn end, and nobody may cut it off.
//!
//! # What is synced when
//!
//! A segment is made as `new-segment`, synced, renamed, and its name synced, before its first record is written; a segment that is full is
//! synced before the next is made. So after a crash only the last segment can have a torn end. Its chunks are acknowledged when it has been
//! synced behind them.
//! The file `durable` is written behind each sync, and not synced itself: it tells readers how far they may go while the machine runs, and
//! after a crash it can only say too little.
//!
//! After a failed `fsync` nothing is tried again: the kernel may have taken the lost pages for written (Rebello et al., "Can Applications
//! Recover from fsync Failures?", USENIX ATC 2020). The journal fails, and with it the bus.

mod catch_up;
mod durability;
mod error;
mod feeder;
mod follow;
mod format;
#[cfg(feature = "import")]
pub mod import;
mod index;
mod journal;
#[cfg(feature = "json")]
pub mod json;
mod late;
mod mark;
mod reader;
mod recording;
mod recovery;
mod registered;
mod replay;
mod segment;
mod settings;
mod storage;
pub mod testing;
pub mod verify;

#[cfg(feature = "shared")]
pub use catch_up::OnFile;
pub use catch_up::{CatchUp, Caught, Live, OnBus};
pub use durability::Durability;
pub use error::{Damage, HeaderError, JournalError};
pub use follow::{Follow, FollowError, Following};
pub use journal::Journal;
pub use late::{Continued, LateError};
pub use reader::{Extent, JournalReader, Start};
pub use recording::{Recorded, Recording};
pub use recovery::{BlockEnd, Cut, Recovery};
pub use registered::RegisteredReader;
pub use replay::{Replay, ReplayError, Replayed, Speed};
pub use settings::JournalBuilder;
pub use storage::disk::Disk;
pub use storage::{File, Lock, Storage};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
