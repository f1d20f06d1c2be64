//! The framing: sizes, and writing.

use std::io::{self, Write};

use crate::RecordedEvent;

/// The largest size that a frame may state, in bytes: the file sequence and the message.
///
/// [`Reader`](crate::Reader) allocates no more than this for a frame, whatever its size word says.
pub const MAX_FRAME_BYTES: usize = 1 << 20;

/// Bytes of the size word.
pub(crate) const SIZE_BYTES: usize = size_of::<u32>();

/// Bytes of the file sequence, the least size of a frame.
pub(crate) const SEQUENCE_BYTES: usize = size_of::<u64>();

/// Writes `events` in the recording's framing, one `write_all` an event, and flushes `writer`.
///
/// Only `file_sequence` and `encoded` are written: the other fields are inside `encoded`.
///
/// # Errors
///
/// What `writer` returns; [`io::ErrorKind::InvalidInput`] for an event whose frame would be larger than
/// [`MAX_FRAME_BYTES`] (the events before it are written).
pub fn write_framed<'a>(
    mut writer: impl Write,
    events: impl IntoIterator<Item = &'a RecordedEvent>,
) -> io::Result<()> {
    let mut frame = Vec::new();
    for event in events {
        let size = SEQUENCE_BYTES.saturating_add(event.encoded.len());
        let Some(size_word) = u32::try_from(size).ok().filter(|_| size <= MAX_FRAME_BYTES) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "the event with file sequence {} needs a frame of {size} bytes, expected at most \
                     {MAX_FRAME_BYTES}: shorten its `encoded`",
                    event.file_sequence
                ),
            ));
        };
        frame.clear();
        frame.extend_from_slice(&size_word.to_be_bytes());
        frame.extend_from_slice(&event.file_sequence.to_be_bytes());
        frame.extend_from_slice(&event.encoded);
        writer.write_all(&frame)?;
    }
    writer.flush()
}
