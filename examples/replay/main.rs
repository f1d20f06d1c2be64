//! Plays a core's recorded events over a bus: to an audit log and a counter, which get every one of them, and to a deliberately
//! slow monitor, which is told how much it missed.
//!
//!     cargo run --release --example replay                        # generated events
//!     cargo run --release --example replay -- --events FILE       # recorded ones
//!     cargo run --release --example replay -- --speed 500         # 500 blocks a second
//!
//! The records carry what stands in the recorded envelopes: kind, block, order number, and which transaction caused them. The whole
//! message is the payload, and nobody looks into it.
//!
//! In the end the audit log is asked about every transaction and every block, and its answers are compared with a plain scan of the
//! file. The program ends with an error if they differ, or if a consumer did not get exactly what was published, in order.

mod check;
mod counter;
mod event;
mod monitor;
mod play;
mod report;
mod scan;
mod tally;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use recorded::{Generator, Reader, RecordedEvent};
use ringbus::bus::StreamId;

use check::Check;
use scan::Scan;

/// Plays recorded events over a bus, to an audit log, a counter and a slow monitor, and compares what they got with the file.
#[derive(Parser, Debug)]
struct Arguments {
    /// A file of recorded events, plain or gzip; without it, events are generated.
    #[arg(long, value_name = "FILE", env = "RINGBUS_RECORDED_EVENTS")]
    events: Option<PathBuf>,
    /// The stream that the bus carries: events of another one are refused. Without it, the first event's.
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// Blocks a second (the envelope of a recorded event has no time of its own); without it, full speed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    speed: Option<u32>,
    /// How many blocks to generate, where no file is played.
    #[arg(long, value_name = "N", default_value_t = 5_002)]
    blocks: u64,
    /// The seed of the generated events.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Slots of the ring, a power of two of at least 64.
    #[arg(long, value_name = "SLOTS", default_value_t = 1 << 12)]
    capacity: usize,
    /// How long the slow monitor rests after each 16 events, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 1_000)]
    rest: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let events = load(arguments)?;
    let first = events.first().map_or("", |event| &event.chain_id);
    let settings = play::Settings {
        stream: StreamId::new(arguments.stream.as_deref().unwrap_or(first)),
        capacity: arguments.capacity,
        blocks_a_second: arguments.speed,
        rest: Duration::from_micros(arguments.rest),
    };
    let progress = progress_bar(events.len() as u64, "playing");
    let played = play::play(&events, &settings, |count| progress.set_position(count))?;
    progress.finish_and_clear();

    let scan = Scan::of(&events);
    report::print(&settings.stream, &played, &scan);
    Check { events: &events, scan: &scan, played: &played }.all()?;
    report::print_checked(&played, &scan);
    Ok(())
}

/// All events, in memory: what is shown is the bus's speed and not the file's.
fn load(arguments: &Arguments) -> Result<Vec<RecordedEvent>, Box<dyn Error>> {
    let progress = progress_bar(0, "loading");
    let events = match &arguments.events {
        None => {
            let (seed, blocks) = (arguments.seed, arguments.blocks);
            // As recordings do, it ends in the middle of a block.
            let settings = recorded::Settings { seed, blocks, unfinished_last_block: true };
            Generator::new(settings).inspect(|_| progress.inc(1)).collect()
        }
        Some(file) => Reader::open(file)?.inspect(|_| progress.inc(1)).collect::<Result<_, _>>()?,
    };
    progress.finish_and_clear();
    Ok(events)
}

/// Shown on a terminal only, on standard error.
fn progress_bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} events, {per_sec}");
    let bar = ProgressBar::new(length).with_message(what);
    bar.set_style(style.expect("the template is well-formed"));
    bar
}
