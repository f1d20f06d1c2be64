//! Schemas: what a core's events look like, as data, so that tools can read and print them without the core's code.
//!
//! [`events!`](crate::events) makes a [`Schema`] of the same declaration as the types. [`Schema::encode`] turns it into bytes, to be
//! kept with the events; [`Schema::decode`] gets it back anywhere; [`Schema::display`] prints any record by it, and
//! [`EventType::values`] hands out the values one by one.
//!
//! ```
//! use ringbus::Sequence;
//! use ringbus::bus::schema::{Schema, Value};
//! use ringbus::bus::{Header, Kind, RecordRef};
//!
//! ringbus::events! {
//!     /// What the exchange says.
//!     pub schema Exchange, version 1;
//!
//!     /// Two orders met.
//!     pub event Trade, kind 8 {
//!         /// Where.
//!         pub market: u32,
//!         /// How many contracts.
//!         pub size: u32,
//!     }
//! }
//!
//! // Where the core runs:
//! let encoded = Exchange::schema().encode();
//! let payload = [3, 0, 0, 0, 250, 0, 0, 0];
//!
//! // Somewhere else:
//! let schema = Schema::decode(&encoded)?;
//! let trade = schema.event(Kind::new(8)).expect("declared above");
//! let (name, value) = trade.values(&payload)?.next().expect("it has two fields");
//! assert!(name == "market" && matches!(value, Value::Unsigned(3)));
//!
//! let header = Header { kind: Kind::new(8), version: 1, ..Header::default() };
//! let record = RecordRef::new(Sequence::new(0), &header, &payload);
//! assert_eq!(schema.display(&record).to_string(), "Trade { market: 3, size: 250 }");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The encoding
//!
//! All integers are little-endian. A *name* is one byte that tells its length, 1 to 255, and that many bytes of UTF-8: an identifier.
//!
//! ```text
//! schema      "RBSCHEMA"  format: u16 = 1  name  version: u32  count: u16  event * count, by ascending kind
//! event       kind: u16  topic: u16  layout version: u8
//!             then 0: u8  struct                 a payload of fixed layout
//!               or 1: u8  name                   a payload that is text, whatever its length
//! struct      name  size: u32  count: u16  field * count, by ascending offset
//! field       name  offset: u32  type
//! type        1 u8   2 u16   3 u32   4 u64   5 i8   6 i16   7 i32   8 i64   9 f32   10 f64 : u8, and nothing else
//!             11: u8  length: u32                bytes
//!             12: u8  length: u32                text, in that many bytes, zeroes behind it
//!             13: u8  scale: u8                  an i64 with that many decimal places, at most 18
//!             14: u8                             a point in time: i64, nanoseconds since the beginning of 1970
//!             15: u8  name  width: u8  count: u16  (number: u64  name) * count, by ascending number
//!                                                an enum: an unsigned integer of 1, 2, 4 or 8 bytes, with names
//!             16: u8  struct                     a struct within
//!             17: u8  length: u32  type          an array
//!             18: u8                             a span of time: i64, nanoseconds
//! ```
//!
//! Structs and arrays nest at most 16 deep. One schema has one encoding, and nothing else decodes to it.
//!
//! The *values* of payloads have the byte order of the machine that the core ran on; a schema does not translate them.

#[doc(hidden)]
pub mod declare;
mod decode;
mod described;
mod display;
mod encode;
mod error;
mod event_type;
mod fingerprint;
mod growth;
mod names;
mod own;
mod structs;
mod types;
mod value;

pub use described::Described;
pub use display::DisplayRecord;
pub use error::{PayloadError, SchemaError};
pub use event_type::EventType;
pub use fingerprint::Fingerprint;
pub use growth::LayoutChanged;
pub use structs::{Field, StructType};
pub use types::{EnumType, Type};
pub use value::{Elements, EnumValue, Value, Values};

use super::kind::Kind;
use super::record_ref::RecordRef;

/// How deep structs and arrays may nest.
const MAX_LEVELS: usize = 16;

/// What a core's events look like. See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    name: String,
    version: u32,
    events: Vec<EventType>,
}

impl Schema {
    /// One of this name and version, with these events. [`events!`](crate::events) does it for those of a core; by hand it serves those
    /// who read what they have no code for.
    ///
    /// # Errors
    ///
    /// If two events have one kind or one name; a kind is the bus's own ([`Kind::is_reserved`]); or the name is not an identifier of at
    /// most 255 bytes.
    pub fn new(
        name: impl Into<String>,
        version: u32,
        events: impl IntoIterator<Item = EventType>,
    ) -> Result<Self, SchemaError> {
        let new = Self::sorted(name.into(), version, events.into_iter().collect());
        names::check(&new.name)?;
        new.check().map_err(|error| error.within(format_args!("schema `{}`", new.name)))?;
        Ok(new)
    }

    /// Unchecked: the bus's own has reserved kinds.
    fn sorted(name: String, version: u32, mut events: Vec<EventType>) -> Self {
        events.sort_by_key(EventType::kind);
        Self { name, version, events }
    }

    fn check(&self) -> Result<(), SchemaError> {
        names::check_unique(self.events.iter().map(EventType::name))?;
        if let Some(event) = self.events.iter().find(|event| event.kind().is_reserved()) {
            let (name, kind, first) = (event.name(), event.kind(), Kind::FIRST_RESERVED);
            return Err(SchemaError::new(format!(
                "event `{name}` has kind {kind}; those from {first} on are the bus's own"
            )));
        }
        if let Some(pair) = self.events.windows(2).find(|pair| pair[0].kind() == pair[1].kind()) {
            let (one, other, kind) = (pair[0].name(), pair[1].name(), pair[0].kind());
            return Err(SchemaError::new(format!(
                "events `{one}` and `{other}` both have kind {kind}; expected a kind for each"
            )));
        }
        Ok(())
    }

    /// The bus's own kinds: blocks and transactions. Every bus has them, so no other schema does.
    #[must_use]
    pub fn bus() -> &'static Self {
        own::schema()
    }

    /// It without the bus's own kinds, which only [`Schema::bus`] has: every schema knows them, and none that is encoded may have
    /// them. For who keeps the schema of a bus, which may be that one.
    #[must_use]
    pub fn without_own_kinds(&self) -> Self {
        let events = self.events.iter().filter(|event| !event.kind().is_reserved()).cloned();
        Self { name: self.name.clone(), version: self.version, events: events.collect() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version, counted by the core.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Its events, by ascending kind.
    #[must_use]
    pub fn events(&self) -> &[EventType] {
        &self.events
    }

    /// What records of this kind look like: by this schema or, for the bus's own kinds, by [`Schema::bus`]. `None`: it does not know.
    #[must_use]
    pub fn event(&self, kind: Kind) -> Option<&EventType> {
        let schema = if kind.is_reserved() { Self::bus() } else { self };
        let at = schema.events.binary_search_by_key(&kind, EventType::kind).ok()?;
        Some(&schema.events[at])
    }

    /// `record`, to be printed: `Trade { market: 3, side: BUY, price: 101.25 }`. If the schema does not know its kind, or the length
    /// or the layout's version is another one, it says so and prints the first bytes.
    #[must_use]
    pub fn display<'a>(&'a self, record: &RecordRef<'a>) -> DisplayRecord<'a> {
        DisplayRecord::new(self.event(record.kind()), *record)
    }

    /// It as bytes, as the [module](self#the-encoding) describes them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode::schema(self)
    }

    /// The schema that `bytes` are, all of them. Any bytes may be given: it does not panic, and takes memory in proportion to their
    /// number.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], which tells what is wrong with them, and where.
    pub fn decode(bytes: &[u8]) -> Result<Self, SchemaError> {
        decode::schema(bytes)
    }

    /// What tells it from other schemas: 64 bits of [FNV-1a](http://www.isthe.com/chongo/tech/comp/fnv/) over its encoding behind the
    /// name, from the version on. It is the same on every machine and in every release that writes this format.
    ///
    /// What counts: the version of the schema; names, kinds, topics, versions and sizes of events; names, offsets and types of fields;
    /// the names in enums. What does not: the schema's own name, comments, the order of the declarations. It finds accidents (a tool with a
    /// stale schema), not attacks: anybody can make another schema of the same fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_bytes(&encode::contents(self))
    }
}
