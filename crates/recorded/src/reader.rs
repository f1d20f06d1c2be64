//! Reading frames.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::iter::FusedIterator;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::framing::{MAX_FRAME_BYTES, SEQUENCE_BYTES, SIZE_BYTES};
use crate::{Fault, OpenError, ReadError, RecordedEvent};

/// The first bytes of gzip. As a frame's size they would be over 500 MiB, so no recording starts with them.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes read ahead.
const BUFFER_BYTES: usize = 64 << 10;

/// The events of a recording, in its order.
///
/// An iterator of `Result<RecordedEvent, ReadError>`. It ends where the stream ends between two frames, and after
/// the first error. The first file sequence may be any; after it, every frame's must be one more than the last.
///
/// No input makes it panic, or allocate more than [`MAX_FRAME_BYTES`] for a frame.
pub struct Reader<R: Read> {
    /// `None` after the end or an error.
    input: Option<BufReader<R>>,
    /// Bytes of the frames read.
    offset: u64,
    /// Frames read.
    frames: u64,
    /// File sequence of the last frame.
    previous: Option<u64>,
}

impl Reader<Box<dyn Read + Send>> {
    /// Opens a file, gzip (told by its first bytes; several members are read as one) or plain.
    ///
    /// An empty file holds no events.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or its first bytes cannot be read.
    ///
    /// ```no_run
    /// for event in recorded::Reader::open("events.evts.gz")? {
    ///     println!("{}", recorded::kind_name(event?.kind));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        unpacked(path).map(Self::new).map_err(|cause| OpenError { path: path.to_owned(), cause })
    }
}

/// The bytes of a file, unpacked where it is gzip.
fn unpacked(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    Ok(if file.fill_buf()?.starts_with(&GZIP_MAGIC) {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

impl<R: Read> Reader<R> {
    /// Reads frames from `input`, which must be unpacked and is buffered here.
    pub fn new(input: R) -> Self {
        Self {
            input: Some(BufReader::with_capacity(BUFFER_BYTES, input)),
            offset: 0,
            frames: 0,
            previous: None,
        }
    }

    /// The next frame's event; `None` where the stream ends before the frame.
    fn frame(&mut self, input: &mut BufReader<R>) -> Result<Option<RecordedEvent>, Fault> {
        let mut size_word = [0; SIZE_BYTES];
        match read_up_to(input, &mut size_word).map_err(Fault::Io)? {
            0 => return Ok(None),
            SIZE_BYTES => {}
            found => return Err(truncated(found, SIZE_BYTES)),
        }
        let found = u32::from_be_bytes(size_word);
        let size = usize::try_from(found)
            .ok()
            .filter(|size| (SEQUENCE_BYTES..=MAX_FRAME_BYTES).contains(size))
            .ok_or(Fault::Size { found })?;

        let mut sequence = [0; SEQUENCE_BYTES];
        let mut encoded = vec![0; size - SEQUENCE_BYTES];
        let mut read = read_up_to(input, &mut sequence).map_err(Fault::Io)?;
        if read == sequence.len() {
            read += read_up_to(input, &mut encoded).map_err(Fault::Io)?;
        }
        if read < size {
            return Err(truncated(SIZE_BYTES + read, SIZE_BYTES + size));
        }

        let found = u64::from_be_bytes(sequence);
        if let Some(previous) = self.previous
            && previous.checked_add(1) != Some(found)
        {
            return Err(Fault::Sequence { found, previous });
        }
        let event = RecordedEvent::from_encoded(found, encoded)?;
        self.previous = Some(found);
        self.frames += 1;
        self.offset += (SIZE_BYTES + size) as u64;
        Ok(Some(event))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<RecordedEvent, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut input = self.input.take()?;
        match self.frame(&mut input) {
            Ok(Some(event)) => {
                self.input = Some(input);
                Some(Ok(event))
            }
            Ok(None) => None,
            Err(fault) => Some(Err(ReadError { offset: self.offset, frame: self.frames + 1, fault })),
        }
    }
}

impl<R: Read> FusedIterator for Reader<R> {}

impl<R: Read> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("ended", &self.input.is_none())
            .field("offset", &self.offset)
            .field("frames", &self.frames)
            .field("previous", &self.previous)
            .finish_non_exhaustive()
    }
}

fn truncated(found: usize, expected: usize) -> Fault {
    Fault::Truncated { found: found as u64, expected: expected as u64 }
}

/// Fills `buffer`, or as much of it as the stream has; how much, in bytes.
fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
