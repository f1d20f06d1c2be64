//! Reading a journal, also while it is being written.

mod seek;
mod tail;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{Hash, OwnedRecord, RecordRef, StreamId};

use self::seek::Skip;
pub use self::seek::Start;
pub use self::tail::Extent;
use self::tail::Tail;
use crate::Disk;
use crate::error::{Damage, JournalError};
use crate::format::{ChunkKind, Frames};
use crate::index::Entry;
use crate::segment::{Found, OpenError, Segment, list};
use crate::storage::Storage;

/// Reads the records of a journal in order, from anywhere, also while it is being written, by this process or another one.
///
/// It takes as much memory as a chunk of 256 KiB, the longest record and the index of one segment need, however long the journal
/// is. It writes nothing and holds nobody up; a segment that is removed while it reads it, it reads to its end.
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{Header, RecordRef};
/// use ringbus_journal::{Extent, Journal, JournalReader, Start};
///
/// # let directory = tempfile::tempdir()?;
/// let mut journal = Journal::builder("testnet").open(directory.path())?;
/// for sequence in 0..3 {
///     let header = Header { block_height: 7 + sequence, len: 4, ..Header::default() };
///     journal.append(RecordRef::new(Sequence::new(sequence), &header, b"kept"))?;
/// }
/// journal.sync()?;
///
/// let mut reader = JournalReader::open(directory.path(), Extent::Durable)?;
/// reader.seek(Start::Block(8))?;
/// while let Some(record) = reader.next()? {
///     assert_eq!(record.block_height(), 7 + record.sequence().get());
/// }
/// assert_eq!(reader.next_sequence(), Some(Sequence::new(3))); // it goes on from there when there is more
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JournalReader {
    storage: Arc<dyn Storage>,
    tail: Tail,
    current: Option<Current>,
    /// The sequence of the next record; `None` before the first segment was found.
    next: Option<u64>,
    skip: Skip,
    trace: Option<Hash>,
    record: OwnedRecord,
    /// Whose records it reads, once that is known.
    stream: Option<StreamId>,
    /// Where to go on behind what cannot be read.
    behind: Option<Behind>,
}

/// The segment that is being read.
#[derive(Debug)]
struct Current {
    segment: Segment,
    entries: Vec<Entry>,
    /// Where the next chunk begins.
    offset: u64,
    /// The bytes of the records that are left of the chunk before, and the sequence behind them.
    left: Range<usize>,
    end: u64,
}

impl Current {
    fn new(segment: Segment, storage: &dyn Storage) -> Self {
        let entries = segment.index(storage);
        let (offset, end) = (segment.start, segment.header.first);
        Self { segment, entries, offset, left: 0..0, end }
    }

    fn first(&self) -> u64 {
        self.segment.header.first
    }
}

/// Where something follows that can be read.
#[derive(Clone, Copy, Debug)]
enum Behind {
    /// A chunk at this offset, that begins with this sequence.
    Chunk(u64, u64),
    /// The segment that begins with this sequence.
    Segment(u64),
    /// Nothing.
    Nothing,
}

/// What came of looking for more records.
enum More {
    /// There are some, or there is another segment to look in.
    Some,
    None,
}

impl JournalReader {
    /// Opens the journal in this directory, which may be empty, or not there yet: then it has no records yet. Reads from its oldest
    /// record on, unless told to [`seek`](Self::seek).
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`].
    pub fn open(directory: impl Into<PathBuf>, extent: Extent) -> Result<Self, JournalError> {
        Self::open_in(Arc::new(Disk::new(directory)), extent)
    }

    /// The same, of a journal that lies elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_in(storage: Arc<dyn Storage>, extent: Extent) -> Result<Self, JournalError> {
        let mut reader = Self {
            storage,
            tail: Tail::new(extent),
            current: None,
            next: None,
            skip: Skip::Nothing,
            trace: None,
            record: OwnedRecord::default(),
            stream: None,
            behind: None,
        };
        match reader.find_first_segment() {
            // `next` looks again, and says so.
            Ok(_) | Err(JournalError::Header { .. } | JournalError::Removed { .. }) => Ok(reader),
            Err(error) => Err(error),
        }
    }

    /// Lets only those records pass from now on that this transaction caused, or, with `None`, all. By the index it passes over most of
    /// the others without reading them.
    pub fn only_trace(&mut self, trace: Option<Hash>) {
        self.trace = trace;
    }

    /// The next record; `None` if there is none now. It is lent until the next call.
    ///
    /// # Errors
    ///
    /// [`JournalError::Damaged`], [`JournalError::Header`] and [`JournalError::Gap`]: again at each call, until told to
    /// [`step_over`](Self::step_over) it. [`JournalError::Removed`] if the journal has removed what comes next. [`JournalError::Io`].
    #[expect(clippy::should_implement_trait, reason = "it lends, and an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<RecordRef<'_>>, JournalError> {
        loop {
            if !self.take()? {
                match self.more()? {
                    More::Some => continue,
                    More::None => return Ok(None),
                }
            }
            let record = self.record.record();
            if self.skip.lets_pass(&record) && self.trace.is_none_or(|trace| trace == record.trace()) {
                self.skip = Skip::Nothing;
                break;
            }
        }
        Ok(Some(self.record.record()))
    }

    /// Takes the next record of the chunk at hand. Returns whether there was one.
    fn take(&mut self) -> Result<bool, JournalError> {
        let Some(current) = &mut self.current else { return Ok(false) };
        if current.left.is_empty() {
            return Ok(false);
        }
        let mut frames = Frames::new(&current.segment.bytes()[current.left.clone()]);
        let sequence = self.next.expect("known since the segment was opened");
        if let Some((header, payload)) = frames.next() {
            let record = RecordRef::new(Sequence::new(sequence), &header, payload);
            let next = record.next_sequence().get();
            if frames.left() > 0 || next == current.end {
                self.record.replace(record);
                current.left.start = current.left.end - frames.left();
                self.next = Some(next);
                return Ok(true);
            }
        }
        // The checksum of the chunk is right: no accident does that.
        let behind = Behind::Chunk(current.offset, current.end.max(sequence));
        self.behind = Some(behind);
        Err(current.damaged(sequence, behind, "the records do not fit the chunk that they are in"))
    }

    /// Looks for more records.
    fn more(&mut self) -> Result<More, JournalError> {
        let Self { storage, tail, .. } = self;
        let storage = &**storage;
        loop {
            let Some(current) = &mut self.current else {
                return Ok(if self.find_first_segment()? { More::Some } else { More::None });
            };
            let next = self.next.expect("known since the segment was opened");
            if let Some(trace) = &self.trace
                && let Some(entry) = current.entry_here()
                && !entry.traces.may_have(trace)
                && tail.reaches(entry.span.end, storage)
            {
                self.next = Some(entry.span.end);
                current.offset = entry.end_offset;
                continue;
            }
            if let Found::Chunk(header, body) = current.segment.look(current.offset)?
                && header.span.first == next
            {
                if !tail.reaches(header.span.end, storage) {
                    return Ok(More::None);
                }
                let end_offset = current.offset + header.bytes();
                if header.kind() == Some(ChunkKind::Gap) {
                    self.behind = Some(Behind::Chunk(end_offset, header.span.end));
                    let (first, next) = (Sequence::new(next), Sequence::new(header.span.end));
                    return Err(JournalError::Gap { first, next });
                }
                current.offset = end_offset;
                current.left = body;
                current.end = header.span.end;
                return Ok(More::Some);
            }
            // Either the journal ends here, for now, or this segment does, or something is wrong. What speaks for the one or the other
            // is asked first, and then there is another look: what was written meanwhile is no damage.
            let was_synced = tail.was_synced(next, storage);
            // (Behind the mark: what that says was synced is in the segments that there are now.)
            let firsts = list(storage)?;
            let following = firsts.iter().copied().find(|&first| first > current.first());
            let found =
                current.segment.find_behind(current.offset)?.filter(|(_, header)| header.span.first >= next);
            let (what, behind) = match current.segment.look(current.offset)? {
                Found::Chunk(header, _) if header.span.first == next => continue,
                Found::Chunk(header, _) if header.span.first > next => {
                    let behind = Behind::Chunk(current.offset, header.span.first);
                    ("the records before this chunk are not there", Some(behind))
                }
                Found::Chunk(..) => ("this chunk has records that were read before", None),
                // (What stands behind all records that were to be here, and is none, nobody misses.)
                Found::End | Found::Bad(_) if following == Some(next) => {
                    self.enter(next)?;
                    return Ok(More::Some);
                }
                Found::End if firsts.first().is_some_and(|&oldest| oldest > next) => {
                    return Err(removed(next, firsts[0]));
                }
                Found::End => ("the file ends too early", None),
                Found::Bad(what) => (what, None),
            };
            let is_damage = following.is_some()
                || was_synced
                || behind.is_some()
                || found.is_some_and(|(_, header)| header.durable > next);
            if !is_damage {
                return Ok(More::None);
            }
            // Who opens a journal makes an empty segment again, under its name: this one may not be the journal's any more.
            if next == current.first()
                && let Ok(again) = Segment::open(storage, next)
                && again.header.salt != current.segment.header.salt
            {
                self.begin(again)?;
                return Ok(More::Some);
            }
            let behind = behind.unwrap_or(match (found, following) {
                (Some((offset, header)), _) => Behind::Chunk(offset, header.span.first),
                (None, Some(first)) => Behind::Segment(first),
                (None, None) => Behind::Nothing,
            });
            self.behind = Some(behind);
            return Err(current.damaged(next, behind, what));
        }
    }

    /// Goes on behind what the last error was about. Returns the first sequence there; if nothing follows, it stays where it is, and
    /// [`next`](Self::next) says the same again.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], [`JournalError::Header`].
    pub fn step_over(&mut self) -> Result<Option<Sequence>, JournalError> {
        match self.behind.take() {
            Some(Behind::Chunk(offset, first)) => {
                if let Some(current) = &mut self.current {
                    current.offset = offset;
                    current.left = 0..0;
                }
                self.next = Some(first);
            }
            Some(Behind::Segment(first)) => {
                let next = self.next_sequence();
                self.enter(first)?;
                // Files that overlap were put together by hand: nothing comes twice.
                if let (Some(next), Skip::Nothing) = (next, self.skip) {
                    self.skip = Skip::Below(Start::Sequence(next));
                }
            }
            Some(Behind::Nothing) | None => {}
        }
        Ok(self.next_sequence())
    }

    /// The sequence of the next record, whether it is there yet or not. (Not the next that a trace lets pass.) `None` if the journal
    /// has none yet.
    #[must_use]
    pub fn next_sequence(&self) -> Option<Sequence> {
        self.next.map(Sequence::new)
    }

    /// Makes sure that the journal has the records of `stream`; if it has none yet, as soon as it has. (That its segments are all of one
    /// stream is always made sure.)
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherStream`]; from [`next`](Self::next) on, if that is found out later.
    pub fn expect_stream(&mut self, stream: &StreamId) -> Result<(), JournalError> {
        if let Some(found) = &self.stream {
            stream.check(found)?;
        }
        self.stream = Some(stream.clone());
        Ok(())
    }

    /// Whether what begins with `asked` lies behind all that is written; then where the journal ends.
    pub(crate) fn ends_before(&self, asked: Sequence) -> Result<Option<Sequence>, JournalError> {
        let mut probe = Self::open_in(Arc::clone(&self.storage), Extent::Written)?;
        probe.seek(Start::Sequence(asked))?;
        if probe.next()?.is_some() {
            return Ok(None);
        }
        let end = probe.next_sequence().unwrap_or_default();
        Ok((end < asked).then_some(end))
    }

    /// The stream whose records it has; `None` if it has no segment yet.
    #[must_use]
    pub fn stream(&self) -> Option<&StreamId> {
        Some(&self.current.as_ref()?.segment.header.stream)
    }

    /// The schema of the last record that was read, or of the next one. It can change where a core was restarted.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        Some(&self.current.as_ref()?.segment.header.schema)
    }

    /// How many bytes of payload the slots of the ring had that the records come from.
    #[must_use]
    pub fn slot_payload(&self) -> Option<usize> {
        Some(self.current.as_ref()?.segment.header.slot_payload as usize)
    }

    /// Opens the oldest segment, if there is one.
    fn find_first_segment(&mut self) -> Result<bool, JournalError> {
        let Some(&first) = list(&*self.storage)?.first() else { return Ok(false) };
        if let Skip::Below(Start::Sequence(asked)) = self.skip
            && asked.get() < first
        {
            return Err(removed(asked.get(), first));
        }
        self.enter(first)?;
        Ok(true)
    }

    /// Opens the segment that begins at `first`, which is there.
    fn enter(&mut self, first: u64) -> Result<(), JournalError> {
        match Segment::open(&*self.storage, first) {
            Ok(segment) => self.begin(segment),
            Err(OpenError::NotFound) => match list(&*self.storage)?.first() {
                Some(&oldest) if oldest > first => Err(removed(first, oldest)),
                _ => Err(OpenError::NotFound.of(&*self.storage, first)),
            },
            Err(error) => {
                if let OpenError::Header(_) = error {
                    let following = list(&*self.storage)?.into_iter().find(|&other| other > first);
                    self.behind = following.map(Behind::Segment);
                    if self.current.is_none() {
                        self.next = Some(first);
                    }
                }
                Err(error.of(&*self.storage, first))
            }
        }
    }

    fn begin(&mut self, segment: Segment) -> Result<(), JournalError> {
        match &self.stream {
            Some(stream) => stream.check(&segment.header.stream)?,
            None => self.stream = Some(segment.header.stream.clone()),
        }
        self.next = Some(segment.header.first);
        self.current = Some(Current::new(segment, &*self.storage));
        self.behind = None;
        Ok(())
    }
}

fn removed(asked: u64, oldest: u64) -> JournalError {
    JournalError::Removed { asked: Sequence::new(asked), oldest: Sequence::new(oldest) }
}

impl Current {
    /// The entry of the index that begins with the next chunk.
    fn entry_here(&self) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&self.offset, |entry| entry.offset).ok()?;
        Some(&self.entries[at])
    }

    fn damaged(&self, next: u64, behind: Behind, what: &'static str) -> JournalError {
        JournalError::Damaged(Damage {
            segment: self.segment.place.clone(),
            offset: self.offset,
            first: Sequence::new(next),
            next: match behind {
                Behind::Chunk(_, first) | Behind::Segment(first) => Some(Sequence::new(first)),
                Behind::Nothing => None,
            },
            what,
        })
    }
}
