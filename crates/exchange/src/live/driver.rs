//! The core's side of the bus.

use std::time::{Duration, Instant};

use ringbus::bus::Bus;
use ringbus::stats::{Stats, Waits};
use ringbus::wait::WaitStrategy;
use ringbus::{Progress, Sequence};

use super::error::RunError;
use super::settings::{Length, RunSettings};
use super::{CoreWriter, PAYLOAD};
use crate::block_maker::BlockMaker;
use crate::core::Core;

/// How long the journal may take to get where the core is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The core, what drives it, and what it writes to.
pub(super) struct Driver<'a> {
    settings: &'a RunSettings,
    maker: BlockMaker,
    writer: CoreWriter,
    journal: Progress,
    wait: Box<dyn WaitStrategy>,
    waits_for_journal: Waits,
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
        maker: BlockMaker,
        writer: CoreWriter,
        journal: Progress,
    ) -> Self {
        let wait = settings.wait.strategy();
        Self { settings, maker, writer, journal, wait, waits_for_journal: Waits::default() }
    }

    /// Runs block by block, until the run is over and the journal has all of it; then closes the bus.
    pub(super) fn run(mut self, bus: &Bus<PAYLOAD>) -> Result<Driven, RunError> {
        let started = Instant::now();
        while !self.is_over(started) {
            self.block()?;
        }
        let at_end = bus.stats();
        self.wait_for_journal()?;
        let took = started.elapsed();
        let Self { maker, writer, waits_for_journal, .. } = self;
        let end = writer.close()?;
        let transactions = maker.transactions();
        Ok(Driven { core: maker.into_core(), transactions, took, end, at_end, waits_for_journal })
    }

    fn is_over(&self, started: Instant) -> bool {
        match self.settings.length {
            Length::Time(length) => started.elapsed() >= length,
            Length::Blocks(blocks) => self.maker.core().height() >= blocks,
        }
    }

    /// One block.
    fn block(&mut self) -> Result<(), RunError> {
        self.maker.make_block(&mut self.writer)?;
        if self.settings.durable {
            self.wait_for_journal()?;
        }
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
