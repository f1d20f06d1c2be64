//! What a run comes to.

use std::io::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use ringbus::End;
use ringbus::bus::Audit;
use ringbus::bus::Damaged;
use ringbus::stats::{ConsumerKind, ConsumerStats, Stats, Waits};
use ringbus::worker::Shutdown;

use super::crew::{Ended, Left};
use super::driver::Driven;
use super::error::{Disagreement, RunError};
use super::settings::{RunSettings, THREADS};
use crate::consumers::{BlockStore, CommittedBlock, Liquidations};

/// What a run comes to. It exists only if all numbers agree.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// What the run was made of.
    pub settings: RunSettings,
    /// How many events were published.
    pub events: u64,
    /// How many blocks they make: all of them final, that is, in the journal.
    pub blocks: u64,
    /// How many transactions were executed, rejected ones too.
    pub transactions: u64,
    /// How many trades there were.
    pub trades: u64,
    /// From before the first event until the journal had the last.
    pub took: Duration,
    /// Height of the last block.
    pub height: u64,
    /// Hash of the core's state after it: the same for the same seed and number of blocks.
    pub state_hash: u64,
    /// How often and how long the core waited for room on the ring.
    pub waits: Waits,
    /// How often and how long the core waited for the journal to have a block.
    pub waits_for_journal: Waits,
    /// The consumers, in the order of [`THREADS`].
    pub consumers: Vec<ConsumerSummary>,
    /// What mark prices have led to.
    pub liquidations: Liquidations,
    /// Can tell what an oracle's transaction caused, if that is not too long ago.
    pub audit: Audit,
    /// How many bytes the journal wrote.
    pub journal_bytes: u64,
    /// How many writes that took.
    pub journal_writes: u64,
    /// The [checksum](crate::Checksum) of what it wrote.
    pub journal_checksum: u64,
    /// The last block that the store committed.
    pub last_committed: Option<CommittedBlock>,
    /// How many blocks it committed.
    pub blocks_committed: u64,
    /// The block that it dropped because its end did not come.
    pub dropped: Option<Damaged>,
    /// How many times the monitor was overrun.
    pub monitor_gaps: u64,
    /// The most events that it missed in a row.
    pub monitor_largest_gap: u64,
}

/// What one consumer comes to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsumerSummary {
    /// The name it joined with.
    pub name: &'static str,
    /// Required or optional.
    pub kind: ConsumerKind,
    /// How many events were handled.
    pub delivered: u64,
    /// How many were lost.
    pub missed: u64,
    /// How many passed in pauses.
    pub let_pass: u64,
    /// How many events it was behind when the last was published. It has handled or missed these, too.
    pub lag_at_end: u64,
    /// The core's waits for room that began while this consumer was the slowest.
    pub waits: Waits,
    /// Nanoseconds from publishing an event to acknowledging it, sampled; `None` for an optional consumer.
    pub latency: Option<Histogram<u64>>,
}

impl Summary {
    /// Checks that all numbers agree, and puts them together.
    pub(super) fn new<J: Write>(
        settings: &RunSettings,
        driven: &Driven,
        ended: Ended<J>,
    ) -> Result<Self, RunError> {
        let Ended { journal, keeper, store, monitor, auditor, audit } = ended;
        let [_, journal_name, keeper_name, store_name, monitor_name, auditor_name] = THREADS;
        let events = driven.end.since(driven.at_end.first_sequence);
        let summaries = Summaries { published: events, at_end: &driven.at_end };
        let consumers = vec![
            summaries.of(journal_name, &journal)?,
            summaries.of(keeper_name, &keeper)?,
            summaries.of(store_name, &store)?,
            summaries.of(monitor_name, &monitor)?,
            summaries.of(auditor_name, &auditor)?,
        ];
        let missed = monitor.stats.missed;
        let (journal, keeper) = (journal.handler.subscriber(), keeper.handler.subscriber());
        let store = store.handler.into_subscriber();
        let (blocks_committed, store) = (store.committed(), store.into_commit());
        let (monitor, auditor) = (monitor.handler.subscriber(), auditor.handler.subscriber());
        let blocks = driven.core.height();
        agree(journal_name, "records", journal.records(), events)?;
        agree(store_name, "blocks", blocks_committed, blocks)?;
        agree(monitor_name, "sequences missed", monitor.missed(), missed)?;
        let differences = keeper.positions().diff(&driven.core);
        if !differences.is_empty() {
            return Err(Disagreement::Positions(differences).into());
        }
        check_store(&store, driven)?;
        Ok(Self {
            settings: settings.clone(),
            events,
            blocks,
            transactions: driven.transactions,
            trades: keeper.positions().trades(),
            took: driven.took,
            height: driven.core.height(),
            state_hash: driven.core.state_hash(),
            waits: driven.at_end.waits,
            waits_for_journal: driven.waits_for_journal,
            consumers,
            liquidations: *auditor.liquidations(),
            audit,
            journal_bytes: journal.bytes(),
            journal_writes: journal.writes(),
            journal_checksum: journal.checksum(),
            last_committed: store.last(),
            blocks_committed: store.blocks(),
            dropped: store.dropped(),
            monitor_gaps: monitor.gaps(),
            monitor_largest_gap: monitor.largest_gap(),
        })
    }

    /// Events published for each second.
    #[must_use]
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }

    /// What part of the time `waits` took, from 0 to 1.
    #[must_use]
    pub fn share(&self, waits: Waits) -> f64 {
        waits.total.as_secs_f64() / self.took.as_secs_f64()
    }
}

fn agree(consumer: &'static str, what: &'static str, own: u64, expected: u64) -> Result<(), Disagreement> {
    if own == expected { Ok(()) } else { Err(Disagreement::Count { consumer, what, own, expected }) }
}

fn check_store(store: &BlockStore, driven: &Driven) -> Result<(), Disagreement> {
    if store.agrees_with(&driven.core) {
        return Ok(());
    }
    let stored = store.last().map_or(0, |last| last.height);
    Err(Disagreement::Store { stored, core: driven.core.height() })
}

struct Summaries<'a> {
    published: u64,
    at_end: &'a Stats,
}

impl Summaries<'_> {
    /// Of one consumer, if its account balances.
    fn of<S>(&self, name: &'static str, done: &Left<S>) -> Result<ConsumerSummary, RunError> {
        if done.reason != Shutdown::Ended(End::Closed) {
            return Err(RunError::Ended { consumer: name, reason: done.reason.clone() });
        }
        let ConsumerStats { kind, delivered, missed, let_pass, waits, latency, .. } = done.stats.clone();
        if delivered + missed + let_pass != self.published {
            let published = self.published;
            let account = Disagreement::Account { consumer: name, delivered, missed, let_pass, published };
            return Err(account.into());
        }
        let lag_at_end = self.at_end.consumer(name).map_or(0, |stats| stats.lag);
        Ok(ConsumerSummary { name, kind, delivered, missed, let_pass, lag_at_end, waits, latency })
    }
}
