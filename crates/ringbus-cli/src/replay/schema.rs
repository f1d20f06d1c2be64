//! Whether what is replayed is what others expect.

use std::error::Error;
use std::path::Path;

use ringbus::bus::schema::Schema;
use ringbus::shared::RingFile;
use ringbus_journal::{Extent, JournalReader, Start};

use crate::journal;

/// The one schema that all records of the journal have, for a ring, which has one only.
///
/// # Errors
///
/// The oldest records have another than the newest; or something is wrong with the journal.
pub(super) fn of_journal(directory: &Path) -> Result<Schema, Box<dyn Error>> {
    let first = of_oldest(directory)?;
    let mut reader = JournalReader::open(directory, Extent::Written)?;
    reader.seek(Start::Time(i64::MAX))?;
    let last = reader.schema().unwrap_or(&first);
    if first.fingerprint() == last.fingerprint() {
        return Ok(first);
    }
    Err(format!(
        "`{}` begins with {} and ends with {}, and a ring has one schema: replay it without --to-ring, or record it by one core",
        directory.display(),
        named(&first),
        named(last)
    )
    .into())
}

/// Makes sure that the records are of the schema that the ring or the journal in `place` has.
///
/// # Errors
///
/// They are not, or nothing is in `place`.
pub(super) fn expect(directory: &Path, schema: &Schema, place: &Path) -> Result<(), Box<dyn Error>> {
    let expected = if place.is_dir() { of_oldest(place)? } else { of_ring(&RingFile::open(place)?) };
    if expected.fingerprint() == schema.fingerprint() {
        return Ok(());
    }
    Err(format!(
        "the records of `{}` are of {}, and `{}` has {}: whoever reads by that schema would misread them; expected the same schema, \
         replay another journal",
        directory.display(),
        named(schema),
        place.display(),
        named(&expected)
    )
    .into())
}

fn of_oldest(directory: &Path) -> Result<Schema, Box<dyn Error>> {
    Ok(journal::open(directory)?.schema().unwrap_or(Schema::bus()).without_own_kinds())
}

fn of_ring(file: &RingFile) -> Schema {
    file.info().schema.as_ref().unwrap_or(Schema::bus()).without_own_kinds()
}

fn named(schema: &Schema) -> String {
    format!("schema `{}`, version {}, fingerprint {}", schema.name(), schema.version(), schema.fingerprint())
}
