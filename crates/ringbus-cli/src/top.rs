//! `top`: a live screen of what a ring is doing.

mod counter;
mod format;
mod keys;
mod live;
mod model;
mod once;
mod sample;
mod screen;
mod source;
#[cfg(test)]
mod testing;
mod view;

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use model::Model;
use source::Source;
use view::View;

use crate::Outcome;
use crate::seconds::seconds;

/// Shows what a ring is doing, live: its rate, how full it is, whom the producer waits for, its consumers, its kinds of events
///
/// It only looks: the core neither knows of it nor waits for it. A ring that comes to the same path later is picked up. Keys: `?` shows
/// them; `q` ends.
///
/// The consumers are as the core's process last reported them. Events are counted by kind by reading them; where that cannot keep up,
/// the share that was seen is said, and rates are made up for the rest (`~`).
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Ends with 0; with 1 if there is no ring that can be looked at, 2 if it was called wrongly."
)]
pub(crate) struct Arguments {
    /// The file of the ring, as /dev/shm/core
    path: PathBuf,
    /// From one look to the next, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    interval: u64,
    /// Prints one screen as text, as wide as the terminal or COLUMNS, and ends; so it does where the output is no terminal
    #[arg(long)]
    once: bool,
    /// Without colours; the same where `NO_COLOR` is set
    #[arg(long)]
    no_color: bool,
    /// Does not read events, nor count them by kind: nothing of what the producer writes is looked at but its cursor
    #[arg(long)]
    no_kinds: bool,
    /// It has stalled if it has published nothing, nor given another sign of life, for so long
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds)]
    stalled_after: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let source = Source::open(&arguments.path, arguments.stalled_after, !arguments.no_kinds)?;
    let model = Model::new(source.facts());
    let is_colored = !arguments.no_color && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let view = View::new(Duration::from_millis(arguments.interval), is_colored);
    let is_on_terminal = io::stdout().is_terminal();
    if arguments.once || !is_on_terminal {
        once::run(source, model, view, is_on_terminal)
    } else {
        live::run(source, model, view)
    }
}
