//! The journal's stand-in: the records' bytes, in order.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use ringbus::bus::{RecordRef, Subscriber};
use ringbus::worker::Shutdown;

use crate::checksum::{Checksum, digest_of};

/// Writes every record to a [`Write`], its header of 64 bytes and then its payload, whose length the header says: one
/// write for each batch.
///
/// It stands in for a journal, and shows where one goes: first, with all others after it. What it acknowledges has been
/// written, but not synced; the crate `ringbus-journal` has one that is durable, and the example `durable_exchange` of
/// `ringbus-store` shows the exchange with it.
#[derive(Debug)]
pub struct Journal<W = io::Sink> {
    out: W,
    /// A batch; kept for its memory.
    buffer: Vec<u8>,
    records: u64,
    bytes: u64,
    writes: u64,
    checksum: Checksum,
}

/// A journal that keeps nothing.
impl Default for Journal {
    fn default() -> Self {
        Self::new(io::sink())
    }
}

impl<W: Write> Journal<W> {
    /// The most records to be given to a journal at once: some 64 KiB, which the processor's fast caches hold, and what
    /// comes after the journal can start on them while the next are written.
    pub const BATCH_LIMIT: usize = 512;

    /// A journal that writes to `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        let buffer = Vec::with_capacity(Self::BATCH_LIMIT * 128);
        Self { out, buffer, records: 0, bytes: 0, writes: 0, checksum: Checksum::default() }
    }

    /// How many records were written.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many bytes were written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many writes that took: one a batch.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Of the records that were written.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.checksum.value()
    }

    /// What it wrote to.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.out
    }

    fn error(&self, doing: &'static str, source: io::Error) -> JournalError {
        JournalError { doing, len: self.buffer.len(), written: self.bytes, source }
    }
}

impl<W: Write + Send + 'static> Subscriber for Journal<W> {
    type Error = JournalError;

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), JournalError> {
        self.buffer.extend_from_slice(bytemuck::bytes_of(record.header()));
        self.buffer.extend_from_slice(record.payload());
        self.records += 1;
        self.checksum.add_digest(digest_of(&record));
        Ok(())
    }

    fn batch_ended(&mut self) -> Result<(), JournalError> {
        self.out.write_all(&self.buffer).map_err(|source| self.error("write", source))?;
        self.bytes += self.buffer.len() as u64;
        self.writes += 1;
        self.buffer.clear();
        Ok(())
    }

    fn shutdown(&mut self, _: &Shutdown) -> Result<(), JournalError> {
        self.out.flush().map_err(|source| self.error("flush", source))
    }
}

/// The journal's output refused something.
#[derive(Debug)]
pub struct JournalError {
    doing: &'static str,
    /// Of the batch.
    len: usize,
    /// In the batches before.
    written: u64,
    source: io::Error,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, len, written, source } = self;
        write!(
            f,
            "cannot {doing} a batch of {len} bytes after {written} bytes: {source}; give the journal an output that \
             takes them, and start again"
        )
    }
}

impl Error for JournalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
