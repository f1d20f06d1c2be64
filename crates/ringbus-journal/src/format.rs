//! How a journal lies in its files.
//!
//! All numbers have the byte order of the machine that wrote them, as the values in payloads have; who reads says so and refuses if it
//! has another one.

mod chunk;
mod file_header;
mod frame;
pub(crate) mod names;

pub(crate) use chunk::{CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind, Span};
pub(crate) use file_header::{FileHeader, LEAST_HEADER_BYTES};
pub(crate) use frame::{Frames, put_frame};

/// No sequence lies behind this one: a ring's do not (they leave the highest bit free), and nothing that is added to it leaves `u64`. Where
/// a file has a greater one, it is damaged.
pub(crate) const MAX_SEQUENCE: u64 = 1 << 63;

/// A chunk is closed when its records take so many bytes: what who reads needs memory for, and what a checksum covers. (A record that
/// is longer makes a chunk of its own.)
pub(crate) const CHUNK_BYTES: usize = 256 << 10;
