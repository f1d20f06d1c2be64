//! Kinds, as people name them.

use std::str::FromStr;

use ringbus::bus::RecordRef;
use ringbus::bus::schema::{EventType, Schema};

/// A kind by its number, or by the name that the schema has for it.
#[derive(Clone, Debug)]
pub(crate) enum KindName {
    Number(u16),
    Name(String),
}

impl FromStr for KindName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number) => Ok(Self::Number(number)),
            Err(_) if text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit()) => {
                Err("expected the name of an event, or the number of a kind, from 0 to 65535".to_owned())
            }
            Err(_) => Ok(Self::Name(text.to_owned())),
        }
    }
}

impl KindName {
    /// Whether it is the kind of this record, by this schema. Small and capital letters are the same.
    pub(crate) fn is_of(&self, record: &RecordRef<'_>, schema: &Schema) -> bool {
        match self {
            Self::Number(number) => record.kind().get() == *number,
            Self::Name(name) => {
                schema.event(record.kind()).is_some_and(|event| event.name().eq_ignore_ascii_case(name))
            }
        }
    }

    /// Makes sure that one of the schemas knows the name.
    pub(crate) fn check(&self, schemas: &[Schema]) -> Result<(), String> {
        let Self::Name(name) = self else { return Ok(()) };
        let mut names: Vec<&str> = schemas.iter().flat_map(Schema::events).map(EventType::name).collect();
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        names.sort_unstable();
        names.dedup();
        Err(format!("the schema has no event `{name}`; expected one of {}, or a number", names.join(", ")))
    }
}
