//! Recorded core events for the examples and tests of `ringbus`.
//!
//! Two sources give the same type, [`RecordedEvent`]:
//!
//! * [`Reader`] reads a recording: frames of one protobuf message each, plain or gzip.
//! * [`Generator`] makes a stream of any length that has a recording's shape and traps, the same one for the
//!   same [`Settings`], so nothing has to be downloaded to run an example.
//!
//! [`write_framed`] writes either back in the recording's framing:
//!
//! ```text
//! u32 big-endian   size of what follows in this frame, in bytes: 8 + length of the message
//! u64 big-endian   file sequence
//! bytes            one protobuf message, `BusEvent`
//! ```
//!
//! [`RecordedEvent::header`] is what a record on a bus says of an event.
//!
//! # The traps
//!
//! What a consumer of such a stream must cope with, and what the generator therefore puts in:
//!
//! * Block 1 is emitted twice in a row, so height and order are not a key: the second emission counts its orders
//!   from 1 again, under another block hash, with other (and fewer) events. The first is the largest block.
//! * The events of one transaction need not be contiguous.
//! * Nearly a third of the events take less than 180 bytes, and the largest about 4 kB.
//! * Blocks differ in size by two orders of magnitude.
//! * A recording may end inside a block ([`Settings::unfinished_last_block`]).
//!
//! # Example
//!
//! ```
//! use recorded::{Generator, Reader, RecordedEvent, Settings, kind, kind_name, write_framed};
//!
//! let events: Vec<RecordedEvent> =
//!     Generator::new(Settings { seed: 7, blocks: 20, ..Settings::default() }).collect();
//! assert_eq!(events[0].kind, kind::BEGIN_BLOCK);
//! assert_eq!(kind_name(events[0].kind), "begin block");
//!
//! let mut file = Vec::new();
//! write_framed(&mut file, &events)?;
//!
//! let read = Reader::new(&file[..]).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(read, events);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod envelope;
mod error;
mod event;
mod framing;
mod generator;
mod hex;
pub mod kind;
mod kind_name;
mod reader;
mod to_record;

pub use error::{Fault, OpenError, ReadError};
pub use event::RecordedEvent;
pub use framing::{MAX_FRAME_BYTES, write_framed};
pub use generator::{Generator, Settings};
pub use kind_name::kind_name;
pub use reader::Reader;
