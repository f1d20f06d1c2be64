//! Records as lines.

use std::io::{self, Write};

use ringbus::bus::RecordRef;
use ringbus::bus::schema::Schema;
use ringbus_journal::json::write_record;

/// Writes a record as a line: as JSON, or as sequence, height/order within the block, the first digits of the trace, and the event.
pub(crate) fn write_line(
    out: &mut impl Write,
    json: bool,
    schema: &Schema,
    record: &RecordRef<'_>,
) -> io::Result<()> {
    if json {
        return write_record(out, schema, record);
    }
    let (sequence, height, order) = (record.sequence(), record.block_height(), record.order());
    write!(out, "{sequence:>10} {height:>10}/{order:<5} ")?;
    for byte in &record.trace().bytes()[..4] {
        write!(out, "{byte:02x}")?;
    }
    writeln!(out, " {}", schema.display(record))
}
