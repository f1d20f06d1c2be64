//! What is in a journal, for people.

use std::fmt;

use ringbus::bus::Timestamp;

use super::{Layout, Verified};
use crate::error::JournalError;
use crate::recovery::Cut;

/// The name of a row takes so many columns.
const NAMES: usize = 15;

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: fmt::Arguments<'_>| writeln!(f, "{name:NAMES$} {value}");
        if let Some(stream) = &self.stream {
            row("stream", format_args!("{stream}"))?;
        }
        for layout in &self.layouts {
            let Layout { from, schema, version, fingerprint, slot_payload } = layout;
            row(
                "schema",
                format_args!("{schema}, version {version}, fingerprint {fingerprint}, from sequence {from}"),
            )?;
            row("slot payload", format_args!("{slot_payload} bytes"))?;
        }
        row("segments", format_args!("{}", self.segments))?;
        row("bytes", format_args!("{}", self.bytes))?;
        row("records", format_args!("{}", self.records))?;
        row("payload bytes", format_args!("{}", self.payload_bytes))?;
        let (begun, ended) = (self.blocks_begun, self.blocks_ended);
        row("blocks", format_args!("{begun} begun, {ended} ended, {} heights", self.heights))?;
        if let Some((first, last)) = self.sequences {
            row("sequences", format_args!("{first} to {last}"))?;
        }
        if let Some((least, greatest)) = self.block_heights {
            row("heights", format_args!("{least} to {greatest}"))?;
        }
        if let Some((least, greatest)) = self.block_times.map(times) {
            row("times", format_args!("{least} to {greatest}"))?;
        }
        if let Some(Cut { segment, offset, bytes, what }) = &self.torn {
            row(
                "torn end",
                format_args!(
                    "{bytes} bytes of `{segment}` from byte {offset} on ({what}): never acknowledged, and no damage"
                ),
            )?;
        }
        for problem in &self.problems {
            let name = if matches!(problem, JournalError::Gap { .. }) { "gap" } else { "damage" };
            row(name, format_args!("{problem}"))?;
        }
        row("whole", format_args!("{}", if self.is_whole() { "yes" } else { "no" }))
    }
}

/// Both ends of a span of time.
pub(super) fn times((least, greatest): (i64, i64)) -> (Timestamp, Timestamp) {
    (Timestamp::new(least), Timestamp::new(greatest))
}
