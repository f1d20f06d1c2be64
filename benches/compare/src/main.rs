//! ringbus beside other systems, on the same work.
//!
//! A *workload* is written once, for whatever carries events; a *contender* is a library in one way of using it, told in a few lines
//! ([`carrier`]). Every consumer reads and checksums every word of each event, and the sum is checked. Batches have the same sizes
//! for all.
//!
//! Each measurement is a process of its own, and the contenders take turns, round by round, so that a disturbance does not hit one of
//! them alone. It lasts equally long for all: after a warm-up (four laps of the ring, and 20 ms) the producer sends until the time is
//! over, and the clock is stopped when the last event has been handled. Right before and after, a bare hand-off of a cache line
//! between the same two cores tells which state the machine is in ([`state`]).
//!
//! Producer and consumer each have a core of their own and spin; where there are more threads than cores nobody is bound to one, and
//! all yield.
//!
//! ```text
//! cargo run --release -p compare -- --json raw.jsonl                      # everything: an hour or two
//! cargo run --release -p compare -- --rounds 1 --seconds 0.05             # whether everything works
//! cargo run --release -p compare -- --workloads one-to-one/single --contenders ringbus --contenders rtrb
//! cargo run --release -p compare -- measure ping-pong/1024/64 ringbus     # one measurement, in this process
//! cargo run --release -p compare -- report raw.jsonl                      # the tables, of what was measured before
//! ```

use std::env;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};

use contenders::Contender;
use record::Record;
use workloads::Workload;

mod carrier;
mod clock;
mod contenders;
mod core_wait;
#[path = "../../common/cores.rs"]
mod cores;
mod delays;
mod event;
mod hand_off;
mod phases;
mod record;
mod report;
#[allow(dead_code, reason = "the benches use all of it")]
#[path = "../../common/schedstat.rs"]
mod schedstat;
mod schedule;
#[path = "../../common/spread.rs"]
mod spread;
mod state;
mod stint;
mod tally;
mod workloads;
mod yardsticks;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Compares ringbus with other systems.
#[derive(Parser)]
#[command(name = "compare")]
struct Arguments {
    /// How many times each contender is measured at each workload.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long one measurement is to take, apart from warming up.
    #[arg(long, default_value_t = 0.2, value_parser = positive, global = true)]
    seconds: f64,
    /// Only workloads whose identifier contains this (may be given several times).
    #[arg(long, value_name = "PATTERN")]
    workloads: Vec<String>,
    /// Only contenders whose name contains this (may be given several times).
    #[arg(long, value_name = "PATTERN")]
    contenders: Vec<String>,
    /// Where to append the raw measurements, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// One measurement, printed as a JSON object.
    Measure {
        /// Its identifier, as in the table.
        #[arg(value_parser = workloads::find)]
        workload: Workload,
        /// Its name, as in the table.
        #[arg(value_parser = contenders::find)]
        contender: &'static Contender,
        /// The number to put into the object.
        #[arg(long, default_value_t = 0)]
        round: u32,
    },
    Report(report::Report),
    Fill(report::Fill),
    Criterion(report::Criterion),
}

fn positive(seconds: &str) -> Result<f64, String> {
    match seconds.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 60.0 => Ok(seconds),
        _ => Err("expected seconds, more than 0 and at most 60".into()),
    }
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Task::Measure { workload, contender, round }) => {
            give_up_if_stuck(Duration::from_secs_f64(arguments.seconds));
            let record = measure(workload, contender, *round, Duration::from_secs_f64(arguments.seconds))?;
            println!("{}", serde_json::to_string(&record)?);
            Ok(())
        }
        Some(Task::Report(report)) => report.run(),
        Some(Task::Fill(fill)) => fill.run(),
        Some(Task::Criterion(criterion)) => criterion.run(),
        None => compare(&arguments),
    }
}

fn measure(workload: &Workload, contender: &Contender, round: u32, duration: Duration) -> Outcome<Record> {
    let before = state::hand_off_ns();
    let measured = contender
        .measure(workload, duration)
        .ok_or_else(|| format!("{} does not do {workload}; choose another workload", contender.name))??;
    // The contender's threads may still be about to end.
    thread::sleep(Duration::from_millis(1));
    let after = state::hand_off_ns();
    Ok(Record {
        round,
        workload: workload.to_string(),
        contender: contender.name.to_owned(),
        events: measured.events,
        seconds: measured.seconds,
        hand_off_ns: before.zip(after).map(|(before, after)| [before, after]),
        core_wait_seconds: measured.core_wait_seconds,
        figures: measured.figures,
    })
}

/// A thread that panics, or waits for ever for one that did, ends the process.
fn give_up_if_stuck(duration: Duration) {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        print(panicked);
        process::exit(101);
    }));
    let limit = Duration::from_secs(60) + 50 * duration;
    thread::spawn(move || {
        thread::sleep(limit);
        eprintln!("the measurement takes longer than {limit:?}: it is stuck, or the machine is overloaded");
        process::exit(1);
    });
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let open = |path: &PathBuf| OpenOptions::new().create(true).append(true).open(path);
    let mut json = arguments.json.as_ref().map(open).transpose()?;
    let workloads =
        workloads::all().into_iter().filter(|workload| contains(&arguments.workloads, &workload.to_string()));
    let mut records = Vec::new();
    let mut failures = 0;
    for workload in workloads {
        let contenders: Vec<_> = contenders::ALL
            .iter()
            .filter(|contender| contains(&arguments.contenders, contender.name) && contender.takes(&workload))
            .collect();
        for round in 0..arguments.rounds {
            for contender in &contenders {
                eprintln!("{workload}, round {}/{}: {}", round + 1, arguments.rounds, contender.name);
                match measure_apart(&workload, contender, round, arguments.seconds) {
                    Ok(record) => {
                        if let Some(json) = &mut json {
                            writeln!(json, "{}", serde_json::to_string(&record)?)?;
                        }
                        records.push(record);
                    }
                    // One that fails shall not cost what the others have measured.
                    Err(error) => {
                        eprintln!("{error}");
                        failures += 1;
                    }
                }
            }
        }
    }
    report::print(&records)?;
    if failures > 0 {
        Err(format!("{failures} measurements failed; the reasons are above").into())
    } else {
        Ok(())
    }
}

/// Whether nothing is asked for, or a part of this.
fn contains(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| name.contains(pattern.as_str()))
}

/// Runs this program once more, for one measurement.
fn measure_apart(workload: &Workload, contender: &Contender, round: u32, seconds: f64) -> Outcome<Record> {
    let output = Command::new(env::current_exe()?)
        .args(["measure", &workload.to_string(), contender.name])
        .args(["--round", &round.to_string(), "--seconds", &seconds.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("measuring {} at {workload} ended with {}", contender.name, output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
