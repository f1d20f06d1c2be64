//! What is in a journal, for people and for programs.

use std::fmt;

use ringbus::bus::Timestamp;
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

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

/// `segments`, `bytes` and so on; what is not known is `null`. `gaps` and `damage` are arrays.
impl Serialize for Verified {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (gaps, damage): (Vec<_>, Vec<_>) = self
            .problems
            .iter()
            .map(Problem)
            .partition(|Problem(error)| matches!(error, JournalError::Gap { .. }));
        let sequences = self.sequences.map(|(first, last)| (first.get(), last.get()));
        let times =
            self.block_times.map(times).map(|(least, greatest)| (least.to_string(), greatest.to_string()));
        let mut object = serializer.serialize_struct("Verified", 17)?;
        object.serialize_field("whole", &self.is_whole())?;
        object.serialize_field("stream", &self.stream.as_ref().map(ringbus::bus::StreamId::as_str))?;
        object.serialize_field("layouts", &self.layouts)?;
        object.serialize_field("segments", &self.segments)?;
        object.serialize_field("bytes", &self.bytes)?;
        object.serialize_field("records", &self.records)?;
        object.serialize_field("payload_bytes", &self.payload_bytes)?;
        object.serialize_field("blocks_begun", &self.blocks_begun)?;
        object.serialize_field("blocks_ended", &self.blocks_ended)?;
        object.serialize_field("heights", &self.heights)?;
        object.serialize_field("first_sequence", &sequences.map(|(first, _)| first))?;
        object.serialize_field("last_sequence", &sequences.map(|(_, last)| last))?;
        object.serialize_field("block_heights", &self.block_heights)?;
        object.serialize_field("block_times", &times)?;
        object.serialize_field("gaps", &gaps)?;
        object.serialize_field("damage", &damage)?;
        object.serialize_field("torn_end", &self.torn.as_ref().map(Torn))?;
        object.end()
    }
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Layout", 5)?;
        object.serialize_field("from", &self.from.get())?;
        object.serialize_field("schema", &self.schema)?;
        object.serialize_field("version", &self.version)?;
        object.serialize_field("fingerprint", &self.fingerprint.to_string())?;
        object.serialize_field("slot_payload", &self.slot_payload)?;
        object.end()
    }
}

struct Problem<'a>(&'a JournalError);

impl Serialize for Problem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        match self.0 {
            JournalError::Damaged(damage) => {
                object.serialize_entry("segment", &damage.segment)?;
                object.serialize_entry("offset", &damage.offset)?;
                object.serialize_entry("first", &damage.first.get())?;
                object.serialize_entry("next", &damage.next.map(ringbus::Sequence::get))?;
                object.serialize_entry("what", damage.what)?;
            }
            JournalError::Header { segment, error } => {
                object.serialize_entry("segment", segment)?;
                object.serialize_entry("offset", &0)?;
                object.serialize_entry("what", &error.to_string())?;
            }
            JournalError::Gap { first, next } => {
                object.serialize_entry("first", &first.get())?;
                object.serialize_entry("next", &next.get())?;
            }
            other => object.serialize_entry("what", &other.to_string())?,
        }
        object.end()
    }
}

struct Torn<'a>(&'a Cut);

impl Serialize for Torn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Cut { segment, offset, bytes, what } = self.0;
        let mut object = serializer.serialize_struct("Torn", 4)?;
        object.serialize_field("segment", segment)?;
        object.serialize_field("offset", offset)?;
        object.serialize_field("bytes", bytes)?;
        object.serialize_field("what", what)?;
        object.end()
    }
}

fn times((least, greatest): (i64, i64)) -> (Timestamp, Timestamp) {
    (Timestamp::new(least), Timestamp::new(greatest))
}
