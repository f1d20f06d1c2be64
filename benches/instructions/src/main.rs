//! Instructions that ringbus executes for each event, by valgrind's callgrind: the same each time, whatever the machine is doing.
//!
//! Prints a Markdown table. The counts depend on the compiler, so that `recorded.json` names the one they were made by:
//!
//! ```text
//! benches/instructions/run               # count and compare with what is recorded
//! benches/instructions/run --check       # the same, and fail if a count has grown
//! benches/instructions/run --record      # count and record
//! benches/instructions/run --assembly    # the hot instructions of some of the loops, with how often each was executed
//! ```

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::callgrind::{Callgrind, Part};
use crate::record::{Count, Record};

mod assembly;
mod callgrind;
mod comparison;
mod event;
mod loops;
mod record;
mod table;

#[derive(Parser)]
#[command(about = "Instructions per event, counted by valgrind.")]
struct Arguments {
    /// Write the counts to recorded.json.
    #[arg(long, group = "mode")]
    record: bool,
    /// Fail if a count has grown since it was recorded by the same compiler.
    #[arg(long, group = "mode")]
    check: bool,
    /// Print the instructions that are executed for each event: of some of the loops, or of all that --only names.
    #[arg(long, group = "mode")]
    assembly: bool,
    /// Only loops whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "record")]
    only: String,
    /// Run one part of the loop of this name, for valgrind to count, and print how many events it handled.
    #[arg(long, hide = true, requires = "part", group = "mode")]
    run: Option<String>,
    #[arg(long, hide = true)]
    part: Option<Part>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { record, check, assembly, only, run, part } = Arguments::parse();
    let mut loops = loops::all();
    if let (Some(name), Some(part)) = (run, part) {
        let looked_for = loops.iter().find(|one| one.name == name);
        let one = looked_for.ok_or_else(|| format!("there is no loop `{name}`"))?;
        println!("{}", (part.of(one).run)());
        return Ok(ExitCode::SUCCESS);
    }
    if cfg!(debug_assertions) {
        return Err("this is a debug build, whose counts say nothing; run benches/instructions/run".into());
    }
    loops.retain(|one| one.name.contains(&only));
    if loops.is_empty() {
        return Err(format!("no loop's name contains `{only}`; run without --only to see the names").into());
    }
    let Some(callgrind) = Callgrind::find()? else {
        println!("skipped: valgrind is not installed, or not for {}", std::env::consts::ARCH);
        return Ok(ExitCode::SUCCESS);
    };

    if assembly {
        for one in loops.iter().filter(|one| one.listed || !only.is_empty()) {
            println!("{}", assembly::listing(&callgrind, one)?);
        }
        return Ok(ExitCode::SUCCESS);
    }

    let counts = loops
        .iter()
        .map(|one| {
            let subject = callgrind.count(one, Part::Subject)?.per_event();
            let harness = callgrind.count(one, Part::Harness)?.per_event();
            Ok((one.name.clone(), Count { instructions: subject, harness }))
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let now = Record::new(callgrind.version(), &counts)?;
    if record {
        now.write()?;
        print!("{}", table::markdown(&counts, &now));
        return Ok(ExitCode::SUCCESS);
    }
    let recorded = Record::read()?;
    println!("{}", table::markdown(&counts, &recorded));
    let comparison = comparison::of(&now, &recorded, only.is_empty());
    print!("{comparison}");
    Ok(if check && comparison.fails() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
