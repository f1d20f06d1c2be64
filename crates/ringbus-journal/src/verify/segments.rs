//! What the segments say about themselves, and how the last one ends.

use ringbus::Sequence;

use super::{Layout, Verified};
use crate::error::JournalError;
use crate::format::names;
use crate::recovery::Cut;
use crate::segment::{Found, OpenError, Segment, list};
use crate::storage::Storage;

impl Verified {
    /// Counts the segments that have something from `from` on.
    pub(super) fn look_at_segments(
        &mut self,
        storage: &dyn Storage,
        from: Option<Sequence>,
    ) -> Result<(), JournalError> {
        let firsts = list(storage)?;
        let passed =
            from.map_or(0, |from| firsts.partition_point(|&first| first <= from.get()).saturating_sub(1));
        for &first in &firsts[passed..] {
            let segment = match Segment::open(storage, first) {
                // It has been removed since it was read.
                Err(OpenError::NotFound) => continue,
                // That is among the problems.
                Err(OpenError::Header(_)) => None,
                Err(error) => return Err(error.of(storage, first)),
                Ok(segment) => Some(segment),
            };
            self.segments += 1;
            self.bytes += size(storage, first)?;
            if let Some(segment) = segment {
                self.add_layout(&segment);
            }
        }
        Ok(())
    }

    fn add_layout(&mut self, segment: &Segment) {
        let header = &segment.header;
        self.stream.get_or_insert_with(|| header.stream.clone());
        let layout = Layout {
            from: Sequence::new(header.first),
            schema: header.schema.name().to_owned(),
            version: header.schema.version(),
            fingerprint: header.schema.fingerprint(),
            slot_payload: header.slot_payload as usize,
        };
        let is_the_same = |last: &Layout| Layout { from: last.from, ..layout.clone() } == *last;
        if !self.layouts.last().is_some_and(is_the_same) {
            self.layouts.push(layout);
        }
    }
}

/// What stands behind the last record that can be read, whose end is `next`, without being one.
pub(super) fn torn_end(storage: &dyn Storage, next: u64) -> Result<Option<Cut>, JournalError> {
    let Some(&first) = list(storage)?.last() else { return Ok(None) };
    let mut segment = match Segment::open(storage, first) {
        Ok(segment) => segment,
        Err(OpenError::NotFound | OpenError::Header(_)) => return Ok(None),
        Err(error) => return Err(error.of(storage, first)),
    };
    let entries = segment.index(storage);
    let passed = entries.iter().take_while(|entry| entry.span.end <= next).last();
    let mut offset = passed.map_or(segment.start, |entry| entry.end_offset);
    loop {
        let what = match segment.look(offset)? {
            Found::Chunk(header, _) => {
                offset += header.bytes();
                continue;
            }
            Found::End => return Ok(None),
            Found::Bad(what) => what,
        };
        // Before records that could be read, it is damage, and has been told.
        match segment.find_behind(offset)? {
            Some((behind, header)) if header.span.end <= next => offset = behind,
            _ => {
                let bytes = size(storage, first)?.saturating_sub(offset);
                return Ok(Some(Cut { segment: segment.place, offset, bytes, what }));
            }
        }
    }
}

fn size(storage: &dyn Storage, first: u64) -> Result<u64, JournalError> {
    let name = names::segment(first);
    let place = crate::error::place(storage, &name);
    let sized = storage.open_to_read(&name).and_then(|file| file.size());
    sized.map_err(JournalError::io("look at", place))
}
