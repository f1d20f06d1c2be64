//! Records as JSON, a line each ([JSON Lines](https://jsonlines.org)), decoded by the schema that was kept with them.
//!
//! ```
//! use ringbus::Sequence;
//! use ringbus::bus::{Header, Kind, RecordRef};
//! use ringbus_journal::json::write_record;
//!
//! ringbus::events! {
//!     /// What the exchange says.
//!     schema Exchange, version 1;
//!
//!     /// Two orders met.
//!     event Trade, kind 8 { market: u32, size: u32 }
//! }
//!
//! let header = Header { kind: Kind::new(8), version: 1, block_height: 7, order: 2, ..Header::default() };
//! let payload = bytemuck::cast::<[u32; 2], [u8; 8]>([3, 250]);
//! let mut line = Vec::new();
//! write_record(&mut line, Exchange::schema(), &RecordRef::new(Sequence::new(40), &header, &payload))?;
//! let expected = concat!(
//!     r#"{"sequence":40,"height":7,"time":"1970-01-01T00:00:00.000000000Z","#,
//!     r#""trace":"0000000000000000000000000000000000000000000000000000000000000000","order":2,"#,
//!     r#""kind":8,"event":"Trade","topic":0,"source":0,"trigger":{"kind":0,"reason":0},"version":1,"#,
//!     r#""fields":{"market":3,"size":250}}"#,
//!     "\n",
//! );
//! assert_eq!(String::from_utf8(line)?, expected);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A line
//!
//! An object with these members, in this order:
//!
//! | member | what it is |
//! | --- | --- |
//! | `sequence` | the record's place on the ring; of several fragments, the first one's |
//! | `height`, `time` | of the block; the time as RFC 3339 has it, to the nanosecond, UTC |
//! | `trace` | 64 hex digits |
//! | `order` | the number within the block |
//! | `kind`, `event` | the number, and the name that the schema has for it; no `event` if it has none |
//! | `topic`, `source`, `trigger` | numbers; the trigger is an object of its `kind` and `reason` |
//! | `version` | of the payload's layout |
//! | `begins_block`, `ends_block` | `true`, or not there |
//! | `fields` | the payload's values by their names, in the order in which they lie |
//!
//! A payload that the schema does not describe (it does not know the kind, or has another version of the layout or another length)
//! has in place of `fields` a `payload`, all of its bytes in hex, and a `note` that says why.
//!
//! # Values
//!
//! | type | JSON |
//! | --- | --- |
//! | integer | a number. All 64 bits are written: a reader that takes numbers for doubles loses those beyond 2^53 |
//! | `f32`, `f64` | the shortest number that reads back as the same; `"NaN"`, `"inf"`, `"-inf"` |
//! | [`Fixed`](ringbus::bus::Fixed) | a string, exact: `"101.25"` |
//! | [`Timestamp`] | a string, RFC 3339 to the nanosecond |
//! | [`Span`](ringbus::bus::Span) | a number, nanoseconds |
//! | bytes | a string of hex digits |
//! | [`Text`](ringbus::bus::Text) | a string; one that is not UTF-8 as bytes, all of its field, so that nothing is lost |
//! | enum | its name, or its number if the schema has no name for it |
//! | struct | an object |
//! | array | an array |

mod value;

use std::io::{self, Write};

use ringbus::bus::schema::{EventType, Schema, Value, Values};
use ringbus::bus::{RecordRef, Timestamp, Trigger};
use serde::ser::{Serialize, SerializeMap, Serializer};

use value::JsonValue;

/// Writes `record` as one line, the line's end included. The [module](self) says how it looks.
///
/// Any record can be written, whatever its header and payload. It goes out in many small pieces: give it a buffered writer.
///
/// # Errors
///
/// Those of `out`, of their kind. A part of the line may have been written then.
pub fn write_record(out: &mut impl Write, schema: &Schema, record: &RecordRef<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { event: schema.event(record.kind()), record: *record })?;
    out.write_all(b"\n")
}

struct Line<'a> {
    /// `None`: the schema does not know the kind.
    event: Option<&'a EventType>,
    record: RecordRef<'a>,
}

impl<'a> Line<'a> {
    /// The values in the payload, or why they cannot be read.
    fn values(&self) -> Result<Values<'a>, String> {
        let (kind, version) = (self.record.kind(), self.record.header().version);
        let event = self.event.ok_or_else(|| format!("the schema has no kind {kind}"))?;
        if event.version() != version {
            let (name, expected) = (event.name(), event.version());
            return Err(format!(
                "`{name}` (kind {kind}) has layout {expected}, not {version}: use the schema of the core that wrote it"
            ));
        }
        event.values(self.record.payload()).map_err(|error| error.to_string())
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = &self.record;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("sequence", &record.sequence().get())?;
        line.serialize_entry("height", &record.block_height())?;
        line.serialize_entry("time", &JsonValue(Value::Timestamp(Timestamp::new(record.block_time()))))?;
        line.serialize_entry("trace", &JsonValue(Value::Bytes(record.trace().bytes())))?;
        line.serialize_entry("order", &record.order())?;
        line.serialize_entry("kind", &record.kind().get())?;
        if let Some(event) = self.event {
            line.serialize_entry("event", event.name())?;
        }
        line.serialize_entry("topic", &record.topic().get())?;
        line.serialize_entry("source", &record.source().get())?;
        line.serialize_entry("trigger", &JsonTrigger(record.origin().trigger))?;
        line.serialize_entry("version", &record.header().version)?;
        for (name, applies) in [("begins_block", record.begins_block()), ("ends_block", record.ends_block())]
        {
            if applies {
                line.serialize_entry(name, &true)?;
            }
        }
        match self.values() {
            Ok(values) => line.serialize_entry("fields", &JsonValue(Value::Struct(values)))?,
            Err(note) => {
                line.serialize_entry("payload", &JsonValue(Value::Bytes(record.payload())))?;
                line.serialize_entry("note", &note)?;
            }
        }
        line.end()
    }
}

struct JsonTrigger(Trigger);

impl Serialize for JsonTrigger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("kind", self.0.kind), ("reason", self.0.reason)])
    }
}
