//! ringbus beside other systems, on the same work: single publishes of 64-byte events from one thread to another.
//!
//! Both sides spin, each on a core of its own where there are two; the consumer sums up every word of every event. Each
//! measurement is a process of its own, and the contenders take turns, so that a disturbance does not hit one of them alone.
//! A measurement is *disturbed* if one of its threads was ready to run and had no core for more than 2 % of the time; it counts
//! nevertheless, and the table says how many there were.
//!
//! ```text
//! cargo run --release -p compare
//! cargo run --release -p compare -- --rounds 3 --events 5000000 --json raw.jsonl
//! cargo run --release -p compare -- measure rtrb 1024     # one measurement, in this process
//! ```

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::{Parser, Subcommand};

use contenders::Contender;
use measurement::Measurement;
use work::Work;

mod contenders;
#[path = "../../common/cores.rs"]
mod cores;
mod measurement;
mod report;
#[allow(dead_code, reason = "the benches use all of it")]
#[path = "../../common/schedstat.rs"]
mod schedstat;
#[path = "../../common/spread.rs"]
mod spread;
mod work;

const CAPACITIES: [usize; 2] = [65_536, 1_024];

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Compares ringbus with other systems and prints a Markdown table for each ring size.
#[derive(Parser)]
#[command(name = "compare")]
struct Arguments {
    /// How many times each contender is measured at each ring size.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Events in one measurement, the same for all contenders.
    #[arg(long, default_value_t = 60_000_000, global = true, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Where to write the raw measurements, one JSON object a line.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// One measurement of one contender, printed as a JSON object.
    Measure {
        /// Its name, as in the table.
        #[arg(value_parser = contenders::find)]
        contender: &'static Contender,
        /// Slots of its ring, a power of two.
        capacity: usize,
    },
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Task::Measure { contender, capacity }) => {
            let measurement = (contender.run)(&Work { capacity, events: arguments.events });
            println!("{}", serde_json::to_string(&measurement)?);
            Ok(())
        }
        None => compare(&arguments),
    }
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let mut json = arguments.json.as_ref().map(File::create).transpose()?;
    for capacity in CAPACITIES {
        let mut measurements = vec![Vec::new(); contenders::ALL.len()];
        for round in 0..arguments.rounds {
            for (contender, measurements) in contenders::ALL.iter().zip(&mut measurements) {
                eprintln!("ring {capacity}, round {}/{}: {}", round + 1, arguments.rounds, contender.name);
                let measurement = measure_apart(contender, capacity, arguments.events)?;
                if let Some(json) = &mut json {
                    let line = measurement.in_round(contender.name, round);
                    writeln!(json, "{}", serde_json::to_string(&line)?)?;
                }
                measurements.push(measurement);
            }
        }
        report::print(capacity, arguments.events, &measurements);
    }
    Ok(())
}

/// Runs this program once more, for one measurement.
fn measure_apart(contender: &Contender, capacity: usize, events: u64) -> Outcome<Measurement> {
    let output = Command::new(env::current_exe()?)
        .args(["measure", contender.name, &capacity.to_string(), "--events", &events.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(
            format!("measuring {} at ring {capacity} ended with {}", contender.name, output.status).into()
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
