//! Finding out where a journal ends, and cutting off what a crash has torn.

use std::fmt;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{Flags, Hash, Header, RecordRef};

use crate::error::{Damage, JournalError};
use crate::format::{ChunkHeader, ChunkKind, Frames, names};
use crate::index::Indexer;
use crate::mark::Mark;
use crate::segment::{Found, Segment, list};
use crate::settings::JournalBuilder;
use crate::storage::Storage;

/// What was found in a journal that was opened: see [`Journal::recovery`](crate::Journal::recovery).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Where it goes on: the first sequence that it does not have. `None` if it has none, and takes any.
    pub next: Option<Sequence>,
    /// The last block that it has the end of.
    pub last_block: Option<BlockEnd>,
    /// The first record behind that, if there is one: the block that was going on when the core stopped. It stays in the journal;
    /// a core begins that block again.
    pub unfinished: Option<Sequence>,
    /// What was cut off because a crash had torn it: none of it had been acknowledged.
    pub cut: Option<Cut>,
}

/// The end of a block in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockEnd {
    /// Its height.
    pub height: u64,
    /// Its time, nanoseconds since the beginning of 1970.
    pub time: i64,
    /// Its hash: the trace of its last record.
    pub hash: Hash,
    /// The sequence behind its last record.
    pub next: Sequence,
}

/// A torn end that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// Of which segment.
    pub segment: String,
    /// From which byte on.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// What was wrong there.
    pub what: &'static str,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, bytes, what } = self;
        write!(
            f,
            "{bytes} bytes were cut off `{segment}` at byte {offset} ({what}): a crash had torn them, and they had not been acknowledged"
        )
    }
}

/// Where a journal is to be written on.
#[derive(Debug)]
pub(crate) struct End {
    /// The segments there are, by their first sequences.
    pub(crate) segments: Vec<u64>,
    /// The last of them.
    pub(crate) last: Option<LastSegment>,
    pub(crate) recovery: Recovery,
}

/// The last segment.
#[derive(Debug)]
pub(crate) struct LastSegment {
    pub(crate) first: u64,
    /// As far as it is whole, with its header.
    pub(crate) size: u64,
    /// Where what is known to have been synced ends.
    pub(crate) synced_size: u64,
    pub(crate) salt: u64,
    pub(crate) records: u64,
    pub(crate) schema: Schema,
    pub(crate) slot_payload: u32,
    pub(crate) indexer: Indexer,
    /// It has no chunk.
    pub(crate) is_empty: bool,
    /// The journal ends where its whole part does.
    pub(crate) is_whole: bool,
}

/// Finds the end of the journal, and cuts off what a crash has torn. If there is an error, nothing has been changed.
pub(crate) fn recover(
    storage: &dyn Storage,
    settings: &JournalBuilder,
    mark: Option<Mark>,
) -> Result<End, JournalError> {
    let goes_on = settings.after_damage;
    let synced = mark.unwrap_or_default().synced;
    let segments = list(storage)?;
    let scan = match segments.last() {
        Some(&first) => Some(Scan::open(storage, first, synced)?),
        None => None,
    };
    if let Some(scan) = &scan {
        settings.stream.check(&scan.segment.header.stream)?;
        if scan.found.schema != settings.schema {
            check_growth(storage, &segments, settings)?;
        }
    }
    // Behind damage that it goes on after, what follows is kept, for readers to step over the damage.
    let next = match &scan {
        Some(Scan { damage: Some(damage), .. }) if !goes_on => {
            return Err(JournalError::Damaged(damage.clone()));
        }
        Some(scan) if scan.damage.is_some() => scan.last_end,
        Some(scan) => scan.next,
        None => 0,
    };
    if synced > next && !goes_on {
        return Err(JournalError::Lost { end: Sequence::new(next), durable: Sequence::new(synced) });
    }
    let mut recovery = Recovery::default();
    if scan.is_some() || synced > next {
        recovery.next = Some(Sequence::new(next.max(synced)));
    }
    recovery.last_block = match &scan {
        Some(Scan { last_block: Some(block), .. }) => Some(*block),
        _ => find_last_block(storage, &segments, goes_on)?,
    };
    let oldest = segments.first().copied().map(Sequence::new);
    let behind = recovery.last_block.map(|block| block.next).or(oldest);
    recovery.unfinished = behind.filter(|&behind| recovery.next.is_some_and(|next| behind < next));
    let mut last = None;
    if let Some(scan) = scan {
        recovery.cut = scan.cut_off(storage)?;
        let is_whole = scan.damage.is_none() && synced <= next;
        last = Some(LastSegment { is_whole, ..scan.found });
    }
    Ok(End { segments, last, recovery })
}

/// Makes sure that no segment was written with another payload under the same layout.
fn check_growth(
    storage: &dyn Storage,
    segments: &[u64],
    settings: &JournalBuilder,
) -> Result<(), JournalError> {
    for &first in segments {
        match Segment::open(storage, first) {
            Ok(segment) => segment.header.schema.check_growth(&settings.schema)?,
            Err(_) if settings.after_damage => {}
            Err(error) => return Err(error.of(storage, first)),
        }
    }
    Ok(())
}

/// Looks for the last block's end in the segments before the last.
fn find_last_block(
    storage: &dyn Storage,
    segments: &[u64],
    goes_on: bool,
) -> Result<Option<BlockEnd>, JournalError> {
    for (at, &first) in segments.iter().enumerate().rev().skip(1) {
        let scan = match Scan::open(storage, first, 0) {
            Err(JournalError::Header { .. }) if goes_on => continue,
            opened => opened?,
        };
        // What follows was begun when all of it was durable. What cannot be read may be the end of a later block.
        let following = segments[at + 1];
        if scan.next != following && !goes_on {
            return Err(JournalError::Damaged(scan.damage_before(following)));
        }
        if scan.last_block.is_some() {
            return Ok(scan.last_block);
        }
    }
    Ok(None)
}

/// All chunks of a segment, up to the first that is not whole.
struct Scan {
    segment: Segment,
    found: LastSegment,
    synced: u64,
    /// The sequence behind the last good chunk in a row.
    next: u64,
    /// The sequence behind the last good chunk of all.
    last_end: u64,
    last_block: Option<BlockEnd>,
    /// What ends the row, unless it is the end of the file.
    torn: Option<&'static str>,
    damage: Option<Damage>,
}

impl Scan {
    /// Of the segment that begins at `first`. `synced`: all before that sequence has been durable once.
    fn open(storage: &dyn Storage, first: u64, synced: u64) -> Result<Self, JournalError> {
        let segment = Segment::open(storage, first).map_err(|error| error.of(storage, first))?;
        let header = &segment.header;
        let found = LastSegment {
            first,
            size: segment.start,
            synced_size: segment.start,
            salt: header.salt,
            records: 0,
            schema: header.schema.clone(),
            slot_payload: header.slot_payload,
            indexer: Indexer::new(header.salt, segment.start),
            is_empty: true,
            is_whole: true,
        };
        let (next, last_end) = (first, first);
        let mut scan =
            Self { segment, found, synced, next, last_end, last_block: None, torn: None, damage: None };
        loop {
            let what = match scan.segment.look(scan.found.size)? {
                Found::Chunk(header, body) if header.span.first == scan.next => {
                    if scan.take(&header, body) {
                        continue;
                    }
                    "the records do not fit the chunk that they are in"
                }
                Found::Chunk(..) => "the records before this chunk are not there",
                Found::Bad(what) => what,
                Found::End => break,
            };
            scan.judge(what)?;
            break;
        }
        Ok(scan)
    }

    /// Takes the records of a chunk. Returns whether they fit it.
    fn take(&mut self, header: &ChunkHeader, body: std::ops::Range<usize>) -> bool {
        let mut sequence = self.next;
        let mut records = 0;
        let mut last_block = self.last_block;
        let mut frames = Frames::new(&self.segment.bytes()[body]);
        for (header, payload) in frames.by_ref() {
            let record = RecordRef::new(Sequence::new(sequence), &header, payload);
            sequence = record.next_sequence().get();
            records += 1;
            self.found.indexer.trace(header.trace);
            if header.flags.has(Flags::ENDS_BLOCK) {
                last_block = Some(BlockEnd::of(&header, Sequence::new(sequence)));
            }
        }
        let is_gap = header.kind() == Some(ChunkKind::Gap);
        if frames.left() > 0 || (sequence != header.span.end && !is_gap) {
            return false;
        }
        self.last_block = last_block;
        let found = &mut self.found;
        found.size += header.bytes();
        found.is_empty = false;
        found.records += records;
        found.indexer.chunk(found.size, &header.span);
        self.next = header.span.end;
        if self.next <= self.synced {
            found.synced_size = found.size;
        }
        self.last_end = self.next;
        true
    }

    /// Whether what stands behind the last good chunk is a torn end, or damage: it is damage if it had been durable.
    fn judge(&mut self, what: &'static str) -> Result<(), JournalError> {
        let mut durable = self.synced;
        let mut following = None;
        let mut offset = self.found.size;
        while let Some((found, header)) = self.segment.find_behind(offset)? {
            offset = found;
            durable = durable.max(header.durable);
            if header.span.first >= self.next {
                following = following.or(Some(Sequence::new(header.span.first)));
                self.last_end = self.last_end.max(header.span.end);
            }
        }
        if durable > self.next {
            self.last_end = self.last_end.max(durable);
            self.damage = Some(self.damage_of(following, what));
        } else {
            self.torn = Some(what);
        }
        Ok(())
    }

    /// Of a segment that the one that begins with `following` does not go on from.
    fn damage_before(&self, following: u64) -> Damage {
        let what = self.torn.unwrap_or("the file ends too early");
        self.damage.clone().unwrap_or_else(|| self.damage_of(Some(Sequence::new(following)), what))
    }

    fn damage_of(&self, next: Option<Sequence>, what: &'static str) -> Damage {
        let (segment, offset) = (self.segment.place.clone(), self.found.size);
        Damage { segment, offset, first: Sequence::new(self.next), next, what }
    }

    /// Cuts off what is torn, if something is.
    fn cut_off(&self, storage: &dyn Storage) -> Result<Option<Cut>, JournalError> {
        let Some(what) = self.torn else { return Ok(None) };
        let segment = self.segment.place.clone();
        let mut file =
            storage.open(&names::segment(self.found.first)).map_err(JournalError::io("open", &segment))?;
        let size = file.size().map_err(JournalError::io("look at", &segment))?;
        let offset = self.found.size;
        file.truncate(offset).map_err(JournalError::io("cut off the torn end of", &segment))?;
        Ok(Some(Cut { segment, offset, bytes: size.saturating_sub(offset), what }))
    }
}

impl BlockEnd {
    pub(crate) fn of(header: &Header, next: Sequence) -> Self {
        Self { height: header.block_height, time: header.block_time, hash: header.trace, next }
    }
}
