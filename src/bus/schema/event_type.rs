//! What the records of one kind look like.

use super::super::kind::{Kind, Topic};
use super::super::payload::Payload;
use super::described::Described;
use super::error::{PayloadError, SchemaError};
use super::names;
use super::structs::{Field, StructType};
use super::types::Type;
use super::value::Values;

/// A kind of records: its name and numbers, and what its payload looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    kind: Kind,
    topic: Topic,
    version: u8,
    pub(super) body: Body,
}

/// What a payload looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A struct, and nothing behind it.
    Struct(StructType),
    /// Text, whatever its length; an event of this name.
    Text(String),
}

impl EventType {
    /// A kind whose payload is a struct; the struct's name is the event's. `version` counts the layouts that it has had.
    #[must_use]
    pub fn new(kind: Kind, topic: Topic, version: u8, payload: StructType) -> Self {
        Self { kind, topic, version, body: Body::Struct(payload) }
    }

    /// A kind whose payload is UTF-8 text of any length.
    ///
    /// # Errors
    ///
    /// If the name is not an identifier of at most 255 bytes.
    pub fn text(kind: Kind, topic: Topic, version: u8, name: impl Into<String>) -> Result<Self, SchemaError> {
        let name = name.into();
        names::check(&name)?;
        Ok(Self { kind, topic, version, body: Body::Text(name) })
    }

    /// What [`events!`](crate::events) has declared as `T`.
    ///
    /// # Panics
    ///
    /// If `T` is described as something else than a struct.
    #[must_use]
    pub fn of<T: Payload + Described>() -> Self {
        match Type::of::<T>() {
            Type::Struct(payload) => Self::new(T::KIND, T::TOPIC, T::VERSION, payload),
            other => panic!("the payload of kind {} is {other:?}; expected a struct", T::KIND),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.body {
            Body::Struct(payload) => payload.name(),
            Body::Text(name) => name,
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its category.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// Which layout this is of those that it has had.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// How many bytes a payload has. `None`: any number, it is text.
    #[must_use]
    pub fn size(&self) -> Option<u32> {
        match &self.body {
            Body::Struct(payload) => Some(payload.size()),
            Body::Text(_) => None,
        }
    }

    /// The fields of a payload, by ascending offset. None if it is text.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        match &self.body {
            Body::Struct(payload) => payload.fields(),
            Body::Text(_) => &[],
        }
    }

    /// The values in `payload`, with their names. It may lie anywhere: values are copied out. If the kind is text, it is one value of
    /// the name `text`.
    ///
    /// # Errors
    ///
    /// [`PayloadError`], if the payload does not have [this many](Self::size) bytes.
    pub fn values<'a>(&'a self, payload: &'a [u8]) -> Result<Values<'a>, PayloadError> {
        match &self.body {
            Body::Struct(of) if payload.len() as u64 == u64::from(of.size()) => {
                Ok(Values::fields(of, payload))
            }
            Body::Struct(of) => Err(PayloadError {
                event: of.name().to_owned(),
                kind: self.kind,
                expected: of.size() as usize,
                found: payload.len(),
            }),
            Body::Text(name) => Ok(Values::text(name, payload)),
        }
    }
}
