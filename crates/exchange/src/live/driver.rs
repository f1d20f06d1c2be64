//! The core's side of the ring.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ringbus::stats::{Stats, Waits};
use ringbus::wait::WaitStrategy;
use ringbus::{Progress, PublishError, Ring, Sequence};

use super::CoreProducer;
use super::error::RunError;
use super::settings::{Length, RunSettings};
use crate::core::Core;
use crate::event::Event;
use crate::flow::OrderFlow;
use crate::rules::MAX_EVENTS;

/// How long the journal may take to get where the core is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The core, what drives it, and what it publishes to.
pub(super) struct Driver<'a> {
    settings: &'a RunSettings,
    core: Core,
    flow: OrderFlow,
    out: Outlet<'a>,
    transactions: u64,
}

/// What the core's events go out by.
struct Outlet<'a> {
    producer: CoreProducer,
    batch: Vec<Event>,
    journal: Progress,
    wait: Box<dyn WaitStrategy>,
    waits_for_journal: Waits,
    /// Told to whoever watches.
    blocks: &'a AtomicU64,
}

/// What the core's thread leaves behind.
pub(super) struct Driven {
    pub(super) core: Core,
    pub(super) transactions: u64,
    /// From before the first event until the journal had the last.
    pub(super) took: Duration,
    pub(super) end: Sequence,
    /// When the last event had been published.
    pub(super) at_end: Stats,
    pub(super) waits_for_journal: Waits,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        settings: &'a RunSettings,
        core: Core,
        flow: OrderFlow,
        producer: CoreProducer,
        journal: Progress,
        blocks: &'a AtomicU64,
    ) -> Self {
        let out = Outlet {
            producer,
            batch: Vec::with_capacity(MAX_EVENTS),
            journal,
            wait: settings.wait.strategy(),
            waits_for_journal: Waits::default(),
            blocks,
        };
        Self { settings, core, flow, out, transactions: 0 }
    }

    /// Runs block by block, until the run is over and the journal has all of it; then closes the ring.
    pub(super) fn run(mut self, ring: &Ring<Event>) -> Result<Driven, RunError> {
        let started = Instant::now();
        while !self.is_over(started) {
            self.block()?;
        }
        let at_end = ring.stats();
        self.out.wait_for_journal()?;
        let took = started.elapsed();
        let Self { core, transactions, out, .. } = self;
        let end = out.producer.close()?;
        Ok(Driven { core, transactions, took, end, at_end, waits_for_journal: out.waits_for_journal })
    }

    fn is_over(&self, started: Instant) -> bool {
        match self.settings.length {
            Length::Time(length) => started.elapsed() >= length,
            Length::Blocks(blocks) => self.core.height() >= blocks,
        }
    }

    /// One block: a batch for its begin, for each transaction, and for its end.
    fn block(&mut self) -> Result<(), RunError> {
        let Self { settings, core, flow, out, transactions } = self;
        core.begin_block(&mut out.batch);
        out.publish()?;
        for _ in 0..settings.transactions_per_block {
            let transaction = flow.next().expect("the flow has no end");
            core.execute(&transaction, &mut out.batch);
            out.publish()?;
            *transactions += 1;
        }
        core.end_block(&mut out.batch);
        out.publish()?;
        if settings.durable {
            out.wait_for_journal()?;
        }
        // Relaxed: a number to look at.
        out.blocks.store(core.height(), Ordering::Relaxed);
        Ok(())
    }
}

impl Outlet<'_> {
    /// Publishes the batch, whole, and makes room for the next.
    fn publish(&mut self) -> Result<(), PublishError> {
        self.producer.publish_batch(&self.batch)?;
        self.batch.clear();
        Ok(())
    }

    /// Waits until the journal has all that is published: only then it is final.
    fn wait_for_journal(&mut self) -> Result<(), RunError> {
        let next = self.producer.next_sequence();
        // (A run has at least one block, so there is a last event.)
        let last = Sequence::new(next.get() - 1);
        if self.journal.position() < next {
            let since = Instant::now();
            self.journal.wait_for_with(last, since + PATIENCE, &mut self.wait)?;
            self.waits_for_journal.count += 1;
            self.waits_for_journal.total += since.elapsed();
        }
        Ok(())
    }
}
