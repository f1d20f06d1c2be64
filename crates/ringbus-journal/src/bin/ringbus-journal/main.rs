//! `ringbus-journal`: makes a journal of a recording, and looks at journals.
//!
//! It ends with 0 if all went well, with 1 if something failed or the journal is damaged, with 2 if it was called wrongly.

mod dump;
mod import;
mod journal;
mod kinds;
mod progress;
mod replay;
mod verify;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a subcommand comes to.
type Outcome = Result<ExitCode, Box<dyn Error>>;

/// Makes journals of recordings, checks journals, prints their records, and puts them back on a bus.
#[derive(Parser, Debug)]
#[command(
    version,
    after_help = "It ends with 0 if all went well, 1 if something failed or is damaged, 2 if it was called wrongly."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Import(import::Arguments),
    Verify(verify::Arguments),
    Dump(dump::Arguments),
    Replay(replay::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Import(arguments) => import::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Dump(arguments) => dump::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringbus-journal: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nobody reads the output any more, as behind `| head`. (Errors of files are those of the journal, and not of this type.)
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe)
}
