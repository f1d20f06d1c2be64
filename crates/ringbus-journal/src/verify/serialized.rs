//! What is in a journal, for programs.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::report::times;
use super::{Layout, Verified};
use crate::error::JournalError;
use crate::recovery::Cut;

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
