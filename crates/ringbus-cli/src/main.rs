//! `ringbus`: watches a running core from outside, records what it says, and looks at journals and stores.
//!
//! It ends with 0 if all went well, with 1 if something failed or is damaged, with 2 if it was called wrongly; `stat` with more
//! (see there).

mod audit;
mod bench;
mod columns;
mod demo;
mod dump;
mod gating;
mod health;
mod import;
mod interrupt;
mod journal;
mod kinds;
mod lines;
mod ls;
mod progress;
mod rate;
mod record;
mod replay;
mod seconds;
mod stat;
mod tail;
mod top;
mod verify;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a subcommand comes to.
type Outcome = Result<ExitCode, Box<dyn Error>>;

/// Watches a running core from outside, records what it says, and looks at journals and stores.
#[derive(Parser, Debug)]
#[command(
    name = "ringbus",
    version,
    after_help = "It ends with 0 if all went well, 1 if something failed or is damaged, 2 if it was called wrongly; `stat` also with 3 to 5, \
                  which its help tells."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Ls(ls::Arguments),
    Stat(stat::Arguments),
    Top(top::Arguments),
    Tail(tail::Arguments),
    Record(record::Arguments),
    Replay(replay::Arguments),
    Verify(verify::Arguments),
    Dump(dump::Arguments),
    Import(import::Arguments),
    Audit(audit::Arguments),
    Bench(bench::Arguments),
    Demo(demo::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Ls(arguments) => ls::run(&arguments),
        Command::Stat(arguments) => stat::run(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Tail(arguments) => tail::run(&arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Dump(arguments) => dump::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringbus: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nobody reads the output any more, as behind `| head`. (Errors of files are those of journals, stores and rings, and
/// not of this type.)
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe)
}
