//! What can go wrong while reading, said so that it can be acted on.

use std::path::PathBuf;
use std::{error, fmt, io};

use crate::framing::{MAX_FRAME_BYTES, SEQUENCE_BYTES};

/// Characters of a wrong value that an error shows.
const EXCERPT_CHARS: usize = 80;

/// The start of a wrong value, for an error.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

/// A file that could not be opened, or whose first bytes could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What the operating system said.
    pub cause: io::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, cause } = self;
        write!(
            f,
            "cannot open {path:?}: {cause}; expected a readable file of recorded events, plain or gzip: check the path"
        )
    }
}

impl error::Error for OpenError {}

/// A frame that could not be read: where it starts, and what is wrong with it.
///
/// The message names the offset, the frame, what was wrong, what was expected and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// Where the frame starts: bytes from the start of the unpacked stream.
    pub offset: u64,
    /// Which frame: 1 for the first.
    pub frame: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, frame, fault } = self;
        write!(f, "frame {frame}, at byte {offset} of the unpacked stream: {fault}")
    }
}

impl error::Error for ReadError {}

/// What is wrong with a frame.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The stream could not be read or unpacked; a gzip file that was cut short ends up here.
    Io(io::Error),
    /// The stream ends inside the frame.
    Truncated {
        /// Bytes of the frame that are there.
        found: u64,
        /// Bytes that the frame takes, its size word included; 4, the size word alone, where that is cut.
        expected: u64,
    },
    /// The frame's size is too small for a file sequence, or larger than [`MAX_FRAME_BYTES`].
    Size {
        /// The size, in bytes.
        found: u32,
    },
    /// The file sequence does not follow that of the frame before.
    Sequence {
        /// The file sequence.
        found: u64,
        /// That of the frame before.
        previous: u64,
    },
    /// The bytes are not a protobuf message with the fields of `BusEvent`.
    Protobuf(prost::DecodeError),
    /// `id` is not `"HEIGHT-SEQ"`.
    Id {
        /// Its first 80 characters.
        found: String,
    },
    /// A hash is not 64 hex digits.
    Hex {
        /// The name of the field: `block` or `tx_hash`.
        field: &'static str,
        /// Its first 80 characters.
        found: String,
    },
    /// `type` does not fit a `u16`.
    Kind {
        /// Its value.
        found: i64,
    },
    /// `version` does not fit a `u8`.
    Version {
        /// Its value.
        found: u32,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(cause) => write!(
                f,
                "reading failed: {cause}; expected to read on to the end of the frame: check the disk, and that \
                 the copy is whole (a gzip file must be complete)"
            ),
            Self::Truncated { found, expected } => write!(
                f,
                "the stream ends after {found} bytes of it, expected {expected}{}: take a whole copy, or use the \
                 events before it",
                if *expected > 4 { "" } else { " for its size word alone" }
            ),
            Self::Size { found } => write!(
                f,
                "its size is {found} bytes, expected {SEQUENCE_BYTES} to {MAX_FRAME_BYTES}: the stream is damaged \
                 from here on, or is not a recording of events; take a fresh copy"
            ),
            Self::Sequence { found, previous } => {
                write!(f, "its file sequence is {found}, expected ")?;
                match previous.checked_add(1) {
                    Some(next) => write!(f, "{next}")?,
                    None => write!(f, "no frame after {previous}, the largest there is")?,
                }
                write!(f, ": events are missing, repeated or damaged; take a fresh copy")
            }
            Self::Protobuf(cause) => write!(
                f,
                "malformed protobuf: {cause}; expected one message `BusEvent`: the frame is damaged, or is of \
                 another format; take a fresh copy"
            ),
            Self::Id { found } => write!(
                f,
                "malformed `id` {found:?}, expected \"HEIGHT-SEQ\" in decimal, SEQ from 1 to {}: the frame is \
                 damaged, or is of another format; take a fresh copy",
                u32::MAX
            ),
            Self::Hex { field, found } => write!(
                f,
                "malformed `{field}` {found:?}, expected a hash of 64 hex digits: the frame is damaged, or is of \
                 another format; take a fresh copy"
            ),
            Self::Kind { found } => write!(
                f,
                "`type` is {found}, expected 0 to {}: the frame is damaged, or is of another format; take a \
                 fresh copy",
                u16::MAX
            ),
            Self::Version { found } => write!(
                f,
                "`version` is {found}, expected 0 to {}: the frame is damaged, or is of another format; take a \
                 fresh copy",
                u8::MAX
            ),
        }
    }
}
