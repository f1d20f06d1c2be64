//! Reading all of a journal, to know what is in it and whether it is whole.

mod report;
mod segments;
#[cfg(feature = "json")]
mod serialized;

use std::path::PathBuf;
use std::sync::Arc;

use ringbus::Sequence;
use ringbus::bus::schema::Fingerprint;
use ringbus::bus::{RecordRef, StreamId};

use crate::Disk;
use crate::error::JournalError;
use crate::reader::{Extent, JournalReader, Start};
use crate::recovery::Cut;
use crate::storage::Storage;

/// Records between two calls of `progress`.
const RECORDS_A_TICK: u64 = 4096;

/// What is in a journal: prints as a table and, with the feature `json`, serializes as an object of the same
/// members.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// The stream; `None` if no segment could be read.
    pub stream: Option<StreamId>,
    /// How many segments there are, from the one with the first sequence that was asked for on.
    pub segments: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// What the records look like, and from where on: more than one if a core was restarted with another schema.
    pub layouts: Vec<Layout>,
    /// How many records could be read.
    pub records: u64,
    /// How many bytes of payload they have.
    pub payload_bytes: u64,
    /// How many blocks begin among them.
    pub blocks_begun: u64,
    /// How many blocks end among them.
    pub blocks_ended: u64,
    /// How many heights they have: a block that was emitted twice in a row is one.
    pub heights: u64,
    /// The least and the greatest sequence; `None` if there is no record. So with what follows.
    pub sequences: Option<(Sequence, Sequence)>,
    /// The least and the greatest height.
    pub block_heights: Option<(u64, u64)>,
    /// The least and the greatest time of a block, nanoseconds since the beginning of 1970.
    pub block_times: Option<(i64, i64)>,
    /// What cannot be read, in order: [`JournalError::Damaged`], [`JournalError::Header`], and [`JournalError::Gap`].
    pub problems: Vec<JournalError>,
    /// What a crash has torn at the end, or what is just being written there. It was never acknowledged, and is no damage.
    pub torn: Option<Cut>,
    height: Option<u64>,
}

/// What the records look like from some sequence on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The first sequence.
    pub from: Sequence,
    /// The name of the schema.
    pub schema: String,
    /// Its version.
    pub version: u32,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// How many bytes of payload a slot of the ring held.
    pub slot_payload: usize,
}

impl Verified {
    /// Whether all that was durable can be read, and nothing had been missed by who wrote it. A torn end is no damage.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, record: &RecordRef<'_>) {
        let (sequence, height, time) = (record.sequence(), record.block_height(), record.block_time());
        self.records += 1;
        self.payload_bytes += record.payload().len() as u64;
        self.blocks_begun += u64::from(record.begins_block());
        self.blocks_ended += u64::from(record.ends_block());
        self.heights += u64::from(self.height.replace(height) != Some(height));
        widen(&mut self.sequences, sequence);
        widen(&mut self.block_heights, height);
        widen(&mut self.block_times, time);
    }
}

fn widen<T: Copy + Ord>(range: &mut Option<(T, T)>, value: T) {
    let (least, greatest) = range.unwrap_or((value, value));
    *range = Some((least.min(value), greatest.max(value)));
}

/// Reads all of the journal in this directory, or what comes from a sequence on, and tells what is in it. Damage and gaps are stepped
/// over, and kept in mind. `progress` is told now and then how far it is.
///
/// It writes nothing. A journal that is being written is read as far as it is written.
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{Header, RecordRef};
/// use ringbus_journal::Journal;
/// use ringbus_journal::verify::verify;
///
/// # let directory = tempfile::tempdir()?;
/// let mut journal = Journal::builder("testnet").open(directory.path())?;
/// for sequence in 0..3 {
///     let header = Header { block_height: 7 + sequence, len: 4, ..Header::default() };
///     journal.append(RecordRef::new(Sequence::new(sequence), &header, b"kept"))?;
/// }
/// journal.close()?;
///
/// let verified = verify(directory.path(), None, |_| {})?;
/// assert!(verified.is_whole());
/// assert_eq!((verified.records, verified.block_heights), (3, Some((7, 9))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`JournalError::Removed`] if `from` lies before the oldest record, or if the journal removes records faster than they are read;
/// [`JournalError::Io`].
pub fn verify(
    directory: impl Into<PathBuf>,
    from: Option<Sequence>,
    progress: impl FnMut(&Verified),
) -> Result<Verified, JournalError> {
    verify_in(Arc::new(Disk::new(directory)), from, progress)
}

/// The same, of a journal that lies elsewhere.
///
/// # Errors
///
/// As for [`verify`].
pub fn verify_in(
    storage: Arc<dyn Storage>,
    from: Option<Sequence>,
    mut progress: impl FnMut(&Verified),
) -> Result<Verified, JournalError> {
    let mut verified = Verified::default();
    let mut reader = JournalReader::open_in(Arc::clone(&storage), Extent::Written)?;
    if let Some(from) = from {
        match reader.seek(Start::Sequence(from)) {
            // `next` says so too.
            Ok(()) | Err(JournalError::Header { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut ends_damaged = false;
    loop {
        let next = reader.next_sequence();
        match reader.next() {
            Ok(Some(record)) => {
                verified.add(&record);
                if verified.records.is_multiple_of(RECORDS_A_TICK) {
                    progress(&verified);
                }
            }
            Ok(None) => break,
            Err(error) => {
                verified.problem(error)?;
                if verified.step_over(&mut reader)? <= next {
                    // Nothing follows that can be read.
                    ends_damaged = true;
                    break;
                }
            }
        }
    }
    verified.look_at_segments(&*storage, from)?;
    if let Some(next) = reader.next_sequence().filter(|_| !ends_damaged) {
        verified.torn = segments::torn_end(&*storage, next.get())?;
    }
    progress(&verified);
    Ok(verified)
}

impl Verified {
    /// Keeps in mind what can be stepped over.
    fn problem(&mut self, error: JournalError) -> Result<(), JournalError> {
        match error {
            JournalError::Damaged(_) | JournalError::Header { .. } | JournalError::Gap { .. } => {
                self.problems.push(error);
                Ok(())
            }
            other => Err(other),
        }
    }

    /// Goes on behind the last problem, and those that follow at once.
    fn step_over(&mut self, reader: &mut JournalReader) -> Result<Option<Sequence>, JournalError> {
        loop {
            match reader.step_over() {
                Ok(next) => return Ok(next),
                Err(error) => self.problem(error)?,
            }
        }
    }
}
