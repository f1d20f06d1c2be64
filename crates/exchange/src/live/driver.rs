//! The core's side of the bus.

use std::time::{Duration, Instant};

use ringbus::bus::{Bus, WriteError};
use ringbus::stats::{Stats, Waits};
use ringbus::wait::WaitStrategy;
use ringbus::{Progress, Sequence};

use super::error::RunError;
use super::settings::{Length, RunSettings};
use super::{CoreWriter, PAYLOAD};
use crate::core::Core;
use crate::flow::OrderFlow;
use crate::transaction::{Action, Transaction};

/// How long the journal may take to get where the core is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The core, what drives it, and what it writes to.
pub(super) struct Driver<'a> {
    settings: &'a RunSettings,
    core: Core,
    flow: OrderFlow,
    writer: CoreWriter,
    journal: Progress,
    wait: Box<dyn WaitStrategy>,
    waits_for_journal: Waits,
    transactions: u64,
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
        writer: CoreWriter,
        journal: Progress,
    ) -> Self {
        let wait = settings.wait.strategy();
        Self {
            settings,
            core,
            flow,
            writer,
            journal,
            wait,
            waits_for_journal: Waits::default(),
            transactions: 0,
        }
    }

    /// Runs block by block, until the run is over and the journal has all of it; then closes the bus.
    pub(super) fn run(mut self, bus: &Bus<PAYLOAD>) -> Result<Driven, RunError> {
        let started = Instant::now();
        for (origin, listing) in self.core.listings() {
            self.writer.stage(origin, &listing)?;
        }
        while !self.is_over(started) {
            self.block()?;
        }
        let at_end = bus.stats();
        self.wait_for_journal()?;
        let took = started.elapsed();
        let Self { core, transactions, writer, waits_for_journal, .. } = self;
        let end = writer.close()?;
        Ok(Driven { core, transactions, took, end, at_end, waits_for_journal })
    }

    fn is_over(&self, started: Instant) -> bool {
        match self.settings.length {
            Length::Time(length) => started.elapsed() >= length,
            Length::Blocks(blocks) => self.core.height() >= blocks,
        }
    }

    /// One block.
    fn block(&mut self) -> Result<(), RunError> {
        self.writer.begin_block(self.core.begin_block())?;
        for _ in 0..self.settings.transactions_per_block {
            let transaction = self.flow.next().expect("the flow has no end");
            self.execute(&transaction)?;
            self.transactions += 1;
        }
        self.core.end_block(&mut self.writer)?;
        self.writer.end_block()?;
        if self.settings.durable {
            self.wait_for_journal()?;
        }
        Ok(())
    }

    fn execute(&mut self, transaction: &Transaction) -> Result<(), WriteError> {
        let Self { core, writer, .. } = self;
        writer.begin_transaction(transaction.hash())?;
        let verdict = if matches!(transaction.action, Action::MarkPrice { .. }) {
            // What it leads to may be more than a batch can hold, and is published as it comes.
            core.execute(transaction, writer)?
        } else {
            let mut batch = writer.batch();
            let verdict = core.execute(transaction, &mut batch)?;
            batch.publish()?;
            verdict
        };
        writer.end_transaction(verdict.outcome())?;
        Ok(())
    }

    /// Waits until the journal has all that is published: only then it is final.
    fn wait_for_journal(&mut self) -> Result<(), RunError> {
        let next = self.writer.next_sequence();
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
