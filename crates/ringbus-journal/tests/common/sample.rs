//! A small journal to be damaged, and what is left of it.

use std::sync::Arc;

use ringbus::Sequence;
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{Damage, Extent, JournalError, RegisteredReader};

use super::{Plain, append, files, open, plain, reader, records_of, segment, segments, settings};

pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// A journal of three segments with three chunks each, all durable; where the chunks begin, and with which sequence.
pub(crate) struct Sample {
    pub(crate) records: Vec<Plain>,
    pub(crate) files: Files,
    /// By segment: offset and first sequence of each chunk, and the end of the last.
    pub(crate) chunks: Vec<Vec<(usize, u64)>>,
}

pub(crate) const SEGMENTS: [u64; 3] = [100, 106, 112];

pub(crate) fn sample() -> Sample {
    let records = records_of(100, 18, |number| 10 + number as usize % 5);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().segment_records(6)).expect("a new journal");
    let mut chunks = vec![Vec::new(); 3];
    for (number, batch) in records.chunks(2).enumerate() {
        append(&mut journal, batch).expect("room");
        let at = disk.file(&segment(SEGMENTS[number / 3])).expect("it is made").len();
        journal.end_batch(false).expect("room");
        chunks[number / 3].push((at, batch[0].0));
    }
    RegisteredReader::register_in(Arc::new(disk.clone()), "store", Sequence::new(104)).expect("a name");
    journal.close().expect("room");
    for (chunks, first) in chunks.iter_mut().zip(SEGMENTS) {
        chunks.push((disk.file(&segment(first)).expect("it is there").len(), first + 6));
    }
    assert_eq!(segments(&disk), SEGMENTS.map(segment));
    Sample { records, files: files(&disk), chunks }
}

impl Sample {
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        SEGMENTS.iter().position(|&first| segment(first) == name)
    }

    /// With one file changed.
    pub(crate) fn with(&self, changed: &str, change: impl Fn(&mut Vec<u8>)) -> Files {
        let mut files = self.files.clone();
        let (_, bytes) = files.iter_mut().find(|(name, _)| name == changed).expect("it is there");
        change(bytes);
        files
    }

    pub(crate) fn without_mark(files: &Files) -> Files {
        files.iter().filter(|(name, _)| name != "durable").cloned().collect()
    }

    /// All changes of a file: what it was, from which byte on it is changed, and all files.
    pub(crate) fn changes(&self, name: &str) -> Vec<(String, usize, Files)> {
        let length = self.files.iter().find(|(file, _)| file == name).expect("it is there").1.len();
        let mut changes = Vec::new();
        for at in 0..length {
            let what = format!("{name} cut off at {at}");
            changes.push((what, at, self.with(name, |bytes| bytes.truncate(at))));
            for mask in [0x01, 0x80, 0xff] {
                let what = format!("{name} flipped at {at} by {mask:#x}");
                changes.push((what, at, self.with(name, |bytes| bytes[at] ^= mask)));
            }
        }
        changes
    }

    /// The sequence of the chunk that byte `at` of a segment is in; `None`: it is in the file's header.
    pub(crate) fn chunk(&self, segment: usize, at: usize) -> Option<u64> {
        let chunks = &self.chunks[segment];
        chunks.iter().rev().find(|(offset, _)| *offset <= at).map(|(_, first)| *first)
    }
}

/// Reads all, steps over what is damaged. Returns the records, and the errors with where the reader was after each.
pub(crate) fn read_over(
    disk: &SimulatedDisk,
    extent: Extent,
) -> (Vec<Plain>, Vec<(JournalError, Option<u64>)>) {
    let mut reader = reader(disk, extent);
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        match reader.next() {
            Ok(Some(record)) => records.push(plain(record)),
            Ok(None) => return (records, errors),
            Err(error) => {
                let before = reader.next_sequence();
                let again = reader.next().expect_err("the same error").to_string();
                assert_eq!(again, error.to_string());
                let after = reader.step_over().expect("it can be stepped over, or it stays");
                errors.push((error, after.map(Sequence::get)));
                if before == after {
                    return (records, errors);
                }
            }
        }
    }
    panic!("it reads for ever");
}

/// The sequences that errors say cannot be read, up to the end of all.
pub(crate) fn missing(
    errors: &[(JournalError, Option<u64>)],
    name: &str,
    next_segment: u64,
    end: u64,
) -> Vec<u64> {
    let mut missing = Vec::new();
    for (error, after) in errors {
        let place = format!("a simulated disk/{name}");
        match error {
            JournalError::Damaged(Damage { segment, first, next, .. }) => {
                assert_eq!(*segment, place);
                assert!(next.is_none() || *after == next.map(Sequence::get));
                missing.extend(first.get()..next.map_or(end, Sequence::get));
            }
            JournalError::Header { segment, .. } => {
                assert_eq!(*segment, place);
                assert!(error.to_string().starts_with(&format!("`{place}` cannot be read: ")));
                missing.extend(next_segment - 6..next_segment);
            }
            other => panic!("{other}"),
        }
    }
    missing
}

pub(crate) fn expect_all_but(sample: &Sample, missing: &[u64], read: &[Plain], what: &str) {
    let left: Vec<_> = sample.records.iter().filter(|record| !missing.contains(&record.0)).cloned().collect();
    assert_eq!(read, left, "{what}");
}

/// What is left of the files is as it was, bytes for bytes; that there is a lock and an empty mark is no change.
pub(crate) fn expect_unchanged(disk: &SimulatedDisk, before: &Files, what: &str) {
    for (name, bytes) in before {
        assert_eq!(disk.file(name).as_ref(), Some(bytes), "{what}: {name}");
    }
    assert_eq!(segments(disk), SEGMENTS.map(segment), "{what}");
}
