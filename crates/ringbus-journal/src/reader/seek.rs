//! From where on a journal is read.

use ringbus::Sequence;
use ringbus::bus::RecordRef;

use super::{Current, JournalReader, removed};
use crate::error::JournalError;
use crate::format::Span;
use crate::segment::{Found, OpenError, Segment, list};

/// From where on a journal is read. Heights and times of blocks are taken never to go back on a stream (they may repeat).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// From the oldest record there is.
    Oldest,
    /// From this sequence on. It may lie behind the end: then from there, once there is more.
    Sequence(Sequence),
    /// From the first record of a block of this height, or a greater one, on.
    Block(u64),
    /// From the first record of a block of this time, or a later one, on: nanoseconds since the beginning of 1970.
    Time(i64),
}

/// Which records are passed over until the first that is not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Skip {
    Nothing,
    Below(Start),
}

impl Skip {
    pub(super) fn lets_pass(self, record: &RecordRef<'_>) -> bool {
        match self {
            Self::Nothing | Self::Below(Start::Oldest) => true,
            Self::Below(Start::Sequence(first)) => record.sequence() >= first,
            Self::Below(Start::Block(height)) => record.block_height() >= height,
            Self::Below(Start::Time(time)) => record.block_time() >= time,
        }
    }
}

impl Start {
    /// Whether all of `span` lies before it.
    fn is_behind(self, span: &Span) -> bool {
        match self {
            Self::Oldest => false,
            Self::Sequence(first) => span.end <= first.get(),
            Self::Block(height) => span.greatest_height < height,
            Self::Time(time) => span.greatest_time < time,
        }
    }

    /// Whether it may lie before all that comes from `span` on.
    fn may_be_before(self, span: &Span) -> bool {
        match self {
            Self::Oldest => true,
            Self::Sequence(first) => first.get() < span.first,
            Self::Block(height) => height <= span.least_height,
            Self::Time(time) => time <= span.least_time,
        }
    }
}

impl JournalReader {
    /// Goes to `start`.
    ///
    /// # Errors
    ///
    /// [`JournalError::Removed`] if that is a sequence that the journal does not keep any more; [`JournalError::Io`],
    /// [`JournalError::Header`].
    pub fn seek(&mut self, start: Start) -> Result<(), JournalError> {
        let firsts = list(&*self.storage)?;
        self.skip = Skip::Below(start);
        let Some(&oldest) = firsts.first() else { return Ok(()) };
        if let Start::Sequence(asked) = start
            && asked.get() < oldest
        {
            return Err(removed(asked.get(), oldest));
        }
        let first = self.segment_with(start, &firsts)?;
        self.enter(first)?;
        self.skip_entries(start);
        Ok(())
    }

    /// The last segment that has something before `start`, or the oldest.
    fn segment_with(&self, start: Start, firsts: &[u64]) -> Result<u64, JournalError> {
        if let Start::Sequence(asked) = start {
            // The names say it.
            return Ok(firsts[firsts.partition_point(|&first| first <= asked.get()) - 1]);
        }
        // So many of them are before it; they are in order, so half of what is left is decided by each look.
        let (mut before, mut undecided) = (0, firsts.len());
        while undecided - before > 1 {
            let middle = before + (undecided - before) / 2;
            match self.first_span(firsts[middle])? {
                Some(span) if !start.may_be_before(&span) => before = middle,
                _ => undecided = middle,
            }
        }
        Ok(firsts[before])
    }

    /// What the first chunk of a segment covers. `None` if it has none (yet), or if it cannot be known.
    fn first_span(&self, first: u64) -> Result<Option<Span>, JournalError> {
        let mut segment = match Segment::open(&*self.storage, first) {
            Ok(segment) => segment,
            Err(OpenError::Header(_)) => return Ok(None),
            Err(error) => return Err(error.of(&*self.storage, first)),
        };
        let start = segment.start;
        Ok(match segment.look(start)? {
            Found::Chunk(header, _) => Some(header.span),
            Found::End | Found::Bad(_) => None,
        })
    }

    /// Passes over what the index says lies before `start`.
    fn skip_entries(&mut self, start: Start) {
        let Some(Current { entries, offset, .. }) = &mut self.current else { return };
        let passed = entries.iter().take_while(|entry| start.is_behind(&entry.span)).last();
        if let Some(entry) = passed
            && self.tail.reaches(entry.span.end, &*self.storage)
        {
            *offset = entry.end_offset;
            self.next = Some(entry.span.end);
        }
    }
}
