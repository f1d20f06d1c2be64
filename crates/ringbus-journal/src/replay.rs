//! Putting a journal back on a ring.

mod pace;
mod run;

use std::fmt;

use ringbus::Sequence;
use ringbus::bus::WriteError;

pub use self::pace::Speed;
use crate::error::JournalError;
use crate::reader::{JournalReader, Start};

/// Puts the records of a journal on a bus, at the speed that is wanted.
///
/// The bus must carry the same stream. If its slots are as large as the recorded ones, and its first sequence is that of the first record,
/// then every record has the sequence that it had.
///
/// ```
/// use ringbus::bus::{Bus, Header, RecordRef, StreamId};
/// use ringbus::Sequence;
/// use ringbus_journal::{Extent, Journal, JournalReader, Replay, Speed};
///
/// # let directory = tempfile::tempdir()?;
/// # let mut journal = Journal::builder("testnet").open(directory.path())?;
/// # for sequence in 0..10 {
/// #     let header = Header { len: 4, block_height: sequence / 5, ..Header::default() };
/// #     journal.append(RecordRef::new(Sequence::new(sequence), &header, b"kept"))?;
/// # }
/// # journal.close()?;
/// let reader = JournalReader::open(directory.path(), Extent::Written)?;
/// let (writer, bus) = Bus::<192>::builder("testnet").build()?;
/// let mut monitor = bus.subscribe("monitor").optional().join()?;
///
/// let mut forwarder = writer.forward_from(reader.stream().expect("it has records"))?;
/// let replayed = Replay::new(reader).speed(Speed::Full).until_block(0).run(&mut forwarder)?;
/// assert_eq!(replayed.records, 5);
/// assert_eq!(monitor.recv()?.payload(), b"kept");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is replayed before `run` is called"]
pub struct Replay {
    reader: JournalReader,
    start: Option<Start>,
    stop: Stop,
    speed: Speed,
    steps_over: bool,
}

/// Where it ends.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Never,
    /// Before this sequence.
    Sequence(Sequence),
    /// Behind the last block of this height.
    Block(u64),
}

/// What a replay has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// How many records were put on the bus.
    pub records: u64,
    /// How many blocks began among them.
    pub blocks: u64,
    /// How many sequences could not be read and were stepped over: damage, and gaps.
    pub missed: u64,
}

impl Replay {
    /// Replays what `reader` reads, from where it stands to the end, at full speed.
    pub fn new(reader: JournalReader) -> Self {
        Self { reader, start: None, stop: Stop::Never, speed: Speed::Full, steps_over: false }
    }

    /// How fast.
    pub fn speed(mut self, speed: Speed) -> Self {
        self.speed = speed;
        self
    }

    /// From where on.
    pub fn from(mut self, start: Start) -> Self {
        self.start = Some(start);
        self
    }

    /// Up to the record before this sequence.
    pub fn until_sequence(mut self, end: Sequence) -> Self {
        self.stop = Stop::Sequence(end);
        self
    }

    /// Up to the end of the last block of this height.
    pub fn until_block(mut self, height: u64) -> Self {
        self.stop = Stop::Block(height);
        self
    }

    /// Steps over damage and gaps, which are errors otherwise, and counts what is missed. Damage behind which nothing can be read is
    /// an error still.
    pub fn step_over(mut self) -> Self {
        self.steps_over = true;
        self
    }
}

/// Why a replay has ended early.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplayError {
    /// The journal could not be read on.
    Journal(JournalError),
    /// The bus took no more.
    Write(WriteError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Journal(error) => Some(error),
            Self::Write(error) => Some(error),
        }
    }
}

impl From<JournalError> for ReplayError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<WriteError> for ReplayError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}
