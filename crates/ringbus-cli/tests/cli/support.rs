//! Processes, recordings and journals to try them on.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use recorded::{Generator, RecordedEvent, Settings, write_framed};
use ringbus::Sequence;
use ringbus::bus::{Flags, Hash, Header, Kind, RecordRef};
use ringbus_journal::{Durability, Journal, JournalBuilder, JournalError};
use serde_json::Value;

ringbus::events! {
    /// What the exchange of these tests says.
    pub(crate) schema Exchange, version 3;

    /// Two orders met.
    event Trade, kind 8 { market: u32, size: u32 }

    /// Somebody wants something.
    event Order, kind 9 { market: u32, account: u32 }
}

pub(crate) const TRADE: Kind = Kind::new(8);
pub(crate) const ORDER: Kind = Kind::new(9);

/// What came of a process.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Ran {
    /// What it printed, if all went well.
    #[track_caller]
    pub(crate) fn fine(self) -> String {
        assert_eq!((self.code, self.error.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// What it said, if it failed with this code.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.out, "");
        self.error
    }
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ringbus"))
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    let output = command().args(arguments).output().expect("the command was built");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Ran {
        code: output.status.code().expect("it ended by itself"),
        out: text(output.stdout),
        error: text(output.stderr),
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary directory has such a name")
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

pub(crate) fn events(blocks: u64) -> Vec<RecordedEvent> {
    Generator::new(Settings { seed: 5, blocks, ..Settings::default() }).collect()
}

/// Writes a recording, and returns where it is.
pub(crate) fn recording(directory: &Path, events: &[RecordedEvent]) -> PathBuf {
    let file = directory.join("recording.evts");
    let mut out = BufWriter::new(File::create(&file).expect("there is room"));
    write_framed(&mut out, events).expect("there is room");
    out.flush().expect("there is room");
    file
}

/// A journal of generated events, imported by the command.
pub(crate) fn imported(directory: &Path, events: &[RecordedEvent]) -> PathBuf {
    let (file, journal) = (recording(directory, events), directory.join("journal"));
    run(&["import", text(&file), text(&journal)]).fine();
    journal
}

pub(crate) fn builder() -> JournalBuilder {
    Journal::builder("testnet").schema(Exchange::schema()).durability(Durability::EachBatch)
}

/// Opens a journal once more. (A process that another test starts holds the locks of this one too, until it runs the command.)
pub(crate) fn reopen(builder: &JournalBuilder, place: &Path) -> Journal {
    loop {
        match builder.clone().open(place) {
            Err(JournalError::Locked { .. }) => thread::yield_now(),
            opened => return opened.expect("it is whole"),
        }
    }
}

/// The `at`th record of a journal of blocks of three records, from height 7 on, each of which one transaction caused.
pub(crate) fn put(journal: &mut Journal, at: u64) {
    let (block, place) = (at / 3, at % 3);
    let flags = match place {
        0 => Flags::BEGINS_BLOCK,
        2 => Flags::ENDS_BLOCK,
        _ => Flags::NONE,
    };
    let header = Header {
        trace: Hash::new([block as u8; 32]),
        block_time: 1_700_000_000_000_000_000 + block as i64,
        block_height: 7 + block,
        order: place as u32 + 1,
        kind: if place == 1 { TRADE } else { ORDER },
        version: 1,
        len: 8,
        flags,
        ..Header::default()
    };
    let payload = bytemuck::cast::<[u32; 2], [u8; 8]>([at as u32, 250]);
    let record = RecordRef::new(journal.next_sequence(), &header, &payload);
    journal.append(record).expect("it comes next");
    journal.end_batch(false).expect("there is room");
}

/// A journal of so many records, a chunk each, in segments of ten.
pub(crate) fn journal(directory: &Path, records: u64) -> PathBuf {
    let place = directory.join("journal");
    let mut journal = builder().segment_records(10).open(&place).expect("the directory is empty");
    (0..records).for_each(|at| put(&mut journal, at));
    journal.close().expect("there is room");
    place
}

/// The segment that begins with this sequence.
pub(crate) fn segment(journal: &Path, first: u64) -> PathBuf {
    journal.join(format!("{first:020}.journal"))
}

/// Changes a byte, so far from the end of the segment.
pub(crate) fn damage(segment: &Path, from_end: usize) {
    let mut bytes = fs::read(segment).expect("it is there");
    let at = bytes.len() - from_end;
    bytes[at] ^= 1;
    fs::write(segment, bytes).expect("there is room");
}

/// A journal of ten records, of which those between were missed.
pub(crate) fn journal_with_gap(directory: &Path) -> PathBuf {
    let place = directory.join("journal");
    let mut journal = builder().open(&place).expect("the directory is empty");
    (0..5).for_each(|at| put(&mut journal, at));
    journal.note_gap(Sequence::new(25)).expect("it lies ahead");
    (5..10).for_each(|at| put(&mut journal, at));
    journal.close().expect("there is room");
    place
}
