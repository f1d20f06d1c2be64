//! `bench`: what this machine does with a ring, and what it takes away from a thread that spins.
//!
//! The measurements take turns, round by round, so that a disturbance does not hit one of them alone; a figure is the median of the
//! rounds, with the least and the greatest. Every event is counted and summed up word by word, and a consumer that got another sum than
//! was sent makes the measurement fail.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use self::cores::Cores;
use self::files::Files;
use self::plan::Plan;
use crate::Outcome;
use crate::seconds::seconds;

mod cores;
mod distribution;
mod event;
mod failure;
mod files;
mod gaps;
mod hand_off;
mod jitter;
mod latency;
mod machine;
mod measure;
#[path = "../../../benches/compare/src/report/numbers.rs"]
mod numbers;
mod placement;
mod plan;
mod plot;
mod report;
#[path = "../../../benches/common/spread.rs"]
mod spread;
mod table;
mod throughput;

/// Measures this machine: how fast events go from core to core, how long they take, and what is taken away from a thread that spins
///
/// It measures the throughput from one thread to another and to three others, one event at a time and in batches; how long an event takes
/// that is published each microsecond (from the moment when it was to be published, so that a stall counts with all the events that it
/// delayed); and the jitter: how often, and for how long, a thread that does nothing but read the clock is kept from it. Every event
/// is checksummed, and all are accounted for.
///
/// Leave the machine alone meanwhile, and give cores that are no siblings of each other (hyper-threads).
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// How long to measure, all in all: rather more is taken, for starting threads
    #[arg(long, value_name = "N", default_value = "10", value_parser = seconds)]
    seconds: Duration,
    /// Half a second: whether everything works. The figures say little
    #[arg(long, conflicts_with = "seconds")]
    quick: bool,
    /// The cores: of the producer, then of the consumers [default: the first four that this process may run on]
    #[arg(long, value_name = "A,B,C,D", value_delimiter = ',')]
    cores: Vec<usize>,
    /// How many events a second are published while their latency is measured
    #[arg(long, value_name = "EVENTS/S", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    rate: u64,
    /// Where to write the table, the figures (JSON), the plot (SVG) and the histograms (hgrm, hlog)
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replaces the files of an earlier run in DIR
    #[arg(long, requires = "output")]
    force: bool,
    /// Prints an object of JSON instead of the table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let cores = Cores::choose(&arguments.cores)?;
    // Before anything is measured, which would be lost.
    let files = arguments.output.as_ref().map(|dir| Files::prepare(dir, arguments.force)).transpose()?;
    let plan = if arguments.quick { Plan::quick() } else { Plan::of(arguments.seconds) };
    let report = measure::everything(&plan, &cores, arguments.rate)?;
    let table = table::of(&report);
    if let Some(files) = files {
        files.write(&report, &table)?;
    }
    let mut out = io::stdout();
    if arguments.json {
        serde_json::to_writer(&mut out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{table}")?;
    }
    Ok(ExitCode::SUCCESS)
}
