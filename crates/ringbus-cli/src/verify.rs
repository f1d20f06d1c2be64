//! `verify`: whether a journal is whole, and what is in it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ringbus::Sequence;
use ringbus_journal::verify::verify;

use crate::{Outcome, journal, progress};

/// Reads all of a journal, and tells what is in it and whether it is whole
///
/// Ends with 1 if something is damaged or was missed by who wrote the journal. A torn end, which a crash leaves, is said, but is no damage:
/// it had not been acknowledged.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The directory of the journal
    dir: PathBuf,
    /// From this sequence on [default: from the oldest record on]
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// As an object of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let Arguments { dir, from, json } = arguments;
    journal::expect_directory(dir)?;
    let first = from.map(Sequence::new);
    let bar = progress::sequences("verifying", Some(first.unwrap_or_default()), journal::end(dir));
    let verified = verify(dir, first, |verified| {
        if let Some((first, last)) = verified.sequences {
            bar.set_position(last.since(first));
        }
    });
    bar.finish_and_clear();
    let verified = verified?;
    if verified.segments == 0 {
        return Err(journal::none_there(dir).into());
    }
    let mut out = io::stdout();
    if *json {
        serde_json::to_writer(&mut out, &verified).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{verified}")?;
    }
    Ok(if verified.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
