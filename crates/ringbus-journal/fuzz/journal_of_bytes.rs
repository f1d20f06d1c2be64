//! A journal that is changed as bytes say, and what must hold of it whatever they say: for the fuzz target, and for `tests/fuzz_smoke.rs`.

use std::sync::{Arc, OnceLock};

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{Flags, Hash, Header, RecordRef};
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{Extent, Journal, JournalBuilder, JournalReader, RegisteredReader, Start};

type Files = Vec<(String, Vec<u8>)>;

/// Changes a journal, reads it in all ways and opens it: nothing panics, everything ends, and no sequence comes twice.
///
/// The first byte says whether checksums are made right again after the changes, so that what they stand before is reached too. Of the
/// others, 12 make a change each.
pub(crate) fn check(bytes: &[u8]) {
    let Some((flags, edits)) = bytes.split_first() else { return };
    let mut files = sample().clone();
    for edit in edits.chunks(12) {
        change(&mut files, edit, edits);
    }
    if flags & 1 != 0 {
        files.iter_mut().for_each(|(name, bytes)| mend(name, bytes));
    }
    let number = edits.iter().take(8).fold(0, |number: u64, &byte| number << 8 | u64::from(byte));
    read(&files, number);
    for settings in [settings(), settings().after_damage()] {
        write_on(&files, settings);
    }
}

fn settings() -> JournalBuilder {
    let schema = Schema::new("Small", 1, []).expect("a schema");
    Journal::builder("testnet").schema(&schema).segment_records(6).keep_bytes(100_000)
}

fn header(number: u64, len: u16) -> Header {
    let flags = if number % 3 == 2 { Flags::ENDS_BLOCK } else { Flags::NONE };
    let trace = Hash::new([(number / 2) as u8; 32]);
    Header { trace, block_height: number / 3, block_time: number as i64, len, flags, ..Header::default() }
}

/// The files of a journal that is whole: two segments, a gap, a payload of several slots, a registered reader.
fn sample() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let disk = SimulatedDisk::new();
        let mut journal = settings().open_in(Arc::new(disk.clone())).expect("a new journal");
        for number in 0..10 {
            let payload = vec![number as u8; if number == 4 { 300 } else { 20 }];
            let header = header(number, payload.len().min(100) as u16);
            let record = RecordRef::new(journal.next_sequence(), &header, &payload);
            journal.append(record).expect("it is the next");
            if number % 2 == 1 {
                journal.end_batch(false).expect("room");
            }
            if number == 2 {
                journal.note_gap(Sequence::new(50)).expect("room");
            }
        }
        RegisteredReader::register_in(Arc::new(disk.clone()), "store", Sequence::new(1)).expect("a name");
        journal.close().expect("room");
        files(&disk)
    })
}

fn files(disk: &SimulatedDisk) -> Files {
    disk.names().into_iter().map(|name| (name.clone(), disk.file(&name).expect("it was listed"))).collect()
}

fn disk(files: &Files) -> Arc<SimulatedDisk> {
    let disk = SimulatedDisk::new();
    for (name, bytes) in files {
        disk.put(name, bytes.clone());
    }
    Arc::new(disk)
}

/// What, in which file, where, with which number.
fn change(files: &mut Files, edit: &[u8], all: &[u8]) {
    let mut fields = [0; 12];
    fields[..edit.len()].copy_from_slice(edit);
    let [what, file, low, high, number @ ..] = fields;
    let count = files.len();
    let renamed = format!("{:020}.journal", u64::from_le_bytes(number));
    let is_free = files.iter().all(|(name, _)| *name != renamed);
    let (name, bytes) = &mut files[file as usize % count];
    let at = u16::from_le_bytes([low, high]) as usize % (bytes.len() + 1);
    let mut put = |number: &[u8]| {
        let end = (at + number.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&number[..end - at]);
    };
    match what % 9 {
        0 => put(&number[..1]),
        1 => put(&number[..2]),
        2 => put(&number[..4]),
        3 => put(&number),
        4 => bytes.truncate(at),
        5 => bytes.extend_from_slice(all),
        6 => *bytes = all.to_vec(),
        // Once more what stands from there on.
        7 => bytes.extend_from_within(at..),
        // Under the name of another segment.
        _ if is_free => *name = renamed,
        _ => {}
    }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).to_ne_bytes()
}

fn number_at(bytes: &[u8], at: usize) -> usize {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Makes the checksums right that stand in a file.
fn mend(name: &str, bytes: &mut [u8]) {
    if name.ends_with(".journal") {
        mend_segment(bytes);
    } else if name.ends_with(".index") {
        let mut left = bytes;
        while left.len() >= 88 {
            let end = 88_usize.saturating_add(number_at(left, 80)).min(left.len());
            let (entry, behind) = left.split_at_mut(end);
            let sum = checksum(&entry[8..]);
            entry[4..8].copy_from_slice(&sum);
            left = behind;
        }
    } else if name == "durable" && bytes.len() >= 20 {
        let sum = checksum(&bytes[..16]);
        bytes[16..20].copy_from_slice(&sum);
    } else if name.starts_with("reader-") && bytes.len() >= 12 {
        let sum = checksum(&bytes[..8]);
        bytes[8..12].copy_from_slice(&sum);
    }
}

fn mend_segment(bytes: &mut [u8]) {
    if bytes.len() < 64 {
        return;
    }
    let start = number_at(bytes, 16);
    if start < 64 || start > bytes.len() {
        return;
    }
    let (header, mut left) = bytes.split_at_mut(start);
    header[12..16].fill(0);
    let sum = checksum(header);
    header[12..16].copy_from_slice(&sum);
    while left.len() >= 88 {
        left[..4].copy_from_slice(b"RBCH");
        left[8..16].copy_from_slice(&header[32..40]);
        let end = 88_usize.saturating_add(number_at(left, 24)).min(left.len());
        let (chunk, behind) = left.split_at_mut(end);
        let sum = checksum(&chunk[88..]);
        chunk[28..32].copy_from_slice(&sum);
        let sum = checksum(&chunk[8..88]);
        chunk[4..8].copy_from_slice(&sum);
        left = behind;
    }
}

fn read(files: &Files, number: u64) {
    let starts = [
        Start::Oldest,
        Start::Sequence(Sequence::new(number)),
        Start::Sequence(Sequence::new(number % 60)),
        Start::Block(number % 5),
        Start::Time(number as i64 % 12),
    ];
    for extent in [Extent::Written, Extent::Durable] {
        for start in starts {
            for trace in [None, Some(Hash::new([(number % 5) as u8; 32]))] {
                let mut reader =
                    JournalReader::open_in(disk(files), extent).expect("the directory can be read");
                reader.only_trace(trace);
                _ = reader.seek(start);
                read_to_the_end(&mut reader, files);
            }
        }
    }
}

/// Steps over what can be stepped over.
fn read_to_the_end(reader: &mut JournalReader, files: &Files) {
    let mut end = 0;
    let mut stuck = 0;
    // No record and no error is without bytes of its own.
    for _ in 0..files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() + 100 {
        match reader.next() {
            Ok(Some(record)) => {
                assert!(record.sequence().get() >= end, "{} comes behind {end}", record.sequence());
                end = record.next_sequence().get();
                stuck = 0;
            }
            Ok(None) => return,
            Err(_) => {
                stuck += 1;
                if reader.step_over().is_err() || stuck > 50 {
                    return;
                }
            }
        }
    }
    panic!("it reads for ever");
}

fn write_on(files: &Files, settings: JournalBuilder) {
    let disk = disk(files);
    let Ok(mut journal) = settings.open_in(disk.clone()) else {
        // Nothing has been changed.
        for (name, bytes) in files {
            assert_eq!(disk.file(name).as_ref(), Some(bytes), "{name}");
        }
        return;
    };
    let next = journal.next_sequence();
    let header = header(1, 3);
    if journal.append(RecordRef::new(next, &header, b"new")).is_ok() {
        let durable = journal.close().expect("nothing fails");
        assert_eq!(durable.get(), next.get() + 1);
        // It is there for who asks for it.
        let mut reader = JournalReader::open_in(disk, Extent::Durable).expect("the directory can be read");
        if reader.seek(Start::Sequence(next)).is_ok()
            && let Ok(Some(record)) = reader.next()
        {
            assert!(record.sequence() >= next);
        }
    }
}
