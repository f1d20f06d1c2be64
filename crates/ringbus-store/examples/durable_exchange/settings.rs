//! What can be set.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use ringbus_journal::Durability;

/// A small exchange that survives `kill -9`: start it again with the same arguments.
#[derive(Parser, Clone, Debug)]
pub(crate) struct Settings {
    /// The journal's directory; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: PathBuf,
    /// The store's file; made if it is not there, and filled from the journal.
    #[arg(long, value_name = "FILE")]
    pub(crate) store: PathBuf,
    /// The height to reach, in all runs together.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) blocks: u64,
    /// What the order flow grows from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many transactions a block has.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) transactions_per_block: u32,
    /// How many accounts there are.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) accounts: u32,
    /// Slots of the bus, a power of two.
    #[arg(long, value_name = "SLOTS", default_value_t = 1 << 14)]
    pub(crate) capacity: usize,
    /// When the journal syncs, and so when it acknowledges: each-batch, each-block, every=MILLISECONDS or never.
    #[arg(long, value_name = "POLICY", default_value = "each-batch", value_parser = durability)]
    pub(crate) durability: Durability,
}

impl Settings {
    /// What the core starts from.
    pub(crate) fn core(&self) -> exchange::Settings {
        exchange::Settings { accounts: self.accounts, ..exchange::Settings::default() }
    }
}

fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "each-batch" => Ok(Durability::EachBatch),
        "each-block" => Ok(Durability::EachBlock),
        "never" => Ok(Durability::Never),
        _ => {
            let milliseconds = text.strip_prefix("every=").and_then(|text| text.parse().ok());
            milliseconds
                .map(|milliseconds| Durability::Every(Duration::from_millis(milliseconds)))
                .ok_or_else(|| {
                    "expected each-batch, each-block, never, or as in every=10, in milliseconds".to_owned()
                })
        }
    }
}
