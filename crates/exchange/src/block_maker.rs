//! The core and what drives it, block by block.

use ringbus::bus::{Emit, Kind, Origin, Topic, WriteError, Writer};
use ringbus::wait::WaitStrategy;

use crate::core::Core;
use crate::flow::OrderFlow;
use crate::settings::{Settings, SettingsError};
use crate::transaction::{Action, Transaction};

/// A [`Core`] and the [`OrderFlow`] that drives it: what it takes to make the next block.
///
/// Both depend on nothing but their settings and the seed, so that the core of any height can be made again: the flow
/// stands for the log of what came in, from which a core is rebuilt after a crash.
///
/// ```
/// use exchange::{BlockMaker, Settings};
/// use ringbus::bus::Bus;
///
/// let (mut writer, _bus) = Bus::<64>::builder("exchange").build()?;
/// let mut first = BlockMaker::new(&Settings::default(), 7, 50)?;
/// for _ in 0..10 {
///     first.make_block(&mut writer)?;
/// }
///
/// let mut again = BlockMaker::new(&Settings::default(), 7, 50)?;
/// again.rebuild_to(10);
/// assert_eq!(again.core().state_hash(), first.core().state_hash());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockMaker {
    core: Core,
    flow: OrderFlow,
    transactions_per_block: u32,
}

impl BlockMaker {
    /// Before the first block.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings, seed: u64, transactions_per_block: u32) -> Result<Self, SettingsError> {
        let (core, flow) = (Core::new(settings)?, OrderFlow::new(seed, settings)?);
        Ok(Self { core, flow, transactions_per_block })
    }

    /// The core. It has no block open, unless an error has stopped one.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The core, when there are no more blocks to be made.
    #[must_use]
    pub fn into_core(self) -> Core {
        self.core
    }

    /// How many transactions there were, rejected ones too.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.core.height() * u64::from(self.transactions_per_block)
    }

    /// Makes the next block on a bus: before the first one, what is to be [said once](Core::listings).
    ///
    /// # Errors
    ///
    /// The bus has failed, or its slots or batches are too small. The block stays unfinished, and nothing more can be done
    /// with this core.
    pub fn make_block<const PAYLOAD: usize, W: WaitStrategy>(
        &mut self,
        writer: &mut Writer<PAYLOAD, W>,
    ) -> Result<(), WriteError> {
        if self.core.height() == 0 {
            for (origin, listing) in self.core.listings() {
                writer.stage(origin, &listing)?;
            }
        }
        writer.begin_block(self.core.begin_block())?;
        for _ in 0..self.transactions_per_block {
            let transaction = self.next_transaction();
            self.execute(&transaction, writer)?;
        }
        self.core.end_block(writer)?;
        writer.end_block()?;
        Ok(())
    }

    /// Makes all blocks up to and with the one of this height again, for nobody to hear: they were said before. None, if
    /// the core is there already, or beyond.
    ///
    /// # Panics
    ///
    /// An error has stopped a block.
    pub fn rebuild_to(&mut self, height: u64) {
        const NEVER: &str = "nowhere refuses nothing";
        while self.core.height() < height {
            self.core.begin_block();
            for _ in 0..self.transactions_per_block {
                let transaction = self.next_transaction();
                self.core.execute(&transaction, &mut Nowhere).expect(NEVER);
            }
            self.core.end_block(&mut Nowhere).expect(NEVER);
        }
    }

    fn next_transaction(&mut self) -> Transaction {
        self.flow.next().expect("the flow has no end")
    }

    fn execute<const PAYLOAD: usize, W: WaitStrategy>(
        &mut self,
        transaction: &Transaction,
        writer: &mut Writer<PAYLOAD, W>,
    ) -> Result<(), WriteError> {
        writer.begin_transaction(transaction.hash())?;
        let verdict = if matches!(transaction.action, Action::MarkPrice { .. }) {
            // What it leads to may be more than a batch can hold, and is published as it comes.
            self.core.execute(transaction, writer)?
        } else {
            let mut batch = writer.batch();
            let verdict = self.core.execute(transaction, &mut batch)?;
            batch.publish()?;
            verdict
        };
        writer.end_transaction(verdict.outcome())?;
        Ok(())
    }
}

/// Where what was said before goes.
struct Nowhere;

impl Emit for Nowhere {
    fn emit_versioned(&mut self, _: Origin, _: Kind, _: Topic, _: u8, _: &[u8]) -> Result<(), WriteError> {
        Ok(())
    }
}
