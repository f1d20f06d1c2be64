//! From the file onto the bus.

use std::error::Error;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use recorded::{RecordedEvent, kind};
use ringbus::Sequence;
use ringbus::bus::{Audit, AuditLog, Bus, StreamId};
use ringbus::stats::ConsumerStats;

use crate::counter::Counter;
use crate::monitor::{self, Watched};
use crate::tally::Tally;

/// How much of an event one slot holds, bytes: four in five events of the recording need one slot only.
pub(crate) const PAYLOAD: usize = 448;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What the bus carries: events of another stream are refused.
    pub(crate) stream: StreamId,
    /// Slots of the ring.
    pub(crate) capacity: usize,
    /// `None`: as fast as can be.
    pub(crate) blocks_a_second: Option<u32>,
    /// Of the monitor, after each few events.
    pub(crate) rest: Duration,
}

/// What is left when all has been played.
#[derive(Debug)]
pub(crate) struct Played {
    /// Where each event of the file went: the sequence of its first slot.
    pub(crate) sequences: Vec<Sequence>,
    /// The end of what was published.
    pub(crate) end: Sequence,
    /// From the first event published until both required consumers had handled the last.
    pub(crate) took: Duration,
    pub(crate) audit: Audit,
    pub(crate) counted: Tally,
    /// The bus's numbers of the audit log and the counter.
    pub(crate) required: [ConsumerStats; 2],
    pub(crate) watched: Watched,
}

impl Played {
    /// How many events the monitor missed, as it was told: those that begin within what it missed.
    pub(crate) fn missed_events(&self) -> u64 {
        let events_before = |end| self.sequences.partition_point(|sequence| sequence.get() < end) as u64;
        self.watched.missed.iter().map(|gap| events_before(gap.end) - events_before(gap.start)).sum()
    }
}

/// Puts all events on a bus, each as a record of its own: to an audit log and a counter, which get every one of them, and to a
/// slow monitor, which does not. `played` is told now and then how many were.
pub(crate) fn play(
    events: &[RecordedEvent],
    settings: &Settings,
    mut played: impl FnMut(u64),
) -> Result<Played, Box<dyn Error>> {
    const EVENTS_A_TICK: usize = 256;
    const SLOTS_A_SAMPLE: NonZero<u64> = NonZero::new(16).expect("it is not 0");
    refuse_other_streams(events, &settings.stream)?;
    let (writer, bus) = Bus::<PAYLOAD>::builder(settings.stream.clone())
        .capacity(settings.capacity)
        .sample_latency(SLOTS_A_SAMPLE)
        .build()?;
    let log = AuditLog::new(room_for(events));
    let audit = log.audit();
    let logging = bus.subscribe("audit log").required().spawn(log)?;
    let counting = bus.subscribe("counter").required().spawn(Counter::default())?;
    let monitor = bus.subscribe("slow monitor").optional().join()?;
    let rest = settings.rest;
    let watching = thread::spawn(move || monitor::watch(monitor, rest));

    let mut forwarder = writer.forward_from(&settings.stream)?;
    let mut sequences = Vec::with_capacity(events.len());
    let mut blocks_begun = 0;
    let start = Instant::now();
    for event in events {
        if let Some(rate) = settings.blocks_a_second.filter(|_| event.kind == kind::BEGIN_BLOCK) {
            let due = start + Duration::from_secs(1) * blocks_begun / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            blocks_begun += 1;
        }
        let sequence = forwarder.forward(&event.header(), &event.encoded);
        sequences.push(sequence.map_err(|error| refused(event, &error))?);
        if sequences.len() % EVENTS_A_TICK == 0 {
            played(sequences.len() as u64);
        }
    }
    let end = forwarder.close()?;
    let logged = logging.join()?;
    let counted = counting.join()?;
    let took = start.elapsed();
    let watched = watching.join().map_err(|_| "the monitor's thread panicked")?;
    Ok(Played {
        sequences,
        end,
        took,
        audit,
        counted: counted.handler.into_subscriber().tally,
        required: [logged.stats, counted.stats],
        watched,
    })
}

/// Before anything is played: half a stream would be worse than none.
fn refuse_other_streams(events: &[RecordedEvent], stream: &StreamId) -> Result<(), String> {
    events.iter().try_for_each(|event| {
        let check = stream.check(&StreamId::new(&event.chain_id));
        check.map_err(|error| refused(event, &error))
    })
}

fn refused(event: &RecordedEvent, error: &dyn Error) -> String {
    format!("the event with file sequence {}: {error}", event.file_sequence)
}

/// What an audit log needs that is to keep all of it, bytes: as [`AuditLog::new`] counts, if each event had a block and a
/// transaction of its own.
fn room_for(events: &[RecordedEvent]) -> usize {
    events.iter().map(|event| 104 + event.encoded.len() + 56 + 112 + 56).sum()
}
