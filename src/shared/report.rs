//! What a ring's process tells of its consumers: a table of words that it rewrites ten times a second, and others read.

use std::time::Duration;

use super::{seqlock, text};
use crate::sequence::Sequence;
use crate::stats::{ConsumerKind, ConsumerState, ConsumerStats, Stats, Waits};
use crate::sync::AtomicU64;

/// The words before the table: when, cursor, waits (how many, nanoseconds), refused, consumers, consumers left out.
const HEAD: usize = 8;
/// The words of a consumer: 16 numbers, and its name.
const ROW: usize = NUMBERS + NAME;
const NUMBERS: usize = 16;
const NAME: usize = 16;
const WORD: usize = size_of::<u64>();

/// How many optional consumers there is always a place for, beside the required ones.
pub(super) const OPTIONAL: usize = 32;

/// How many bytes a table with so many places takes.
pub(super) const fn bytes(places: usize) -> usize {
    (HEAD + places * ROW) * WORD
}

/// How many places a table of so many bytes has. `None`: there is no such table.
pub(super) fn places(bytes: u64) -> Option<usize> {
    let rows = usize::try_from(bytes).ok()?.checked_sub(HEAD * WORD)?;
    rows.is_multiple_of(ROW * WORD).then_some(rows / (ROW * WORD))
}

/// What a ring's process has told of it and its consumers: see [`RingFile::report`](super::RingFile::report).
///
/// It is a snapshot as [`Ring::stats`](crate::Ring::stats) makes them, so for each consumer
/// `delivered + missed + let_pass + lag == cursor - joined_at`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// How long ago it was taken.
    pub age: Duration,
    /// The cursor then.
    pub cursor: Sequence,
    /// The producer's waits for room. A wait counts when it is over.
    pub waits: Waits,
    /// How many times a call that does not wait, or no longer, found no room.
    pub refused: u64,
    /// The consumers in the ring's own process: the required ones by place, then the optional ones in the order in which they joined.
    pub consumers: Vec<ConsumerReport>,
    /// How many more consumers there were than the table has places.
    pub left_out: u64,
}

/// A consumer in a [`Report`]. What the numbers mean is told at [`ConsumerStats`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerReport {
    /// Its name; of a longer one, the first 128 bytes.
    pub name: String,
    /// Required or optional.
    pub kind: ConsumerKind,
    /// What it is doing.
    pub state: ConsumerState,
    /// The first sequence it gets.
    pub joined_at: Sequence,
    /// The first sequence it has not acknowledged, or reads next.
    pub position: Sequence,
    /// How many events it has acknowledged, or was given.
    pub delivered: u64,
    /// How many events it has lost.
    pub missed: u64,
    /// How many events have passed it while it was paused.
    pub let_pass: u64,
    /// How many events are published and none of these.
    pub lag: u64,
    /// The producer's waits that began while this consumer was the slowest.
    pub waits: Waits,
    /// How long it took from publish to acknowledge, where that is sampled
    /// (`RingBuilder::sample_latency`, feature `latency`).
    pub latency: Option<LatencySummary>,
}

/// What a histogram of sampled latencies comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LatencySummary {
    /// How many samples there are.
    pub samples: u64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 99 % took no longer.
    pub p99: Duration,
    /// 99.9 % took no longer.
    pub p999: Duration,
    /// The longest.
    pub max: Duration,
}

/// Writes what `stats` says, taken at `now` on the clock of all processes.
pub(super) fn write(generation: &AtomicU64, to: &[AtomicU64], stats: &Stats, now: u64) {
    let places = (to.len() - HEAD) / ROW;
    let (told, left_out) = stats.consumers.split_at(stats.consumers.len().min(places));
    let mut words = Vec::with_capacity(HEAD + told.len() * ROW);
    words.extend([
        now,
        stats.cursor.get(),
        stats.waits.count,
        nanoseconds(stats.waits.total),
        stats.refused,
        told.len() as u64,
        left_out.len() as u64,
        0,
    ]);
    for consumer in told {
        words.extend(row(consumer));
    }
    seqlock::write(generation, to, &words);
}

/// The last report, at `now` on the clock of all processes. Whatever the words are, it makes the best of them.
pub(super) fn read(generation: &AtomicU64, from: &[AtomicU64], now: u64) -> Option<Report> {
    let mut words = vec![0; from.len()];
    seqlock::read(generation, from, &mut words)?;
    let (head, rows) = words.split_at_checked(HEAD)?;
    let &[taken_at, cursor, waits, waited, refused, consumers, left_out, _] = head else { return None };
    let consumers = rows.chunks_exact(ROW).take(usize::try_from(consumers).unwrap_or(usize::MAX));
    Some(Report {
        age: Duration::from_nanos(now.saturating_sub(taken_at)),
        cursor: Sequence::new(cursor),
        waits: Waits { count: waits, total: Duration::from_nanos(waited) },
        refused,
        consumers: consumers.map(of_row).collect(),
        left_out,
    })
}

fn row(of: &ConsumerStats) -> [u64; ROW] {
    let mut row = [0; ROW];
    let (numbers, name) = row.split_at_mut(NUMBERS);
    let kind = match of.kind {
        ConsumerKind::Required => 0,
        ConsumerKind::Optional => 1,
    };
    let state = match of.state {
        ConsumerState::Running => 0,
        ConsumerState::Paused => 1,
        ConsumerState::Failed => 2,
    };
    numbers[..9].copy_from_slice(&[
        kind | state << 8,
        of.joined_at.get(),
        of.position.get(),
        of.delivered,
        of.missed,
        of.let_pass,
        of.lag,
        of.waits.count,
        nanoseconds(of.waits.total),
    ]);
    numbers[9..14].copy_from_slice(&latency(of));
    numbers[14] = text::write(&of.name, name);
    row
}

fn of_row(row: &[u64]) -> ConsumerReport {
    let (numbers, name) = row.split_at(NUMBERS);
    let nanoseconds = Duration::from_nanos;
    ConsumerReport {
        name: text::read(numbers[14], name),
        kind: if numbers[0] & 0xff == 0 { ConsumerKind::Required } else { ConsumerKind::Optional },
        state: match numbers[0] >> 8 {
            0 => ConsumerState::Running,
            1 => ConsumerState::Paused,
            _ => ConsumerState::Failed,
        },
        joined_at: Sequence::new(numbers[1]),
        position: Sequence::new(numbers[2]),
        delivered: numbers[3],
        missed: numbers[4],
        let_pass: numbers[5],
        lag: numbers[6],
        waits: Waits { count: numbers[7], total: nanoseconds(numbers[8]) },
        latency: (numbers[9] > 0).then(|| LatencySummary {
            samples: numbers[9],
            p50: nanoseconds(numbers[10]),
            p99: nanoseconds(numbers[11]),
            p999: nanoseconds(numbers[12]),
            max: nanoseconds(numbers[13]),
        }),
    }
}

#[cfg(feature = "latency")]
fn latency(of: &ConsumerStats) -> [u64; 5] {
    of.latency.as_ref().map_or([0; 5], |latency| {
        let at = |quantile| latency.value_at_quantile(quantile);
        [latency.len(), at(0.5), at(0.99), at(0.999), latency.max()]
    })
}

#[cfg(not(feature = "latency"))]
fn latency(_: &ConsumerStats) -> [u64; 5] {
    [0; 5]
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
