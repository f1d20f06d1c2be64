//! What the subcommands have in common: journals that are opened, and stepped through.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{OwnedRecord, RecordRef};
use ringbus_journal::{Extent, JournalError, JournalReader, Start};

/// Opens a journal that is there, to look on: as far as it is written.
pub(crate) fn open(directory: &Path) -> Result<JournalReader, Box<dyn Error>> {
    expect_directory(directory)?;
    let mut reader = JournalReader::open(directory, Extent::Written)?;
    // A journal without a segment has no stream; nor has one whose first segment cannot be read, which the first record says.
    if reader.stream().is_none() && reader.next().is_ok_and(|record| record.is_none()) {
        return Err(none_there(directory).into());
    }
    Ok(reader)
}

/// Makes sure that it is no file. (What is not there at all is left to who opens it.)
pub(crate) fn expect_directory(directory: &Path) -> Result<(), String> {
    if directory.exists() && !directory.is_dir() { Err(none_there(directory)) } else { Ok(()) }
}

/// What is said of a directory without a journal.
pub(crate) fn none_there(directory: &Path) -> String {
    format!(
        "`{}` has no journal; expected a directory with files `*.journal`: check the path",
        directory.display()
    )
}

/// The sequence behind the last record, if that can be told without reading all.
pub(crate) fn end(directory: &Path) -> Option<Sequence> {
    let mut reader = JournalReader::open(directory, Extent::Written).ok()?;
    reader.seek(Start::Time(i64::MAX)).ok()?;
    while reader.next().ok()?.is_some() {}
    reader.next_sequence()
}

/// Goes to `start`. If `steps_over`, a segment there that cannot be read is left to who reads.
pub(crate) fn seek(reader: &mut JournalReader, start: Start, steps_over: bool) -> Result<(), JournalError> {
    match reader.seek(start) {
        Err(error) if steps_over && can_be_stepped_over(&error) => Ok(()),
        sought => sought,
    }
}

/// Calls `each` for each record, with its schema, until it has enough. If `steps_over`, what cannot be read is said on standard error, and
/// stepped over; else it is an error.
pub(crate) fn for_each(
    reader: &mut JournalReader,
    steps_over: bool,
    mut each: impl FnMut(&Schema, RecordRef<'_>) -> Result<ControlFlow<()>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut kept = OwnedRecord::default();
    loop {
        let next = reader.next_sequence();
        match reader.next() {
            // Kept, because the reader cannot be asked while it lends.
            Ok(Some(record)) => kept.replace(record),
            Ok(None) => return Ok(()),
            Err(error) if steps_over && can_be_stepped_over(&error) => {
                eprintln!("ringbus: stepped over: {error}");
                if step_over(reader)? <= next {
                    return Ok(());
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let schema = reader.schema().unwrap_or(Schema::bus());
        if each(schema, kept.record())?.is_break() {
            return Ok(());
        }
    }
}

fn can_be_stepped_over(error: &JournalError) -> bool {
    matches!(error, JournalError::Damaged(_) | JournalError::Gap { .. } | JournalError::Header { .. })
}

/// Goes on behind the last error, and those that follow at once.
fn step_over(reader: &mut JournalReader) -> Result<Option<Sequence>, JournalError> {
    loop {
        match reader.step_over() {
            Err(error) if can_be_stepped_over(&error) => eprintln!("ringbus: stepped over: {error}"),
            stepped => return stepped,
        }
    }
}
