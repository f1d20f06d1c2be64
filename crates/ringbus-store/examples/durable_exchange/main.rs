//! The exchange, and what keeps it: a journal, and a store that follows the journal. Kill it whenever you like (`kill -9`), start it again
//! with the same arguments, and it goes on where it stopped, until it has made all its blocks; then it says that the books balance.
//!
//!     cargo run --release -p ringbus-store --example durable_exchange -- --journal /tmp/exchange --store /tmp/exchange.db --blocks 20000
//!
//! ```text
//!                     ┌─▶ journal ──▶ gateway      required: the core waits for whoever is a lap behind;
//! order flow ─▶ core ─┤      ┊                     the gateway gets what is durable
//!                     bus    ┊ segment files
//!                            └┄▶ store             follows the files: the core does not know of it
//! ```
//!
//! How a core is restarted is told step by step by the functions of `restart.rs`, in the order in which [`run`](run::run) calls them.

mod books;
mod gateway;
mod projections;
mod restart;
mod run;
mod settings;

use std::process::ExitCode;

use clap::Parser;
use gateway::Gateway;
use settings::Settings;

fn main() -> ExitCode {
    let settings = Settings::parse();
    match run::run(&settings, Gateway::new(|_| {})) {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("durable_exchange: {error}");
            ExitCode::FAILURE
        }
    }
}
