//! `import`: from a recording to a journal.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use ringbus_journal::import::Import;

use crate::Outcome;
use crate::progress::{bar, grouped};

/// Makes a new journal of a recording
///
/// The recording is a file of frames (a size, a file sequence, an event as protobuf), plain or gzip. Sequences begin at 0, and count
/// slots: an event that is longer than one takes several. If the recording is damaged or cut off, what comes before is kept.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The recording, plain or gzip
    file: PathBuf,
    /// The directory of the journal, which is made if need be and must not have one yet
    dir: PathBuf,
    /// The stream that the events are of: others are refused [default: the first event's]
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// The bytes of payload in a slot, a multiple of 64
    #[arg(long, value_name = "BYTES", default_value_t = 448, value_parser = slot_payload)]
    slot_payload: usize,
}

fn slot_payload(text: &str) -> Result<usize, String> {
    let bytes = text.parse().ok().filter(|&bytes| Import::is_slot_payload(bytes));
    bytes.ok_or_else(|| "expected a multiple of 64, from 64 to 65472".to_owned())
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let Arguments { file, dir, stream, slot_payload } = arguments;
    let mut import = Import::new().slot_payload(*slot_payload);
    if let Some(stream) = stream {
        import = import.stream(stream.as_str());
    }
    let events = recorded::Reader::open(file)?;
    let progress = bar("importing", "events", None);
    let imported = import.run(events, dir, |imported| progress.set_position(imported.records));
    progress.finish_and_clear();
    let imported = imported.map_err(|error| format!("`{}`: {error}", file.display()))?;
    writeln!(
        std::io::stdout(),
        "{} events of stream `{}`, in {} blocks, {} slots of {slot_payload} bytes, are in the journal `{}`.",
        grouped(imported.records),
        imported.stream.map_or_else(String::new, |stream| stream.to_string()),
        grouped(imported.blocks),
        grouped(imported.next.get()),
        dir.display()
    )?;
    Ok(ExitCode::SUCCESS)
}
