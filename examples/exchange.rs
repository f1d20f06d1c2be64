//! An exchange on a bus: a small trading core, with a journal, a position keeper, a block store, an audit log, and a monitor that is too
//! slow. It ends by telling, as a tree, what one of the oracle's words led to: who was liquidated, and who paid.
//!
//!     cargo run --release --example exchange
//!     cargo run --release --example exchange -- --seconds 10 --wait park --pin 0,1
//!     cargo run --release --example exchange -- --blocks 1000     # the same state in each run
//!
//! What it does is told by the crate in `crates/exchange`. It ends with an error if a consumer failed, if the position keeper or the
//! block store does not have what the core has, if the books do not balance at the end of a block, or if a consumer does not account for
//! every event.

use std::io;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use exchange::live::{Length, RunSettings, Wait, run_with};
use exchange::report::{ProgressBar, report, tree};

/// A small exchange on a bus, with its consumers.
#[derive(Parser, Debug)]
struct Arguments {
    /// How long the core runs.
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// How many blocks it makes; instead of a time, and then the same seed ends in the same state.
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    blocks: Option<u64>,
    /// How many transactions a block has.
    #[arg(long, value_name = "N", default_value_t = 100)]
    transactions_per_block: u32,
    /// How many markets there are.
    #[arg(long, value_name = "N", default_value_t = 4)]
    markets: usize,
    /// How many accounts there are.
    #[arg(long, value_name = "N", default_value_t = 64)]
    accounts: u32,
    /// What the order flow grows from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Slots of the bus, a power of two.
    #[arg(long, value_name = "SLOTS", default_value_t = 1 << 16)]
    capacity: usize,
    /// Cores to pin to: the core's thread, the journal's, the position keeper's, the block store's, the monitor's, the audit log's.
    /// Threads for which none is given are not pinned.
    #[arg(long, value_name = "CORES", value_delimiter = ',', value_parser = core)]
    pin: Vec<usize>,
    /// How all threads wait: spin, hint, yield, backoff, sleep or park.
    #[arg(long, value_name = "STRATEGY", default_value_t)]
    wait: Wait,
    /// Measure the latency of one event in so many.
    #[arg(long, value_name = "N", default_value = "1024", value_parser = sample)]
    sample: NonZero<u64>,
    /// How long the monitor takes for an event, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 10)]
    monitor_micros: u64,
    /// Wait for the journal after each block.
    #[arg(long)]
    durable: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, such as 2.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{error}; expected a time above 0"))
}

fn core(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected the numbers of cores, such as 0,1".to_owned())
}

fn sample(text: &str) -> Result<NonZero<u64>, String> {
    text.parse().map_err(|_| "expected a number of at least 1, such as 1024".to_owned())
}

impl From<Arguments> for RunSettings {
    fn from(arguments: Arguments) -> Self {
        Self {
            length: arguments.blocks.map_or(Length::Time(arguments.seconds), Length::Blocks),
            transactions_per_block: arguments.transactions_per_block,
            markets: arguments.markets,
            accounts: arguments.accounts,
            seed: arguments.seed,
            capacity: arguments.capacity,
            pin: arguments.pin,
            wait: arguments.wait,
            sample: arguments.sample,
            monitor_delay: Duration::from_micros(arguments.monitor_micros),
            durable: arguments.durable,
        }
    }
}

fn main() -> ExitCode {
    let settings = RunSettings::from(Arguments::parse());
    let progress = ProgressBar::new(&settings);
    let ran = run_with(&settings, io::sink(), |snapshot| progress.show(snapshot));
    progress.finish();
    match ran {
        Ok(summary) => {
            println!("{}", report(&summary));
            if let Some(tree) = tree(&summary) {
                println!("\nThe last of the oracle's words that led furthest, and what it led to\n{tree}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("exchange: {error}");
            ExitCode::FAILURE
        }
    }
}
